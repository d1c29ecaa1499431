//! One SMTP connection, its commands driven one by one, so that each reply is known to be of its phase.
//!
//! A connection on which a reply may still be under way, or on which more replies came than were asked for, is never used
//! again: the next mail would be told what became of the last.

use super::content::Content;
use super::hello::{self, Abilities};
use super::reply::Reply;
use super::server::{Limits, Server};
use super::verdict::{Outcome, Phase};
use super::wire::{Broken, Wire};
use crate::types::Email;
use std::time::Duration;
use tokio::time::Instant;

/// From this size on, a mail's final dot goes out apart.
const LARGE: usize = 64 * 1024;

/// Why there is no connection.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{why}")]
pub struct NoConnection {
    /// While connecting, or while logging in.
    pub phase: Phase,
    /// In words.
    pub why: String,
}

/// An open connection, EHLO and login done.
pub struct Connection {
    wire: Wire,
    can: Abilities,
    limits: Limits,
    /// How many mails have gone over it.
    pub sent: u32,
    opened: Instant,
}

impl Connection {
    /// Connects, protects and logs in. `name` is what we call ourselves in EHLO.
    ///
    /// # Errors
    /// In which phase it failed, and why.
    pub async fn open(server: &Server, name: &str) -> Result<Connection, NoConnection> {
        let (wire, can) = hello::open(server, name).await?;
        Ok(Connection { wire, can, limits: server.limits, sent: 0, opened: Instant::now() })
    }

    /// How long it has stood.
    pub fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// Whether it can take a mail: the server has neither gone nor said anything unasked meanwhile. Ask before a mail is
    /// begun, for a connection that has idled.
    pub fn stands(&mut self) -> bool {
        self.wire.quiet().is_ok()
    }

    /// Why this mail can never go over a connection to this server, if so: told here and not by the server, whose
    /// refusal would look like the reader's fault.
    pub fn unfit(&self, from: &Email, to: &Email, content: &Content) -> Option<String> {
        let Abilities { largest, .. } = self.can;
        if (from.needs_smtputf8() || to.needs_smtputf8()) && !self.can.smtputf8 {
            return Some("the address needs a relay with SMTPUTF8, and this one has none".into());
        }
        if largest > 0 && content.size > largest {
            // a mail like this goes to nobody: counted as a mistake of the template, it holds the campaign
            return Some(format!("render: the mail has {} bytes, and the relay takes {largest}", content.size));
        }
        if !self.can.eight_bit && !self.can.smtputf8 && !content.ascii {
            return Some("render: the mail is not all ASCII, and the relay has no 8BITMIME".into());
        }
        None
    }

    /// Sends one mail. With the outcome comes whether the connection can go on.
    pub async fn transmit(&mut self, from: &Email, to: &Email, content: &Content) -> (Outcome, bool) {
        if let Some(why) = self.unfit(from, to, content) {
            return (Outcome::Unfit { why }, true);
        }
        self.sent += 1;
        let size = if self.can.size { format!(" SIZE={}", content.size) } else { String::new() };
        let body = if self.can.eight_bit && !content.ascii { " BODY=8BITMIME" } else { "" };
        let utf8 = if from.needs_smtputf8() || to.needs_smtputf8() { " SMTPUTF8" } else { "" };
        let mail = format!("MAIL FROM:<{from}>{size}{body}{utf8}\r\n");
        let rcpt = format!("RCPT TO:<{to}>\r\n");
        let begun =
            if self.can.pipelining { self.pipelined(&mail, &rcpt).await } else { self.stepwise(&mail, &rcpt).await };
        let not_sent = |phase: Phase, e: &Broken| {
            (Outcome::NotSent { why: format!("the connection broke in {phase}: {e}") }, false)
        };
        match begun {
            Begun::Go => {}
            Begun::Stop(outcome, code) => {
                let usable = code != 421 && !matches!(outcome, Outcome::NotSent { .. }) && self.reset().await;
                return (outcome, usable);
            }
            Begun::Broken(phase, e) => return not_sent(phase, &e),
        }
        // a reply too many before the content would be taken for the one to its end
        if let Err(e) = self.wire.quiet() {
            return not_sent(Phase::Data, &e);
        }
        match self.content(content.stuffed()).await {
            Ok(reply) => {
                let outcome = Outcome::of_reply(Phase::Body, reply.code, &reply.text());
                let known = !matches!(outcome, Outcome::Unknown { .. });
                let usable = known && reply.code != 421 && (reply.positive() || self.reset().await);
                (outcome, usable)
            }
            Err(Lost::Early(reply)) => (Outcome::of_reply(Phase::Body, reply.code, &reply.text()), false),
            Err(Lost::BeforeDot(e)) => not_sent(Phase::Body, &e),
            Err(Lost::AfterDot(e)) => (Outcome::Unknown { why: format!("no answer to the final dot: {e}") }, false),
        }
    }

