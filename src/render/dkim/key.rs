//! A private key for signing, RSA of 2048 bits or more, or Ed25519, as it stands in a PEM file.

use super::{pem, record};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::path::Path;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `rsa-sha256`: what every receiver verifies.
    Rsa,
    /// `ed25519-sha256` (RFC 8463): short and fast; not every receiver verifies it yet.
    Ed25519,
}

impl Algorithm {
    /// In `a=` of a signature.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Rsa => "rsa-sha256",
            Algorithm::Ed25519 => "ed25519-sha256",
        }
    }

    /// In `k=` of a DNS record.
    pub fn kind(self) -> &'static str {
        match self {
            Algorithm::Rsa => "rsa",
            Algorithm::Ed25519 => "ed25519",
        }
    }
}

/// Why a key cannot be used; never the key itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not there.
    #[error("there is no key in {0}")]
    Missing(String),
    /// It cannot be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's words.
        why: String,
    },
    /// Others on this machine can read it.
    #[error("{path} can be read by others on this machine (mode {mode:o})")]
    Open {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// Not a key of ours.
    #[error("{path} holds no private key that signs: {why}")]
    Wrong {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
}

/// A private key, ready to sign.
pub struct Key {
    pair: Pair,
    /// The public half as `p=` of a DNS record has it.
    public: String,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, …)", self.algorithm().kind())
    }
}

impl Key {
    /// Reads a key from a file that nobody but its owner may read.
    ///
    /// # Errors
    /// When it is missing, open to others, or no key.
    pub fn read(path: &Path) -> Result<Key, KeyError> {
        /// No key is longer.
        const LONGEST: u64 = 64 * 1024;
        let shown = path.display().to_string();
        let unreadable = |e: &std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => KeyError::Missing(shown.clone()),
            _ => KeyError::Unreadable { path: shown.clone(), why: e.to_string() },
        };
        let meta = std::fs::metadata(path).map_err(|e| unreadable(&e))?;
        let wrong = |why: &str| KeyError::Wrong { path: shown.clone(), why: why.to_owned() };
        if !meta.is_file() || meta.len() > LONGEST {
            return Err(wrong("it is not a file of the size of a key"));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = meta.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(KeyError::Open { path: shown, mode });
            }
        }
        let text = std::fs::read(path).map_err(|e| unreadable(&e))?;
        let text = String::from_utf8(text).map_err(|_| wrong("it is not PEM, which is text"))?;
        Key::from_pem(&text).map_err(|why| wrong(&why))
    }

    /// A key from the text of a PEM file: PKCS#8, or PKCS#1 for RSA.
    ///
    /// # Errors
    /// What is wrong, without a byte of it.
    pub fn from_pem(text: &str) -> Result<Key, String> {
        let help = "write it as PEM of PKCS#8 (BEGIN PRIVATE KEY), as `dangol dkim keygen` does";
        let Some((label, bytes)) = pem::read(text) else { return Err(format!("it is not PEM; {help}")) };
        match label {
            "RSA PRIVATE KEY" => rsa(RsaKeyPair::from_der(&bytes)),
            "PRIVATE KEY" => match Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes) {
                Ok(pair) => {
                    Ok(Key { public: STANDARD.encode(pair.public_key().as_ref()), pair: Pair::Ed25519(Box::new(pair)) })
                }
                Err(_) => rsa(RsaKeyPair::from_pkcs8(&bytes)),
            },
            "ENCRYPTED PRIVATE KEY" => {
                Err(format!("it is encrypted with a passphrase, which nobody could type; {help}"))
            }
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Err("it is the public half, which belongs into DNS".into()),
            other => Err(format!("it is a {}; {help}", other.to_lowercase())),
        }
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        match &self.pair {
            Pair::Rsa(_) => Algorithm::Rsa,
            Pair::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// The public half as `p=` of a DNS record has it.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The value of its DNS record.
    pub fn record(&self) -> String {
        record::value(self.algorithm(), &self.public)
    }

    /// Signs the canonical headers.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub(super) fn sign(&self, headers: &[u8]) -> Result<Vec<u8>, String> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, headers, &mut signature);
                signed.map_err(|_| "the DKIM key refused to sign".to_owned())?;
                Ok(signature)
            }
            // RFC 8463, section 3: what is signed is the hash
            Pair::Ed25519(pair) => {
                let hash = digest(&SHA256, headers);
                Ok(pair.sign(hash.as_ref()).as_ref().to_vec())
            }
        }
    }
}

fn rsa(pair: Result<RsaKeyPair, KeyRejected>) -> Result<Key, String> {
    let wrong = |why: &str| match why {
        "TooSmall" => "the RSA key is shorter than 2048 bits, which receivers no longer trust".to_owned(),
        "TooLarge" => "the RSA key is longer than 4096 bits, which receivers need not verify".to_owned(),
        why => format!("it is neither RSA nor Ed25519, or damaged ({why})"),
    };
    let pair = pair.map_err(|e| wrong(&e.to_string()))?;
    if pair.public_modulus_len() > 4096 / 8 {
        return Err(wrong("TooLarge"));
    }
    // RFC 6376, section 3.6.1, has it as RSAPublicKey; every verifier reads, and everybody writes, SubjectPublicKeyInfo
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| wrong("it has no public half"))?;
    Ok(Key { public: STANDARD.encode(public.as_ref()), pair: Pair::Rsa(Box::new(pair)) })
}
