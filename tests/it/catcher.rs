//! The mail catcher: the protocol over raw sockets, as careful and as hostile clients speak it; the inbox; the page.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;

use client::{Client, send, with, with_verdict};
use dangol::catcher::smtp::Limits;
use dangol::catcher::{Keep, Options, Reply};
use dangol::types::Email;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::{ClientId, Extension};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[test]
fn a_mail_is_caught_as_it_was_sent() {
    with(Options::default(), async |catcher| {
        let mut client = Client::greeted(catcher.smtp_addr).await;
        client.open_mail().await;
        let body = "Subject: =?utf-8?B?67SE?=\r\nFrom: Haru <h@x.example>\r\nTo: b@x.example\r\nMessage-ID: <1@x>\r\n\r\n\
                    ..first dot\r\n.. \r\ntext.\r\n...\r\n";
        assert!(client.ask(format!("{body}.\r\n")).await.starts_with("250 2.0.0 "));
        assert_eq!(client.ask("QUIT\r\n").await, "221 2.0.0 goodbye\r\n");
        assert_eq!(client.rest().await, "");

        let mail = catcher.inbox.mail(1).unwrap();
        assert!(String::from_utf8_lossy(&mail.raw).ends_with("\r\n\r\n.first dot\r\n. \r\ntext.\r\n..\r\n"));
        assert_eq!(
            (mail.subject.as_str(), mail.from.as_str(), mail.to.as_str()),
            ("봄", "Haru <h@x.example>", "b@x.example")
        );
        assert_eq!((mail.envelope.from.as_str(), mail.envelope.host.as_str()), ("a@x.example", "test.example"));
        assert_eq!(mail.at.as_second(), 1_800_000_000);
    });
}

#[test]
fn a_pipelined_group_gets_its_replies_in_order() {
    with(Options::default(), async |catcher| {
        let mut client = Client::connect(catcher.smtp_addr).await;
        client
            .write(
                "EHLO x.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@x.example>\r\nRCPT TO:<b>\r\nRCPT TO:<c@x.example>\r\nDATA\r\n\
                 Subject: 1\r\n\r\nx\r\n.\r\nMAIL FROM:<a@x.example> BODY=8BITMIME SIZE=20\r\nRCPT TO:<b@x.example>\r\nDATA\r\n.\r\nQUIT\r\n",
            )
            .await;
        let replies = client.rest().await;
        let codes: Vec<&str> = replies.lines().filter(|l| l.as_bytes()[3] == b' ').map(|l| &l[..3]).collect();
        let expected = ["220", "250", "250", "250", "501", "250", "354", "250", "250", "250", "354", "250", "221"];
        assert_eq!(codes, expected, "{replies}");
        assert_eq!(catcher.inbox.mail(1).unwrap().envelope.to, ["b@x.example", "c@x.example"]);
        assert!(catcher.inbox.mail(2).unwrap().raw.is_empty());
        assert_eq!(catcher.inbox.counts().deliveries, 3);
    });
}

#[test]
fn commands_and_the_final_dot_may_come_in_pieces() {
    with(Options::default(), async |catcher| {
        let mut client = Client::connect(catcher.smtp_addr).await;
        let whole = "EHLO x.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n..a\r\nb\r\n.\r\nNOOP\r\nQUIT\r\n";
        for byte in whole.as_bytes() {
            client.write([*byte]).await;
            tokio::task::yield_now().await;
        }
        let replies = client.rest().await;
        assert!(replies.ends_with("still here\r\n221 2.0.0 goodbye\r\n"), "{replies}");
        assert_eq!(catcher.inbox.mail(1).unwrap().raw, b".a\r\nb\r\n");
    });
}

