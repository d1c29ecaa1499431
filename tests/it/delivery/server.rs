//! A mail server that does what it is told wrong: for each connection, at one point of the conversation, one fault; then
//! it is as good as any. It keeps what was said to it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Where in the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The connection is there, and before the greeting.
    Connect,
    Greeting,
    Hello,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The first line of the content has come.
    Content,
    /// The final dot has come.
    Dot,
    Reset,
    Quit,
}

/// What it does there.
#[derive(Clone, Copy, Debug)]
pub enum Does {
    /// Says this instead of the right reply.
    Says(&'static str),
    /// Says this, and closes.
    SaysAndCloses(&'static str),
    /// Closes without a word.
    Closes,
    /// Says nothing more, and reads no more.
    Stalls,
    /// Says the right thing, byte by byte.
    Drips,
    /// Says the right thing twice.
    Doubles,
}

/// What it can do.
#[derive(Clone, Debug, Default)]
pub struct Can {
    pub extensions: Vec<&'static str>,
    /// Whom it lets in, as user and password; nobody has to log in without.
    pub login: Option<(&'static str, &'static str)>,
}

#[derive(Default)]
struct Seen {
    faults: VecDeque<(At, Does)>,
    always: Option<(At, Does)>,
    connections: usize,
    commands: Vec<String>,
    taken: Vec<(String, String)>,
    /// How many bytes the pieces had in which commands came.
    writes: Vec<usize>,
}

/// The running server.
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub async fn start(can: Can) -> Server {
        Server::on("127.0.0.1:0".parse().unwrap(), can).await
    }

    /// On this address: for a server that comes up later.
    pub async fn on(address: SocketAddr, can: Can) -> Server {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Seen::default())));
        let shared = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fault = {
                    let mut seen = shared.lock().unwrap();
                    seen.connections += 1;
                    seen.faults.pop_front().or(seen.always)
                };
                tokio::spawn(Talk::new(stream, fault, can.clone(), shared.clone()).run());
            }
        });
        Server { address, seen, task }
    }

    /// The next connection goes wrong so.
    pub fn next(&self, at: At, does: Does) {
        self.seen.lock().unwrap().faults.push_back((at, does));
    }
    /// Every connection goes wrong so, until told otherwise.
    pub fn always(&self, fault: Option<(At, Does)>) {
        self.seen.lock().unwrap().always = fault;
    }
    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
    /// Recipient and content of each mail whose final dot it has seen.
    pub fn taken(&self) -> Vec<(String, String)> {
        self.seen.lock().unwrap().taken.clone()
    }
    pub fn commands(&self) -> Vec<String> {
        self.seen.lock().unwrap().commands.clone()
    }
    /// How many reads it took to get these many commands.
    pub fn reads(&self) -> usize {
        self.seen.lock().unwrap().writes.len()
    }
    /// Forgets what it has seen.
    pub fn forget(&self) {
        let mut seen = self.seen.lock().unwrap();
        *seen = Seen { faults: std::mem::take(&mut seen.faults), always: seen.always, ..Seen::default() };
    }
}

struct Talk {
    input: BufReader<OwnedReadHalf>,
    output: OwnedWriteHalf,
    fault: Option<(At, Does)>,
    can: Can,
    seen: Arc<Mutex<Seen>>,
}

/// The connection is over.
struct Over;

impl Talk {
    fn new(stream: TcpStream, fault: Option<(At, Does)>, can: Can, seen: Arc<Mutex<Seen>>) -> Talk {
        stream.set_nodelay(true).unwrap();
        let (input, output) = stream.into_split();
        Talk { input: BufReader::new(input), output, fault, can, seen }
    }

    async fn run(mut self) {
        let _ = self.talk().await;
    }

