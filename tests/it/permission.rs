//! No recorded consent for the topic, no mail; a withdrawal stays; one rule in Rust and in SQL.

use crate::support::on_both;
use dangol::args;
use dangol::config::model::Settings;
use dangol::db::{Db, Query};
use dangol::permission::{
    self, Confirmed, Filter, NewConsent, NewSuppression, Reason, Recorded, Rule, State, standing,
};
use dangol::types::Timestamp;
use proptest::prelude::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

fn settings(profile: &str) -> Settings {
    toml::from_str(&format!(
        r#"
        [site]
        name = "Haru"
        url = "https://mail.haru.example"
        timezone = "Asia/Seoul"
        locale = "ko"
        currency = "KRW"
        [law]
        profile = "{profile}"
        [topic.plain]
        [topic.double]
        consent = "double-opt-in"
        [topic.soft]
        consent = "soft-opt-in"
        [topic.account]
        kind = "service"
        "#
    ))
    .unwrap()
}

fn line(customer: i64, topic: &str, state: State, millis: i64, own_act: bool) -> NewConsent {
    NewConsent {
        customer,
        topic: topic.into(),
        state,
        basis: None,
        text: None,
        source: "test".into(),
        address: None,
        at: at(millis),
        own_act,
        batch: None,
    }
}

async fn record(db: &Db, lines: &[NewConsent]) -> Vec<Recorded> {
    let mut tx = db.begin().await.unwrap();
    let recorded = permission::record_consents(&mut tx, lines, at(1_000)).await.unwrap();
    tx.commit().await.unwrap();
    recorded
}

async fn stands(db: &Db, customer: i64, topic: &str) -> Option<(State, i64)> {
    let all = permission::state(&mut &*db, customer).await.unwrap();
    all.into_iter().find(|s| s.topic == topic).map(|s| (s.state, s.at.as_millisecond()))
}

#[test]
fn the_latest_act_wins_and_a_withdrawal_needs_an_act() {
    on_both(|t| async move {
        let _dir = &t.dir;
        use Recorded::{Known, Overruled, Stands};
        use State::{Granted, Pending, Withdrawn};
        let steps = [
            (Granted, 10, true, Stands, Granted),
            (Granted, 10, true, Known, Granted),
            (Withdrawn, 5, true, Overruled, Granted),
            (Withdrawn, 20, true, Stands, Withdrawn),
            (Granted, 900, false, Overruled, Withdrawn),
            (Granted, 901, false, Known, Withdrawn),
            (Granted, 15, true, Overruled, Withdrawn),
            (Granted, 20, true, Overruled, Withdrawn),
            (Pending, 25, true, Stands, Pending),
            (Granted, 30, true, Stands, Granted),
            (Pending, 40, true, Overruled, Granted),
            (Withdrawn, 950, false, Stands, Withdrawn),
            (Withdrawn, 960, false, Known, Withdrawn),
            (Granted, 955, true, Stands, Granted),
        ];
        for (i, (state, millis, own, recorded, now)) in steps.into_iter().enumerate() {
            assert_eq!(record(&t.db, &[line(1, "plain", state, millis, own)]).await, [recorded], "step {i}");
            assert_eq!(stands(&t.db, 1, "plain").await.unwrap().0, now, "step {i}");
        }
        assert_eq!(stands(&t.db, 1, "plain").await.unwrap().1, 955);
        let ledger = permission::ledger(&mut &t.db, 1).await.unwrap();
        assert_eq!(ledger.len(), 11);
        // many at once, some of them about the same
        let many: Vec<NewConsent> = (0..2_500).map(|n| line(100 + n % 2_000, "plain", Granted, 50, true)).collect();
        let recorded = record(&t.db, &many).await;
        assert_eq!(recorded.iter().filter(|r| **r == Stands).count(), 2_000);
        assert_eq!(recorded.iter().filter(|r| **r == Known).count(), 500);
    });
}

