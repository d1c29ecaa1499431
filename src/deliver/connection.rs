//! One SMTP connection, its commands driven one by one, so that each reply is known to be of its phase.
//!
//! lettre gives the protocol's words and TLS; what it does not do is done here: TCP_NODELAY (without it each mail waits
//! 40 ms for a delayed ACK), pipelining, a time limit for each phase, and never going on with a connection on which a
//! reply may still be under way.

use super::relay::{Server, Tls};
use super::verdict::{Outcome, Phase};
use crate::types::Email;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret;
use std::future::Future;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long each phase may take (RFC 5321, section 4.5.3.2, shortened where a person waits).
fn limit(phase: Phase) -> Duration {
    Duration::from_secs(match phase {
        Phase::Connect => 30,
        Phase::Auth => 60,
        Phase::Mail | Phase::Rcpt => 300,
        Phase::Data => 120,
        Phase::Body => 600,
    })
}

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
    inner: AsyncSmtpConnection,
    pipelining: bool,
    smtputf8: bool,
    /// The largest mail that the server takes; 0 when it does not say.
    size: usize,
    /// How many mails have gone over it.
    pub sent: u32,
}

impl Connection {
    /// Connects, protects and logs in.
    ///
    /// # Errors
    /// In which phase it failed, and why.
    pub async fn open(server: &Server, hello: &str) -> Result<Connection, NoConnection> {
        let hello = ClientId::Domain(hello.to_owned());
        let at = format!("{}:{}", server.host, server.port);
        let failed = |phase, why: String| NoConnection { phase, why };
        let connecting = connect(server, &hello);
        let mut inner = match tokio::time::timeout(limit(Phase::Connect), connecting).await {
            Ok(Ok(inner)) => inner,
            Ok(Err(why)) => return Err(failed(Phase::Connect, format!("cannot connect to {at}: {why}"))),
            Err(_) => return Err(failed(Phase::Connect, format!("{at} did not answer in 30 s"))),
        };
        if let Some((user, password)) = &server.login {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            let login = inner.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            match tokio::time::timeout(limit(Phase::Auth), login).await {
                Ok(Ok(_)) => {}
                Ok(Err(e)) => {
                    return Err(failed(Phase::Auth, format!("{at} refused the login as {user}: {}", words(&e))));
                }
                Err(_) => return Err(failed(Phase::Auth, format!("{at} did not answer the login in 60 s"))),
            }
        }
        // lettre keeps only some of the extensions: ask again, and read them all
        let asked = inner.command(format!("EHLO {hello}\r\n"));
        let extensions = match tokio::time::timeout(limit(Phase::Connect), asked).await {
            Ok(Ok(reply)) => reply.message().map(str::to_ascii_uppercase).collect::<Vec<_>>(),
            Ok(Err(e)) => return Err(failed(Phase::Connect, format!("{at} refused EHLO: {}", words(&e)))),
            Err(_) => return Err(failed(Phase::Connect, format!("{at} did not answer EHLO"))),
        };
        let has = |name: &str| extensions.iter().any(|line| line.split(' ').next() == Some(name));
        let size = extensions.iter().find_map(|line| line.strip_prefix("SIZE ")?.trim().parse().ok()).unwrap_or(0);
        Ok(Connection { inner, pipelining: has("PIPELINING"), smtputf8: has("SMTPUTF8"), size, sent: 0 })
    }

    /// Sends one mail. With the outcome comes whether the connection can go on.
    pub async fn transmit(&mut self, from: &Email, to: &Email, bytes: &[u8]) -> (Outcome, bool) {
        let utf8 = from.needs_smtputf8() || to.needs_smtputf8();
        if utf8 && !self.smtputf8 {
            let reply = "this address needs a relay with SMTPUTF8, and this one has none".to_owned();
            return (Outcome::Refused { reply }, true);
        }
        if self.size > 0 && bytes.len() > self.size {
            let reply = format!("the mail has {} bytes, and the relay takes {}", bytes.len(), self.size);
            return (Outcome::Refused { reply }, true);
        }
        self.sent += 1;
        let size = if self.size > 0 { format!(" SIZE={}", bytes.len()) } else { String::new() };
        let extra = if utf8 { " SMTPUTF8 BODY=8BITMIME" } else { "" };
        let mail = format!("MAIL FROM:<{from}>{size}{extra}\r\n");
        let rcpt = format!("RCPT TO:<{to}>\r\n");
        let begun = if self.pipelining { self.pipelined(mail, rcpt).await } else { self.stepwise(mail, rcpt).await };
        match begun {
            Begun::Go => {}
            Begun::Stop(outcome) => return (outcome, self.reset().await),
            Begun::Broken(phase, why) => {
                return (Outcome::NotSent { why: format!("the connection broke in {phase:?}: {why}") }, false);
            }
        }
        let reply = timed(Phase::Body, self.inner.message(bytes)).await;
        match reply {
            Reply::Said(code, text) => {
                let outcome = Outcome::of_reply(Phase::Body, code, &text);
                let usable = code != 421 && (code / 100 == 2 || self.reset().await);
                (outcome, usable)
            }
            Reply::Broken(why) => (Outcome::Unknown { why: format!("no answer to the final dot: {why}") }, false),
        }
    }