#[test]
fn commands_in_the_wrong_order_are_told_what_comes_first() {
    with(Options::default(), async |catcher| {
        let mut client = Client::connect(catcher.smtp_addr).await;
        client.read().await;
        for (says, answer) in [
            ("MAIL FROM:<a@x.example>\r\n", "503 5.5.1 EHLO or HELO comes first"),
            ("RCPT TO:<b@x.example>\r\n", "503 5.5.1 MAIL comes before RCPT"),
            ("DATA\r\n", "503 5.5.1 MAIL and RCPT come before DATA"),
            ("HELO x.example\r\n", "250 catcher"),
            ("MAIL FROM:<a@x.example>\r\n", "250 2.1.0"),
            ("MAIL FROM:<a@x.example>\r\n", "503 5.5.1"),
            ("DATA\r\n", "554 5.5.1 no recipient"),
            ("RSET\r\n", "250 2.0.0"),
            ("RCPT TO:<b@x.example>\r\n", "503 5.5.1"),
            ("VRFY b\r\n", "252 2.1.5"),
            ("STARTTLS\r\n", "502 5.5.1 STARTTLS"),
            ("AUTH PLAIN AGEAYg==\r\n", "502 5.5.1 AUTH"),
            ("BDAT 5 LAST\r\n", "502 5.5.1 BDAT"),
            ("HELLO you\r\n", "500 5.5.1"),
            ("\r\n", "500 5.5"),
            ("MAIL a@x.example\r\n", "501 5.5.4"),
            ("MAIL FROM:<a@x.example> COLOUR=RED\r\n", "555 5.5.4"),
            ("MAIL FROM:<a@x.example> BODY=BINARYMIME\r\n", "555 5.5.4"),
            ("MAIL FROM:<a@x.example> SIZE=26214401\r\n", "552 5.3.4"),
            ("MAIL FROM:<a@x.example> SIZE=26214400\r\n", "250 2.1.0"),
            ("RCPT TO:<>\r\n", "501 5.1.3"),
            ("RCPT TO:<Postmaster>\r\n", "250 2.1.5"),
            ("EHLO again.example\r\n", "250-"),
            ("RCPT TO:<b@x.example>\r\n", "503 5.5.1"),
        ] {
            let got = client.ask(says).await;
            assert!(got.starts_with(answer), "{says:?} got {got:?}");
        }
    });
}

#[test]
fn limits_hold_and_the_session_goes_on() {
    let limits = Limits { size: 2_000, command: 600, recipients: 2, errors: 2, ..Limits::default() };
    with(Options { limits, ..Options::default() }, async |catcher| {
        let mut client = Client::greeted(catcher.smtp_addr).await;
        client.open_mail().await;
        let line = format!("{}\r\n", "x".repeat(98));
        assert!(client.ask(format!("{}.\r\n", line.repeat(21))).await.starts_with("552 5.3.4 "));
        client.open_mail().await;
        assert!(client.ask(format!("{}.\r\n", line.repeat(20))).await.starts_with("250 "), "2,000 octets fit");
        client.open_mail().await;
        let long = client.ask(format!("{}\r\n.\r\n", "y".repeat(999))).await;
        assert!(long.starts_with("550 5.6.0 a line"), "{long}");
        client.open_mail().await;
        assert!(client.ask(format!("..{}\r\n.\r\n", "y".repeat(997))).await.starts_with("250 "), "998 octets fit");
        for (to, code) in [("b", "250"), ("c", "250"), ("d", "452 4.5.3")] {
            if to == "b" {
                client.ask("MAIL FROM:<a@x.example>\r\n").await;
            }
            assert!(client.ask(format!("RCPT TO:<{to}@x.example>\r\n")).await.starts_with(code));
        }
        let long = client.ask(format!("NOOP {}\r\n", "z".repeat(100_000))).await;
        assert!(long.starts_with("500 5.5.2 a command has at most 600"), "{long}");
        assert!(client.ask("NOOP\r\n").await.starts_with("250 "), "the long one is over");
        client.write("FOO\r\nBAR\r\n").await;
        assert!(client.rest().await.ends_with("421 4.7.0 too many wrong commands\r\n"));
        assert_eq!(catcher.inbox.counts().mails, 2);
    });
}

