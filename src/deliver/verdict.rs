//! What a server's reply means for the mail, for the recipient, and for the relay.

use super::reply;
use crate::types::Timestamp;
use jiff::SignedDuration;

/// In which part of the conversation a reply came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The network's connection.
    Connect,
    /// TLS, at once or by STARTTLS.
    Tls,
    /// The server's greeting.
    Greeting,
    /// EHLO.
    Hello,
    /// Login.
    Auth,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Rcpt,
    /// The word `DATA`.
    Data,
    /// The content and its final dot.
    Body,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Phase::Connect => "connecting",
            Phase::Tls => "TLS",
            Phase::Greeting => "the greeting",
            Phase::Hello => "EHLO",
            Phase::Auth => "the login",
            Phase::Mail => "MAIL",
            Phase::Rcpt => "RCPT",
            Phase::Data => "DATA",
            Phase::Body => "the content",
        })
    }
}

/// What became of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server took responsibility.
    Accepted {
        /// Its words.
        reply: String,
    },
    /// Not now.
    Deferred {
        /// Its words.
        reply: String,
        /// Whether the relay itself is slowing us down, not this recipient.
        relay: bool,
    },
    /// Never: this recipient or this content.
    Refused {
        /// Its words.
        reply: String,
    },
    /// The server refuses us, not the recipient: the mail stays queued.
    Blamed {
        /// Its words.
        reply: String,
    },
    /// It cannot go over a connection to this server, and was not tried.
    Unfit {
        /// Why not.
        why: String,
    },
    /// The connection broke before the content was whole: the mail is as it was.
    NotSent {
        /// What broke.
        why: String,
    },
    /// It broke after the content went out, before a reply.
    Unknown {
        /// What broke.
        why: String,
    },
}

impl Outcome {
    /// What a reply of `code` in `phase` means. `text` has the enhanced status code, where there is one.
    pub fn of_reply(phase: Phase, code: u16, text: &str) -> Outcome {
        let reply = format!("{code} {}", text.trim()).chars().take(500).collect::<String>();
        match (code / 100, phase) {
            (2, Phase::Body) => Outcome::Accepted { reply },
            (4, _) => {
                let policy = reply::enhanced(code, text).is_some_and(|enhanced| enhanced.subject == 7);
                let relay = code == 421 || policy;
                Outcome::Deferred { reply, relay }
            }
            // at RCPT it is this recipient's, at the end this mail's; earlier it is about us
            (5, Phase::Rcpt | Phase::Body) => Outcome::Refused { reply },
            (5, _) => Outcome::Blamed { reply },
            // no reply to MAIL, RCPT or DATA that SMTP knows: take nothing for granted
            (_, Phase::Body) => Outcome::Unknown { why: format!("unexpected reply {reply}") },
            _ => Outcome::NotSent { why: format!("unexpected reply {reply}") },
        }
    }
}

/// When a deferred mail is tried again: 1, 5, 20, 60 minutes, then every 4 hours.
pub fn retry_at(attempts: i64, now: Timestamp) -> Timestamp {
    let minutes = match attempts {
        ..=1 => 1,
        2 => 5,
        3 => 20,
        4 => 60,
        _ => 240,
    };
    now.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_means_what_its_phase_makes_of_it() {
        let of = Outcome::of_reply;
        assert!(matches!(of(Phase::Body, 250, "2.0.0 Ok: queued"), Outcome::Accepted { .. }));
        assert!(matches!(of(Phase::Rcpt, 550, "5.1.1 no such user"), Outcome::Refused { .. }));
        assert!(matches!(of(Phase::Mail, 550, "5.7.1 sender rejected"), Outcome::Blamed { .. }));
        assert!(matches!(of(Phase::Data, 554, "no"), Outcome::Blamed { .. }));
        assert!(matches!(of(Phase::Rcpt, 452, "4.2.2 full"), Outcome::Deferred { relay: false, .. }));
        assert!(matches!(of(Phase::Rcpt, 451, "4.7.0 slow down"), Outcome::Deferred { relay: true, .. }));
        assert!(matches!(of(Phase::Body, 421, "4.3.2 closing"), Outcome::Deferred { relay: true, .. }));
        assert!(matches!(of(Phase::Body, 354, "go on"), Outcome::Unknown { .. }));
        assert!(matches!(of(Phase::Data, 250, "go on"), Outcome::NotSent { .. }));
    }

    #[test]
    fn tried_again_after_1_5_20_and_60_minutes_and_then_every_4_hours() {
        let now: Timestamp = "2027-03-02T03:00:00Z".parse().unwrap();
        let minutes = |attempts| (retry_at(attempts, now).as_millisecond() - now.as_millisecond()) / 60_000;
        let waits: Vec<i64> = (1..=7).map(minutes).collect();
        assert_eq!(waits, [1, 5, 20, 60, 240, 240, 240]);
    }
}
