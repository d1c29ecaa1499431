//! Who a row means, and what orders, events, consents and suppressions become.

use super::*;

#[test]
fn who_is_meant_follows_the_key_the_address_and_adoption() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "email,name\nA@Haru.Example,Ann\n").await;
        // a new external_id adopts the one known by address only, also within one file
        let report = door.take(Kind::Customers, "external_id,email\nE1,a@haru.example\nE2,a@haru.example\nE3,\n").await;
        assert_eq!(counts(&report), [3, 2, 1, 0, 0], "{report:?}");
        let found = find(&mut &door.t.db, "a@haru.example").await.unwrap();
        assert_eq!(found.len(), 2, "two customers with one address");
        assert_eq!(found[0].name.as_deref(), Some("Ann"));
        // the address alone could mean both
        let report = door.take(Kind::Customers, "email,name\na@haru.example,Who\n").await;
        assert_eq!(counts(&report), [1, 0, 0, 0, 1]);
        assert!(report.reasons[0].reason.starts_with("ambiguous"), "{report:?}");
        // external_id of one, address of another that is known by address only
        door.take(Kind::Customers, "email\nb@haru.example\n").await;
        let report = door.take(Kind::Customers, "external_id,email\nE3,b@haru.example\n").await;
        assert!(report.reasons[0].reason.starts_with("ambiguous"), "{report:?}");
        // the key moves an address
        let report = door.take(Kind::Customers, "external_id,email\nE3,c@haru.example\n").await;
        assert_eq!(counts(&report), [1, 0, 1, 0, 0]);
        // nobody
        let report = door.take(Kind::Customers, "external_id,email,name\n,,Nobody\n").await;
        assert_eq!(counts(&report), [1, 0, 0, 0, 1]);
        // an order that could be of two
        let report =
            door.take(Kind::Orders, "customer,at,amount\na@haru.example,2026-01-01,100\nE1,2026-01-01,100\n").await;
        assert_eq!(counts(&report), [2, 1, 0, 0, 1]);
    });
}

#[test]
fn orders_land_once_and_what_differs_later_is_a_correction() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "external_id,email\nE1,a@haru.example\n").await;
        let file = "customer,order_id,at,amount,margin,status,items\n\
            E1,O1,2026. 3. 3. 오후 2:10,\"12,000원\",4000,paid,\"[{\"\"sku\"\":\"\"S1\"\",\"\"name\"\":\"\"씨앗\"\",\"\"quantity\"\":2,\"\"amount\"\":12000}]\"\n\
            a@haru.example,O2,2026-03-04,5000,,,\n\
            E1,O3,2026-03-04,12.5,,,\n\
            E9,O4,2026-03-04,100,,,\n\
            E1,O5,2026-03-04,-100,,,\n\
            E1,O6,2026-03-04,100,,lost,\n\
            E1,O7,2030-03-04,100,,,\n";
        let report = door.take(Kind::Orders, file).await;
        assert_eq!(counts(&report), [7, 2, 0, 0, 5], "{report:?}");
        let reasons: Vec<&str> = report.reasons.iter().map(|r| r.reason.as_str()).collect();
        assert_eq!(report.reasons.iter().map(|r| r.line).collect::<Vec<_>>(), [4, 5, 6, 7, 8]);
        for (reason, part) in reasons.iter().zip(["decimals", "--create", "below zero", "no status", "future"]) {
            assert!(reason.contains(part), "{reason}");
        }
        assert_eq!(counts(&door.take(Kind::Orders, file).await), [7, 0, 0, 2, 5]);
        let row: (i64, i64, String, Option<i64>) = door
            .t
            .db
            .one("SELECT at, amount, status, margin FROM purchase WHERE order_key = 'O1'", args![])
            .await
            .unwrap();
        assert_eq!(row, (1_772_514_600_000, 12_000, "paid".into(), Some(4_000)));
        assert_eq!(door.count("order_item").await, 1);

        let later = "customer,order_id,at,amount,status,refunded\nE1,O1,2026-03-03 14:10,12000,returned,12000\nE1,O2,2026-03-04,5000,,\n";
        assert_eq!(counts(&door.take(Kind::Orders, later).await), [2, 0, 1, 1, 0]);
        assert_eq!(counts(&door.take(Kind::Orders, later).await), [2, 0, 0, 2, 0]);
        let events: Vec<(String, String)> =
            door.t.db.all("SELECT kind, data FROM event ORDER BY id", args![]).await.unwrap();
        assert_eq!(events.iter().map(|e| e.0.as_str()).collect::<Vec<_>>(), ["order", "order", "correction"]);
        let data: serde_json::Value = serde_json::from_str(&events[2].1).unwrap();
        assert_eq!(data["changes"]["status"], serde_json::json!({"from": "paid", "to": "returned"}));
        assert_eq!(data["changes"]["refunded"]["to"], 12_000);
        let row: (i64, String, Option<i64>) = door
            .t
            .db
            .one("SELECT refunded, status, margin FROM purchase WHERE order_key = 'O1'", args![])
            .await
            .unwrap();
        assert_eq!(row, (12_000, "returned".into(), Some(4_000)), "what was not said stays");
    });
}

