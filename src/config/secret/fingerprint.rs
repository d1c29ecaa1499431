//! The database knows its site's secrets by their fingerprints, and refuses a stranger: whoever restores a database
//! without its secret learns it at the start, and not from readers whose links are dead.

use super::store::{read, write};
use super::{SecretError, SiteSecret, derive};
use crate::db::Db;
use secrecy::SecretString;
use std::fmt::Write as _;

/// Under which key of `meta` the fingerprint of the signing secret stands.
const SECRET: &str = "secret";
/// And that of the secret from which the erasure key comes.
const ERASURE: &str = "secret_erasure";

impl SiteSecret {
    /// Compares the secrets with what `db` remembers, and makes it remember them at first use. After a rotation it
    /// remembers the new one. Call it once, after the migrations and before anything else.
    ///
    /// # Errors
    /// When none of the secrets belongs to this database, or the one that recognises erased people is gone.
    pub async fn verify_fingerprint(&mut self, db: &Db) -> Result<(), SecretError> {
        let mut tx = db.begin().await?;
        let signing = of(&self.secrets[0], "fingerprint");
        match read(&mut tx, SECRET).await? {
            Some(stored) if !self.secrets.iter().any(|secret| of(secret, "fingerprint") == stored) => {
                return Err(SecretError::Stranger {
                    stored: stored.chars().take(8).collect(),
                    known: self.secrets.len(),
                });
            }
            Some(stored) if stored == signing => {}
            _ => write(&mut tx, SECRET, &signing).await?,
        }
        match read(&mut tx, ERASURE).await? {
            Some(stored) => {
                let found = self.secrets.iter().position(|secret| of(secret, "erasure fingerprint") == stored);
                self.first_ever = found.ok_or(SecretError::ErasureKey)?;
            }
            None => write(&mut tx, ERASURE, &of(&self.secrets[self.first_ever], "erasure fingerprint")).await?,
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Sixteen bytes of a hash that says nothing about the secret.
fn of(secret: &SecretString, purpose: &str) -> String {
    derive(secret, purpose).bytes[..16].iter().fold(String::new(), |mut hex, byte| {
        // writing to a string cannot fail
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
