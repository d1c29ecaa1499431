//! The envelope's sender of a mail (VERP): an address of its own, so that a bounce says by where it comes back which mail
//! it is about, and nobody can make one up. Made by `campaign::compose`; read by whatever takes in bounces.
//!
//! What stands before the `@` is `b+` and a token in base32, because servers on the way may change the case of letters.

use super::token::{Tokens, open, seal};

/// What the local part begins with; a server can route by it.
const MARK: &str = "b+";
/// Base32 (RFC 4648, section 6) in lower case, without padding.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Tokens {
    /// What stands before the `@` of a message's envelope sender: at most 64 octets (RFC 5321, section 4.5.3.1.1).
    pub fn bounce(&self, message: i64) -> String {
        format!("{MARK}{}", encode(&seal(&self.bounce[0], |w| w.int(message))))
    }

    /// The message whose envelope sender was `address`, or what stands before its `@`, in any case. None when we never
    /// gave this one out.
    pub fn parse_bounce(&self, address: &str) -> Option<i64> {
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
        let (mark, token) = local.split_at_checked(MARK.len())?;
        if !mark.eq_ignore_ascii_case(MARK) || local.len() > 64 {
            return None;
        }
        let message = open(&self.bounce, &decode(token)?, |r| r.int())?;
        (message > 0).then_some(message)
    }
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &byte in bytes {
        bits = (bits << 8) | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            out.push(char::from(LETTERS[(bits >> held & 31) as usize]));
        }
    }
    if held > 0 {
        out.push(char::from(LETTERS[(bits << (5 - held) & 31) as usize]));
    }
    out
}

/// Strict: one spelling for one token, but for the case of letters.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter.to_ascii_lowercase())?;
        bits = (bits << 5) | value as u32;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (held < 5 && bits == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (plain, text) in
            [("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"), ("foobar", "mzxw6ytboi")]
        {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(&text.to_uppercase()).unwrap(), plain.as_bytes());
        }
        // stray bits at the end, a letter too many, and what is no letter
        for wrong in ["mz", "mzxw6a", "m", "m1", "mz=", "가"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
