//! The site's secret: from it a key is derived for each purpose, so that a pixel's token opens nothing else.
//!
//! It comes from `DANGOL_SECRET`, from the file that `DANGOL_SECRET_FILE` names, or from `.secret/site.key` in the
//! workspace; one secret a line. The first signs, all verify, and so does every line of `.secret/old/*.key`: to rotate,
//! move the file there and let [`SiteSecret::create`] make a new one. [`SiteSecret::verify_fingerprint`] keeps a
//! stranger's secret away from a database. Nothing here shows a secret in an error, in a log or under `Debug`.

mod fingerprint;
mod sources;
mod store;

pub use sources::{Env, env_or_file, process_env, relay_password_variable, write_private};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::path::{Path, PathBuf};

/// Fewer characters than this can be guessed.
const SHORTEST: usize = 32;

/// What is wrong with a secret; never the secret itself.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is none.
    #[error(
        "this site has no secret: {path} does not exist, and neither DANGOL_SECRET nor DANGOL_SECRET_FILE is set. \
         If mail was sent from here before, bring back its secret, or no link in that mail works; `dangol init` makes a new one"
    )]
    Missing {
        /// Where it was looked for.
        path: String,
    },
    /// Too short to be one.
    #[error(
        "the secret in {from} has {found} characters and needs at least {SHORTEST}: `openssl rand -base64 32` makes one"
    )]
    Short {
        /// Where it stands.
        from: String,
        /// How long it is.
        found: usize,
    },
    /// Others on this machine can read it.
    #[error(
        "{path} can be read by others on this machine (mode {mode:o}): run `chmod 600 {path}`, and rotate it if the machine is shared"
    )]
    Open {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    File {
        /// What was done to which file.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// Both `NAME` and `NAME_FILE` are set.
    #[error("both {0} and {0}_FILE are set: unset one of them, so that it is clear which one counts")]
    Both(String),
    /// A new one would put the old one out of use.
    #[error(
        "{0} exists already and was left alone: to rotate, move it into .secret/old/ first, where it goes on verifying old links"
    )]
    Exists(String),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
    /// The database belongs to another site.
    #[error(
        "this database was opened with another secret (fingerprint {stored}), and none of the {known} known here matches: \
         links in mail already sent would all break. Bring back the secret that belongs to it, as DANGOL_SECRET, in .secret/site.key, or in .secret/old/"
    )]
    Stranger {
        /// The fingerprint that the database holds.
        stored: String,
        /// How many secrets are known here.
        known: usize,
    },
    /// The secret from which the erasure key comes is gone.
    #[error(
        "the first secret that this database was opened with is no longer listed, and erased people are recognised by it: \
         put it back into .secret/old/, or as a later line of DANGOL_SECRET; it need not sign any more"
    )]
    ErasureKey,
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] crate::db::DbError),
}

/// A key for one purpose, derived from one secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Which secret it comes from: a token says so in its first byte.
    pub id: u8,
    /// The key.
    pub bytes: [u8; 32],
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, …)", self.id)
    }
}

/// The site's secrets: the one that signs, and those that still verify.
pub struct SiteSecret {
    /// Never empty; the first signs.
    secrets: Vec<SecretString>,
    /// Which of them the erasure key comes from.
    first_ever: usize,
}

impl fmt::Debug for SiteSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteSecret(…, {} in all)", self.secrets.len())
    }
}

impl SiteSecret {
    /// Finds the secrets of the workspace at `dir`; `env` looks up a variable ([`process_env`], or a test's own).
    ///
    /// # Errors
    /// When there is none, when one is too short, or when others can read the workspace's file.
    pub fn load(dir: &Path, env: &Env<'_>) -> Result<SiteSecret, SecretError> {
        let path = Self::path(dir);
        let mut secrets = match env_or_file(env, "DANGOL_SECRET")? {
            Some(text) => sources::lines(text.expose_secret(), "DANGOL_SECRET")?,
            None if path.exists() => sources::private_file(&path)?,
            None => Vec::new(),
        };
        if secrets.is_empty() {
            return Err(SecretError::Missing { path: path.display().to_string() });
        }
        for old in sources::old_files(&dir.join(".secret/old"))? {
            secrets.extend(sources::private_file(&old)?);
        }
        Ok(SiteSecret::of(secrets))
    }

    /// These secrets, the first of which signs; for tests and the demo.
    ///
    /// # Errors
    /// When there is none, or one is too short.
    pub fn from_lines(text: &str) -> Result<SiteSecret, SecretError> {
        let secrets = sources::lines(text, "the text given")?;
        if secrets.is_empty() {
            return Err(SecretError::Short { from: "the text given".into(), found: 0 });
        }
        Ok(SiteSecret::of(secrets))
    }

    fn of(secrets: Vec<SecretString>) -> SiteSecret {
        let first_ever = secrets.len() - 1;
        SiteSecret { secrets, first_ever }
    }

    /// Makes `.secret/site.key` of the workspace at `dir`, from 32 random bytes, readable by its owner alone.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written.
    pub fn create(dir: &Path) -> Result<PathBuf, SecretError> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|e| SecretError::Random(e.to_string()))?;
        let path = Self::path(dir);
        sources::write_private(&path, &STANDARD.encode(random))?;
        Ok(path)
    }

    fn path(dir: &Path) -> PathBuf {
        dir.join(".secret/site.key")
    }

    /// The key that signs, for a purpose such as `token click`.
    pub fn key(&self, purpose: &str) -> Key {
        derive(&self.secrets[0], purpose)
    }

    /// The keys that verify, the signing one first.
    pub fn keys(&self, purpose: &str) -> Vec<Key> {
        self.secrets.iter().map(|secret| derive(secret, purpose)).collect()
    }

    /// The key under which erased addresses are hashed. It never rotates: it comes from the first secret that the
    /// database was opened with, once [`verify_fingerprint`](Self::verify_fingerprint) has found which one that was.
    pub fn erasure_key(&self) -> [u8; 32] {
        derive(&self.secrets[self.first_ever], "erasure").bytes
    }
}

/// The context string of a derivation holds the purpose, as blake3 wants it: fixed by the program, not by input.
fn derive(secret: &SecretString, purpose: &str) -> Key {
    let material = secret.expose_secret().as_bytes();
    let id = blake3::derive_key("dangol key id v1", material)[0];
    Key { id, bytes: blake3::derive_key(&format!("dangol {purpose} v1"), material) }
}
