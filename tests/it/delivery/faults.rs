//! What each fault of a server does to the mail, to the reader and to the connection. The table is the one of
//! `docs/delivery.md`: what becomes of the mail at each point of the conversation.

use super::conversation::at_once;
use super::office::{Office, relay};
use super::server::{At, Can, Does, Server};
use crate::support::{TestDb, on_both};
use crate::world::{World, people, take};
use At::{Auth, Connect, Content, Data, Dot, Greeting, Hello, Mail, Quit, Rcpt};
use Does::{Closes, Doubles, Drips, Says, SaysAndCloses, Stalls};
use dangol::args;

/// What happens to the next mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It goes over the same connection.
    Same,
    /// It goes over a new one.
    New,
    /// The relay is left alone for a minute.
    Held,
}
use Then::{Held, New, Same};

const MULTI: &str = "250-first line\r\n250 2.0.0 last line\r\n";
const GARBAGE: &str = "HTTP/1.1 400 Bad Request\r\n";
const CUT: &str = "250-this goes";

/// Before a mail is begun: whatever goes wrong, the mail is as it was, and goes over the next connection.
const BEFORE: &[(At, Does, Then)] = &[
    (Connect, Closes, New),
    (Connect, Stalls, New),
    (Greeting, SaysAndCloses("421 4.3.2 busy\r\n"), New),
    (Greeting, Says("450 4.3.2 later\r\n"), New),
    (Greeting, Says("554 5.7.1 go away\r\n"), New),
    (Greeting, Says("220-first line\r\n220 last line\r\n"), Same),
    (Greeting, Says(GARBAGE), New),
    (Greeting, SaysAndCloses(CUT), New),
    (Greeting, Stalls, New),
    (Greeting, Drips, Same),
    (Greeting, Doubles, New),
    (Hello, SaysAndCloses("421 4.3.2 busy\r\n"), New),
    (Hello, Says("450 4.3.2 later\r\n"), New),
    (Hello, Says("502 5.5.1 what?\r\n"), New),
    (Hello, Says(GARBAGE), New),
    (Hello, SaysAndCloses(CUT), New),
    (Hello, Closes, New),
    (Hello, Stalls, New),
    (Hello, Drips, Same),
    (Hello, Doubles, New),
    (Auth, SaysAndCloses("421 4.3.2 busy\r\n"), New),
    (Auth, Says("454 4.7.0 later\r\n"), New),
    (Auth, Says("535 5.7.8 wrong\r\n"), New),
    (Auth, Says("235-first line\r\n235 last line\r\n"), Same),
    (Auth, Says(GARBAGE), New),
    (Auth, SaysAndCloses(CUT), New),
    (Auth, Closes, New),
    (Auth, Stalls, New),
    (Auth, Drips, Same),
    (Auth, Doubles, New),
];

