//! TLS as a real server of others speaks it: Python's `ssl`, before a server of our own, with certificates that OpenSSL
//! makes. Where either is not installed, this is not seen, and said so.

use super::conversation::at_once;
use super::server::{Can, Server};
use dangol::deliver::Content;
use dangol::deliver::connection::Connection;
use dangol::deliver::server::{self, Ca, Tls};
use dangol::deliver::verdict::{Outcome, Phase};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PROXY: &str = r#"
import socket, ssl, sys, threading
backend, cert, key, mode = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try: end.shutdown(socket.SHUT_RDWR)
        except OSError: pass
def serve(client):
    try:
        if mode == "starttls":
            lines = client.makefile("rb")
            client.sendall(b"220 tls.example ESMTP\r\n"); lines.readline()
            client.sendall(b"250-tls.example\r\n250 STARTTLS\r\n"); lines.readline()
            client.sendall(b"220 go on\r\n")
        client = context.wrap_socket(client, server_side=True)
    except OSError:
        return
    server = socket.create_connection(("127.0.0.1", backend))
    if mode == "starttls":
        server.recv(1000)
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)
while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
"#;

struct Proxy {
    child: Child,
    port: u16,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Proxy {
    fn start(backend: u16, dir: &Path, mode: &str) -> Proxy {
        let mut child = Command::new("python3")
            .args(["-c", PROXY, &backend.to_string()])
            .arg(dir.join("leaf.pem"))
            .arg(dir.join("leaf.key"))
            .arg(mode)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Proxy { child, port: line.trim().parse().unwrap() }
    }
}

/// An authority and a certificate of it for `localhost`; none when OpenSSL or Python is not there.
fn certificates(dir: &Path) -> Option<()> {
    Command::new("python3").args(["-c", "import ssl"]).status().ok().filter(|status| status.success())?;
    let script = "set -e\n\
        key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n\
        openssl req -x509 $key -keyout ca.key -out ca.pem -days 9 -subj '/CN=Haru authority' -addext basicConstraints=critical,CA:TRUE\n\
        openssl req $key -keyout leaf.key -out leaf.csr -subj /CN=localhost\n\
        printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > extensions\n\
        openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -extfile extensions -out leaf.pem";
    let made = Command::new("sh").args(["-c", script]).current_dir(dir).stderr(Stdio::null()).status().ok()?;
    made.success().then_some(())
}

#[test]
fn a_certificate_of_a_stranger_or_for_another_name_is_refused_and_an_authority_of_ones_own_can_be_named() {
    let dir = tempfile::tempdir().unwrap();
    if certificates(dir.path()).is_none() {
        assert!(
            std::env::var("DANGOL_TEST_REQUIRE").is_err(),
            "DANGOL_TEST_REQUIRE is set: install openssl and python3"
        );
        eprintln!("SKIPPED: TLS to a relay, because openssl or python3 is not installed");
        return;
    }
    at_once(async {
        let backend = Server::start(Can { extensions: vec!["PIPELINING"], login: None }).await;
        for (mode, tls) in [("implicit", Tls::Implicit), ("starttls", Tls::StartTls)] {
            let proxy = Proxy::start(backend.address.port(), dir.path(), mode);
            let relay = |host: &str, trusted: bool| {
                let ca = trusted.then(|| Ca::parse(&std::fs::read(dir.path().join("ca.pem")).unwrap()).unwrap());
                server::Server { ca, ..server::Server::new(host, proxy.port, tls) }
            };
            for (host, trusted, word) in [("localhost", false, "UnknownIssuer"), ("127.0.0.1", true, "certificate")] {
                let wrong = Connection::open(&relay(host, trusted), "haru.example").await.err().unwrap();
                assert_eq!(wrong.phase, Phase::Tls, "{}", wrong.why);
                assert!(wrong.why.contains(word), "{}", wrong.why);
            }
            backend.forget();
            let mut connection = Connection::open(&relay("localhost", true), "haru.example").await.unwrap();
            let (from, to) = ("hello@haru.example".parse().unwrap(), "reader1@example.com".parse().unwrap());
            for _ in 0..2 {
                let (outcome, usable) = connection.transmit(&from, &to, &Content::new(b"a\r\n".into())).await;
                assert!(matches!(outcome, Outcome::Accepted { .. }) && usable, "{mode}: {outcome:?}");
            }
            connection.quit().await;
            assert_eq!((backend.taken().len(), backend.connections()), (2, 1), "{mode}");
        }
    });
}