#[test]
fn one_mail_cannot_smuggle_in_another() {
    with(Options::default(), async |catcher| {
        let mut client = Client::greeted(catcher.smtp_addr).await;
        for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r"] {
            client.open_mail().await;
            let mail = format!(
                "Subject: 1\r\n\r\nx{end}MAIL FROM:<evil@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n\r\n.\r\n"
            );
            let got = client.ask(mail).await;
            assert!(got.starts_with("550 5.6.0 the message holds a CR or LF"), "{end:?}: {got}");
            assert!(client.ask("NOOP\r\n").await.starts_with("250 2.0.0 still here"), "{end:?}");
        }
        assert_eq!(catcher.inbox.counts().mails, 0);
        assert!(client.ask("NOOP\n").await.starts_with("250 "), "outside of a mail a bare LF harms nobody");
        let zero = client.ask(b"NOOP a\0b\r\n").await;
        assert!(zero.starts_with("500 5.5.2"), "{zero}");
        assert!(client.ask(b"MAIL FROM:<\xff@x.example>\r\n").await.starts_with("500 5.5.2"));
    });
}

#[test]
fn addresses_beyond_ascii_want_smtputf8_and_are_kept_in_one_spelling() {
    with(Options::default(), async |catcher| {
        let mut client = Client::greeted(catcher.smtp_addr).await;
        assert!(client.ask("MAIL FROM:<김@x.example>\r\n").await.starts_with("553 5.6.7"));
        client.ask("MAIL FROM:<a@x.example>\r\n").await;
        assert!(client.ask("RCPT TO:<홍길동@예시.한국>\r\n").await.starts_with("553 5.6.7"));
        client.ask("RSET\r\n").await;
        assert!(client.ask("MAIL FROM:<김@x.example> SMTPUTF8\r\n").await.starts_with("250"));
        assert!(client.ask("RCPT TO:<홍길동@예시.한국>\r\n").await.starts_with("250"));
        assert!(client.ask("RCPT TO:<B@X.Example>\r\n").await.starts_with("250"));
        client.ask("DATA\r\n").await;
        assert!(client.ask("Subject: 안녕 🙂 مرحبا\r\n\r\n본문\r\n.\r\n").await.starts_with("250"));
        let mail = catcher.inbox.mail(1).unwrap();
        assert_eq!(mail.subject, "안녕 🙂 مرحبا");
        assert_eq!(mail.envelope.to, ["홍길동@xn--vv4b11d.xn--3e0b707e", "b@x.example"]);
        assert_eq!(catcher.inbox.by_recipient()["b@x.example"], 1);
        assert_eq!(catcher.inbox.search("홍길동@예시.한국", 0, 9).1, 1);
    });
}

#[test]
fn verdicts_refuse_and_defer_and_are_counted() {
    let verdict = |address: &Email| match address.local() {
        "nobody" => Some(Reply::new(550, "5.1.1", "no such\r\n250 mailbox")),
        "full" => Some(Reply::new(452, "4.2.2", "full")),
        _ => None,
    };
    with_verdict(Options::default(), verdict, async |catcher| {
        let mut client = Client::greeted(catcher.smtp_addr).await;
        client.ask("MAIL FROM:<a@x.example>\r\n").await;
        assert_eq!(client.ask("RCPT TO:<nobody@x.example>\r\n").await, "550 5.1.1 no such250 mailbox\r\n");
        assert!(client.ask("RCPT TO:<Full@x.example>\r\n").await.starts_with("452 4.2.2"));
        assert!(client.ask("DATA\r\n").await.starts_with("554"));
        let counts = catcher.inbox.counts();
        assert_eq!((counts.refused[&550], counts.refused[&452], counts.mails), (1, 1, 0));
    });
}

