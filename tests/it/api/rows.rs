//! What becomes of rows: each has its outcome, the good ones land, the same again changes nothing.

use super::shop::on_a_shop;
use dangol::args;
use dangol::customer::{ErasureKey, erase, find};
use dangol::permission::{self, NewSuppression};
use serde_json::json;

const HONG: &str = "홍길동@예시.한국";

#[test]
fn each_kind_lands_and_the_same_again_is_unchanged() {
    on_a_shop("", async |t, shop| {
        let hong = json!({
            "external_id": 7, "email": HONG, "name": "홍길동 🌱", "attr.city": "서울",
            "attributes": { "pets": ["🐈", "🐕"], "vip": true }, "created_at": "2026-01-05",
        });
        let order = json!({
            "customer": "7", "order_id": "A-1", "at": "2026-12-24T10:00:00+09:00", "amount": 32_000, "status": "paid",
            "items": [{ "sku": 1, "name": "مرحبا", "quantity": 2, "amount": "32000" }],
        });
        let visit = json!({ "customer": HONG, "kind": "visit", "at": "2027-01-02T10:00:00Z", "data": { "page": "/" } });
        let consent = json!({ "customer": 7, "topic": "newsletter", "state": "granted", "at": "2027-01-01" });
        for (path, row) in [
            ("/api/v1/customers", &hong),
            ("/api/v1/orders", &order),
            ("/api/v1/events", &visit),
            ("/api/v1/consents", &consent),
        ] {
            let first = shop.tell(path, row.clone()).await;
            assert_eq!((first.status, first.outcomes()), (200, vec!["inserted"]), "{path} {first:?}");
            assert_eq!(first.body["inserted"], 1);
            let again = shop.tell(path, json!([row, row])).await;
            assert_eq!((again.status, again.outcomes()), (200, vec!["unchanged", "unchanged"]), "{path} {again:?}");
            assert_eq!((&again.body["rows"], &again.body["unchanged"]), (&json!(2), &json!(2)));
        }
        let (name, attributes): (String, String) =
            t.db.all("SELECT name, attributes FROM customer WHERE external_id = '7'", args![]).await.unwrap().remove(0);
        assert_eq!(name, "홍길동 🌱");
        let attributes: serde_json::Value = serde_json::from_str(&attributes).unwrap();
        assert_eq!(attributes, json!({ "city": "서울", "pets": ["🐈", "🐕"], "vip": true }));
        let log: Vec<(String, String)> = t.db.all("SELECT kind, source FROM event ORDER BY id", args![]).await.unwrap();
        assert_eq!(log, [("order".into(), "api".into()), ("visit".into(), "api".into())]);
        let sources: Vec<(String,)> = t.db.all("SELECT source FROM consent", args![]).await.unwrap();
        assert_eq!(sources, [("api".to_owned(),)]);
        let empty = shop.tell("/api/v1/customers", json!([])).await;
        assert_eq!((empty.status, &empty.body["rows"]), (200, &json!(0)), "nothing had to land");
    });
}

