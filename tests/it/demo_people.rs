//! The demo's people: what they find in a mail, what they do about it, and that it reaches the site.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use crate::demo_shop::{now, shop};
use dangol::catcher::{Catcher, Options};
use dangol::engine::demo::letter::{Letter, LinkKind};
use dangol::engine::demo::people::{self, ActError, Action, Request, Who};
use dangol::engine::demo::person::Pictures;
use dangol::engine::demo::{Lang, counts};
use dangol::types::Clock;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

const MAIL: &str = "From: Haru Garden <hello@haru.example>\r\nTo: x@maru.example\r\nSubject: =?utf-8?B?67SE7J2EIOyLrOycvOyFqOuCmOyalD8=?=\r\n\
List-Unsubscribe: <https://mail.haru.example/u/TOKENU>,\r\n <mailto:unsubscribe+TOKEN@haru.example>\r\n\
List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"B\"\r\n\r\n\
--B\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhttps://mail.haru.example/c/TEXT\r\n\
--B\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
<html><body><div style=3D\"display:none\"><a href=3D\"https://mail.haru.example/c/TRAP\">more</a></div>\r\n\
<a href=3D\"https://mail.haru.example/v/TOKENV\">=EC=9B=B9=EC=97=90=EC=84=9C</a>\r\n\
<a href=3D\"https://mail.haru.example/c/ONE?u=3Dhttps%3A%2F%2Fharu.example%2F&amp;k=3D1\">=EB=B3=B4=EA=B8=B0 &amp; <b>more</b></a>\r\n\
<a href=3D\"https://mail.haru.example/c/TWO\"><img src=3D\"https://mail.haru.example/a/pic.png\" alt=3D\"pots\"></a>\r\n\
<a href=3D\"https://mail.haru.example/s/NINE?a=3D9\">9</a> <a href=3D\"https://mail.haru.example/s/TEN?a=3D10\">10</a>\r\n\
<a href=3D\"https://mail.haru.example/u/TOKENU\">unsubscribe</a> <a href=3D\"mailto:x@y.example\">mail</a>\r\n\
<img src=3D\"https://mail.haru.example/o/PIXEL\" width=3D1 height=3D1 alt=3D\"\"></body></html>\r\n--B--\r\n";

#[test]
fn a_letter_is_read_as_a_mail_program_reads_it() {
    let letter = Letter::read(MAIL.as_bytes());
    assert_eq!(letter.subject, "봄을 심으셨나요?");
    assert_eq!(letter.pixel.as_ref().unwrap().path(), "/o/PIXEL");
    assert_eq!(letter.one_click.as_ref().unwrap().path(), "/u/TOKENU");
    assert_eq!(letter.mailto.as_deref(), Some("unsubscribe+TOKEN@haru.example"));
    let seen: Vec<(&str, &str, LinkKind, bool)> =
        letter.links.iter().map(|l| (l.url.path(), l.text.as_str(), l.kind, l.hidden)).collect();
    assert_eq!(
        seen,
        [
            ("/c/TRAP", "more", LinkKind::Click, true),
            ("/v/TOKENV", "웹에서", LinkKind::View, false),
            ("/c/ONE", "보기 & more", LinkKind::Click, false),
            ("/c/TWO", "pots", LinkKind::Click, false),
            ("/s/NINE", "9", LinkKind::Survey, false),
            ("/s/TEN", "10", LinkKind::Survey, false),
            ("/u/TOKENU", "unsubscribe", LinkKind::Unsubscribe, false),
        ]
    );
    assert_eq!(letter.links[2].url.query(), Some("u=https%3A%2F%2Fharu.example%2F&k=1"));
    let plain = Letter::read(b"Subject: x\r\n\r\nsee https://mail.haru.example/c/A, or <http://x.example/>.\r\n");
    let found: Vec<&str> = plain.links.iter().map(|link| link.url.path()).collect();
    assert_eq!((found, plain.one_click), (vec!["/c/A", "/"], None));
    for junk in [&b""[..], b"\0\xff", b"Content-Type: text/html\r\n\r\n<a href='http://[x'><a href=\"javascript:x\">"] {
        assert!(Letter::read(junk).links.is_empty());
    }
}

