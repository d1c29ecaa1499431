//! A DNS server on loopback that knows what a test tells it; over UDP, and over TCP for what it says does not fit. Also
//! compiled into the library's own tests.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};

/// Records by name and type, as bytes.
type Records = Arc<Mutex<HashMap<(String, u16), Vec<Vec<u8>>>>>;

/// The server; it answers for as long as the test process lives.
#[derive(Clone)]
pub struct FakeDns {
    pub addr: SocketAddr,
    records: Records,
}

impl FakeDns {
    pub fn start() -> FakeDns {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            // the same port for both, when nobody else has it
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let dns = FakeDns { addr: udp.local_addr().unwrap(), records: Arc::default() };
        let records = dns.records.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((n, from)) = udp.recv_from(&mut buffer) {
                let whole = answer(&buffer[..n], &records);
                let cut = [&whole[..2], &[whole[2] | 2, whole[3], 0, 1, 0, 0, 0, 0, 0, 0], &question(&buffer[..n]).2]
                    .concat();
                let _ = udp.send_to(if whole.len() > 600 { &cut } else { &whole }, from);
            }
        });
        let records = dns.records.clone();
        std::thread::spawn(move || {
            for stream in tcp.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut length = [0; 2];
                if stream.read_exact(&mut length).is_err() {
                    continue;
                }
                let mut query = vec![0; u16::from_be_bytes(length).into()];
                if stream.read_exact(&mut query).is_ok() {
                    let whole = answer(&query, &records);
                    let _ = stream.write_all(&[&(whole.len() as u16).to_be_bytes()[..], &whole].concat());
                }
            }
        });
        dns
    }

    fn put(&self, name: &str, kind: u16, data: Vec<u8>) -> &FakeDns {
        self.records.lock().unwrap().entry((name.to_lowercase(), kind)).or_default().push(data);
        self
    }

    /// One text, in parts of at most 255 octets.
    pub fn txt(&self, name: &str, text: &str) -> &FakeDns {
        let parts = text.as_bytes().chunks(255).flat_map(|part| [&[part.len() as u8], part].concat()).collect();
        self.put(name, 16, parts)
    }

    pub fn mx(&self, name: &str, host: &str) -> &FakeDns {
        self.put(name, 15, [&[0, 10][..], &labels(host)].concat())
    }

    pub fn ptr(&self, name: &str, host: &str) -> &FakeDns {
        self.put(name, 12, labels(host))
    }

    pub fn address(&self, name: &str, ip: &str) -> &FakeDns {
        match ip.parse().unwrap() {
            IpAddr::V4(ip) => self.put(name, 1, ip.octets().to_vec()),
            IpAddr::V6(ip) => self.put(name, 28, ip.octets().to_vec()),
        }
    }

    /// Nothing stands at this name any more.
    pub fn clear(&self, name: &str) -> &FakeDns {
        self.records.lock().unwrap().retain(|(known, _), _| known != name);
        self
    }
}

fn labels(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).chain([0]).collect()
}

/// Name, type, and the bytes of the question.
fn question(query: &[u8]) -> (String, u16, Vec<u8>) {
    let (mut at, mut name) = (12, Vec::new());
    while query[at] != 0 {
        let length = usize::from(query[at]);
        name.push(String::from_utf8_lossy(&query[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    (name.join("."), kind, query[12..at + 5].to_vec())
}

fn answer(query: &[u8], records: &Records) -> Vec<u8> {
    let (name, kind, question) = question(query);
    let known = records.lock().unwrap();
    let found = known.get(&(name.clone(), kind)).cloned().unwrap_or_default();
    // a name at which something else stands exists
    let code = if found.is_empty() && !known.keys().any(|(other, _)| *other == name) { 3 } else { 0 };
    let mut out = vec![query[0], query[1], 0x81, 0x80 | code, 0, 1, 0, found.len() as u8, 0, 0, 0, 0];
    out.extend(question);
    for data in found {
        out.extend([0xc0, 12, 0, kind as u8, 0, 1, 0, 0, 0, 60]);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    out
}
