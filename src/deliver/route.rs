//! Which relays a mail may go through: the one its campaign names, else those that are for its topic or sender, else
//! those that are for all.

use super::Outgoing;
use super::relay::Relay;
use std::sync::Arc;

/// A set of relays, by their places in the settings: a bit each.
pub type Set = u64;

/// How many relays there can be.
pub const MOST: usize = 64;

/// What a relay is for, when it is not for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum For {
    /// Mail of this topic.
    Topic(String),
    /// Mail from this address, which readers see.
    From(String),
}

/// The relays as they are in use, and what each is for.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// In the order of the settings.
    pub relays: Vec<Arc<Relay>>,
    only: Vec<Vec<For>>,
}

impl Routes {
    /// Relays, each with what it is for; nothing is all.
    pub fn new(relays: Vec<(Arc<Relay>, Vec<For>)>) -> Routes {
        let (relays, only) = relays.into_iter().take(MOST).unzip();
        Routes { relays, only }
    }

    /// All of them.
    pub fn all(&self) -> Set {
        self.set(|_, _| true)
    }

    /// Those that fulfil a condition.
    pub fn set(&self, condition: impl Fn(usize, &Arc<Relay>) -> bool) -> Set {
        let chosen = self.relays.iter().enumerate().filter(|(i, relay)| condition(*i, relay));
        chosen.fold(0, |set, (i, _)| set | 1 << i)
    }

    /// Those that this mail may go through; none when the one that it is to go through is gone.
    pub fn of(&self, mail: &Outgoing) -> Set {
        if let Some(pinned) = &mail.relay {
            return self.set(|_, relay| relay.name == *pinned);
        }
        if self.only.iter().all(Vec::is_empty) {
            return self.all();
        }
        let from = header_from(mail.content.stuffed());
        let is_for = |one: &For| match one {
            For::Topic(topic) => *topic == mail.claimed.topic,
            For::From(address) => from.as_deref() == Some(address),
        };
        let its = self.set(|i, _| self.only[i].iter().any(is_for));
        if its != 0 { its } else { self.set(|i, _| self.only[i].is_empty()) }
    }
}

/// The address of a mail's From, as our own maker of mails writes it: the last word, in angle brackets or bare.
fn header_from(bytes: &[u8]) -> Option<String> {
    let mut value: Option<Vec<u8>> = None;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        match &mut value {
            Some(value) if line.starts_with(b" ") || line.starts_with(b"\t") => value.extend_from_slice(line),
            Some(_) => break,
            None if line.len() > 5 && line[..5].eq_ignore_ascii_case(b"from:") => value = Some(line[5..].to_vec()),
            None if line == b"\r\n" || line == b"\n" => return None,
            None => {}
        }
    }
    let value = String::from_utf8(value?).ok()?;
    let word = value.split_whitespace().next_back()?;
    Some(word.trim_start_matches('<').trim_end_matches('>').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_readers_see() {
        let of = |text: &str| header_from(text.as_bytes());
        let seen = Some("hello@haru.example".to_owned());
        assert_eq!(of("To: a@b.example\r\nFrom: Haru <hello@haru.example>\r\n\r\n"), seen);
        assert_eq!(of("From: =?utf-8?B?7ZWY66Oo?=\r\n <hello@haru.example>\r\nTo: x\r\n"), seen);
        assert_eq!(of("from: hello@haru.example\r\n\r\n"), seen);
        assert_eq!(of("To: a@b.example\r\n\r\nFrom: <x@y.example>\r\n"), None, "the body is no header");
    }
}