#[test]
fn too_many_connections_are_told_to_come_later() {
    let limits = Limits { connections: 1, ..Limits::default() };
    with(Options { limits, ..Options::default() }, async |catcher| {
        let mut first = Client::greeted(catcher.smtp_addr).await;
        let mut second = Client::connect(catcher.smtp_addr).await;
        assert!(second.rest().await.starts_with("421 4.3.2 too many"));
        assert!(first.ask("NOOP\r\n").await.starts_with("250 "));
    });
}

#[test]
fn silence_ends_a_session() {
    let limits = Limits { idle: Duration::from_millis(1), ..Limits::default() };
    with(Options { limits, ..Options::default() }, async |catcher| {
        let mut client = Client::connect(catcher.smtp_addr).await;
        assert!(client.rest().await.ends_with("421 4.4.2 nothing was said for too long\r\n"));
    });
}

#[test]
fn a_message_without_end_is_not_taken() {
    let limits = Limits { size: 1_000, ..Limits::default() };
    with(Options { limits, ..Options::default() }, async |catcher| {
        let mut client = Client::greeted(catcher.smtp_addr).await;
        client.open_mail().await;
        client.write("Subject: half\r\n\r\nx\r\n.").await;
        client.stream.get_mut().shutdown().await.unwrap();
        assert!(client.rest().await.starts_with("421 4.4.2"));
        let mut client = Client::greeted(catcher.smtp_addr).await;
        client.open_mail().await;
        client.write("x\r\n".repeat(10_000)).await;
        client.stream.get_mut().shutdown().await.unwrap();
        assert!(client.rest().await.starts_with("552 5.3.4"));
        assert_eq!(catcher.inbox.counts().mails, 0);
    });
}

#[test]
fn stopping_says_farewell() {
    with(Options::default(), async |catcher| {
        let mut client = Client::greeted(catcher.smtp_addr).await;
        catcher.shutdown().await;
        assert!(client.rest().await.starts_with("421 4.3.2"));
    });
}

#[test]
fn lettre_sends_through_it() {
    with(Options::default(), async |catcher| {
        let hello = ClientId::Domain("client.example".into());
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(catcher.smtp_addr, None, &hello, None, None).await.unwrap();
        assert!(connection.server_info().supports_feature(Extension::SmtpUtfEight));
        let mail = lettre::Message::builder()
            .from("하루 정원 <hello@haru.example>".parse().unwrap())
            .to("홍길동 <gildong@haru.example>".parse().unwrap())
            .subject("봄을 심으셨나요? 🌱")
            .body(".\r\n.x\r\n본문\r\n".to_owned())
            .unwrap();
        connection.send(mail.envelope(), &mail.formatted()).await.unwrap();
        connection.send(mail.envelope(), &mail.formatted()).await.unwrap();
        connection.quit().await.unwrap();
        let caught = catcher.inbox.mail(2).unwrap();
        assert_eq!(caught.subject, "봄을 심으셨나요? 🌱");
        assert_eq!(caught.to, "홍길동 <gildong@haru.example>");
        // a mail without a last CRLF gets one on the wire
        let sent = [mail.formatted(), b"\r\n".to_vec()].concat();
        assert!(caught.raw == sent || caught.raw == mail.formatted(), "{}", String::from_utf8_lossy(&caught.raw));
    });
}