#[test]
fn an_order_told_twice_in_one_file_is_one_order_and_a_correction() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file = "customer,order_id,at,amount,status\nE1,O1,2026-03-03,100,paid\nE1,O1,2026-03-03,100,returned\nE2,O1,2026-03-03,100,paid\n";
        let report = door.with(Kind::Orders, file, |o| o.create = true).await.unwrap();
        assert_eq!(counts(&report), [3, 1, 1, 0, 1], "{report:?}");
        assert!(report.reasons[0].reason.contains("another customer"));
        let data: Vec<(String, String)> =
            door.t.db.all("SELECT kind, data FROM event ORDER BY id", args![]).await.unwrap();
        assert_eq!(data.len(), 2);
        assert!(data[0].1.contains("paid") && data[1].0 == "correction");
        assert_eq!(
            counts(&door.with(Kind::Orders, file.replace("E1,O1,2026-03-03,100,paid\n", ""), |_| {}).await.unwrap())[3],
            1
        );
    });
}

#[test]
fn orders_without_a_number_are_told_apart_by_how_many_came_before() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file =
            "customer_id,date,amount\n1,1997-01-01,29.33\n1,1997-01-01,29.33\n1,1997-01-01,10.00\n2,1997-01-01,29.33\n";
        let options = |o: &mut Options<'_>| {
            o.create = true;
            o.currency = Some("USD".parse().unwrap());
        };
        let report = door.with(Kind::Orders, file, options).await.unwrap();
        assert_eq!(counts(&report), [4, 4, 0, 0, 0], "{report:?}");
        assert_eq!(counts(&door.with(Kind::Orders, file, options).await.unwrap()), [4, 0, 0, 4, 0]);
        let (sum,): (i64,) = door
            .t
            .db
            .one("SELECT CAST(sum(amount) AS BIGINT) FROM purchase WHERE currency = 'USD'", args![])
            .await
            .unwrap();
        assert_eq!(sum, 2_933 * 3 + 1_000);
        assert_eq!(door.count("customer").await, 2);
    });
}

#[test]
fn events_come_as_ndjson_and_our_own_observations_are_refused() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "external_id\nE1\n42\n").await;
        let file = r#"{"customer": "E1", "kind": "visit", "at": "2026-03-03T10:00:00Z", "key": "v1", "data": {"page": "/씨앗", "n": 2}}
{"customer": 42, "kind": "Wishlist.Added", "at": 1772514600000}
{"customer": 42, "kind": "wishlist.added", "at": 1772514600000}
{"customer": "E1", "kind": "open", "at": "2026-03-03"}
{"customer": "E1", "kind": "order", "at": "2026-03-03"}
{"customer": "E1", "kind": "visit", "at": "2026-03-03", "data": {"x": "a\u0000b"}}
{"customer": "E1", "kind": "visit"
["E1"]
{"customer": "E1", "kind": "a b", "at": "2026-03-03"}
"#;
        let report = door.take(Kind::Events, file).await;
        assert_eq!(counts(&report), [9, 3, 0, 0, 6], "{report:?}");
        assert_eq!(counts(&door.take(Kind::Events, file).await), [9, 0, 0, 3, 6]);
        let rejected = std::fs::read_to_string(door.t.dir.path().join("file.csv.rejected.ndjson")).unwrap();
        assert!(rejected.lines().count() == 6 && rejected.contains("Dangol observes itself"), "{rejected}");
        let (data,): (String,) =
            door.t.db.one("SELECT data FROM event WHERE dedupe_key = 'event:v1'", args![]).await.unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&data).unwrap()["page"], "/씨앗");
    });
}