/// Once it is begun: state, what is told, and the next mail.
const AFTER: &[(At, Does, &str, &str, Then)] = &[
    (Mail, SaysAndCloses("421 4.3.2 busy\r\n"), "deferred", "421 4.3.2 busy", Held),
    (Mail, Says("451 4.3.0 later\r\n"), "deferred", "451 4.3.0 later", Same),
    (Mail, Says("451 4.7.1 slow down\r\n"), "deferred", "451 4.7.1", Held),
    (Mail, Says("550 5.7.1 who are you\r\n"), "deferred", "550 5.7.1 who are you", Same),
    (Mail, Says(MULTI), "accepted", "taken", Same),
    (Mail, Says(GARBAGE), "deferred", "no reply: `HTTP", New),
    (Mail, SaysAndCloses(CUT), "deferred", "middle of a reply", New),
    (Mail, Closes, "deferred", "broke in MAIL", New),
    (Mail, Stalls, "deferred", "no answer", New),
    (Mail, Drips, "accepted", "taken", Same),
    (Mail, Doubles, "deferred", "", New),
    (Rcpt, SaysAndCloses("421 4.3.2 busy\r\n"), "deferred", "421 4.3.2", Held),
    (Rcpt, Says("452 4.2.2 full\r\n"), "deferred", "452 4.2.2 full", Same),
    (Rcpt, Says("450 4.7.1 greylisted\r\n"), "deferred", "450 4.7.1", Held),
    (Rcpt, Says("550 5.1.1 no such user\r\n"), "refused", "550 5.1.1 no such user", Same),
    (Rcpt, Says("550-5.1.1 no such user\r\n550 5.1.1 이사했음\r\n"), "refused", "5.1.1 이사했음", Same),
    (Rcpt, Says(GARBAGE), "deferred", "no reply: `HTTP", New),
    (Rcpt, SaysAndCloses(CUT), "deferred", "middle of a reply", New),
    (Rcpt, Closes, "deferred", "broke in RCPT", New),
    (Rcpt, Stalls, "deferred", "no answer", New),
    (Rcpt, Drips, "accepted", "taken", Same),
    (Rcpt, Doubles, "deferred", "", New),
    (Data, SaysAndCloses("421 4.3.2 busy\r\n"), "deferred", "421 4.3.2", Held),
    (Data, Says("451 4.3.0 later\r\n"), "deferred", "451 4.3.0", Same),
    (Data, Says("554 5.7.1 no\r\n"), "deferred", "554 5.7.1 no", Same),
    (Data, Says("250 2.0.0 what?\r\n"), "deferred", "unexpected reply 250", New),
    (Data, Says(GARBAGE), "deferred", "no reply: `HTTP", New),
    (Data, SaysAndCloses(CUT), "deferred", "middle of a reply", New),
    (Data, Closes, "deferred", "broke in DATA", New),
    (Data, Stalls, "deferred", "no answer", New),
    (Data, Drips, "accepted", "taken", Same),
    (Data, Doubles, "deferred", "unasked", New),
    (Content, SaysAndCloses("421 4.3.2 busy\r\n"), "deferred", "421 4.3.2", Held),
    (Content, Closes, "unknown", "final dot", New),
    (Content, Stalls, "unknown", "final dot", New),
    (Dot, SaysAndCloses("421 4.3.2 busy\r\n"), "deferred", "421 4.3.2", Held),
    (Dot, Says("451 4.3.0 later\r\n"), "deferred", "451 4.3.0", Same),
    (Dot, Says("554 5.6.0 spam\r\n"), "refused", "554 5.6.0 spam", Same),
    (Dot, Says(MULTI), "accepted", "last line", Same),
    (Dot, Says("354 what?\r\n"), "unknown", "unexpected reply 354", New),
    (Dot, Says(GARBAGE), "unknown", "final dot", New),
    (Dot, SaysAndCloses(CUT), "unknown", "final dot", New),
    (Dot, Closes, "unknown", "final dot", New),
    (Dot, Stalls, "unknown", "final dot", New),
    (Dot, Drips, "accepted", "taken", Same),
    (Dot, Doubles, "accepted", "taken", New),
    (Quit, Closes, "accepted", "taken", Same),
    (Quit, Says(GARBAGE), "accepted", "taken", Same),
    (Quit, Stalls, "accepted", "taken", Same),
];

