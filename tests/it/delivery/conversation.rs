//! What is said to a server, and what is made of what it says: one connection at a time.

use super::server::{At, Can, Does, Server};
use dangol::deliver::Content;
use dangol::deliver::connection::Connection;
use dangol::deliver::server::{self, Limits, Tls};
use dangol::deliver::verdict::{Outcome, Phase};
use dangol::types::Email;
use std::time::Duration;

const ALL: [&str; 5] = ["PIPELINING", "SIZE 100000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"];

pub fn at_once<F: Future<Output = ()>>(behaviour: F) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(behaviour);
}

/// Time limits for a server that stalls on purpose; all others answer within them.
pub fn short() -> Limits {
    let (short, long) = (Duration::from_millis(200), Duration::from_secs(20));
    Limits {
        connect: long,
        tls: long,
        greeting: short,
        hello: short,
        auth: short,
        mail: short,
        rcpt: short,
        data: short,
        block: short,
        dot: short,
        reset: short,
        quit: short,
        probe: short,
    }
}

fn to(server: &Server, limits: Limits) -> server::Server {
    server::Server { limits, ..server::Server::new("127.0.0.1", server.address.port(), Tls::None) }
}

async fn open(server: &Server) -> Connection {
    Connection::open(&to(server, Limits::default()), "haru.example").await.unwrap()
}

fn email(text: &str) -> Email {
    text.parse().unwrap()
}

async fn send(connection: &mut Connection, to: &str, bytes: &[u8]) -> (Outcome, bool) {
    connection.transmit(&email("hello@haru.example"), &email(to), &Content::new(bytes.to_vec())).await
}

#[test]
fn three_commands_go_in_one_write_where_the_server_says_so_and_one_by_one_where_not() {
    at_once(async {
        for (extensions, reads) in [(&ALL[..], 1), (&ALL[1..], 3)] {
            let server = Server::start(Can { extensions: extensions.to_vec(), login: None }).await;
            let mut connection = open(&server).await;
            server.forget();
            let (outcome, usable) = send(&mut connection, "reader1@example.com", b"A: b\r\n\r\n.dot\r\n").await;
            assert!(matches!(&outcome, Outcome::Accepted { reply } if reply.contains("taken")), "{outcome:?}");
            assert!(usable);
            assert_eq!(server.reads(), reads);
            let commands =
                ["MAIL FROM:<hello@haru.example> SIZE=14", "RCPT TO:<reader1@example.com>", "DATA"].map(str::to_owned);
            assert_eq!(server.commands(), commands);
            assert_eq!(server.taken(), [("reader1@example.com".to_owned(), "A: b\r\n\r\n.dot\r\n".to_owned())]);
        }
    });
}

#[test]
fn what_the_server_cannot_take_is_not_tried() {
    at_once(async {
        let server = Server::start(Can { extensions: vec!["PIPELINING", "SIZE 20"], login: None }).await;
        let mut connection = open(&server).await;
        server.forget();
        let large = [b'a'; 21];
        for (address, bytes, word) in [
            ("홍길동@example.com", &b"a\r\n"[..], "SMTPUTF8"),
            ("a@example.com", &large[..], "takes 20"),
            ("a@example.com", "안녕\r\n".as_bytes(), "8BITMIME"),
        ] {
            let (outcome, usable) = send(&mut connection, address, bytes).await;
            assert!(matches!(&outcome, Outcome::Unfit { why } if why.contains(word)), "{outcome:?}");
            assert!(usable);
        }
        assert_eq!(server.commands(), [""; 0], "nothing was said to the server");
        let (outcome, _) = send(&mut connection, "a@bücher.example", b"a\r\n").await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "a domain needs no SMTPUTF8: {outcome:?}");
        assert!(server.commands()[1].contains("a@xn--bcher-kva.example"));

        let server = Server::start(Can { extensions: ALL.to_vec(), login: None }).await;
        let mut connection = open(&server).await;
        let (outcome, _) = send(&mut connection, "홍길동@예시.한국", "안녕\r\n".as_bytes()).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
        assert!(server.commands()[1].ends_with(" BODY=8BITMIME SMTPUTF8"), "{:?}", server.commands());
        assert_eq!(server.taken()[0].0, "홍길동@xn--vv4b11d.xn--3e0b707e");
    });
}

#[test]
fn a_refusal_is_followed_by_rset_and_the_next_mail_goes_over_the_same_connection() {
    at_once(async {
        for extensions in [&ALL[..], &ALL[1..]] {
            let server = Server::start(Can { extensions: extensions.to_vec(), login: None }).await;
            server.next(At::Rcpt, Does::Says("550 5.1.1 no such user\r\n"));
            let mut connection = open(&server).await;
            let (outcome, usable) = send(&mut connection, "reader1@example.com", b"a\r\n").await;
            assert!(matches!(&outcome, Outcome::Refused { reply } if reply == "550 5.1.1 no such user"), "{outcome:?}");
            assert!(usable);
            assert_eq!(server.commands().last().unwrap(), "RSET");
            assert_eq!(server.taken().len(), 0);
        }
    });
}

