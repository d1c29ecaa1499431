//! The bytes of an SMTP connection, read within limits: command lines, and the body after DATA. Replies are gathered and
//! written when the client has nothing more in flight, so that a pipelined group costs one write.

use super::reply::Reply;
use super::smtp::Limits;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How much is read at once.
const CHUNK: usize = 16 * 1024;
/// How long a farewell may take.
const LINGER: Duration = Duration::from_secs(2);
/// RFC 5321, 4.5.3.1.6: a text line has at most 1,000 octets with its CRLF, the doubled dot not counted.
const TEXT_LINE: usize = 1000;

/// A command line, or why there is none.
pub(super) enum Line {
    /// With its line end.
    Whole(Vec<u8>),
    /// Longer than allowed; it has been read to its end and thrown away.
    TooLong,
    /// The client has closed, at a line's end or within one.
    Closed,
    /// The client was silent for too long.
    Idle,
}

/// What came after DATA.
pub(super) enum Body {
    /// The message, its dots unstuffed.
    Whole(Vec<u8>),
    /// Read to its end, and not acceptable.
    Refused(Reply),
    /// The client went away, fell silent, or goes on far beyond the limit: farewell.
    Lost(Reply),
}

/// One connection's two directions.
pub(super) struct Wire<S> {
    stream: S,
    input: Vec<u8>,
    start: usize,
    output: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Wire<S> {
        Wire { stream, input: Vec::new(), start: 0, output: Vec::new() }
    }

    /// Queues a reply; it leaves before the next wait for input.
    pub(super) fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
    }

    /// Queues whole lines, as the several of EHLO.
    pub(super) fn say_raw(&mut self, lines: &str) {
        self.output.extend_from_slice(lines.as_bytes());
    }

    /// Writes what is queued.
    pub(super) async fn flush(&mut self, limits: &Limits) -> io::Result<()> {
        if !self.output.is_empty() {
            let output = std::mem::take(&mut self.output);
            timeout(limits.idle, async {
                self.stream.write_all(&output).await?;
                self.stream.flush().await
            })
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        }
        Ok(())
    }

    /// The next command line.
    pub(super) async fn line(&mut self, limits: &Limits) -> io::Result<Line> {
        let mut too_long = false;
        let mut searched = 0;
        loop {
            let waiting = &self.input[self.start..];
            if let Some(end) = waiting[searched..].iter().position(|b| *b == b'\n').map(|at| searched + at + 1) {
                let line = waiting[..end].to_vec();
                self.start += end;
                return Ok(if too_long || end > limits.command { Line::TooLong } else { Line::Whole(line) });
            }
            searched = waiting.len();
            if searched > limits.command {
                too_long = true;
                self.start = self.input.len();
                searched = 0;
            }
            match self.fill(limits).await? {
                Filled::Some => {}
                Filled::Closed => return Ok(Line::Closed),
                Filled::Idle => return Ok(Line::Idle),
            }
        }
    }

    /// The message after DATA, to its end: CRLF, dot, CRLF and nothing else, since whoever takes a bare LF for a line
    /// end lets a mail smuggle in another one.
    pub(super) async fn body(&mut self, limits: &Limits) -> io::Result<Body> {
        let mut body = BodyReader { kept: Vec::new(), line: 0, fresh: true, last: 0, refused: None, taken: 0 };
        loop {
            let waiting = &self.input[self.start..];
            let (used, done) = body.take(waiting, limits);
            self.start += used;
            if done {
                return Ok(match body.refused {
                    Some(reply) => Body::Refused(reply),
                    None => Body::Whole(body.kept),
                });
            }
            if body.taken > limits.size.saturating_mul(4) {
                return Ok(Body::Lost(Reply::new(552, "5.3.4", "the message is far too large")));
            }
            if !matches!(self.fill(limits).await?, Filled::Some) {
                return Ok(Body::Lost(Reply::new(421, "4.4.2", "the message did not come to its end")));
            }
        }
    }

    async fn fill(&mut self, limits: &Limits) -> io::Result<Filled> {
        self.flush(limits).await?;
        self.input.drain(..self.start);
        self.start = 0;
        let before = self.input.len();
        self.input.resize(before + CHUNK, 0);
        let read = timeout(limits.idle, self.stream.read(&mut self.input[before..])).await;
        self.input.truncate(before + read.as_ref().map_or(0, |read| *read.as_ref().unwrap_or(&0)));
        match read {
            Err(_) => Ok(Filled::Idle),
            Ok(Err(error)) => Err(error),
            Ok(Ok(0)) => Ok(Filled::Closed),
            Ok(Ok(_)) => Ok(Filled::Some),
        }
    }

    /// Says farewell and closes. `talking` says that the client may still be sending: then what it sends is read away for a
    /// moment, or the system would answer it with a reset, which can overtake the farewell.
    pub(super) async fn close(mut self, limits: &Limits, talking: bool) {
        let farewell = async {
            // whoever has gone cannot be told
            self.flush(limits).await?;
            self.stream.shutdown().await?;
            while talking && self.stream.read(&mut [0; CHUNK]).await? > 0 {}
            io::Result::Ok(())
        };
        let _ = timeout(LINGER, farewell).await;
    }
}

enum Filled {
    Some,
    Closed,
    Idle,
}

struct BodyReader {
    kept: Vec<u8>,
    /// Octets of the line so far.
    line: usize,
    /// At the start of a line that follows a CRLF.
    fresh: bool,
    last: u8,
    refused: Option<Reply>,
    taken: usize,
}

impl BodyReader {
    /// Takes what it can of `waiting`: how many octets, and whether the message has ended.
    fn take(&mut self, waiting: &[u8], limits: &Limits) -> (usize, bool) {
        let mut at = 0;
        while at < waiting.len() {
            let rest = &waiting[at..];
            if self.fresh && rest[0] == b'.' {
                match rest {
                    [_, b'\r', b'\n', ..] => return (at + 3, true),
                    // not yet told whether this is the end
                    [_] | [_, b'\r'] => return (at, false),
                    _ => {
                        at += 1;
                        self.taken += 1;
                        self.fresh = false;
                        continue;
                    }
                }
            }
            let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |lf| lf + 1);
            self.keep(&rest[..end], limits);
            at += end;
        }
        (at, false)
    }

    /// A piece of one line; it ends with LF or the line goes on.
    fn keep(&mut self, piece: &[u8], limits: &Limits) {
        self.taken += piece.len();
        self.line += piece.len();
        let (mut bare, mut before) = (false, self.last);
        for byte in piece {
            bare |= (*byte == b'\n') != (before == b'\r');
            before = *byte;
        }
        self.last = before;
        if bare {
            self.refuse("5.6.0", 550, "the message holds a CR or LF that is not part of a CRLF");
        }
        if self.line > TEXT_LINE {
            self.refuse("5.6.0", 550, "a line of the message is longer than 998 octets");
        }
        if self.kept.len() + piece.len() > limits.size {
            self.refuse("5.3.4", 552, &format!("the message is larger than {} octets", limits.size));
        }
        if self.refused.is_none() {
            self.kept.extend_from_slice(piece);
        }
        let ended = piece.last() == Some(&b'\n');
        self.fresh = ended && !bare;
        if ended {
            self.line = 0;
        }
    }

    fn refuse(&mut self, status: &'static str, code: u16, text: &str) {
        self.kept = Vec::new();
        self.refused.get_or_insert_with(|| Reply::new(code, status, text));
    }
}
