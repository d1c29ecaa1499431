//! `healthcheck`: what a container asks, and what it is told.

use super::Shop;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};

/// A server for one request, that answers so.
fn answering(status: &'static str, body: &'static str) -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 1024];
        let n = stream.read(&mut asked).unwrap();
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
        let _ = stream.shutdown(Shutdown::Write);
        String::from_utf8_lossy(&asked[..n]).lines().next().unwrap_or_default().to_owned()
    });
    (port, server)
}

#[test]
fn a_container_asks_whether_the_server_is_ready() {
    let shop = Shop::empty();
    let (port, server) = answering("200 OK", "ready\n");
    shop.edit("dangol.toml", "127.0.0.1:8080", &format!("0.0.0.0:{port}"));
    assert_eq!(shop.run(&["healthcheck"]).done().trim(), "ready");
    assert_eq!(server.join().unwrap(), "GET /readyz HTTP/1.1");

    let (port, server) = answering("503 Service Unavailable", "the database does not answer\n");
    let url = format!("http://127.0.0.1:{port}/healthz");
    shop.run(&["healthcheck", "--url", &url]).failed("503 Service Unavailable: the database does not answer");
    assert_eq!(server.join().unwrap(), "GET /healthz HTTP/1.1");
    // nobody listens there any more
    shop.run(&["healthcheck", "--url", &url]).failed("cannot be asked");
}
