//! A token as its holder has it: made, read, hashed. It is shown once and kept nowhere.

use std::fmt;
use std::fmt::Write as _;

/// With what each begins, so that leaks are found.
const PREFIX: &str = "dgl_";
/// Digits of the random part, and of the checksum after it.
const DIGITS: usize = 64;
const CHECKSUM: usize = 8;

/// A token.
#[derive(Clone)]
pub struct Secret {
    digits: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A text that cannot be a token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Another look.
    #[error("this is no token of ours: one is `dgl_` and 72 hexadecimal digits, as `dangol token create` shows it")]
    Look,
    /// The checksum does not fit.
    #[error("this token has a typo or is cut: its checksum does not fit")]
    Checksum,
}

impl Secret {
    /// A new one, of 256 random bits.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn random() -> Result<Secret, getrandom::Error> {
        let mut random = [0; DIGITS / 2];
        getrandom::fill(&mut random)?;
        Ok(Secret { digits: hex(&random) })
    }

    /// Reads one. Says nothing of whether anybody was given it.
    ///
    /// # Errors
    /// Why it cannot be one.
    pub fn read(text: &str) -> Result<Secret, Malformed> {
        let rest = text.strip_prefix(PREFIX).ok_or(Malformed::Look)?;
        let fits =
            rest.len() == DIGITS + CHECKSUM && rest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !fits {
            return Err(Malformed::Look);
        }
        let (digits, sum) = rest.split_at(DIGITS);
        if checksum(digits) != sum {
            return Err(Malformed::Checksum);
        }
        Ok(Secret { digits: digits.to_owned() })
    }

    /// The whole text, for the one time that it is shown.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}{}", self.digits, checksum(&self.digits))
    }

    pub(super) fn hash(&self) -> blake3::Hash {
        blake3::Hash::from_bytes(blake3::derive_key("dangol api token v1", self.digits.as_bytes()))
    }
}

/// It guards against typos, not against people: anybody can compute it.
fn checksum(digits: &str) -> String {
    hex(&blake3::derive_key("dangol api token checksum v1", digits.as_bytes())[..CHECKSUM / 2])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // writing to a string cannot fail
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_told_and_a_token_is_read_back() {
        let secret = Secret::random().unwrap();
        let text = secret.reveal();
        assert_eq!(text.len(), 76);
        assert_eq!(Secret::read(&text).unwrap().hash(), secret.hash());
        assert_ne!(Secret::random().unwrap().hash(), secret.hash());
        for at in [4, 30, 67, 75] {
            let other = if &text[at..=at] == "0" { "1" } else { "0" };
            let wrong = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert_eq!(Secret::read(&wrong).unwrap_err(), Malformed::Checksum, "digit {at}");
        }
        for wrong in ["", "dgl_", &text[..75], &text[4..], &format!("{text}0"), &text.to_uppercase(), "dgl_홍길동"] {
            assert_eq!(Secret::read(wrong).unwrap_err(), Malformed::Look, "{wrong}");
        }
        assert!(!format!("{secret:?}").contains(&text[4..12]));
    }
}
