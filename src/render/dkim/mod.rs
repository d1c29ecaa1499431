//! DKIM (RFC 6376, RFC 8463): a mail's headers and body signed with the sender's own keys, RSA-2048 and Ed25519.
//!
//! `engine` reads the keys once, at start and when the settings are read again ([`Keys`]); `campaign` signs each mail with
//! them ([`Signer::sign`]) and holds a campaign whose key is gone; the commands make keys ([`generate`]) and show their
//! DNS records ([`record`]). A private key is shown by nothing here: not by an error, not by `Debug`.

mod canon;
pub mod generate;
mod key;
mod keys;
mod pem;
pub mod record;
mod sign;

pub use key::{Algorithm, Key, KeyError};
pub use keys::{Keys, problems};
pub use sign::Signer;
