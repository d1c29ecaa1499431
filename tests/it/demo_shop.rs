//! The demo's world: the same everywhere, with the truths that it says it plants; people who act on the mail they find.

use dangol::catcher::{Catcher, Options, Verdict};
use dangol::engine::demo::letter::{Letter, LinkKind};
use dangol::engine::demo::people::{self, ActError, Action, Request, Who};
use dangol::engine::demo::person::{Loyalty, Mailbox, Permission, Pictures};
use dangol::engine::demo::words::{self, Sent};
use dangol::engine::demo::{Effect, Lang, Shop, counts, files, purchases_after};
use dangol::types::{Clock, Email, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;
use std::time::Duration;

fn now() -> Timestamp {
    "2027-03-02T01:30:00Z".parse().unwrap()
}

fn shop(lang: Lang) -> &'static Shop {
    static SHOPS: OnceLock<[Shop; 2]> = OnceLock::new();
    let shops = SHOPS.get_or_init(|| [Lang::Ko, Lang::En].map(|lang| Shop::generate(lang, now())));
    &shops[usize::from(lang == Lang::En)]
}

fn written(lang: Lang) -> [Vec<u8>; 4] {
    let dir = tempfile::tempdir().unwrap();
    let files = files::write(dir.path(), shop(lang)).unwrap();
    [files.customers, files.app_customers, files.orders, files.consents].map(|file| std::fs::read(file).unwrap())
}

#[test]
fn the_files_are_the_same_on_every_machine() {
    let hashes = [Lang::Ko, Lang::En].map(|lang| blake3::hash(&written(lang).concat()).to_hex()[..16].to_owned());
    assert_eq!(hashes, ["8af20a0206aad63e", "3b7ada9a4c60b3a5"]);
}

#[test]
fn the_planted_counts_are_as_documented() {
    for lang in [Lang::Ko, Lang::En] {
        let people = &shop(lang).people;
        let count = |is: &dyn Fn(&dangol::engine::demo::Person) -> bool| people.iter().filter(|p| is(p)).count();
        assert_eq!(people.len(), counts::CUSTOMERS);
        assert_eq!(count(&|p| p.address.is_none()), counts::WITHOUT_ADDRESS);
        assert_eq!(count(&|p| p.typed_address.is_some() && p.address.is_none()), 0, "all typed addresses are good");
        assert_eq!(count(&|p| p.truth.shares_address_with.is_some()), counts::SHARE_ADDRESS);
        assert_eq!(count(&|p| p.truth.mailbox == Mailbox::Unknown), counts::UNKNOWN_MAILBOX);
        assert_eq!(count(&|p| p.truth.mailbox == Mailbox::FullOnce), counts::FULL_ONCE);
        let never = count(&|p| p.address.is_some() && p.newsletter == Permission::Never);
        assert_eq!(never, counts::NEVER);
        assert_eq!(count(&|p| p.newsletter == Permission::Withdrawn), counts::WITHDRAWN);
        assert_eq!(count(&|p| p.newsletter == Permission::Pending), counts::PENDING);
        assert_eq!(count(&|p| p.truth.scanner), counts::SCANNERS);
        assert_eq!(count(&|p| p.truth.unsubscribes), counts::UNSUBSCRIBE);
        assert_eq!(count(&|p| p.truth.pictures == Pictures::Apple), counts::APPLE);
        assert_eq!(count(&|p| p.truth.pictures == Pictures::Google), counts::GOOGLE);
        let loyalty = [Loyalty::True, Loyalty::Latent, Loyalty::Spurious, Loyalty::None];
        assert_eq!(loyalty.map(|kind| count(&|p| p.truth.loyalty == kind)), counts::LOYALTY);
        assert_eq!(count(&|p| p.can_be_reached()), counts::REACHED);
        assert_eq!(counts::REACHED, 1_812);

        let mailed: HashSet<&Email> =
            people.iter().filter(|p| p.newsletter == Permission::Granted).filter_map(|p| p.address.as_ref()).collect();
        assert_eq!(mailed.len(), counts::MAILED, "two who share an address get one mail");
        let distinct: HashSet<&Email> = people.iter().filter_map(|p| p.address.as_ref()).collect();
        assert_eq!(distinct.len(), counts::CUSTOMERS - counts::WITHOUT_ADDRESS - counts::SHARE_ADDRESS);
        assert!(distinct.iter().all(|address| address.domain().ends_with(".example")), "nobody real can be reached");
        assert!(distinct.iter().any(|address| address.needs_smtputf8()));
        assert!(distinct.iter().any(|address| address.domain().starts_with("xn--")));
    }
}