#[test]
fn the_newest_are_kept_all_are_counted_and_readers_are_told_what_they_missed() {
    let keep = Keep { mails: 2, bytes: 1000, recipients: 2 };
    with(Options { keep, ..Options::default() }, async |catcher| {
        let mut follower = catcher.inbox.subscribe();
        assert!(follower.try_recv().is_none());
        for (to, id) in [("a@x.example", 1), ("b@x.example", 2), ("a@x.example", 1), ("c@x.example", 4)] {
            send(&catcher, to, &format!("Message-ID: <{id}@x>\r\nSubject: n{id}\r\n\r\nx")).await;
        }
        assert_eq!(follower.recv().await.id, 3);
        assert_eq!(follower.recv().await.id, 4);
        assert!(follower.try_recv().is_none());
        assert_eq!(follower.missed(), 2);
        assert!(catcher.inbox.mail(2).is_none() && catcher.inbox.mail(3).is_some() && catcher.inbox.mail(5).is_none());
        let counts = catcher.inbox.counts();
        assert_eq!((counts.mails, counts.deliveries, counts.twice, counts.uncounted), (4, 4, 1, 1));
        let big = format!("Subject: big\r\n\r\n{}", format!("{}\r\n", "x".repeat(90)).repeat(12));
        send(&catcher, "a@x.example", &big).await;
        assert!(catcher.inbox.mail(4).is_none(), "the octets are bounded too");
        assert_eq!(follower.recv().await.subject, "big", "and the newest is kept whatever its size");
    });
}

#[test]
fn the_page_shows_foreign_mail_without_harm() {
    let http = Some("127.0.0.1:0".parse().unwrap());
    with(Options { http, ..Options::default() }, async |catcher| {
        let mail = "From: \"<script>alert(1)</script>\" <a@x.example>\r\nTo: b@x.example\r\nSubject: <b>bold</b> & 홍길동\r\n\
                    MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=B\r\n\r\n\
                    --B\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n</pre><script>alert(2)</script>\r\n\
                    --B\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><head><title>t</title></head><body><script>alert(3)</script><a href=\"http://x/\">봄</a></body></html>\r\n--B--";
        send(&catcher, "b@x.example", mail).await;
        send(&catcher, "other@x.example", "Subject: plain\r\n\r\nonly text").await;
        let base = format!("http://{}", catcher.http_addr.unwrap());
        let client = reqwest::Client::new();
        let get = async |path: &str| client.get(format!("{base}{path}")).send().await.unwrap();

        let list = get("/").await;
        assert!(list.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        assert_eq!(list.headers()["x-content-type-options"], "nosniff");
        let list = list.text().await.unwrap();
        assert!(list.contains("&lt;b&gt;bold&lt;/b&gt; &amp; 홍길동") && list.contains("plain"), "{list}");
        let found = get("/?q=b%40x.example&lang=ko").await.text().await.unwrap();
        assert!(found.contains("찾은 메일") && found.contains("홍길동") && !found.contains("plain"), "{found}");
        assert!(found.contains("href=\"/mail/1?lang&#x3D;ko\""), "{found}");
        let odd = get("/?q=%22%3E%3Cscript%3E&lang=%22x&page=18446744073709551615").await.text().await.unwrap();
        assert!(!odd.contains("<script>"), "{odd}");

        let page = get("/mail/1").await.text().await.unwrap();
        assert!(!page.contains("<script>") && page.contains("&lt;/pre&gt;&lt;script&gt;"), "{page}");
        assert!(page.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""));
        let html = get("/mail/1/html").await;
        let policy = html.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("sandbox allow-popups") && !policy.contains("script"), "{policy}");
        assert!(html.text().await.unwrap().contains("<head><base target=\"_blank\">"));
        let source = get("/mail/1/source").await;
        assert_eq!(source.headers()["content-type"], "text/plain; charset=utf-8");
        let eml = get("/mail/1/eml").await;
        assert_eq!(eml.headers()["content-disposition"], "attachment; filename=\"mail-1.eml\"");
        assert_eq!(eml.bytes().await.unwrap(), catcher.inbox.mail(1).unwrap().raw);
        assert_eq!(get("/mail/2/html").await.status(), 404, "it has no HTML");
        assert_eq!(get("/mail/9").await.status(), 404);
        let foreign = client.get(&base).header("host", "evil.example").send().await.unwrap();
        assert_eq!(foreign.status(), 421);
    });
}
