//! Signed mail: keys that are read and judged, mail that is not sent unsigned, and other people's programs that verify
//! what goes out.

mod judges;
mod postfix;
mod sending;
mod spam;
mod speed;

use dangol::config::secret::write_private;
use dangol::render::dkim::{Algorithm, Key, generate, record};
use std::path::Path;
use std::sync::OnceLock;

/// What `dangol.toml` says of a sender with both keys.
pub const BOTH: &str =
    "[{ selector = \"d1\", key = \".secret/d1.pem\" }, { selector = \"e1\", key = \".secret/e1.pem\" }]";

/// A key of each kind, made once: making RSA keys takes a while.
pub fn pem(algorithm: Algorithm) -> &'static str {
    static RSA: OnceLock<String> = OnceLock::new();
    static ED25519: OnceLock<String> = OnceLock::new();
    let made = match algorithm {
        Algorithm::Rsa => &RSA,
        Algorithm::Ed25519 => &ED25519,
    };
    made.get_or_init(|| generate::pem(algorithm).unwrap())
}

/// Both keys, by their selectors.
pub fn both() -> Vec<(String, Key)> {
    let key = |algorithm| Key::from_pem(pem(algorithm)).unwrap();
    vec![("d1".into(), key(Algorithm::Rsa)), ("e1".into(), key(Algorithm::Ed25519))]
}

/// The DNS records of both keys, for haru.example.
pub fn records() -> Vec<(String, String)> {
    both().into_iter().map(|(selector, key)| (record::name(&selector, "haru.example"), key.record())).collect()
}

/// Puts both keys into the workspace.
pub fn put_keys(dir: &Path) {
    for (file, algorithm) in [("d1", Algorithm::Rsa), ("e1", Algorithm::Ed25519)] {
        write_private(&dir.join(format!(".secret/{file}.pem")), pem(algorithm)).unwrap();
    }
}

/// Whether a judge is there; with `DANGOL_TEST_REQUIRE` it has to be.
pub fn there(judge: &str, found: bool) -> bool {
    if !found {
        assert!(
            std::env::var("DANGOL_TEST_REQUIRE").is_err(),
            "DANGOL_TEST_REQUIRE is set, and {judge} is not installed"
        );
        eprintln!("SKIPPED: {judge} is not installed, so it does not judge our mail");
    }
    found
}
