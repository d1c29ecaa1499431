//! The bytes of a connection to a server: commands out, replies in, each within its time, with TLS where it is wanted.
//!
//! The socket is ours, so that TCP_NODELAY stands before TLS too (without it each mail waits 40 ms for a delayed ACK),
//! and what the server says unasked is seen. lettre's own connection shows neither, so only its TLS is used here.
#![expect(deprecated, reason = "lettre gives its TLS over a socket of ours only through this type")]

use super::reply::{self, Parsed, Reply};
use super::server::Server;
use futures_util::io::{AsyncRead, AsyncWrite};
use lettre::transport::smtp::client::AsyncNetworkStream;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// How much is read at once; a reply is rarely longer.
const CHUNK: usize = 4 * 1024;

/// Why a conversation cannot go on. Whatever it is, the connection is of no more use.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Broken {
    /// The server closed before it replied.
    #[error("the server closed the connection")]
    Closed,
    /// The server closed within a reply.
    #[error("the server closed the connection in the middle of a reply")]
    Cut,
    /// These bytes are no reply of SMTP.
    #[error("the server sent what is no reply: `{0}`")]
    Garbage(String),
    /// There was no reply in time.
    #[error("no answer in {0:?}")]
    Slow(Duration),
    /// It takes nothing of what is written.
    #[error("the server has taken nothing for {0:?}")]
    Stuck(Duration),
    /// It said something that nobody had asked: whose reply would the next one be?
    #[error("the server said something unasked: `{0}`")]
    Surplus(String),
    /// The network's words.
    #[error("{0}")]
    Network(String),
}

/// A connection's bytes.
pub struct Wire {
    stream: AsyncNetworkStream,
    input: Vec<u8>,
    block: Duration,
}

impl Wire {
    /// Connects, and begins TLS when it comes first.
    ///
    /// # Errors
    /// In words.
    pub async fn connect(server: &Server) -> Result<Wire, String> {
        let at = (server.host.as_str(), server.port);
        let limit = server.limits.connect;
        let stream = match timeout(limit, TcpStream::connect(at)).await {
            Ok(stream) => stream.map_err(|e| e.to_string())?,
            Err(_) => return Err(format!("it did not answer in {limit:?}")),
        };
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        let stream = AsyncNetworkStream::use_existing_tokio1(Box::new(stream));
        Ok(Wire { stream, input: Vec::with_capacity(CHUNK), block: server.limits.block })
    }

    /// Goes on under TLS, with the certificate checked.
    ///
    /// # Errors
    /// In words: the certificate, or the network.
    pub async fn protect(&mut self, server: &Server) -> Result<(), String> {
        // what a stranger put behind the reply to STARTTLS would be taken for the server's, once protected
        self.quiet().map_err(|e| e.to_string())?;
        let trust = server.trust().map_err(|e| words(&e))?;
        match timeout(server.limits.tls, self.stream.upgrade_tls(trust)).await {
            Ok(done) => done.map_err(|e| words(&e)),
            Err(_) => Err(format!("no TLS in {:?}", server.limits.tls)),
        }
    }

    /// Writes it all, and sees that it leaves.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.write(bytes).await?;
        self.flush().await
    }

    /// Writes it all; gives up when the server takes nothing more for the block's time. After an error the last byte has
    /// not left.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let writing = poll_fn(|task| Pin::new(&mut self.stream).poll_write(task, rest));
            match timeout(self.block, writing).await {
                Ok(Ok(0)) => return Err(Broken::Closed),
                Ok(Ok(n)) => rest = &rest[n..],
                Ok(Err(e)) => return Err(broken(&e)),
                Err(_) => return Err(Broken::Stuck(self.block)),
            }
        }
        Ok(())
    }

    /// Sees that what was written leaves.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn flush(&mut self) -> Result<(), Broken> {
        let flushing = poll_fn(|task| Pin::new(&mut self.stream).poll_flush(task));
        match timeout(self.block, flushing).await {
            Ok(done) => done.map_err(|e| broken(&e)),
            Err(_) => Err(Broken::Stuck(self.block)),
        }
    }

    /// A refusal that came before it was asked for, if one did.
    pub fn early(&mut self) -> Option<Reply> {
        let mut task = Context::from_waker(Waker::noop());
        let _ = self.poll_more(&mut task); // whether it is closed does not matter: only what was said before
        match reply::parse(&self.input) {
            Parsed::Whole(reply, _) if reply.code >= 400 => Some(reply),
            _ => None,
        }
    }

    /// The next reply, whole within `limit`: who drips it byte by byte gets no more time.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn reply(&mut self, limit: Duration) -> Result<Reply, Broken> {
        let until = Instant::now() + limit;
        loop {
            match reply::parse(&self.input) {
                Parsed::Whole(reply, taken) => {
                    self.input.drain(..taken);
                    return Ok(reply);
                }
                Parsed::Garbage(what) => return Err(Broken::Garbage(what)),
                Parsed::Unfinished => {}
            }
            let reading = poll_fn(|task| self.poll_more(task));
            match timeout_at(until, reading).await {
                Ok(Ok(0)) if self.input.is_empty() => return Err(Broken::Closed),
                Ok(Ok(0)) => return Err(Broken::Cut),
                Ok(Ok(_)) => {}
                Ok(Err(e)) => return Err(broken(&e)),
                Err(_) => return Err(Broken::Slow(limit)),
            }
        }
    }

    /// Whether the server has said nothing that nobody asked, and has not gone away. Asked before a command, so that no
    /// reply is taken for another's.
    ///
    /// # Errors
    /// What it said, or that it is gone.
    pub fn quiet(&mut self) -> Result<(), Broken> {
        let mut task = Context::from_waker(Waker::noop());
        match self.poll_more(&mut task) {
            Poll::Ready(Ok(0)) if self.input.is_empty() => return Err(Broken::Closed),
            Poll::Ready(Err(e)) => return Err(broken(&e)),
            Poll::Ready(Ok(_)) | Poll::Pending => {}
        }
        if self.input.is_empty() {
            return Ok(());
        }
        let said: String = String::from_utf8_lossy(&self.input).chars().take(80).collect();
        Err(Broken::Surplus(said.trim_end().to_owned()))
    }

    fn poll_more(&mut self, task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let had = self.input.len();
        self.input.resize(had + CHUNK, 0);
        let read = Pin::new(&mut self.stream).poll_read(task, &mut self.input[had..]);
        let n = if let Poll::Ready(Ok(n)) = &read { *n } else { 0 };
        self.input.truncate(had + n);
        read
    }
}

fn broken(e: &io::Error) -> Broken {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match e.kind() {
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => Broken::Closed,
        _ => Broken::Network(e.to_string()),
    }
}

/// What an error says at its root: the network's words, or TLS's.
fn words(e: &lettre::transport::smtp::Error) -> String {
    let mut text = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}