#[test]
fn a_bad_row_keeps_no_other_from_landing() {
    on_a_shop("", async |_t, shop| {
        shop.tell("/api/v1/customers", json!([{ "external_id": "a" }, { "external_id": "b" }])).await;
        let order = |customer: &str, id: &str, amount: &str| json!({ "customer": customer, "order_id": id, "at": "2027-01-02", "amount": amount });
        let mut nobody = order("a", "4", "1");
        nobody["order_id"] = json!(null);
        let mut slip = order("a", "5", "1");
        slip["amout"] = json!(1);
        let rows = json!([
            order("a", "1", "10"),
            order("c", "2", "10"),
            order("b", "3", "ten"),
            nobody,
            slip,
            5,
            order("b", "6", "1")
        ]);
        let said = shop.tell("/api/v1/orders", rows).await;
        assert_eq!(said.status, 200);
        assert_eq!(
            said.outcomes(),
            ["inserted", "rejected", "rejected", "rejected", "rejected", "rejected", "inserted"]
        );
        assert_eq!(
            (&said.body["rows"], &said.body["inserted"], &said.body["rejected"]),
            (&json!(7), &json!(2), &json!(5))
        );
        for (row, words) in [
            (1, "no customer is known as `c`: send them to /api/v1/customers first, or add ?create=true"),
            (2, "`amount`"),
            (3, "`order_id` is needed"),
            (4, "orders have no member `amout`; did you mean `amount`?"),
            (5, "no JSON object"),
        ] {
            let result = &said.body["results"][row];
            assert_eq!(result["row"], row + 1);
            assert!(result["reason"].as_str().unwrap().contains(words), "{result}");
        }
        let none = shop.tell("/api/v1/orders", order("c", "9", "1")).await;
        assert_eq!((none.status, none.outcomes()), (422, vec!["rejected"]));
        let lines = "\u{feff}{\"external_id\": \"x\"}\r\n\n{broken}\n{\"external_id\": \"y\", \"external_id\": \"z\"}\n[1]\n{\"external_id\":\"w\"}";
        let said = shop.lines("/api/v1/customers", lines).await;
        assert_eq!(said.outcomes(), ["inserted", "rejected", "rejected", "rejected", "inserted"]);
        let reason = |row: usize| said.body["results"][row]["reason"].as_str().unwrap().to_owned();
        assert!(reason(1).contains("no JSON") && reason(1).contains("column 2"), "{}", reason(1));
        assert!(reason(2).contains("`external_id` stands twice"), "{}", reason(2));
    });
}

#[test]
fn a_slip_in_a_member_is_told_with_the_right_name() {
    on_a_shop("", async |_t, shop| {
        for (path, member, words) in [
            ("customers", "city", "an attribute is written `attr.city`"),
            ("customers", "e-mail", "did you mean `email`?"),
            ("customers", "phone", "did you mean `attr.phone`?"),
            ("customers", "attr.", "customers have no member `attr.`"),
            ("orders", "customer_id", "did you mean `customer`?"),
            ("orders", "주문번호", "did you mean `order_id`?"),
            ("orders", "line", "orders have no member `line`"),
            ("events", "properties", "did you mean `data`?"),
            ("consents", "stat", "did you mean `state`?"),
            ("rewards/redeem", "pionts", "did you mean `points`?"),
        ] {
            let said = shop.tell(&format!("/api/v1/{path}"), json!({ member: "x" })).await;
            assert_eq!(said.status, 422, "{path} {member}");
            assert!(said.words().contains(words), "{path} {member}: {}", said.words());
        }
    });
}

#[test]
fn a_stranger_is_made_only_when_asked_for() {
    on_a_shop("", async |t, shop| {
        let order = json!({ "customer": "new@customers.example", "order_id": 1, "at": "2027-01-02", "amount": 5 });
        let visit = json!({ "customer": "V-1", "kind": "visit", "at": "2027-01-02" });
        for (path, row) in [("/api/v1/orders", &order), ("/api/v1/events", &visit)] {
            let said = shop.tell(path, row.clone()).await;
            assert_eq!(said.status, 422);
            assert!(said.words().contains("?create=true"), "{}", said.words());
            for (query, status, outcome) in [
                ("false", 422, "rejected"),
                ("true", 200, "inserted"),
                ("true", 200, "unchanged"),
                ("false", 200, "unchanged"),
            ] {
                let said = shop.tell_to(path, query, row).await;
                assert_eq!((said.status, said.outcomes()), (status, vec![outcome]), "{path} {query}");
            }
        }
        let known: Vec<(Option<String>, Option<String>, Option<String>)> =
            t.db.all("SELECT email, external_id, source FROM customer ORDER BY id", args![]).await.unwrap();
        assert_eq!(
            known,
            [
                (Some("new@customers.example".into()), None, Some("orders".into())),
                (None, Some("V-1".into()), Some("events".into()))
            ]
        );
    });
}

