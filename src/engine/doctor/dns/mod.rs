//! Asking DNS, as much of it as the doctor needs: a stub that asks a recursive server over UDP, and over TCP what does not
//! fit. A resolver crate would bring thirty others for five questions.

mod wire;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
pub(super) use wire::{Kind, Value};

/// How long one server has for one try.
const PATIENCE: Duration = Duration::from_secs(3);
/// UDP loses packets.
const TRIES: usize = 2;

/// Asks DNS servers.
#[derive(Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    /// Why no server answered, once none has: nobody waits for the same silence again.
    away: Mutex<Option<String>>,
}

impl Resolver {
    /// Asks these servers, the first that answers counts.
    pub fn of(servers: Vec<SocketAddr>) -> Resolver {
        Resolver { servers, away: Mutex::new(None) }
    }

    /// Asks the servers of the system: those of `/etc/resolv.conf`.
    pub fn system() -> Resolver {
        let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse().ok());
        Resolver::of(servers.map(|ip: IpAddr| SocketAddr::new(ip, 53)).take(3).collect())
    }

    /// The texts at a name, each put together from its parts; none when there is no such name.
    pub(super) async fn txt(&self, name: &str) -> Result<Vec<String>, String> {
        let found = self.ask(name, Kind::Txt).await?;
        Ok(found
            .into_iter()
            .filter_map(|value| if let Value::Text(text) = value { Some(text) } else { None })
            .collect())
    }

    /// The mail servers of a domain, the preferred first. `.` says that it takes no mail.
    pub(super) async fn mx(&self, name: &str) -> Result<Vec<String>, String> {
        let mut found: Vec<(u16, String)> = (self.ask(name, Kind::Mx).await?.into_iter())
            .filter_map(
                |value| if let Value::Exchange(preference, host) = value { Some((preference, host)) } else { None },
            )
            .collect();
        found.sort();
        Ok(found.into_iter().map(|(_, host)| host).collect())
    }

    /// The addresses of a host.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        if let Ok(ip) = name.parse() {
            return Ok(vec![ip]);
        }
        let mut found = self.ask(name, Kind::A).await?;
        found.extend(self.ask(name, Kind::Aaaa).await?);
        Ok(found.into_iter().filter_map(|value| if let Value::Address(ip) = value { Some(ip) } else { None }).collect())
    }

    /// The names of an address.
    pub(super) async fn names(&self, ip: IpAddr) -> Result<Vec<String>, String> {
        let found = self.ask(&reverse(ip), Kind::Ptr).await?;
        Ok(found
            .into_iter()
            .filter_map(|value| if let Value::Name(name) = value { Some(name) } else { None })
            .collect())
    }

    async fn ask(&self, name: &str, kind: Kind) -> Result<Vec<Value>, String> {
        if let Some(why) = self.away().clone() {
            return Err(why);
        }
        if self.servers.is_empty() {
            return Err("no DNS server is known: /etc/resolv.conf names none; give one with --resolver".into());
        }
        let mut why = String::new();
        for server in self.servers.iter().flat_map(|server| [server; TRIES]) {
            match tokio::time::timeout(PATIENCE, once(*server, name, kind)).await {
                Ok(Ok(values)) => return Ok(values),
                // a server that answers "I cannot" is there: the next question may fare better
                Ok(Err(Failed::Answered(why))) => return Err(format!("the DNS server {server} says {why} of {name}")),
                Ok(Err(Failed::Away(error))) => why = format!("the DNS server {server} cannot be asked: {error}"),
                Err(_) => why = format!("the DNS server {server} does not answer"),
            }
        }
        *self.away() = Some(why.clone());
        Err(why)
    }

    fn away(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        // a panic while holding it cannot leave one text half-changed
        self.away.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

enum Failed {
    Away(String),
    Answered(String),
}

impl From<std::io::Error> for Failed {
    fn from(e: std::io::Error) -> Failed {
        Failed::Away(e.to_string())
    }
}

async fn once(server: SocketAddr, name: &str, kind: Kind) -> Result<Vec<Value>, Failed> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|e| Failed::Away(e.to_string()))?;
    let Some(query) = wire::query(id, name, kind) else {
        // a name that DNS cannot hold is nowhere
        return Ok(Vec::new());
    };
    let local: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((local, 0)).await?;
    socket.connect(server).await?;
    socket.send(&query).await?;
    let mut buffer = vec![0; 4096];
    loop {
        let n = socket.recv(&mut buffer).await?;
        match wire::answer(&buffer[..n], &query, kind) {
            // a late or forged packet: the right one may still come
            wire::Answer::Stranger => {}
            wire::Answer::Cut => return over_tcp(server, &query, kind).await,
            wire::Answer::Values(values) => return Ok(values),
            wire::Answer::Refused(code) => return Err(Failed::Answered(code)),
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &[u8], kind: Kind) -> Result<Vec<Value>, Failed> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.len()).unwrap_or(u16::MAX);
    stream.write_all(&[&length.to_be_bytes()[..], query].concat()).await?;
    let length = stream.read_u16().await?;
    let mut buffer = vec![0; length.into()];
    stream.read_exact(&mut buffer).await?;
    match wire::answer(&buffer, query, kind) {
        wire::Answer::Values(values) => Ok(values),
        wire::Answer::Refused(code) => Err(Failed::Answered(code)),
        wire::Answer::Stranger | wire::Answer::Cut => Err(Failed::Answered("something that is no answer".into())),
    }
}

/// Where the names of an address stand.
fn reverse(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(ip) => {
            let nibbles = ip.octets().into_iter().rev().flat_map(|b| [b & 15, b >> 4]);
            nibbles.map(|n| format!("{n:x}.")).collect::<String>() + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_turned_round() {
        assert_eq!(reverse("192.0.2.7".parse().unwrap()), "7.2.0.192.in-addr.arpa");
        let six = reverse("2001:db8::1".parse().unwrap());
        assert!(six.starts_with("1.0.0.0.") && six.ends_with("8.b.d.0.1.0.0.2.ip6.arpa"), "{six}");
    }
}
