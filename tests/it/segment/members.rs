//! Who is a member: each field and function on a small shop, on both databases.

use super::{context, days_ago, now, parse, seoul};
use crate::support::on_both;
use dangol::args;
use dangol::db::{Db, Value};
use dangol::segment::{Segments, store};

/// A handful of people who differ in everything that a condition can ask for.
async fn shop(db: &Db) {
    let mut tx = db.begin().await.unwrap();
    let person = "INSERT INTO customer (id, bucket, external_id, email, email_domain, name, locale, birthday, source, attributes, tracking_off, created_at, updated_at, erased_at) VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)";
    type Person<'a> = (i64, Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a str>, &'a str, i64, i64);
    let people: [Person; 6] = [
        (
            1,
            Some("홍길동"),
            Some("ko"),
            Some("1990-11-25"),
            Some("shop"),
            r#"{"city": "서울", "points": 120, "vip": true, "since": "2024-03-01"}"#,
            0,
            400,
        ),
        (
            2,
            Some("Kim \"100%\" O'Brien"),
            Some("ko-KR"),
            Some("1985-01-02"),
            None,
            r#"{"city": "Busan", "points": "120", "vip": false, "x.y": "dot"}"#,
            1,
            30,
        ),
        (
            3,
            Some("مرحبا 🙂"),
            Some("fil"),
            Some("1992-02-29"),
            Some("fair"),
            r#"{"points": 4.5, "list": ["a"], "nothing": null}"#,
            0,
            10,
        ),
        (4, None, None, None, None, "{}", 0, 1),
        (5, Some("back\\slash_x"), Some("en-US"), Some("2000-12-31"), Some("FAIR"), r#"{"city": ""}"#, 0, 0),
        // erased, and never a member of anything
        (6, None, None, None, None, "{}", 0, 100),
    ];
    for (id, name, locale, birthday, source, attributes, off, days) in people {
        let (email, domain) = (format!("p{id}@x{id}.example"), format!("x{id}.example"));
        let erased = (id == 6).then(now);
        let email = (id != 4).then_some(email);
        let row = args![
            id,
            format!("E{id}"),
            email,
            domain,
            name,
            locale,
            birthday,
            source,
            attributes,
            off,
            days_ago(days),
            erased
        ];
        tx.execute(person, row).await.unwrap();
    }
    let relationship =
        "INSERT INTO relationship (customer_id, score, loyalty, purchases, revenue) VALUES (?, ?, ?, ?, ?)";
    for row in
        [args![1, 80.5, "true", 3, 60_000], args![2, 40.0, "none", 1, 0], args![3, None::<f64>, None::<&str>, 0, 0]]
    {
        tx.execute(relationship, row).await.unwrap();
    }
    let purchase = "INSERT INTO purchase (event_id, order_key, customer_id, at, amount, currency, margin, refunded, status, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)";
    for (id, customer, days, amount, currency, refunded, status) in [
        (1, 1, 300, 10_000, "KRW", 0, "paid"),
        (2, 1, 40, 20_000, "KRW", 5_000, "confirmed"),
        (3, 1, 5, 30_000, "KRW", 0, "cancelled"),
        (4, 2, 90, 7_000, "KRW", 0, "delivered"),
        (5, 2, 80, 900, "USD", 0, "paid"),
        (6, 3, 2, 1_000, "KRW", 1_000, "returned"),
        // dated after now: has not happened
        (7, 5, -1, 1_000, "KRW", 0, "paid"),
    ] {
        let row = args![id, format!("o{id}"), customer, days_ago(days), amount, currency, amount / 2, refunded, status];
        tx.execute(purchase, row).await.unwrap();
    }
    let item = "INSERT INTO order_item (event_id, sku, name, category) VALUES (?, ?, ?, ?)";
    for row in [
        args![1, "S-1", "상추 씨앗", "seeds"],
        args![3, "T-1", "Trowel", "tools"],
        args![4, "S-1", "상추 씨앗", "seeds"],
    ] {
        tx.execute(item, row).await.unwrap();
    }
    let event = "INSERT INTO event (customer_id, kind, at, recorded_at, source, dedupe_key, value, currency, campaign_id, data) VALUES (?, ?, ?, 0, 'test', ?, ?, ?, ?, ?)";
    let human = r#"{"class": "human"}"#;
    let none = || Value::from(None::<i64>);
    for (n, (customer, kind, days, value, currency, campaign, data)) in [
        (1, "open", 10, none(), None, 7.into(), human),
        (1, "click", 10, none(), None, 7.into(), human),
        (2, "open", 10, none(), None, 7.into(), r#"{"class": "proxy"}"#),
        (2, "click", 3, none(), None, 8.into(), human),
        (3, "click", 3, none(), None, 7.into(), r#"{"class": "machine"}"#),
        (3, "visit", 3, 4_i64.into(), None, none(), "{}"),
        (3, "visit", 2, 6_i64.into(), None, none(), "{}"),
        (5, "garden_party", 1, 50_i64.into(), Some("KRW"), none(), "{}"),
    ]
    .map(|(c, k, d, v, cur, camp, data): (i64, &str, i64, Value, Option<&str>, Value, &str)| {
        (c, k, d, v, cur, camp, data)
    })
    .into_iter()
    .enumerate()
    {
        let row = vec![
            customer.into(),
            kind.into(),
            days_ago(days).into(),
            format!("k{n}").into(),
            value,
            currency.into(),
            campaign,
            data.into(),
        ];
        tx.execute(event, row).await.unwrap();
    }
    for (id, name) in [(7, "spring"), (8, "win'back")] {
        let sql = "INSERT INTO campaign (id, name, state, created_at, updated_at) VALUES (?, ?, 'running', 0, 0)";
        tx.execute(sql, args![id, name]).await.unwrap();
    }
    let message = "INSERT INTO message (enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, state, topic, due_at, next_at, expires_at, sent_at, created_at, updated_at) VALUES (?, 7, 1, 1, '1', ?, ?, 'newsletter', 0, 0, 0, ?, 0, 0)";
    for (customer, state) in [(1, "accepted"), (2, "bounced"), (3, "complained"), (5, "skipped")] {
        let sent = (state != "skipped").then(|| days_ago(11));
        tx.execute(message, args![customer, customer, state, sent]).await.unwrap();
    }
    for (customer, topic, state) in [
        (1, "newsletter", "granted"),
        (2, "newsletter", "withdrawn"),
        (3, "newsletter", "pending"),
        (2, "offers", "granted"),
        (6, "newsletter", "granted"),
    ] {
        let sql = "INSERT INTO consent_state (customer_id, topic, state, at, consent_id) VALUES (?, ?, ?, 0, 0)";
        tx.execute(sql, args![customer, topic, state]).await.unwrap();
    }
    let suppression = "INSERT INTO suppression (address, reason, source, created_at, until, lifted_at) VALUES (?, ?, 'test', 0, ?, ?)";
    for (address, reason, until, lifted) in [
        ("p1@x1.example", "manual", None, None),
        ("p2@x2.example", "soft-bounce", Some(days_ago(1)), None),
        ("p3@x3.example", "soft-bounce", Some(days_ago(-1)), None),
        ("p5@x5.example", "manual", None, Some(days_ago(1))),
    ] {
        tx.execute(suppression, args![address, reason, until, lifted]).await.unwrap();
    }
    for (customer, answer) in [(1, "10"), (2, "6")] {
        let sql = "INSERT INTO survey_answer (survey, question, customer_id, message_id, answer, at, updated_at) VALUES ('nps', 'q', ?, ?, ?, ?, 0)";
        tx.execute(sql, args![customer, customer, answer, days_ago(1)]).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Conditions, and the ids of those they are true of.
const CASES: &[(&str, &[i64])] = &[
    ("TRUE", &[1, 2, 3, 4, 5]),
    ("NOT TRUE", &[]),
    // fields
    ("email = 'p1@x1.example' OR email_domain = 'x4.example'", &[1, 4]),
    ("name = '홍길동'", &[1]),
    ("name = 'مرحبا 🙂'", &[3]),
    ("name = 'Kim \"100%\" O''Brien'", &[2]),
    ("name IS NULL", &[4]),
    ("NAME is not null", &[1, 2, 3, 5]),
    ("language = 'ko'", &[1, 2]),
    ("locale = 'ko'", &[1]),
    ("language IN ('fil', 'en')", &[3, 5]),
    ("external_id BETWEEN 'E2' AND 'E4'", &[2, 3, 4]),
    ("created_at >= '2026-11-22'", &[5]),
    ("created_at >= today() - '1d'", &[4, 5]),
    ("created_at > ago('30d')", &[3, 4, 5]),
    ("created_at <= now() - '1y'", &[1]),
    ("created_at < '2026-11-12 12:00'", &[1, 2]),
    ("created_at <= '2026-11-12T03:00:00Z'", &[1, 2, 3]),
    ("(now() - created_at) / 7 > 2", &[1, 2]),
    ("birthday < '1990-01-01'", &[2]),
    ("birthday = '1992-02-29'", &[3]),
    ("birthday > today() - '30y'", &[5]),
    ("birthday_in('3d')", &[1]),
    ("birthday_in('2d')", &[]),
    ("birthday_in('60d')", &[1, 2, 5]),
    ("birthday_in('98d')", &[1, 2, 3, 5]),
    ("birthday_in('97d')", &[1, 2, 5]),
    // a test on an absent value is false, and its NOT true
    ("source = 'fair'", &[3]),
    ("source <> 'fair'", &[1, 5]),
    ("NOT (source = 'fair')", &[1, 2, 4, 5]),
    ("source NOT IN ('fair', 'FAIR')", &[1, 2, 4]),
    ("source NOT LIKE 'f%'", &[1, 2, 4]),
    ("NOT (source <> 'fair')", &[2, 3, 4]),
    ("score NOT BETWEEN 0 AND 50", &[1, 3, 4, 5]),
    // LIKE takes no notice of the case of A to Z, and of nothing else
    ("source LIKE 'fAir'", &[3, 5]),
    ("name LIKE '홍__'", &[1]),
    ("name LIKE '%100!%%' ESCAPE '!'", &[2]),
    ("name LIKE '%k\\slash!_x' ESCAPE '!'", &[5]),
    ("name LIKE '%k\\\\s%'", &[]),
    ("name LIKE '%🙂'", &[3]),
    // attributes
    ("attr.city = '서울'", &[1]),
    ("attr.city = ''", &[5]),
    ("attr.city IS NULL", &[3, 4]),
    ("attr.nothing IS NULL", &[1, 2, 3, 4, 5]),
    ("attr.points > 100", &[1]),
    ("attr.points BETWEEN 4 AND 5", &[3]),
    ("attr.points = '120'", &[1, 2]),
    ("attr.points IN (120, 4.5)", &[1, 3]),
    ("attr.points * 2 - 9 = 0", &[3]),
    ("NOT (attr.points / (attr.points - 120) > 1)", &[1, 2, 3, 4, 5]),
    ("attr.vip = TRUE", &[1]),
    ("attr.vip <> TRUE", &[2]),
    ("attr.\"x.y\" = 'dot'", &[2]),
    ("attr.list IS NULL AND attr.points IS NOT NULL", &[1, 2, 3]),
    ("attr.since < ago('1y')", &[1]),
    ("attr.city > 'A' AND attr.city < 'C'", &[2]),
    // the relationship
    ("score > 40", &[1]),
    ("score >= 40 AND loyalty = 'none'", &[2]),
    ("loyalty <> 'true'", &[2]),
    ("score IS NULL", &[3, 4, 5]),
    ("score + purchases > 83", &[1]),
    ("revenue >= 60000", &[1]),
    ("tracking_off", &[2]),
    ("NOT tracking_off", &[1, 3, 4, 5]),
    ("tracking_off = FALSE", &[1, 3, 4, 5]),
    ("tracking_off IS NOT TRUE", &[1, 3, 4, 5]),
    // permission
    ("consents('newsletter')", &[1]),
    ("NOT consents('newsletter')", &[2, 3, 4, 5]),
    ("withdrew('newsletter')", &[2]),
    ("suppressed()", &[1, 3]),
    // orders
    ("count('order') > 0", &[1, 2]),
    ("count('order') = 0", &[3, 4, 5]),
    ("1 <= count('order', '60d')", &[1]),
    ("count('order') >= 2", &[1, 2]),
    ("count('order', '90d') BETWEEN 1 AND 1", &[1, 2]),
    ("count('order', '85d') <> count('order')", &[1, 2]),
    ("sum('order.value') = 25000", &[1]),
    ("sum('order.value') < 10000", &[2, 3, 4, 5]),
    ("sum('order.margin', '60d') = 10000", &[1]),
    ("avg('order.value') = 12500", &[1]),
    ("NOT (avg('order.value') >= 0)", &[3, 4, 5]),
    ("min('order.value') = 10000 AND max('order.value') = 15000", &[1]),
    ("days_since('order') <= 60", &[1]),
    ("NOT (days_since('order') <= 60)", &[2, 3, 4, 5]),
    ("days_since('order') IS NULL", &[3, 4, 5]),
    ("days_since('order') = 80", &[2]),
    ("last('order') > ago('41d') AND first('order') < ago('299d')", &[1]),
    ("first('order') = last('order')", &[]),
    ("last('order') - first('order') = 10", &[2]),
    ("bought('category', 'seeds')", &[1, 2]),
    ("bought('name', '상추 씨앗', '91d')", &[2]),
    ("bought('sku', 'T-1')", &[]),
    // events
    ("count('open') = 1", &[1]),
    ("count('click') = 1", &[1, 2]),
    ("count('visit') = 2 AND sum('visit.value') = 10 AND avg('visit.value') = 5", &[3]),
    ("sum('garden_party.value') = 50", &[5]),
    ("count('garden_party', '12h') = 0", &[1, 2, 3, 4, 5]),
    ("opened('spring')", &[1]),
    ("clicked('spring')", &[1]),
    ("opened('win''back')", &[2]),
    ("clicked('spring', '9d')", &[]),
    ("received('spring')", &[1, 3]),
    ("received('spring', '10d')", &[]),
    ("answered('nps')", &[1, 2]),
    ("answered('nps', 10) OR answered('nps', '7')", &[1]),
    // what looks like SQL is a text
    ("name = ''' OR 1=1 --'", &[]),
    ("consents('x'') OR (1=1) --')", &[]),
    ("attr.\"city'] OR 1=1 --\" = 'x'", &[]),
    ("name LIKE '%'' OR ''1''=''1'", &[]),
    ("name = '?' OR name = '$1'", &[]),
];

#[test]
fn a_condition_is_true_of_the_same_people_everywhere() {
    on_both(|t| async move {
        let t = &t; // the whole of it: its folder has to outlive the connections
        shop(&t.db).await;
        let (zone, none) = (seoul(), Segments::default());
        let context = context(&t.db, &zone, &none);
        let mut wrong = Vec::new();
        for (text, expected) in CASES {
            let condition = parse(text).compile(&context).unwrap();
            let found = match store::members(&mut &t.db, &condition, 0, 100).await {
                Ok(found) => found.into_iter().map(|member| member.id).collect::<Vec<_>>(),
                Err(e) => panic!("{text}: {e}"),
            };
            if found != *expected {
                wrong.push(format!("{text}: {found:?}, expected {expected:?}"));
            }
            assert_eq!(store::size(&mut &t.db, &condition).await.unwrap(), found.len() as i64, "{text}");
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn members_come_in_pages_and_one_by_one() {
    on_both(|t| async move {
        let t = &t; // the whole of it: its folder has to outlive the connections
        shop(&t.db).await;
        let (zone, none) = (seoul(), Segments::default());
        let condition = parse("score IS NULL").compile(&context(&t.db, &zone, &none)).unwrap();
        let page = store::members(&mut &t.db, &condition, 3, 1).await.unwrap();
        assert_eq!(page.len(), 1);
        assert_eq!((page[0].id, page[0].external_id.as_deref(), page[0].email.as_deref()), (4, Some("E4"), None));
        assert!(store::contains(&mut &t.db, &condition, 4).await.unwrap());
        assert!(!store::contains(&mut &t.db, &condition, 1).await.unwrap());
        assert!(!store::contains(&mut &t.db, &condition, 6).await.unwrap(), "erased");
        assert!(!store::contains(&mut &t.db, &condition, 99).await.unwrap());
        // embedded under NOT, in a slice
        let sql =
            format!("SELECT c.id FROM {} WHERE c.id > ? AND c.id <= ? AND NOT {}", condition.from(), condition.sql);
        let mut args = args![0, 3];
        args.extend(condition.args);
        assert_eq!(t.db.all::<(i64,)>(&sql, args).await.unwrap(), [(1,), (2,)]);
    });
}

#[test]
fn an_explanation_shows_each_test_and_its_truth() {
    on_both(|t| async move {
        let t = &t; // the whole of it: its folder has to outlive the connections
        shop(&t.db).await;
        let (zone, none) = (seoul(), Segments::default());
        let expr = parse(
            "(consents('newsletter') OR NOT (days_since('order') <= 60)) AND attr.city IN ('서울', '부산') AND score IS NOT NULL AND -score < 0",
        );
        let said = store::explain(&mut &t.db, &expr, &context(&t.db, &zone, &none), 1).await.unwrap();
        let said: Vec<(&str, bool)> = said.iter().map(|(text, truth)| (text.as_str(), *truth)).collect();
        assert_eq!(
            said,
            [
                ("consents('newsletter')", true),
                ("days_since('order') <= 60", true),
                ("attr.city IN ('서울', '부산')", true),
                ("score IS NOT NULL", false),
                ("-score < 0", true),
            ]
        );
        assert!(store::explain(&mut &t.db, &expr, &context(&t.db, &zone, &none), 99).await.unwrap().is_empty());
    });
}