/// Two readers for each row: the first meets the fault, the second comes after.
async fn walk(t: &TestDb, can: Can, rows: &[(At, Does, &str, &str, Then)]) {
    let world = World::new(t, take).await;
    world.customers(&people(rows.len() * 2)).await;
    world.launch("spring").await;
    let office = Office::new(&world).await;
    office.enrol().await;
    let later = world.now().as_millisecond() + 1_000_000_000;
    office.execute("UPDATE message SET next_at = ?", args![later]).await;
    for (i, (at, does, state, says, then)) in rows.iter().enumerate() {
        let row = format!("{can:?}: {at:?} {does:?}");
        let server = Server::start(can.clone()).await;
        let first = i64::try_from(i * 2 + 1).unwrap();
        let last = if *then == Held { first } else { first + 1 };
        let due = "UPDATE message SET next_at = ? WHERE customer_id BETWEEN ? AND ?";
        office.execute(due, args![world.now(), first, last]).await;
        server.next(*at, *does);
        let mut to = relay(&server, "").server.clone();
        to.login = can.login.map(|(user, password)| (user.to_owned(), password.to_owned().into()));
        let relay = std::sync::Arc::new(dangol::deliver::relay::Relay::new(&super::office::relay_settings(""), to));
        office.send_all(&relay).await;
        // either of the two may have come first
        let mut fates = office.fates(first, last).await;
        let at_fault = fates.iter().position(|(its, said)| its == state && said.contains(says));
        let at_fault = at_fault.unwrap_or_else(|| panic!("{row}: {fates:?}"));
        fates.remove(at_fault);
        let connections = if *then == New { 2 } else { 1 };
        assert_eq!(server.connections(), connections, "{row}");
        if *then == Held {
            assert!(relay.trouble().is_some_and(|what| what.contains("asked for less")), "{row}");
        } else {
            assert_eq!(fates[0].0, "accepted", "{row}: {fates:?}");
            assert_eq!(relay.trouble(), None, "{row}");
        }
        let twice = server.taken().len()
            - server.taken().iter().map(|(to, _)| to).collect::<std::collections::HashSet<_>>().len();
        assert_eq!(twice, 0, "{row}: {:?}", server.taken());
    }
    world.later("1ms");
}

#[test]
fn before_a_mail_is_begun_no_fault_touches_it() {
    on_both(|t| async move {
        let rows: Vec<_> = BEFORE.iter().map(|(at, does, then)| (*at, *does, "accepted", "taken", *then)).collect();
        let can = Can { extensions: vec!["PIPELINING", "AUTH PLAIN"], login: Some(("user", "secret")) };
        walk(&t, can, &rows).await;
    });
}

#[test]
fn each_fault_does_to_mail_and_connection_what_the_table_says_pipelined() {
    on_both(|t| async move { walk(&t, Can { extensions: vec!["PIPELINING"], login: None }, AFTER).await });
}

#[test]
fn each_fault_does_to_mail_and_connection_what_the_table_says_one_by_one() {
    on_both(|t| async move { walk(&t, Can::default(), AFTER).await });
}

#[test]
fn service_mail_of_unknown_fate_goes_again() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let letter = "topic = \"account\"\nsender = \"hello\"\nsend = \"letters/spring\"\n[audience]\nsegment = \"subscribers\"\n";
        let world = world.file(&t, "campaigns/receipt.toml", letter).await;
        world.customers(&people(1)).await;
        world.launch("receipt").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let server = Server::start(Can::default()).await;
        server.next(Dot, Closes);
        office.send_all(&relay(&server, "")).await;
        assert_eq!(office.fates(1, 1).await[0].0, "deferred");
        world.later("1m");
        office.send_all(&relay(&server, "")).await;
        assert_eq!(office.fates(1, 1).await[0].0, "accepted");
        let id =
            |mail: &(String, String)| mail.1.lines().find(|line| line.starts_with("Message-ID")).map(str::to_owned);
        let taken = server.taken();
        assert_eq!((taken.len(), id(&taken[0])), (2, id(&taken[1])), "under the same Message-ID");
    });
}

#[test]
fn the_table_in_the_docs_is_of_these_points() {
    at_once(async {
        let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/delivery.md")).unwrap();
        let table = docs.split("## What a server can do wrong").nth(1).expect("the table's heading");
        for point in [
            "connecting",
            "greeting",
            "EHLO",
            "STARTTLS",
            "login",
            "MAIL",
            "RCPT",
            "DATA",
            "content",
            "final dot",
            "QUIT",
        ] {
            assert!(table.contains(point), "docs/delivery.md says nothing of {point}");
        }
    });
}
