//! The protocol: one SMTP session (RFC 5321 with PIPELINING, 8BITMIME, SMTPUTF8, SIZE and enhanced status codes), over any
//! stream, for any [`Receiver`]. It knows the order of commands and their limits; who is accepted, the receiver decides.

use super::reply::Reply;
use super::wire::{Body, Line, Wire};
use smtp_proto::{Error, MAIL_BODY_BINARYMIME, MAIL_SMTPUTF8, MailFrom, Request};
use std::borrow::Cow;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// Says yes or no to recipients and messages. A verdict is a [`Reply`]: 250 takes it, 4xx asks to try later, 5xx refuses.
pub trait Receiver: Send + Sync + 'static {
    /// Whether this mailbox takes mail from the sender of `envelope`. `to` is an address with one `@`, of no particular
    /// spelling, or `postmaster`.
    fn recipient(&self, envelope: &Envelope, to: &str) -> impl Future<Output = Reply> + Send;

    /// Takes a whole message, for all recipients of the envelope. A 250 is a promise: it is kept.
    fn message(&self, envelope: Envelope, raw: Vec<u8>) -> impl Future<Output = Reply> + Send;
}

/// Who sends to whom, as the commands said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The client's address.
    pub peer: Option<IpAddr>,
    /// The name that it gave in EHLO or HELO.
    pub host: String,
    /// The envelope sender; empty for a bounce.
    pub from: String,
    /// The accepted recipients.
    pub to: Vec<String>,
    /// Whether SMTPUTF8 was asked for.
    pub utf8: bool,
}

/// Bounds that keep one client from taking all.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Octets of a message.
    pub size: usize,
    /// Octets of a command line.
    pub command: usize,
    /// Recipients of a message.
    pub recipients: usize,
    /// Wrong commands until the connection is closed.
    pub errors: u32,
    /// Silence until the connection is closed.
    pub idle: Duration,
    /// Connections at once; one more is told to come later.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            size: 26_214_400,
            command: 2048,
            recipients: 1000,
            errors: 20,
            idle: Duration::from_secs(300),
            connections: 512,
        }
    }
}

/// Serves one client until it quits, goes away, is silent for too long, or `stop` is cancelled.
///
/// # Errors
/// What the stream says; a client that just leaves is no error.
pub async fn serve<S, R>(
    stream: S,
    peer: Option<IpAddr>,
    name: &str,
    receiver: &R,
    limits: &Limits,
    stop: &CancellationToken,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    R: Receiver,
{
    let mut wire = Wire::new(stream);
    wire.say(&Reply::new(220, "", format!("{name} ESMTP")));
    let mut session = Session { name, peer, receiver, limits, host: None, envelope: None, errors: 0 };
    let mut talking = false;
    loop {
        let line = tokio::select! {
            line = wire.line(limits) => line?,
            () = stop.cancelled() => {
                wire.say(&Reply::new(421, "4.3.2", "the server is stopping"));
                break;
            }
        };
        let next = match line {
            Line::Whole(line) => session.command(&line, &mut wire).await,
            Line::TooLong => session.wrong(500, "5.5.2", &format!("a command has at most {} octets", limits.command)),
            Line::Closed => break,
            Line::Idle => {
                wire.say(&Reply::new(421, "4.4.2", "nothing was said for too long"));
                break;
            }
        };
        match next {
            Next::Say(reply) => wire.say(&reply),
            Next::Said => {}
            Next::Quit => {
                wire.say(&Reply::new(221, "2.0.0", "goodbye"));
                break;
            }
            Next::Data => {
                wire.say(&Reply::new(354, "", "end with a dot on a line of its own"));
                match wire.body(limits).await? {
                    Body::Whole(raw) => wire.say(&session.deliver(raw).await),
                    Body::Refused(reply) => {
                        session.envelope = None;
                        wire.say(&reply);
                    }
                    Body::Lost(farewell) => {
                        wire.say(&farewell);
                        talking = true;
                        break;
                    }
                }
            }
        }
        if session.errors > limits.errors {
            wire.say(&Reply::new(421, "4.7.0", "too many wrong commands"));
            talking = true;
            break;
        }
    }
    wire.close(limits, talking).await;
    Ok(())
}

enum Next {
    Say(Reply),
    Said,
    Data,
    Quit,
}

struct Session<'a, R> {
    name: &'a str,
    peer: Option<IpAddr>,
    receiver: &'a R,
    limits: &'a Limits,
    host: Option<String>,
    envelope: Option<Envelope>,
    errors: u32,
}

