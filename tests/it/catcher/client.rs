//! A catcher for a test of its own, and a client that says exactly what it is told.

use dangol::catcher::{Catcher, Options, Verdict, take_all};
use dangol::types::{Clock, Timestamp};
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Runs a behaviour against a catcher that takes everything.
pub fn with(options: Options, behaviour: impl AsyncFnOnce(Catcher)) {
    with_verdict(options, take_all, behaviour);
}

pub fn with_verdict(options: Options, verdict: impl Verdict, behaviour: impl AsyncFnOnce(Catcher)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Clock::stepped(Timestamp::from_second(1_800_000_000).unwrap());
        behaviour(Catcher::start(options, clock, verdict).await.unwrap()).await;
    });
}

/// A client that says exactly what it is told.
pub struct Client {
    pub stream: BufReader<TcpStream>,
}

impl Client {
    pub async fn connect(to: SocketAddr) -> Client {
        let stream = TcpStream::connect(to).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream: BufReader::new(stream) }
    }
    pub async fn greeted(to: SocketAddr) -> Client {
        let mut client = Client::connect(to).await;
        assert!(client.read().await.starts_with("220 "));
        assert!(client.ask("EHLO test.example\r\n").await.contains("250-PIPELINING\r\n"));
        client
    }
    pub async fn write(&mut self, text: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(text.as_ref()).await.unwrap();
    }
    /// One reply of one or more lines; empty when the server has closed.
    pub async fn read(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let at = reply.len();
            if self.stream.read_line(&mut reply).await.unwrap() == 0 || reply.as_bytes().get(at + 3) != Some(&b'-') {
                return reply;
            }
        }
    }
    pub async fn ask(&mut self, text: impl AsRef<[u8]>) -> String {
        self.write(text).await;
        self.read().await
    }
    /// Everything until the server closes.
    pub async fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).await.unwrap();
        rest
    }
    pub async fn open_mail(&mut self) {
        assert!(self.ask("MAIL FROM:<a@x.example>\r\n").await.starts_with("250 2.1.0 "));
        assert!(self.ask("RCPT TO:<b@x.example>\r\n").await.starts_with("250 2.1.5 "));
        assert!(self.ask("DATA\r\n").await.starts_with("354 "));
    }
}

/// Sends one whole mail.
pub async fn send(catcher: &Catcher, to: &str, mail: &str) {
    let mut client = Client::greeted(catcher.smtp_addr).await;
    client.ask("MAIL FROM:<a@x.example>\r\n").await;
    client.ask(format!("RCPT TO:<{to}>\r\n")).await;
    client.ask("DATA\r\n").await;
    assert!(client.ask(format!("{mail}\r\n.\r\n")).await.starts_with("250 2.0.0"));
}