#[test]
fn the_last_word_about_an_order_counts_and_each_change_is_in_the_log() {
    on_a_shop("", async |t, shop| {
        shop.tell("/api/v1/customers", json!({ "external_id": "a" })).await;
        let order = |status: &str, refunded: i64| json!({ "customer": "a", "order_id": "A-1", "at": "2027-01-02", "amount": 500, "status": status, "refunded": refunded });
        for (row, outcome) in [
            (order("paid", 0), "inserted"),
            (order("shipped", 0), "updated"),
            (order("paid", 0), "updated"),
            (order("paid", 0), "unchanged"),
            (order("shipped", 0), "updated"),
            (order("returned", 500), "updated"),
            (order("returned", 500), "unchanged"),
        ] {
            let said = shop.tell("/api/v1/orders", row).await;
            assert_eq!(said.outcomes(), [outcome], "{said:?}");
        }
        let log: Vec<(String, i64)> =
            t.db.all("SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind", args![]).await.unwrap();
        assert_eq!(log, [("correction".into(), 4), ("order".into(), 1)], "nothing is lost, and nothing is told twice");
        let state: Vec<(String, i64)> = t.db.all("SELECT status, refunded FROM purchase", args![]).await.unwrap();
        assert_eq!(state, [("returned".into(), 500)]);
        shop.tell("/api/v1/customers", json!({ "external_id": "b" })).await;
        let mut stolen = order("paid", 0);
        stolen["customer"] = json!("b");
        let said = shop.tell("/api/v1/orders", stolen).await;
        assert!(said.status == 422 && said.words().contains("another customer"), "{said:?}");
    });
}

#[test]
fn an_order_moves_the_score_and_a_refund_of_what_never_was_does_not() {
    on_a_shop("", async |t, shop| {
        let score = async |who: &str| {
            let sql = "SELECT r.score, r.purchases, r.revenue FROM relationship r JOIN customer c ON c.id = r.customer_id WHERE c.external_id = ?";
            let found: Vec<(f64, i64, i64)> = t.db.all(sql, args![who]).await.unwrap();
            found[0]
        };
        let people = json!([{ "external_id": "buys" }, { "external_id": "ghost" }, { "external_id": "still" }]);
        shop.tell("/api/v1/customers", people).await;
        shop.world.run().await;
        let before = score("buys").await;
        let order = |customer: &str, id: i64, at: &str, status: &str| {
            json!({ "customer": customer, "order_id": id, "at": at, "amount": 900, "status": status,
                    "refunded": if status == "returned" { 900 } else { 0 } })
        };
        let rows = json!([
            order("buys", 1, "2026-11-02", "paid"),
            order("buys", 2, "2027-01-02", "paid"),
            order("buys", 3, "2027-02-20", "paid"),
            order("ghost", 4, "2027-01-02", "returned"),
        ]);
        let said = shop.tell("/api/v1/orders", rows).await;
        assert_eq!(said.outcomes(), ["inserted"; 4], "a refund tells of a whole order, and is kept as what it is");
        // the door has woken the scheduler: it need not wait for its next round
        let patience = std::time::Duration::from_secs(10);
        tokio::time::timeout(patience, shop.world.app.woken.notified()).await.expect("the scheduler sleeps on");
        shop.world.run().await;
        let after = score("buys").await;
        assert!(after.0 > before.0 + 1.0 && after.1 == 3 && after.2 == 2_700, "{before:?} {after:?}");
        let (ghost, still) = (score("ghost").await, score("still").await);
        assert_eq!((ghost.1, ghost.2), (0, 0));
        assert!(
            (ghost.0 - still.0).abs() < 1e-9,
            "an order that was returned says nothing of them: {ghost:?} {still:?}"
        );
    });
}