#[test]
fn a_withdrawal_outlives_whatever_is_imported_without_a_time_of_its_own() {
    on_both(|t| async move {
        let door = Door::new(t);
        let consent = |o: &mut Options<'_>| o.consent = Some(("newsletter".into(), "checkout".into()));
        let file = "email\na@haru.example\nb@haru.example\n";
        assert_eq!(counts(&door.with(Kind::Customers, file, consent).await.unwrap()), [2, 2, 0, 0, 0]);
        assert_eq!(counts(&door.with(Kind::Customers, file, consent).await.unwrap()), [2, 0, 0, 2, 0]);
        let stand = async |who: &str| {
            let id = find(&mut &door.t.db, who).await.unwrap()[0].id;
            permission::state(&mut &door.t.db, id).await.unwrap()[0].state
        };
        assert_eq!(stand("a@haru.example").await, State::Granted);
        let withdrawn = "customer,topic,state,at\na@haru.example,newsletter,withdrawn,2026-05-01\nb@haru.example,newsleter,granted,\n";
        let report = door.take(Kind::Consents, withdrawn).await;
        assert_eq!(counts(&report), [2, 1, 0, 0, 1]);
        assert!(report.reasons[0].reason.contains("did you mean `newsletter`?"), "{report:?}");
        assert_eq!(stand("a@haru.example").await, State::Withdrawn, "older than the import, and still it holds");
        let report = door.with(Kind::Customers, file, consent).await.unwrap();
        assert_eq!((stand("a@haru.example").await, report.withdrawn_kept), (State::Withdrawn, 0));
        door.take(Kind::Consents, "customer,topic,state\na@haru.example,newsletter,granted\n").await;
        assert_eq!(stand("a@haru.example").await, State::Withdrawn);
        let own = "customer,topic,state,at\na@haru.example,newsletter,granted,2026-06-01\n";
        assert_eq!(counts(&door.take(Kind::Consents, own).await), [1, 1, 0, 0, 0]);
        assert_eq!(stand("a@haru.example").await, State::Granted, "a later act of their own");
        assert_eq!(counts(&door.take(Kind::Consents, own).await), [1, 0, 0, 1, 0]);
        assert_eq!(counts(&door.take(Kind::Consents, withdrawn).await), [2, 0, 0, 1, 1]);
        assert_eq!(stand("a@haru.example").await, State::Granted);
    });
}

#[test]
fn suppressions_are_added_and_never_lifted() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file = "email,reason,until\nA@haru.example,hard_bounce,\nb@haru.example,soft-bounce,2027-01-01\nc@haru.example,bored,\n";
        assert_eq!(counts(&door.take(Kind::Suppressions, file).await), [3, 2, 0, 0, 1]);
        assert_eq!(counts(&door.take(Kind::Suppressions, file).await), [3, 0, 0, 2, 1]);
        assert!(permission::is_suppressed(&mut &door.t.db, "a@haru.example", now()).await.unwrap());
        door.take(Kind::Customers, "email\na@haru.example\n").await;
        assert!(permission::is_suppressed(&mut &door.t.db, "a@haru.example", now()).await.unwrap());
    });
}

#[test]
fn an_erased_person_does_not_come_back_by_import() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "external_id,email\nE1,a@haru.example\nE2,b@haru.example\n").await;
        let id = find(&mut &door.t.db, "E1").await.unwrap()[0].id;
        let mut tx = door.t.db.begin().await.unwrap();
        assert!(erase(&mut tx, id, &key(), "test", now()).await.unwrap());
        tx.commit().await.unwrap();
        let erased = |report: &Report| report.reasons.iter().all(|r| r.reason.starts_with("erased"));
        let report = door
            .take(
                Kind::Customers,
                "external_id,email\nE1,new@haru.example\nE7,A@haru.example\n,a@haru.example\nE2,b@haru.example\n",
            )
            .await;
        assert_eq!(counts(&report), [4, 0, 0, 1, 3]);
        assert!(erased(&report), "{report:?}");
        let orders = "customer,at,amount\nE1,2026-01-01,1\na@haru.example,2026-01-01,1\n";
        let report = door.with(Kind::Orders, orders, |o| o.create = true).await.unwrap();
        assert!(report.rejected == 2 && erased(&report), "{report:?}");
        let report = door.take(Kind::Suppressions, "email\na@haru.example\n").await;
        assert!(report.rejected == 1 && erased(&report), "{report:?}");
        // their own sign-up does
        let mut tx = door.t.db.begin().await.unwrap();
        let back = dangol::customer::ensure(&mut tx, &"a@haru.example".parse().unwrap(), "form", now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_ne!(back, id);
        let report = door.take(Kind::Customers, "email,name\na@haru.example,Ann\n").await;
        assert_eq!(counts(&report), [1, 0, 1, 0, 0]);
    });
}