fn all_plans() -> Vec<(usize, Vec<Action>)> {
    let letter = Letter::read(MAIL.as_bytes());
    shop(Lang::Ko).people.iter().map(|p| (p.number, people::plan_letter(p, &letter, "spring"))).collect()
}

#[test]
fn a_scanner_follows_everything_at_once_and_people_take_their_time() {
    let shop = shop(Lang::Ko);
    let (mut human_clicks, mut answers, mut unsubscribed) = (0, 0, 0);
    let mut networks: HashMap<[u8; 3], HashSet<usize>> = HashMap::new();
    for (number, plan) in all_plans() {
        let person = &shop.people[number];
        let by = |who| plan.iter().filter(move |action| action.who == who);
        assert_eq!(by(Who::Scanner).count(), if person.truth.scanner { 16 } else { 0 }, "pixel and seven links, twice");
        assert!(by(Who::Scanner).all(|action| action.after < Duration::from_secs(2)));
        assert!(by(Who::Scanner).all(|action| !matches!(action.request, Request::Post(..) | Request::Answer { .. })));
        assert!(plan.windows(2).all(|pair| pair[0].after <= pair[1].after));
        for action in by(Who::Human) {
            assert!(action.after >= Duration::from_secs(120));
            let [a, b, c, _] = action.ip.octets();
            networks.entry([a, b, c]).or_default().insert(number);
            match &action.request {
                Request::Get(url) if url.path().starts_with("/c/") => {
                    assert_ne!(url.path(), "/c/TRAP", "nobody sees it");
                    human_clicks += 1;
                }
                Request::Post(url, form) => {
                    assert!(person.truth.unsubscribes && url.path() == "/u/TOKENU");
                    assert_eq!(form, &[("List-Unsubscribe".to_owned(), "One-Click".to_owned())]);
                    unsubscribed += 1;
                }
                Request::Answer { url, value } => {
                    assert_eq!(*value, person.truth.attitude);
                    assert!(*value != 10 || url.path() == "/s/TEN");
                    answers += 1;
                }
                _ => {}
            }
        }
        let apple = by(Who::Proxy).filter(|action| action.agent == "Mozilla/5.0").count();
        assert_eq!(apple, usize::from(person.truth.pictures == Pictures::Apple));
    }
    assert_eq!(unsubscribed, counts::UNSUBSCRIBE);
    assert!(networks.values().all(|people| people.len() == 1));
    assert!((150..600).contains(&human_clicks), "{human_clicks}");
    assert!((150..600).contains(&answers), "{answers}");
    assert_eq!(all_plans(), all_plans());
}

#[test]
fn one_who_has_time_opens_clicks_and_answers() {
    let regular = shop(Lang::Ko).regular();
    let plan = people::plan_answer(regular, MAIL.as_bytes());
    let paths: Vec<&str> = plan
        .iter()
        .map(|action| match &action.request {
            Request::Get(url) | Request::Answer { url, .. } => url.path(),
            other => panic!("{other:?}"),
        })
        .collect();
    let answer = if regular.truth.attitude == 9 { "/s/NINE" } else { "/s/TEN" };
    assert_eq!(paths, ["/o/PIXEL", "/c/ONE", answer]);
    assert!(plan.iter().all(|action| action.who == Who::Human));
}