#[test]
fn double_opt_in_waits_for_the_link() {
    on_both(|t| async move {
        let _dir = &t.dir;
        let settings = settings("kr");
        let ask = async |topic: &str, millis: i64| {
            let mut tx = t.db.begin().await.unwrap();
            let new = line(1, topic, State::Withdrawn, millis, false);
            let state = permission::request(&mut tx, &settings.topic[topic], new, at(millis)).await.unwrap();
            tx.commit().await.unwrap();
            state
        };
        let confirm = async |millis: i64| {
            let mut tx = t.db.begin().await.unwrap();
            let confirmed = permission::confirm(&mut tx, 1, "double", "link", at(millis)).await.unwrap();
            tx.commit().await.unwrap();
            confirmed
        };
        assert_eq!(ask("plain", 10).await, State::Granted);
        assert_eq!(confirm(11).await, Confirmed::NotPending);
        assert_eq!(ask("double", 20).await, State::Pending);
        assert_eq!(confirm(30).await, Confirmed::Granted);
        assert_eq!(confirm(31).await, Confirmed::Already);
        assert_eq!(ask("double", 40).await, State::Granted, "asking again takes nothing away");
        let mut tx = t.db.begin().await.unwrap();
        for _ in 0..2 {
            permission::withdraw(&mut tx, 1, &["plain", "double", "soft"], "unsubscribe", at(50), at(50))
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        assert_eq!(
            permission::ledger(&mut &t.db, 1).await.unwrap().iter().filter(|l| l.state == State::Withdrawn).count(),
            3
        );
        assert_eq!(stands(&t.db, 1, "soft").await, Some((State::Withdrawn, 50)));
        assert_eq!(confirm(60).await, Confirmed::NotPending, "an old link brings nothing back");
        assert_eq!(ask("double", 70).await, State::Pending);
    });
}

#[test]
fn suppressions_are_audited_listed_and_lifted_by_people_only() {
    on_both(|t| async move {
        let _dir = &t.dir;
        let new = |address: &str, reason: &str, until: Option<i64>| NewSuppression {
            address: address.into(),
            reason: reason.into(),
            source: "test".into(),
            message: None,
            batch: None,
            until: until.map(at),
            note: None,
        };
        let add = async |s: NewSuppression, millis: i64| {
            let mut tx = t.db.begin().await.unwrap();
            let added = permission::suppress(&mut tx, &s, "cli", at(millis)).await.unwrap();
            tx.commit().await.unwrap();
            added
        };
        assert!(add(new("a@haru.example", "manual", None), 100).await);
        assert!(!add(new("a@haru.example", "manual", None), 110).await);
        assert!(add(new("a@haru.example", "complaint", None), 120).await);
        assert!(add(new("b@other.example", "soft-bounce", Some(500)), 130).await);
        assert!(!add(new("b@other.example", "soft-bounce", Some(400)), 140).await, "the longer of the two lasts");
        assert!(add(new("b@other.example", "soft-bounce", Some(600)), 150).await);
        assert!(add(new("c@xn--vv4b11d.xn--3e0b707e", "manual", None), 160).await);
        let is = async |address: &str, millis: i64| {
            permission::is_suppressed(&mut &t.db, address, at(millis)).await.unwrap()
        };
        assert!(is("b@other.example", 599).await && !is("b@other.example", 600).await);
        let listed = async |filter: Filter| -> Vec<String> {
            let found = permission::list(&mut &t.db, &filter, at(200)).await.unwrap();
            found.into_iter().map(|s| format!("{} {}", s.address.split('@').next().unwrap(), s.reason)).collect()
        };
        let domain = |d: &str| Filter { domain: Some(d.into()), ..Filter::default() };
        assert_eq!(listed(domain("HARU.example")).await, ["a manual", "a complaint"]);
        assert_eq!(listed(domain("예시.한국")).await, ["c manual"]);
        assert!(listed(domain("%")).await.is_empty());
        let span = Filter { since: Some(at(120)), until: Some(at(160)), ..Filter::default() };
        assert_eq!(listed(span).await, ["a complaint", "b soft-bounce"]);
        let page = Filter { limit: 1, ..Filter::default() };
        assert_eq!(listed(page).await, ["a manual"]);
        let mut tx = t.db.begin().await.unwrap();
        assert_eq!(permission::lift(&mut tx, "a@haru.example", "minji", at(300)).await.unwrap(), 2);
        assert_eq!(permission::lift(&mut tx, "a@haru.example", "minji", at(300)).await.unwrap(), 0);
        tx.commit().await.unwrap();
        assert!(!is("a@haru.example", 301).await);
        let all = Filter { all: true, domain: Some("haru.example".into()), ..Filter::default() };
        assert_eq!(permission::list(&mut &t.db, &all, at(400)).await.unwrap()[0].lifted_by.as_deref(), Some("minji"));
        let audit = dangol::customer::audit_of(&mut &t.db, "a@haru.example").await.unwrap();
        let actions: Vec<&str> = audit.iter().map(|line| line.2.as_str()).collect();
        assert_eq!(actions, ["suppression add", "suppression add", "suppression lift"]);
        assert!(add(new("a@haru.example", "manual", None), 400).await, "and it can be made anew");
    });
}

#[test]
fn soft_opt_in_lasts_six_months_in_korea() {
    on_both(|t| async move {
        let _dir = &t.dir;
        let now: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let insert = "INSERT INTO customer (id, bucket, email, created_at, updated_at) VALUES (?, 1, ?, 1, 1)";
        let buy = "INSERT INTO purchase (event_id, order_key, customer_id, at, amount, currency, status, updated_at) VALUES (?, ?, ?, ?, 1, 'KRW', ?, 1)";
        for (id, bought, status) in [
            (1_i64, "2026-05-22T03:00:00Z", "paid"),
            (2, "2026-05-22T02:59:59Z", "paid"),
            (3, "2026-11-01T00:00:00Z", "returned"),
        ] {
            t.db.execute(insert, args![id, format!("p{id}@haru.example")]).await.unwrap();
            let bought: Timestamp = bought.parse().unwrap();
            t.db.execute(buy, args![id, id.to_string(), id, bought, status]).await.unwrap();
        }
        let kr = Rule::of("soft", &settings("kr"), now).unwrap();
        let eu = Rule::of("soft", &settings("eu"), now).unwrap();
        let (no, gone) = (Reason::NoConsent, Reason::Erased);
        let told = permission::reasons(&mut &t.db, &[1, 2, 3, 4], &kr).await.unwrap();
        assert_eq!(told, [(2, no), (3, no), (4, gone)], "who may be mailed is not told of");
        assert_eq!(permission::reasons(&mut &t.db, &[1, 2, 3], &eu).await.unwrap(), [(3, no)]);
        assert_eq!(Rule::of("nothing", &settings("kr"), now), None);
    });
}

/// A small generator, the same every time: the world has to hold every case, and a failure has to come again.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[test]
fn one_rule_in_rust_and_in_sql() {
    on_both(|t| async move {
        let _dir = &t.dir;
        let now: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let near = |dice: &mut Dice| at(now.as_millisecond() - 86_400_000 * (dice.roll(400) as i64 - 30));
        let mut dice = Dice(42);
        let people = 600;
        let mut tx = t.db.begin().await.unwrap();
        for id in 1..=people {
            let email = (dice.roll(8) > 0).then(|| format!("p{}@haru.example", dice.roll(300)));
            let paused = (dice.roll(2) == 0).then(|| at(now.as_millisecond() + dice.roll(3) as i64 - 1));
            let erased = (dice.roll(12) == 0).then_some(now);
            let sql = "INSERT INTO customer (id, bucket, external_id, email, paused_until, created_at, updated_at, erased_at) VALUES (?, 1, ?, ?, ?, 1, 1, ?)";
            tx.execute(sql, args![id, format!("E{id}"), email, paused, erased]).await.unwrap();
            for topic in ["plain", "double", "soft"] {
                if dice.roll(3) == 0 {
                    continue;
                }
                let state = [State::Granted, State::Pending, State::Withdrawn][dice.roll(3) as usize];
                let basis = [None, Some("form"), Some("soft-opt-in")][dice.roll(3) as usize].map(str::to_owned);
                let new = NewConsent { basis, ..line(id, topic, state, 5, true) };
                permission::record_consents(&mut tx, &[new], now).await.unwrap();
            }
            if dice.roll(2) == 0 {
                let status = ["paid", "returned", "cancelled", "confirmed"][dice.roll(4) as usize];
                let sql = "INSERT INTO purchase (event_id, order_key, customer_id, at, amount, currency, status, updated_at) VALUES (?, ?, ?, ?, 1, 'KRW', ?, 1)";
                tx.execute(sql, args![id, id.to_string(), id, near(&mut dice), status]).await.unwrap();
            }
        }
        for n in 0..120 {
            let new = NewSuppression {
                address: format!("p{}@haru.example", dice.roll(300)),
                reason: ["manual", "complaint"][dice.roll(2) as usize].into(),
                source: "test".into(),
                message: None,
                batch: None,
                until: (dice.roll(2) == 0).then(|| near(&mut dice)),
                note: None,
            };
            permission::suppress(&mut tx, &new, "test", now).await.unwrap();
            if n % 7 == 0 {
                permission::lift(&mut tx, &new.address, "test", now).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
        let ids: Vec<i64> = (1..=people).collect();
        for profile in ["kr", "eu"] {
            let settings = settings(profile);
            for topic in ["plain", "double", "soft", "account"] {
                let rule = Rule::of(topic, &settings, now).unwrap();
                let told = permission::reasons(&mut &t.db, &ids, &rule).await.unwrap();
                let told: std::collections::HashMap<_, _> = told.into_iter().collect();
                let mut seen = std::collections::BTreeSet::new();
                for id in ids.iter().copied() {
                    let in_sql = told.get(&id).copied();
                    let facts = permission::facts(&mut &t.db, id, &rule).await.unwrap().unwrap();
                    assert_eq!(rule.judge(&facts), in_sql, "{topic} {id} {facts:?}");
                    seen.insert(in_sql);
                }
                assert_eq!(seen.len(), if topic == "account" { 4 } else { 6 }, "every reason occurs: {topic} {seen:?}");
            }
        }
        // as enrolment uses it: counted by reason in one statement
        let reason = Rule::of("plain", &settings("kr"), now).unwrap().reason();
        let sql = format!(
            "SELECT count(*) FROM (SELECT {} AS reason FROM customer c) AS judged WHERE reason IS NULL",
            reason.sql
        );
        let (free,): (i64,) = Query::one(&mut &t.db, &sql, reason.args).await.unwrap();
        assert!(free > 0);
    });
}

fn any_line() -> impl Strategy<Value = (State, i64, bool)> {
    let state = prop_oneof![Just(State::Granted), Just(State::Pending), Just(State::Withdrawn)];
    (state, 0..6_i64, any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Where somebody stands does not hang on the order in which files were imported.
    #[test]
    fn the_order_of_arrival_does_not_matter(lines in proptest::collection::vec(any_line(), 1..8), turn in 0..8_usize) {
        let fold = |order: Vec<(usize, (State, i64, bool))>| {
            let lines: Vec<standing::Line> = order
                .into_iter()
                .map(|(id, (state, millis, own_act))| standing::Line { id: id as i64, state, at: at(millis), own_act })
                .collect();
            standing::of(&lines).map(|line| (line.state, line.at))
        };
        let order: Vec<_> = lines.iter().copied().enumerate().collect();
        let mut turned = order.clone();
        turned.rotate_left(turn % lines.len());
        let mut back = order.clone();
        back.reverse();
        prop_assert_eq!(fold(order.clone()), fold(turned));
        let stands = fold(order);
        prop_assert_eq!(stands, fold(back));
        // no grant without an act stands beside a withdrawal
        let last = lines.iter().filter(|l| l.0 == State::Withdrawn).map(|l| l.1).max();
        if let (Some((State::Granted, granted)), Some(withdrawn)) = (stands, last) {
            prop_assert!(granted > at(withdrawn));
        }
    }
}