    /// MAIL, RCPT and DATA in one write, then their three replies, whatever they say.
    async fn pipelined(&mut self, mail: String, rcpt: String) -> Begun {
        let mut said = Vec::with_capacity(3);
        for (i, phase) in [Phase::Mail, Phase::Rcpt, Phase::Data].into_iter().enumerate() {
            let reply = if i == 0 {
                timed(phase, self.inner.command(format!("{mail}{rcpt}DATA\r\n"))).await
            } else {
                timed(phase, self.inner.read_response()).await
            };
            match reply {
                Reply::Said(code, text) => said.push((phase, code, text)),
                Reply::Broken(why) => return Begun::Broken(phase, why),
            }
        }
        let data_open = said[2].1 == 354;
        let refusal = said.into_iter().find(|(phase, code, _)| match phase {
            Phase::Data => *code != 354,
            _ => code / 100 != 2,
        });
        let Some((phase, code, text)) = refusal else { return Begun::Go };
        if data_open {
            // the server waits for a mail to nobody: give it an empty one, which it refuses (RFC 2920, section 3.1)
            if let Reply::Broken(why) = timed(Phase::Body, self.inner.message(b"")).await {
                return Begun::Broken(Phase::Data, why);
            }
        }
        Begun::Stop(Outcome::of_reply(phase, code, &text))
    }

    async fn stepwise(&mut self, mail: String, rcpt: String) -> Begun {
        for (phase, command) in [(Phase::Mail, mail), (Phase::Rcpt, rcpt), (Phase::Data, "DATA\r\n".to_owned())] {
            match timed(phase, self.inner.command(command)).await {
                Reply::Said(354, _) if phase == Phase::Data => {}
                Reply::Said(code, _) if phase != Phase::Data && code / 100 == 2 => {}
                Reply::Said(code, text) => return Begun::Stop(Outcome::of_reply(phase, code, &text)),
                Reply::Broken(why) => return Begun::Broken(phase, why),
            }
        }
        Begun::Go
    }

    /// RSET after a refusal; whether the connection can go on.
    async fn reset(&mut self) -> bool {
        matches!(timed(Phase::Data, self.inner.command("RSET\r\n")).await, Reply::Said(code, _) if code / 100 == 2)
    }

    /// Says goodbye.
    pub async fn quit(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(5), self.inner.quit()).await;
    }
}

enum Begun {
    Go,
    Stop(Outcome),
    Broken(Phase, String),
}

enum Reply {
    Said(u16, String),
    Broken(String),
}

async fn timed(
    phase: Phase,
    asking: impl Future<Output = Result<lettre::transport::smtp::response::Response, Error>>,
) -> Reply {
    match tokio::time::timeout(limit(phase), asking).await {
        Ok(Ok(response)) => Reply::Said(response.code().into(), response.message().collect::<Vec<_>>().join(" ")),
        Ok(Err(e)) => match e.status() {
            Some(code) => Reply::Said(code.into(), words(&e)),
            None => Reply::Broken(words(&e)),
        },
        Err(_) => Reply::Broken(format!("no answer in {} s", limit(phase).as_secs())),
    }
}

/// What an error says at its root: the server's text, or the system's.
fn words(e: &Error) -> String {
    let mut text = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}

async fn connect(server: &Server, hello: &ClientId) -> Result<AsyncSmtpConnection, String> {
    let tls = || TlsParameters::new(server.host.clone()).map_err(|e| words(&e));
    if server.tls == Tls::Implicit {
        // lettre makes the socket itself when TLS comes first, and sets no TCP_NODELAY on it
        let address = (server.host.as_str(), server.port);
        return AsyncSmtpConnection::connect_tokio1(address, Some(limit(Phase::Connect)), hello, Some(tls()?), None)
            .await
            .map_err(|e| words(&e));
    }
    let stream = TcpStream::connect((server.host.as_str(), server.port)).await.map_err(|e| e.to_string())?;
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    let mut inner =
        AsyncSmtpConnection::connect_with_transport(Box::new(stream), hello).await.map_err(|e| words(&e))?;
    if server.tls == Tls::StartTls {
        if !inner.can_starttls() {
            return Err(
                "it offers no STARTTLS, and mail does not go in the clear: use smtps://, or another relay".into()
            );
        }
        inner.starttls(tls()?, hello).await.map_err(|e| format!("TLS failed: {}", words(&e)))?;
    }
    Ok(inner)
}
