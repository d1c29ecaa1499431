//! Customers are found by what they go by, keep their preferences, can be exported whole, and can be forgotten.

use crate::support::{on_both, sqlite};
use dangol::args;
use dangol::customer::{self, ErasureKey, Preferences};
use dangol::db::Db;
use dangol::db::location::Location;
use dangol::types::Timestamp;
use std::collections::BTreeSet;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

async fn add(db: &Db, id: i64, external: Option<&str>, email: Option<&str>) {
    let sql = "INSERT INTO customer (id, bucket, external_id, email, name, attributes, created_at, updated_at) \
               VALUES (?, 1, ?, ?, '홍길동', '{\"city\":\"서울\"}', 1, 1)";
    db.execute(sql, args![id, external, email]).await.unwrap();
}

#[test]
fn found_by_id_key_or_address() {
    on_both(|t| async move {
        let _dir = &t.dir;
        add(&t.db, 101, Some("E1"), Some("a@xn--vv4b11d.xn--3e0b707e")).await;
        add(&t.db, 102, Some("101"), Some("b@haru.example")).await;
        add(&t.db, 103, Some("E3"), Some("b@haru.example")).await;
        let ids = async |who: &str| -> Vec<i64> {
            customer::find(&mut &t.db, who).await.unwrap().iter().map(|c| c.id).collect()
        };
        assert_eq!(ids("E1").await, [101]);
        assert_eq!(ids(" A@예시.한국 ").await, [101]);
        assert_eq!(ids("#101").await, [101]);
        assert_eq!(ids("101").await, [102], "the shop's own key comes before our number");
        assert_eq!(ids("103").await, [103]);
        assert_eq!(ids("b@haru.example").await, [102, 103]);
        assert!(ids("nobody").await.is_empty() && ids("#x").await.is_empty());
        let many = customer::load_many(&mut &t.db, &[103, 7, 101]).await.unwrap();
        assert_eq!(many.iter().map(|c| c.id).collect::<Vec<_>>(), [101, 103]);
        assert_eq!(many[0].attributes["city"], "서울");
    });
}

#[test]
fn preferences_are_kept() {
    on_both(|t| async move {
        let _dir = &t.dir;
        add(&t.db, 101, None, Some("a@haru.example")).await;
        let wanted = Preferences { tracking_off: true, paused_until: Some(at(9_000)) };
        let mut tx = t.db.begin().await.unwrap();
        assert!(customer::set_preferences(&mut tx, 101, wanted, at(5)).await.unwrap());
        assert!(!customer::set_preferences(&mut tx, 999, wanted, at(5)).await.unwrap());
        tx.commit().await.unwrap();
        let found = customer::load(&mut &t.db, 101).await.unwrap().unwrap();
        assert_eq!((found.tracking_off, found.paused_until, found.updated_at), (true, Some(at(9_000)), at(5)));
    });
}

#[test]
fn signing_up_twice_is_one_customer() {
    on_both(|t| async move {
        let _dir = &t.dir;
        let email = "새싹@예시.한국".parse().unwrap();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let mut tx = t.db.begin().await.unwrap();
            ids.push(customer::ensure(&mut tx, &email, "form", at(5)).await.unwrap());
            tx.commit().await.unwrap();
        }
        assert_eq!(ids[0], ids[1]);
        let found = customer::load(&mut &t.db, ids[0]).await.unwrap().unwrap();
        assert_eq!(found.source.as_deref(), Some("form"));
    });
}

