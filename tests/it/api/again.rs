//! The same request again: the same answer, and nothing is done twice.

use super::shop::on_a_shop;
use crate::web::site::on_a_site;
use dangol::access::{self, Claim, Claimed, Scope};
use dangol::args;
use serde_json::{Value as Json, json};
use std::sync::atomic::Ordering;

#[test]
fn a_key_gets_the_answer_that_was_given() {
    on_a_shop("", async |t, shop| {
        let row = json!([{ "external_id": "a" }, { "email": "wrong" }]);
        let first = shop.keyed("/api/v1/customers", "k-1", &row).await;
        assert_eq!((first.status, first.replayed, first.outcomes()), (200, false, vec!["inserted", "rejected"]));
        t.db.execute("UPDATE customer SET name = 'other'", args![]).await.unwrap();
        let again = shop.keyed("/api/v1/customers", "k-1", &row).await;
        assert_eq!(
            (again.status, again.replayed, &again.body),
            (200, true, &first.body),
            "not `unchanged`: the very answer"
        );
        for (path, body) in [("/api/v1/customers", json!([{ "external_id": "b" }])), ("/api/v1/events", row.clone())] {
            let another = shop.keyed(path, "k-1", &body).await;
            assert_eq!((another.status, another.code()), (409, "key_reused"));
        }
        let refused = json!({ "email": "wrong" });
        for replayed in [false, true] {
            let said = shop.keyed("/api/v1/customers", "k-2", &refused).await;
            assert_eq!((said.status, said.replayed), (422, replayed));
        }
        // a body that was not even read has no answer to keep
        let broken = shop.post("/api/v1/customers", "{").header("content-type", "application/json");
        assert_eq!(shop.said(broken.header("idempotency-key", "k-3")).await.status, 400);
        assert_eq!(shop.keyed("/api/v1/customers", "k-3", &row).await.status, 200);

        // another program has keys of its own
        let mut other = shop.post("/api/v1/customers", row.to_string()).header("content-type", "application/json");
        let token = shop.give("other", &[Scope::Customers]).await;
        other = other.header("idempotency-key", "k-1");
        let mut other = other.build().unwrap();
        other.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let other = shop.client.execute(other).await.unwrap();
        assert!(other.headers().get("idempotent-replayed").is_none());

        shop.world.later("23h");
        assert!(shop.keyed("/api/v1/customers", "k-1", &row).await.replayed);
        assert_eq!(access::forget(&t.db, shop.world.now()).await.unwrap(), 0);
        shop.world.later("61m");
        let fresh = shop.keyed("/api/v1/customers", "k-1", &row).await;
        assert_eq!(
            (fresh.replayed, fresh.outcomes()),
            (false, vec!["unchanged", "rejected"]),
            "a day later it is done anew"
        );
        assert_eq!(access::forget(&t.db, shop.world.now()).await.unwrap(), 3, "all but the fresh one");
    });
}

#[test]
fn two_at_once_are_done_once() {
    on_a_shop("", async |t, shop| {
        let rows: Vec<Json> = (0..200).map(|n| json!({ "external_id": n })).collect();
        let rows = Json::Array(rows);
        let one = || shop.keyed("/api/v1/customers", "k", &rows);
        let (a, b, c) = tokio::join!(one(), one(), one());
        let did = [&a, &b, &c].into_iter().filter(|said| said.status == 200 && !said.replayed).count();
        assert_eq!(did, 1, "{} {} {}", a.status, b.status, c.status);
        for said in [&a, &b, &c].into_iter().filter(|said| said.status != 200) {
            assert_eq!((said.status, said.code(), said.retry_after), (409, "in_progress", Some(1)));
        }
        let (n,): (i64,) = t.db.all("SELECT count(*) FROM customer", args![]).await.unwrap().remove(0);
        assert_eq!(n, 200);
        // without a key, both are done, and one finds nothing to do
        let order = json!({ "customer": "1", "order_id": "A", "at": "2027-01-02", "amount": 1 });
        let one = || shop.tell("/api/v1/orders", order.clone());
        let (a, b) = tokio::join!(one(), one());
        let mut outcomes = [a.outcomes()[0].to_owned(), b.outcomes()[0].to_owned()];
        outcomes.sort();
        assert_eq!(outcomes, ["inserted", "unchanged"]);
    });
}

#[test]
fn a_request_whose_process_died_may_be_done_again() {
    on_a_shop("", async |t, shop| {
        let row = json!({ "external_id": "a" });
        // learns the hash of the request, then stands as it would after a crash
        shop.keyed("/api/v1/customers", "k", &row).await;
        let sql = "UPDATE api_answer SET status = NULL, answer = NULL";
        t.db.execute(sql, args![]).await.unwrap();
        let said = shop.keyed("/api/v1/customers", "k", &row).await;
        assert_eq!((said.status, said.code(), said.retry_after), (409, "in_progress", Some(1)));
        shop.world.later("2m");
        let said = shop.keyed("/api/v1/customers", "k", &row).await;
        assert_eq!((said.status, said.replayed, said.outcomes()), (200, false, vec!["unchanged"]));
        assert!(shop.keyed("/api/v1/customers", "k", &row).await.replayed);
    });
}

#[test]
fn one_that_was_taken_over_does_not_overwrite_the_other() {
    crate::support::on_both(|t| async move {
        let now = "2027-03-02T03:00:00Z".parse().unwrap();
        let later = "2027-03-02T03:05:00Z".parse().unwrap();
        let take = async |claim: &str, at| Claim::take(&t.db, 1, "k", "hash", claim, at).await.unwrap();
        let Claimed::Ours(slow) = take("slow", now).await else { panic!("nobody has it") };
        assert_eq!(take("other", now).await, Claimed::AtWork);
        let Claimed::Ours(fast) = take("fast", later).await else { panic!("the first is dead") };
        slow.clone().release(&t.db).await.unwrap();
        slow.answer(&t.db, 200, "slow").await.unwrap();
        assert_eq!(take("other", later).await, Claimed::AtWork);
        fast.answer(&t.db, 422, "fast").await.unwrap();
        assert_eq!(take("other", later).await, Claimed::Answered(422, "fast".into()));
        assert_eq!(Claim::take(&t.db, 1, "k", "hush", "x", later).await.unwrap(), Claimed::Another);
    });
}

#[test]
fn what_failed_inside_says_nothing_of_it_and_may_come_again() {
    on_a_site(async |t, site| {
        let now = site.state.clock.now();
        let token = access::create(&t.db, "shop", &Scope::ALL, None, "test", now).await.unwrap().secret.reveal();
        let send = async || {
            let request = site.client.post(format!("{}/api/v1/orders?create=true", site.base)).bearer_auth(&token);
            let request = request.header("content-type", "application/json").header("idempotency-key", "k");
            let response = request.body("{\"order_id\": 1}").send().await.unwrap();
            let wait = response.headers().get("retry-after").is_some();
            (response.status().as_u16(), wait, response.text().await.unwrap())
        };
        site.intake.away.store(true, Ordering::SeqCst);
        let (status, wait, text) = send().await;
        assert!(status == 503 && wait && text.contains("\"unavailable\"") && !text.contains("hidden_table"), "{text}");
        site.intake.away.store(false, Ordering::SeqCst);
        let (status, _, text) = send().await;
        assert!(status == 200 && text.contains("\"inserted\":1"), "{text}");
        let rows = site.intake.rows.lock().unwrap();
        assert!(rows.len() == 1 && rows[0].2, "asked once, with create");
    });
}