#[test]
fn the_erased_stay_erased() {
    on_a_shop("", async |_t, shop| {
        let hong = json!({ "external_id": "H", "email": HONG });
        shop.tell("/api/v1/customers", hong.clone()).await;
        let app = &shop.world.app;
        let id = find(&mut &app.db, "H").await.unwrap()[0].id;
        let mut tx = app.db.begin().await.unwrap();
        erase(&mut tx, id, &ErasureKey::new(app.secret.erasure_key()), "test", shop.world.now()).await.unwrap();
        tx.commit().await.unwrap();
        for (path, row) in [
            ("/api/v1/customers", hong),
            ("/api/v1/customers", json!({ "email": HONG })),
            ("/api/v1/orders?create=true", json!({ "customer": "H", "order_id": 1, "at": "2027-01-02", "amount": 1 })),
            ("/api/v1/events?create=true", json!({ "customer": HONG, "kind": "visit", "at": "2027-01-02" })),
            ("/api/v1/consents", json!({ "customer": HONG, "topic": "newsletter", "state": "granted" })),
            ("/api/v1/rewards/redeem", json!({ "customer": "H", "reward": "petals", "points": 5, "key": "R-1" })),
            ("/api/v1/rewards/redeem", json!({ "customer": HONG, "reward": "petals", "points": 5, "key": "R-2" })),
        ] {
            let said = shop.tell(path, row).await;
            assert!(said.status == 422 && said.words().starts_with("erased"), "{path} {said:?}");
        }
    });
}

#[test]
fn the_latest_word_on_consent_wins_and_no_suppression_is_lifted() {
    on_a_shop("", async |t, shop| {
        shop.tell("/api/v1/customers", json!({ "external_id": "a", "email": "a@customers.example" })).await;
        let mut tx = t.db.begin().await.unwrap();
        let suppressed = NewSuppression {
            address: "a@customers.example".into(),
            reason: "manual".into(),
            source: "test".into(),
            message: None,
            batch: None,
            until: None,
            note: None,
        };
        permission::suppress(&mut tx, &suppressed, "test", shop.world.now()).await.unwrap();
        tx.commit().await.unwrap();
        let stands = async || {
            let sql = "SELECT state FROM consent_state WHERE topic = 'newsletter'";
            t.db.all::<(String,)>(sql, args![]).await.unwrap().remove(0).0
        };
        for (state, at, outcome, standing) in [
            ("granted", Some("2027-01-05"), "inserted", "granted"),
            ("withdrawn", Some("2027-01-09"), "inserted", "withdrawn"),
            ("granted", Some("2027-01-07"), "inserted", "withdrawn"),
            ("granted", None, "inserted", "withdrawn"),
            ("granted", Some("2027-01-07"), "unchanged", "withdrawn"),
            ("granted", Some("2027-02-01"), "inserted", "granted"),
        ] {
            let mut row = json!({ "customer": "a", "topic": "newsletter", "state": state });
            if let Some(at) = at {
                row["at"] = json!(at);
            }
            let said = shop.tell("/api/v1/consents", row).await;
            assert_eq!((said.outcomes(), stands().await.as_str()), (vec![outcome], standing), "{state} {at:?}");
        }
        let standing: Vec<(i64,)> =
            t.db.all("SELECT count(*) FROM suppression WHERE lifted_at IS NULL", args![]).await.unwrap();
        assert_eq!(standing, [(1,)]);
        let said =
            shop.tell("/api/v1/consents", json!({ "customer": "a", "topic": "newsleter", "state": "granted" })).await;
        assert!(said.words().contains("did you mean `newsletter`?"), "{said:?}");
        let said =
            shop.tell("/api/v1/consents", json!({ "customer": "z", "topic": "newsletter", "state": "granted" })).await;
        assert!(said.words().contains("no customer is known as `z`"), "{said:?}");
    });
}