#[test]
fn erased_is_gone_and_what_happened_stays() {
    on_both(|t| async move {
        let _dir = &t.dir;
        add(&t.db, 101, Some("E1"), Some("hong@haru.example")).await;
        for sql in [
            "INSERT INTO event (id, customer_id, kind, at, recorded_at, source, dedupe_key, value, currency, campaign_id, data) \
             VALUES (1, 101, 'order', 7, 7, 'import', 'order:O1', 500, 'KRW', 3, '{\"note\":\"hong@haru.example\"}')",
            "INSERT INTO event (id, customer_id, kind, at, recorded_at, source, dedupe_key, data) \
             VALUES (2, 101, 'visit', 8, 8, 'import', 'event:hong@haru.example', '{\"ip\":\"192.0.2.7\"}')",
            "INSERT INTO event (id, customer_id, kind, at, recorded_at, source, dedupe_key, data) \
             VALUES (3, 101, 'redemption', 8, 8, 'cli', 'redemption:hong', '{}')",
            "INSERT INTO api_answer (token_id, key, request, claim, at, status, answer) VALUES (1, 'k1', 'r', 'c', 8, 200, '{\"reason\":\"`Hong@haru.example` is known\"}')",
            "INSERT INTO api_answer (token_id, key, request, claim, at, status, answer) VALUES (1, 'k2', 'r', 'c', 8, 200, '{\"rows\":2}')",
            "INSERT INTO enrolment (campaign_id, revision_id, occurrence_id, customer_id, arm, step, state, reason, created_at, updated_at) \
             VALUES (3, 1, 1, 101, 'treated', '1', 'done', 'goal', 7, 7)",
            "INSERT INTO purchase (event_id, order_key, customer_id, at, amount, currency, status, updated_at) VALUES (1, 'O1', 101, 7, 500, 'KRW', 'paid', 7)",
            "INSERT INTO order_item (event_id, name) VALUES (1, '홍길동에게 선물')",
            "INSERT INTO consent (customer_id, topic, state, source, address, at, recorded_at) VALUES (101, 'news', 'granted', 'form', 'hong@haru.example', 7, 7)",
            "INSERT INTO consent_state (customer_id, topic, state, at, consent_id) VALUES (101, 'news', 'granted', 7, 1)",
            "INSERT INTO relationship (customer_id, score) VALUES (101, 77)",
            "INSERT INTO message (id, enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, address, state, topic, due_at, next_at, expires_at, reply, created_at, updated_at) \
             VALUES (9, 1, 3, 1, 1, '1', 101, 'hong@haru.example', 'accepted', 'news', 7, 7, 7, '250 ok hong@haru.example', 7, 7)",
            "INSERT INTO hit (message_id, kind, at, method, ip, agent, settle_at) VALUES (9, 'open', 7, 'GET', '192.0.2.7', 'Firefox', 7)",
            "INSERT INTO survey_answer (survey, question, customer_id, message_id, answer, comment, at, updated_at) VALUES ('nps', 'q', 101, 9, '9', '저는 홍길동입니다', 7, 7)",
        ] {
            t.db.execute(sql, args![]).await.unwrap();
        }
        let before = customer::export(&mut &t.db, 101).await.unwrap().unwrap();
        assert_eq!(before["customer"]["email"], "hong@haru.example");
        assert_eq!(before["events"][0]["value"], 500);
        assert_eq!(before["hits"][0]["ip"], "192.0.2.7");
        let pass = &before["enrolments"][0];
        assert_eq!(
            (&pass["arm"], &pass["state"], &pass["reason"]),
            (&"treated".into(), &"done".into(), &"goal".into())
        );
        assert_eq!(before["answers"][0]["comment"], "저는 홍길동입니다");
        assert_eq!(before["relationship"][0]["score"], 77.0);
        assert_eq!(before["items"][0]["name"], "홍길동에게 선물");

        let key = ErasureKey::new([1; 32]);
        for _ in 0..2 {
            let mut tx = t.db.begin().await.unwrap();
            assert!(customer::erase(&mut tx, 101, &key, "cli", at(100)).await.unwrap());
            assert!(!customer::erase(&mut tx, 999, &key, "cli", at(100)).await.unwrap());
            tx.commit().await.unwrap();
        }
        let after = customer::export(&mut &t.db, 101).await.unwrap().unwrap();
        let text = after.to_string();
        for personal in ["hong", "홍길동", "E1", "서울", "192.0.2.7", "Firefox", "77"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
        assert_eq!(after["events"][0]["value"], 500);
        assert_eq!(after["events"][0]["campaign_id"], 3);
        assert_eq!(after["messages"][0]["state"], "accepted");
        assert_eq!(after["purchases"][0]["amount"], 500);
        let keys: Vec<(String,)> = t.db.all("SELECT dedupe_key FROM event ORDER BY id", args![]).await.unwrap();
        assert_eq!(keys.iter().map(|k| k.0.as_str()).collect::<Vec<_>>(), ["order:O1", "erased:2", "erased:3"]);
        let answers: Vec<(String,)> = t.db.all("SELECT key FROM api_answer", args![]).await.unwrap();
        assert_eq!(answers, [("k2".to_owned(),)], "answers that repeat the address go, others stay");
        assert!(customer::find(&mut &t.db, "hong@haru.example").await.unwrap().is_empty());
        let hashes: Vec<(String,)> = t.db.all("SELECT hash FROM erased ORDER BY hash", args![]).await.unwrap();
        let mut expected = [key.address("hong@haru.example"), key.external("E1")];
        expected.sort();
        assert_eq!(hashes.into_iter().map(|h| h.0).collect::<Vec<_>>(), expected);
        assert_ne!(key.address("x"), ErasureKey::new([2; 32]).address("x"));
        let lines = customer::audit_of(&mut &t.db, "customer #101").await.unwrap();
        assert_eq!(lines.len(), 1, "the second time does nothing");
        let set = Preferences { tracking_off: false, paused_until: None };
        let mut tx = t.db.begin().await.unwrap();
        assert!(!customer::set_preferences(&mut tx, 101, set, at(200)).await.unwrap());
        assert_eq!(customer::export(&mut tx, 999).await.unwrap(), None);
    });
}

#[test]
fn no_byte_of_an_erased_address_stays_in_the_file() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let t = sqlite().await;
        let Location::Sqlite(path) = t.location.clone() else { unreachable!("this is SQLite") };
        let people = 160;
        for id in 1..=people {
            add(&t.db, id, Some(&format!("E{id}")), Some(&format!("hong.gildong.{id:04}@haru.example"))).await;
            let sql = "INSERT INTO message (id, enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, address, state, topic, due_at, next_at, expires_at, reply, created_at, updated_at) \
                       VALUES (?, ?, 3, 1, 1, '1', ?, ?, 'accepted', 'news', 7, 7, 7, ?, 7, 7)";
            let address = format!("hong.gildong.{id:04}@haru.example");
            t.db.execute(sql, args![id, id, id, &address, format!("250 ok {address}")]).await.unwrap();
            // long enough for pages of its own, which become free
            let sql = "INSERT INTO event (customer_id, kind, at, recorded_at, source, dedupe_key, data) VALUES (?, 'visit', 8, 8, 'import', ?, ?)";
            let data = format!("{{\"note\":\"{}\"}}", format!("{address} ").repeat(400));
            t.db.execute(sql, args![id, format!("event:{address}"), data]).await.unwrap();
        }
        t.db.close().await;
        // whose addresses are in the file, from the first byte to the last
        let found = || {
            let bytes = std::fs::read(&path).unwrap();
            let whose = |window: &[u8]| window.strip_prefix(b"hong.gildong.").map(|id| String::from_utf8_lossy(id).parse());
            bytes.windows(17).filter_map(whose).flatten().collect::<BTreeSet<i64>>()
        };
        assert_eq!(found().len(), 160, "before, they are there");
        let db = Db::open(&t.location).await.unwrap();
        for id in (1..=people).filter(|id| id % 8 != 0) {
            let mut tx = db.begin().await.unwrap();
            assert!(customer::erase(&mut tx, id, &ErasureKey::new([1; 32]), "cli", at(100)).await.unwrap());
            tx.commit().await.unwrap();
        }
        db.close().await;
        assert!(!path.with_extension("db-wal").exists(), "the log is folded into the file");
        assert_eq!(found(), (1..=people).filter(|id| id % 8 == 0).collect());
    });
}