#[test]
fn a_reply_too_many_is_never_taken_for_the_next_mails() {
    at_once(async {
        for extensions in [&ALL[..], &ALL[1..]] {
            for at in [At::Mail, At::Rcpt, At::Data, At::Dot] {
                let server = Server::start(Can { extensions: extensions.to_vec(), login: None }).await;
                server.next(at, Does::Doubles);
                let mut connection = open(&server).await;
                let (outcome, usable) = send(&mut connection, "reader1@example.com", b"a\r\n").await;
                if at == At::Dot {
                    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
                    // known before the next mail is begun, or when it is
                    let (next, usable) = send(&mut connection, "reader2@example.com", b"a\r\n").await;
                    assert!(matches!(next, Outcome::NotSent { .. }) && !usable, "{next:?}");
                    assert!(!connection.stands());
                    assert_eq!(server.taken().len(), 1);
                } else {
                    assert!(matches!(outcome, Outcome::NotSent { .. }) && !usable, "{at:?}: {outcome:?}");
                    assert_eq!(server.taken().len(), 0, "{at:?}");
                }
            }
        }
    });
}

#[test]
fn who_drips_or_falls_silent_gets_no_more_than_its_time() {
    at_once(async {
        let server = Server::start(Can { extensions: ALL.to_vec(), login: None }).await;
        for at in [At::Greeting, At::Hello, At::Mail, At::Rcpt, At::Data, At::Dot] {
            server.next(at, Does::Drips);
            let mut connection = open(&server).await;
            let (outcome, usable) = send(&mut connection, "reader1@example.com", b"a\r\n").await;
            assert!(matches!(outcome, Outcome::Accepted { .. }) && usable, "{at:?}: {outcome:?}");
            connection.quit().await;
        }
        // a large mail, of which the server takes nothing
        server.next(At::Content, Does::Stalls);
        let mut connection = Connection::open(&to(&server, short()), "haru.example").await.unwrap();
        let large = "a line of a large mail\r\n".repeat(4_000);
        server.forget();
        let before = server.taken().len();
        let (outcome, usable) = send(&mut connection, "reader1@example.com", large.as_bytes()).await;
        assert!(matches!(outcome, Outcome::Unknown { .. } | Outcome::NotSent { .. }) && !usable, "{outcome:?}");
        assert_eq!(server.taken().len(), before);
    });
}

#[test]
fn a_login_is_plain_or_login_and_what_refuses_it_is_told() {
    at_once(async {
        let with = |password: &str| Some(("홍길동".to_owned(), password.to_owned().into()));
        for ways in ["AUTH PLAIN LOGIN", "AUTH LOGIN", "AUTH=LOGIN"] {
            let can = Can { extensions: vec![ways], login: Some(("홍길동", "비밀 🌱")) };
            let server = Server::start(can).await;
            let mut relay = to(&server, Limits::default());
            relay.login = with("비밀 🌱");
            Connection::open(&relay, "haru.example").await.unwrap().quit().await;
            relay.login = with("wrong");
            let wrong = Connection::open(&relay, "haru.example").await.err().unwrap();
            assert_eq!(wrong.phase, Phase::Auth);
            assert!(wrong.why.contains("535 5.7.8 wrong") && !wrong.why.contains("비밀"), "{}", wrong.why);
        }
        let server = Server::start(Can { extensions: vec!["AUTH CRAM-MD5"], login: None }).await;
        let mut relay = to(&server, Limits::default());
        relay.login = with("x");
        let wrong = Connection::open(&relay, "haru.example").await.err().unwrap();
        assert!(wrong.phase == Phase::Auth && wrong.why.contains("neither PLAIN nor LOGIN"), "{}", wrong.why);
    });
}

#[test]
fn nothing_goes_in_the_clear_to_a_server_that_is_to_be_protected() {
    at_once(async {
        let server = Server::start(Can { extensions: ALL.to_vec(), login: None }).await;
        let mut relay = to(&server, short());
        relay.tls = Tls::StartTls;
        relay.login = Some(("user".into(), "password".to_owned().into()));
        let wrong = Connection::open(&relay, "haru.example").await.err().unwrap();
        assert!(wrong.phase == Phase::Tls && wrong.why.contains("no STARTTLS"), "{}", wrong.why);
        let server = Server::start(Can { extensions: vec!["STARTTLS"], login: None }).await;
        for (does, word) in [
            (Does::Says("454 4.7.0 not now\r\n"), "refused STARTTLS"),
            (Does::Says("220 go on\r\n250 injected\r\n"), "unasked"),
            (Does::SaysAndCloses("220 go on\r\n"), "TLS"),
            (Does::Stalls, "did not answer"),
        ] {
            server.next(At::StartTls, does);
            relay.port = server.address.port();
            let wrong = Connection::open(&relay, "haru.example").await.err().unwrap();
            assert!(wrong.phase == Phase::Tls && wrong.why.contains(word), "{}", wrong.why);
        }
        let said = server.commands();
        assert!(said.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"), "{said:?}");
        // TLS from the first byte, to a server that greets in the clear
        relay.tls = Tls::Implicit;
        let wrong = Connection::open(&relay, "haru.example").await.err().unwrap();
        assert_eq!(wrong.phase, Phase::Tls, "{}", wrong.why);
    });
}
