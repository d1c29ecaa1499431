//! The demo's shop: the same everywhere, with the truths that it says it plants.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use dangol::catcher::Verdict;
use dangol::engine::demo::person::{Loyalty, Mailbox, Permission, Pictures};
use dangol::engine::demo::words::{self, Measured, Sent};
use dangol::engine::demo::{Effect, Lang, Shop, counts, files, purchases_after};
use dangol::types::{Email, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

pub fn now() -> Timestamp {
    "2027-03-02T01:30:00Z".parse().unwrap()
}

pub fn shop(lang: Lang) -> &'static Shop {
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

#[test]
fn the_words_say_what_was_counted() {
    for lang in [Lang::Ko, Lang::En] {
        let scenes = words::scenes(lang);
        assert_eq!(scenes.map(|scene| scene.number), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(scenes.iter().all(|s| s.command.starts_with("dangol ") && !s.title.is_empty() && !s.says.is_empty()));
    }
    let counts = Sent { sink: 1_812, ours: 1_812, twice: 0, unknown: 1, refused: 36 };
    let said = words::sent(Lang::En, counts);
    assert!(said.starts_with("  the mail server got       1,812\n"), "{said}");
    assert!(words::sent(Lang::Ko, counts).starts_with("  메일 서버가 받음       1,812\n"));
    assert_eq!(words::scanned(Lang::En, 960, 0, 0), "960 requests by scanners: score +0, 0 unsubscribed.");
    assert_eq!(
        words::answered(Lang::En, "Emma Hart", &[("base", 500), ("buying", 112)], &[("base", 500), ("buying", -4)]),
        "Emma Hart: from 61.2 to 49.6.\n  before: base 50, buying +11.2 = 61.2\n  after:  base 50, buying −0.4 = 49.6"
    );

    let mut of = Measured { campaign: "invite", treated: (900, 84), holdout: (900, 39), planted: 41, range: (12, 70) };
    assert!(of.claims() && of.holds_the_truth());
    let said = words::measured(Lang::En, 7, &[of.clone()]);
    assert!(said.contains("planted effect +41 orders;  report: +12 to +70:  it brought orders"), "{said}");
    of.range = (-9, 31);
    assert!(!of.claims() && !of.holds_the_truth());
    assert!(words::measured(Lang::Ko, 7, &[of]).contains("보고 −9 ~ +31건  아직 근거가 부족함"));
}