/// A site that keeps what it is asked, and has one survey.
async fn site() -> (std::net::SocketAddr, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = seen.clone();
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| async move {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        let header = |name: &str| head.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        log.lock().unwrap().push(format!(
            "{} {} {} {} {}",
            head.method,
            head.uri,
            header("x-forwarded-for"),
            header("user-agent"),
            String::from_utf8_lossy(&body)
        ));
        let form = "<form method=get action=/search><input name=q></form><form method=\"post\" action=\"?x=1&amp;y=2\">\
                    <input type=hidden name=survey value=\"nps&amp;co\"><input type=radio name=answer value=9 checked>\
                    <input type=radio name=answer value=10><textarea name=comment></textarea><button>send</button></form>";
        match (head.method.as_str(), head.uri.path()) {
            ("GET", "/here/s/NINE") => (axum::http::StatusCode::OK, [("location", "")], form),
            (_, path) if path.contains("/c/") => (axum::http::StatusCode::FOUND, [("location", "http://127.0.0.1:1/")], ""),
            _ => (axum::http::StatusCode::OK, [("location", "")], ""),
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, seen)
}

#[test]
fn actions_are_real_requests_to_where_the_site_listens() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (address, seen) = site().await;
        let base = url::Url::parse(&format!("http://{address}/here/")).unwrap();
        let client = people::client().unwrap();
        let url = |path: &str| url::Url::parse(&format!("https://mail.haru.example{path}")).unwrap();
        let act = async |request: Request| {
            let ip = "10.1.2.7".parse().unwrap();
            let action = Action { after: Duration::ZERO, who: Who::Human, request, agent: "Test/1", ip };
            people::perform(&client, Some(&base), &action).await.map(|outcome| outcome.status)
        };
        assert_eq!(act(Request::Get(url("/c/ONE?k=1"))).await.unwrap(), 302, "a redirect is not followed");
        assert_eq!(act(Request::Head(url("/c/ONE"))).await.unwrap(), 302);
        let form = vec![("List-Unsubscribe".to_owned(), "One-Click".to_owned())];
        assert_eq!(act(Request::Post(url("/u/T"), form)).await.unwrap(), 200);
        assert_eq!(act(Request::Answer { url: url("/s/NINE?a=9"), value: 9 }).await.unwrap(), 200);
        let no_form = act(Request::Answer { url: url("/s/OTHER"), value: 9 }).await;
        assert!(matches!(no_form, Err(ActError::NoForm { status: 200, .. })));
        let seen = seen.lock().unwrap().clone();
        assert_eq!(
            seen,
            [
                "GET /here/c/ONE?k=1 10.1.2.7 Test/1 ",
                "HEAD /here/c/ONE 10.1.2.7 Test/1 ",
                "POST /here/u/T 10.1.2.7 Test/1 List-Unsubscribe=One-Click",
                "GET /here/s/NINE?a=9 10.1.2.7 Test/1 ",
                "POST /here/s/NINE?x=1&y=2 10.1.2.7 Test/1 survey=nps%26co&answer=9",
                "GET /here/s/OTHER 10.1.2.7 Test/1 ",
            ]
        );
    });
}

#[test]
fn a_mail_goes_through_the_catcher_to_its_reader() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shop = shop(Lang::Ko);
        let catcher = Catcher::start(Options::default(), Clock::stepped(now()), shop.mailboxes()).await.unwrap();
        let mut caught = catcher.inbox.subscribe();
        let hello = lettre::transport::smtp::extension::ClientId::Domain("x.example".into());
        let mut connection = lettre::transport::smtp::client::AsyncSmtpConnection::connect_tokio1(
            catcher.smtp_addr,
            None,
            &hello,
            None,
            None,
        )
        .await
        .unwrap();
        let to = shop.scanned().address.clone().unwrap();
        let envelope = lettre::address::Envelope::new(
            Some("bounce@haru.example".parse().unwrap()),
            vec![to.as_str().parse().unwrap()],
        )
        .unwrap();
        connection.send(&envelope, MAIL.as_bytes()).await.unwrap();
        let mail = caught.recv().await;
        let reader = shop.by_address(&mail.envelope.to[0]).unwrap();
        assert_eq!(reader.number, shop.scanned().number);
        let plan = people::plan(reader, &mail.raw, "spring");
        assert_eq!(plan.iter().filter(|action| action.who == Who::Scanner).count(), 16);
        catcher.shutdown().await;
    });
}