    async fn talk(&mut self) -> Result<(), Over> {
        self.say(At::Connect, "").await?;
        self.say(At::Greeting, "220 faulty.example ESMTP\r\n").await?;
        let (mut from, mut to) = (false, None);
        loop {
            let line = self.line().await?;
            let upper = line.to_ascii_uppercase();
            match upper.split([' ', ':']).next().unwrap() {
                "EHLO" => {
                    let mut reply = "250-faulty.example\r\n".to_owned();
                    for extension in &self.can.extensions {
                        reply += &format!("250-{extension}\r\n");
                    }
                    self.say(At::Hello, &format!("{reply}250 HELP\r\n")).await?;
                }
                "STARTTLS" => self.say(At::StartTls, "454 4.7.0 no TLS here\r\n").await?,
                "AUTH" => self.login(&line).await?,
                "MAIL" => {
                    from = self.may(At::Mail);
                    self.say(At::Mail, "250 2.1.0 Ok\r\n").await?;
                }
                "RCPT" if !from => self.write("503 5.5.1 no MAIL\r\n").await?,
                "RCPT" => {
                    to = self.may(At::Rcpt).then(|| line[9..line.len() - 1].to_owned());
                    self.say(At::Rcpt, "250 2.1.5 Ok\r\n").await?;
                }
                "DATA" if to.is_none() => self.write("503 5.5.1 no RCPT\r\n").await?,
                "DATA" => {
                    let open = self.may(At::Data);
                    self.say(At::Data, "354 go on\r\n").await?;
                    if open {
                        let content = self.content().await?;
                        self.seen.lock().unwrap().taken.push((to.take().unwrap(), content));
                        from = false;
                        self.say(At::Dot, "250 2.0.0 Ok: taken\r\n").await?;
                    }
                }
                "RSET" => {
                    (from, to) = (false, None);
                    self.say(At::Reset, "250 2.0.0 Ok\r\n").await?;
                }
                "QUIT" => {
                    self.say(At::Quit, "221 2.0.0 Bye\r\n").await?;
                    return Err(Over);
                }
                _ => self.write("500 5.5.2 what?\r\n").await?,
            }
        }
    }

    async fn login(&mut self, line: &str) -> Result<(), Over> {
        use base64::Engine as _;
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let Some((user, password)) = self.can.login else { return self.write("503 5.5.1 no login here\r\n").await };
        let fine = if line == "AUTH LOGIN" {
            self.write("334 VXNlcm5hbWU6\r\n").await?;
            let named = self.line().await? == encode(user);
            self.write("334 UGFzc3dvcmQ6\r\n").await?;
            self.line().await? == encode(password) && named
        } else {
            line == format!("AUTH PLAIN {}", encode(&format!("\0{user}\0{password}")))
        };
        let reply = if fine { "235 2.7.0 welcome\r\n" } else { "535 5.7.8 wrong user or password\r\n" };
        self.say(At::Auth, reply).await
    }

    /// Whether the right reply, or one that means the same, is given here.
    fn may(&self, at: At) -> bool {
        match self.fault {
            Some((fault, Does::Says(said) | Does::SaysAndCloses(said))) if fault == at => {
                said.starts_with('2') || said.starts_with("354")
            }
            _ => true,
        }
    }

    async fn content(&mut self) -> Result<String, Over> {
        let mut content = String::new();
        loop {
            let mut line = String::new();
            if self.input.read_line(&mut line).await.unwrap_or(0) == 0 {
                return Err(Over);
            }
            if line == ".\r\n" {
                return Ok(content);
            }
            if content.is_empty() {
                self.say(At::Content, "").await?;
            }
            content += line.strip_prefix('.').unwrap_or(&line);
        }
    }

    async fn line(&mut self) -> Result<String, Over> {
        let fresh = self.input.buffer().is_empty();
        let mut line = String::new();
        if self.input.read_line(&mut line).await.unwrap_or(0) == 0 {
            return Err(Over);
        }
        let mut seen = self.seen.lock().unwrap();
        if fresh {
            seen.writes.push(line.len());
        }
        let line = line.trim_end().to_owned();
        seen.commands.push(line.clone());
        Ok(line)
    }

    /// The right reply, unless something goes wrong here.
    async fn say(&mut self, at: At, right: &str) -> Result<(), Over> {
        let does = match self.fault {
            Some((fault, does)) if fault == at => does,
            _ => return self.write(right).await,
        };
        match does {
            Does::Says(said) => self.write(said).await,
            Does::SaysAndCloses(said) => {
                self.write(said).await?;
                Err(Over)
            }
            Does::Closes => Err(Over),
            Does::Stalls => {
                // until the other side has had enough
                let mut rest = Vec::new();
                if at == At::Content {
                    std::future::pending::<()>().await;
                }
                let _ = self.input.read_to_end(&mut rest).await;
                Err(Over)
            }
            Does::Drips => {
                for byte in right.as_bytes() {
                    self.output.write_all(&[*byte]).await.map_err(|_| Over)?;
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            Does::Doubles => self.write(&format!("{right}{right}")).await,
        }
    }

    async fn write(&mut self, text: &str) -> Result<(), Over> {
        self.output.write_all(text.as_bytes()).await.map_err(|_| Over)
    }
}