impl<R: Receiver> Session<'_, R> {
    async fn command<S>(&mut self, line: &[u8], wire: &mut Wire<S>) -> Next
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if line.contains(&0) || std::str::from_utf8(line).is_err() {
            return self.wrong(500, "5.5.2", "a command is text in UTF-8");
        }
        let request = match Request::parse(&mut line.iter()) {
            Ok(request) => request,
            Err(error) => return self.unreadable(&error),
        };
        match request {
            Request::Ehlo { host } => {
                self.greet(host);
                wire.say_ehlo(self.name, self.limits.size);
                Next::Said
            }
            Request::Helo { host } => {
                self.greet(host);
                Next::Say(Reply::new(250, "", self.name))
            }
            Request::Mail { from } => self.mail(from),
            Request::Rcpt { to } => self.rcpt(&to.address, line).await,
            Request::Data => match &self.envelope {
                None => self.wrong(503, "5.5.1", "MAIL and RCPT come before DATA"),
                Some(envelope) if envelope.to.is_empty() => {
                    Next::Say(Reply::new(554, "5.5.1", "no recipient was accepted"))
                }
                Some(_) => Next::Data,
            },
            Request::Rset => {
                self.envelope = None;
                Next::Say(Reply::new(250, "2.0.0", "forgotten"))
            }
            Request::Noop { .. } => Next::Say(Reply::new(250, "2.0.0", "still here")),
            Request::Vrfy { .. } => Next::Say(Reply::new(252, "2.1.5", "send a mail and see")),
            Request::Quit => Next::Quit,
            other => self.wrong(502, "5.5.1", &format!("{} is not offered here", other.name())),
        }
    }

    fn greet(&mut self, host: Cow<'_, str>) {
        self.envelope = None;
        self.host = Some(host.into_owned());
    }

    fn mail(&mut self, from: MailFrom<Cow<'_, str>>) -> Next {
        let Some(host) = self.host.clone() else {
            return self.wrong(503, "5.5.1", "EHLO or HELO comes first");
        };
        if self.envelope.is_some() {
            return self.wrong(503, "5.5.1", "this mail has its sender; RSET begins another");
        }
        if from.size > self.limits.size {
            let text = format!("the message is larger than {} octets", self.limits.size);
            return Next::Say(Reply::new(552, "5.3.4", text));
        }
        if from.flags & MAIL_BODY_BINARYMIME != 0 {
            return self.wrong(555, "5.5.4", "BODY is 7BIT or 8BITMIME");
        }
        let utf8 = from.flags & MAIL_SMTPUTF8 != 0;
        if !utf8 && !from.address.is_ascii() {
            return self.wrong(553, "5.6.7", "an address beyond ASCII wants SMTPUTF8");
        }
        let from = from.address.into_owned();
        self.envelope = Some(Envelope { peer: self.peer, host, from, to: Vec::new(), utf8 });
        Next::Say(Reply::new(250, "2.1.0", "sender taken"))
    }

    async fn rcpt(&mut self, address: &str, line: &[u8]) -> Next {
        let Some(envelope) = &mut self.envelope else {
            return self.wrong(503, "5.5.1", "MAIL comes before RCPT");
        };
        // the parser gives an empty address for `<>`, and for the `<Postmaster>` that every server has to know
        let address = match address {
            "" if line.to_ascii_lowercase().windows(12).any(|part| part == b"<postmaster>") => "postmaster",
            "" => return self.wrong(501, "5.1.3", "a recipient has an address"),
            address => address,
        };
        if !envelope.utf8 && !address.is_ascii() {
            return self.wrong(553, "5.6.7", "an address beyond ASCII wants SMTPUTF8");
        }
        if address.chars().any(char::is_control) {
            return self.wrong(553, "5.1.3", "an address holds no control characters");
        }
        if envelope.to.len() >= self.limits.recipients {
            return Next::Say(Reply::new(452, "4.5.3", "too many recipients for one message"));
        }
        let reply = self.receiver.recipient(envelope, address).await;
        if reply.is_positive() {
            envelope.to.push(address.to_owned());
        }
        Next::Say(reply)
    }

    async fn deliver(&mut self, raw: Vec<u8>) -> Reply {
        match self.envelope.take() {
            Some(envelope) => self.receiver.message(envelope, raw).await,
            None => Reply::new(503, "5.5.1", "MAIL and RCPT come before DATA"),
        }
    }

    fn unreadable(&mut self, error: &Error) -> Next {
        match error {
            Error::UnknownCommand => self.wrong(500, "5.5.1", "no such command"),
            Error::InvalidSenderAddress => self.wrong(501, "5.1.7", "the sender is no address"),
            Error::InvalidRecipientAddress => self.wrong(501, "5.1.3", "the recipient is no address"),
            Error::SyntaxError { syntax } => self.wrong(501, "5.5.4", &format!("expected {syntax}")),
            Error::InvalidParameter { param } => self.wrong(501, "5.5.4", &format!("{param} has no such value")),
            Error::UnsupportedParameter { param } => {
                let text = format!("{} is not offered here", param.chars().take(40).collect::<String>());
                self.wrong(555, "5.5.4", &text)
            }
            _ => self.wrong(500, "5.5.2", "the command is not complete"),
        }
    }

    fn wrong(&mut self, code: u16, status: &'static str, text: &str) -> Next {
        self.errors += 1;
        Next::Say(Reply::new(code, status, text))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    fn say_ehlo(&mut self, name: &str, size: usize) {
        self.say_raw(&format!(
            "250-{name}\r\n250-PIPELINING\r\n250-SIZE {size}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n"
        ));
    }
}
