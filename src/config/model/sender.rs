//! Who mail comes from, and the keys that it is signed with.

use crate::types::Email;
use crate::types::domain::{Domain, Selector};
use crate::types::email::Mailbox;
use schemars::JsonSchema;
use serde::Deserialize;

/// Who mail comes from.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// Name and address that readers see.
    pub from: Mailbox,
    /// Where answers go; without it, to `from`.
    pub reply_to: Option<Email>,
    /// The key that mail is signed with: `{ selector = "d1", key = ".secret/d1.pem" }`, or a list of two, RSA and Ed25519.
    /// `dangol dkim keygen` makes one and shows its DNS record.
    pub dkim: Option<Dkim>,
    /// The domain of the envelope's sender, to which bounces come back: each mail has an address of its own there, such as
    /// `b+…@bounces.haru.example`. Without it, bounces go to `from`.
    pub bounce: Option<Domain>,
}

/// One key, or several.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Dkim {
    /// One.
    One(DkimKey),
    /// Each signs.
    Several(Vec<DkimKey>),
}

impl Dkim {
    /// The keys.
    pub fn keys(&self) -> &[DkimKey] {
        match self {
            Dkim::One(key) => std::slice::from_ref(key),
            Dkim::Several(keys) => keys,
        }
    }

    /// Whether it is written as a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Dkim::Several(_))
    }
}

/// A key that signs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DkimKey {
    /// What it is called in DNS: the public half stands at `SELECTOR._domainkey.DOMAIN`.
    pub selector: Selector,
    /// The file of the private key, from the workspace: PEM, PKCS#8, RSA of 2048 bits or Ed25519.
    pub key: String,
}