#[test]
fn the_three_of_the_scenes_are_who_they_should_be() {
    for lang in [Lang::Ko, Lang::En] {
        let shop = shop(lang);
        let regular = shop.regular();
        assert_eq!(regular.name, if lang == Lang::Ko { "김민지" } else { "Emma Hart" });
        assert!(
            regular.can_be_reached()
                && regular.truth.loyalty == Loyalty::True
                && regular.truth.alive
                && regular.orders.len() >= 8
        );
        assert_eq!(shop.left_out().name, "홍길동");
        assert!(!shop.left_out().can_be_reached() && shop.left_out().address.is_some());
        assert!(shop.scanned().truth.scanner && shop.scanned().can_be_reached());
        let found = shop.by_address(regular.address.as_ref().unwrap().as_str()).unwrap();
        assert_eq!(found.number, regular.number);
        assert!(shop.by_address("nobody@maru.example").is_none());
    }
}

#[test]
fn orders_lie_within_the_two_years_and_follow_the_truth() {
    for lang in [Lang::Ko, Lang::En] {
        let shop = shop(lang);
        let from = now() - jiff::SignedDuration::from_hours(24 * (counts::DAYS + 1));
        let mut by_loyalty: HashMap<Loyalty, (usize, usize, usize)> = HashMap::new();
        let mut ids = HashSet::new();
        for person in &shop.people {
            for order in &person.orders {
                assert!(from <= order.at && order.at < now() && person.joined <= order.at, "{order:?}");
                let sum: i64 = order.items.iter().map(|item| item.amount).sum();
                assert_eq!(order.amount, sum - order.discount);
                assert!(order.amount > 0 && order.discount >= 0 && order.margin < order.amount);
                assert!(lang == Lang::En || order.discount % 10 == 0);
                assert!(ids.insert(&order.id));
                let entry = by_loyalty.entry(person.truth.loyalty).or_default();
                entry.1 += 1;
                entry.2 += usize::from(order.discount > 0);
            }
            by_loyalty.entry(person.truth.loyalty).or_default().0 += 1;
        }
        let mean = |kind| by_loyalty[&kind].1 / by_loyalty[&kind].0;
        assert!(mean(Loyalty::True) >= 8 && mean(Loyalty::Spurious) >= 5, "{by_loyalty:?}");
        assert!(mean(Loyalty::Latent) <= 3 && mean(Loyalty::None) <= 3, "{by_loyalty:?}");
        let on_discount = |kind| 100 * by_loyalty[&kind].2 / by_loyalty[&kind].1;
        assert!(on_discount(Loyalty::Spurious) > 70 && on_discount(Loyalty::True) < 30, "{by_loyalty:?}");
        assert!((8_000..20_000).contains(&ids.len()), "{}", ids.len());
    }
}

#[test]
fn the_korean_file_is_cp949_and_the_english_one_has_a_byte_order_mark() {
    let [customers, app, orders, consents] = written(Lang::Ko);
    assert!(std::str::from_utf8(&customers).is_err());
    let (text, _, broken) = encoding_rs::EUC_KR.decode(&customers);
    assert!(!broken && text.starts_with("고객번호,성명,성,이름,이메일,생년월일,언어,시간대,도시,유입경로,가입일\r\n"));
    assert!(text.contains("HG-00002,홍길동,홍,길동,홍길동@하루.example,"));
    let app = String::from_utf8(app).unwrap();
    assert!(app.contains('م') && app.contains("🌱") && app.starts_with("external_id,name,"));
    let rows = |text: &str| csv::Reader::from_reader(text.as_bytes()).into_records().map(Result::unwrap).count();
    assert_eq!(rows(&text) + rows(&app), counts::CUSTOMERS + files::WRONG_CUSTOMERS);
    let orders = String::from_utf8(orders).unwrap();
    assert!(orders.contains("원\",KRW,") && orders.contains(". 오후 "), "{}", &orders[..2_000]);
    let all: usize = shop(Lang::Ko).people.iter().map(|person| person.orders.len()).sum();
    assert_eq!(rows(&orders), all + files::WRONG_ORDERS);
    let mut reader = csv::Reader::from_reader(orders.as_bytes());
    let items = reader.records().next().unwrap().unwrap()[9].to_owned();
    let items: serde_json::Value = serde_json::from_str(&items).unwrap();
    assert!(items[0]["sku"].is_string() && items[0]["amount"].is_i64() && items[0]["quantity"].is_i64(), "{items}");
    let consents = String::from_utf8(consents).unwrap();
    assert!(consents.contains(",newsletter,withdrawn,") && !consents.contains("HG-00002,"));

    let [customers, ..] = written(Lang::En);
    assert!(customers.starts_with("\u{feff}external_id,name,last_name,first_name,email,".as_bytes()));
}