    /// MAIL, RCPT and DATA in one write, then their three replies, whatever they say.
    async fn pipelined(&mut self, mail: &str, rcpt: &str) -> Begun {
        let sent = match self.wire.quiet() {
            Ok(()) => self.wire.send(format!("{mail}{rcpt}DATA\r\n").as_bytes()).await,
            gone => gone,
        };
        if let Err(e) = sent {
            return Begun::Broken(Phase::Mail, e);
        }
        let mut refusal = None;
        let mut open = false;
        for phase in [Phase::Mail, Phase::Rcpt, Phase::Data] {
            let reply = match self.wire.reply(self.limit(phase)).await {
                Ok(reply) => reply,
                Err(e) => {
                    // a refusal that was heard counts, even if the connection broke after it
                    return refusal.map_or(Begun::Broken(phase, e), |(phase, reply)| last_words(phase, &reply));
                }
            };
            open = phase == Phase::Data && reply.code == 354;
            let fine = if phase == Phase::Data { open } else { reply.positive() };
            // a server that says goodbye answers nothing more
            let over = reply.code == 421;
            if !fine {
                refusal.get_or_insert((phase, reply));
            }
            if over {
                break;
            }
        }
        let Some((phase, reply)) = refusal else { return Begun::Go };
        // the server waits for a mail to nobody: it is given an empty one, to be refused (RFC 2920, section 3.1)
        if open && self.content(b".\r\n").await.is_err() {
            return last_words(phase, &reply);
        }
        stop(phase, &reply)
    }

    async fn stepwise(&mut self, mail: &str, rcpt: &str) -> Begun {
        for (phase, command) in [(Phase::Mail, mail), (Phase::Rcpt, rcpt), (Phase::Data, "DATA\r\n")] {
            match self.ask(command, self.limit(phase)).await {
                Ok(reply) if phase == Phase::Data && reply.code == 354 => {}
                Ok(reply) if phase != Phase::Data && reply.positive() => {}
                Ok(reply) => return stop(phase, &reply),
                Err(e) => return Begun::Broken(phase, e),
            }
        }
        Begun::Go
    }

    /// The content with its final dot, and the reply.
    async fn content(&mut self, stuffed: &[u8]) -> Result<Reply, Lost> {
        // while a large mail goes out, a server may say no, or go away: looked at before the dot that makes it final
        let split = if stuffed.len() > LARGE { stuffed.len() - 3 } else { 0 };
        let (most, rest) = stuffed.split_at(split);
        let mut written = self.wire.write(most).await;
        if written.is_ok() && split > 0 {
            written = self.wire.quiet();
        }
        if written.is_ok() {
            written = self.wire.write(rest).await;
        }
        if let Err(e) = written {
            return Err(self.wire.early().map_or(Lost::BeforeDot(e), Lost::Early));
        }
        self.wire.flush().await.map_err(Lost::AfterDot)?;
        self.wire.reply(self.limits.dot).await.map_err(Lost::AfterDot)
    }

    async fn ask(&mut self, command: &str, limit: Duration) -> Result<Reply, Broken> {
        self.wire.quiet()?;
        self.wire.send(command.as_bytes()).await?;
        self.wire.reply(limit).await
    }

    fn limit(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Mail => self.limits.mail,
            Phase::Rcpt => self.limits.rcpt,
            _ => self.limits.data,
        }
    }

    /// RSET after a refusal; whether the connection can go on.
    async fn reset(&mut self) -> bool {
        self.ask("RSET\r\n", self.limits.reset).await.is_ok_and(|reply| reply.positive())
    }

    /// Says goodbye.
    pub async fn quit(mut self) {
        let _ = self.ask("QUIT\r\n", self.limits.quit).await; // whatever it says, it is over
    }
}

enum Begun {
    Go,
    /// The server said no, with this code.
    Stop(Outcome, u16),
    Broken(Phase, Broken),
}

/// What the first refusal means.
fn stop(phase: Phase, reply: &Reply) -> Begun {
    Begun::Stop(Outcome::of_reply(phase, reply.code, &reply.text()), reply.code)
}

/// The same, of a connection that has broken since.
fn last_words(phase: Phase, reply: &Reply) -> Begun {
    Begun::Stop(Outcome::of_reply(phase, reply.code, &reply.text()), 421)
}

/// How the content was lost.
enum Lost {
    /// The server said no before it had all, and the connection is of no more use.
    Early(Reply),
    /// The final dot never went out, so that the server cannot have taken the mail.
    BeforeDot(Broken),
    /// It did, and nobody knows.
    AfterDot(Broken),
}