#[test]
fn wrong_rows_are_wrong_by_our_own_reading() {
    let [customers, _, orders, _] = written(Lang::Ko);
    let (text, ..) = encoding_rs::EUC_KR.decode(&customers);
    let mut wrong = 0;
    for row in csv::Reader::from_reader(text.as_bytes()).records() {
        let row = row.unwrap();
        let (id, email, birthday) = (&row[0], &row[4], &row[5]);
        let bad_address = !email.is_empty() && email.parse::<Email>().is_err();
        let bad_day = !birthday.is_empty() && birthday.parse::<jiff::civil::Date>().is_err();
        wrong += usize::from(bad_address || bad_day || (id.is_empty() && email.is_empty()));
    }
    assert_eq!(wrong, files::WRONG_CUSTOMERS);
    let krw = dangol::types::Currency::KRW;
    let amounts = String::from_utf8(orders).unwrap();
    let mut reader = csv::Reader::from_reader(amounts.as_bytes());
    let wrong: Vec<String> = reader
        .records()
        .map(Result::unwrap)
        .filter(|row| row[0].starts_with('W') || dangol::types::Money::parse(&row[3], krw).is_err())
        .map(|row| row[3].to_owned())
        .collect();
    assert_eq!(wrong, ["12000.50", "12,000원", "열두 송이", "12,000원"]);
}

#[test]
fn mailboxes_answer_as_planted() {
    let shop = shop(Lang::Ko);
    let boxes = shop.mailboxes();
    let of = |kind| shop.people.iter().find(|p| p.truth.mailbox == kind).unwrap().address.clone().unwrap();
    let code = |address: &Email| boxes.on(address).map(|reply| (reply.code(), reply.status().to_owned()));
    assert_eq!(code(&of(Mailbox::Unknown)), Some((550, "5.1.1".to_owned())));
    assert_eq!(code(&of(Mailbox::Unknown)), Some((550, "5.1.1".to_owned())));
    assert_eq!(code(&of(Mailbox::FullOnce)), Some((452, "4.2.2".to_owned())));
    assert_eq!(code(&of(Mailbox::FullOnce)), None);
    assert_eq!(code(shop.regular().address.as_ref().unwrap()), None);
    assert_eq!(code(&"care@haru.example".parse().unwrap()), None);
}

#[test]
fn a_campaign_adds_its_planted_orders_and_changes_nothing_else() {
    let shop = shop(Lang::Ko);
    let effect = |lift| Effect { occasion: "winback", lift };
    let (mut planted, mut base) = (0, 0);
    for person in &shop.people {
        let of = |treated, lift| purchases_after(shop.lang, person, treated, effect(lift), now(), 60);
        let (held_out, treated, nothing) = (of(false, 30), of(true, 30), of(true, 0));
        let keys = |all: &[dangol::engine::demo::Purchase]| {
            all.iter().filter(|p| !p.planted).map(|p| (p.order.at, p.order.amount)).collect::<Vec<_>>()
        };
        assert_eq!(keys(&held_out), keys(&treated));
        assert_eq!(keys(&held_out), keys(&nothing));
        assert!(held_out.iter().chain(&nothing).all(|p| !p.planted));
        assert!(treated.iter().all(|p| p.order.at >= now()));
        planted += treated.iter().filter(|p| p.planted).count();
        base += held_out.len();
    }
    // 30 of a thousand of 2,000, five standard deviations of a binomial
    assert!((60_usize).abs_diff(planted) < 39, "{planted}");
    assert!(base > 200, "{base}");
}

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

#[test]
fn the_words_say_what_was_counted() {
    for lang in [Lang::Ko, Lang::En] {
        let scenes = words::scenes(lang);
        assert_eq!(scenes.map(|scene| scene.number), [1, 2, 3, 4, 5, 6, 8]);
        assert!(scenes.iter().all(|s| s.command.starts_with("dangol ") && !s.title.is_empty() && !s.says.is_empty()));
    }
    let counts = Sent { sink: 1_812, ours: 1_812, twice: 0, unknown: 1, refused: 36 };
    assert_eq!(
        words::sent(Lang::En, counts),
        "sink 1,812, ours 1,812, twice 0, unknown 1 (refused, since there is no such mailbox: 36)."
    );
    assert!(words::sent(Lang::Ko, counts).starts_with("받은 서버 1,812, 우리 기록 1,812, 두 번 0,"));
    assert_eq!(words::scanned(Lang::En, 960, 0, 0), "960 requests by scanners: score +0, 0 unsubscribed.");
    let points = [("engagement", 31), ("attitude", -4)];
    assert_eq!(
        words::answered(Lang::En, "Emma Hart", 612, 639, &points),
        "Emma Hart: from 61.2 to 63.9. By component: engagement +3.1, attitude −0.4."
    );
}
