//! Tokens: what opens the API, what each is for, and what becomes of those that are not good.

use super::shop::{Said, Shop, on_a_shop};
use crate::support::on_both;
use dangol::access::{self, AccessError, Denied, Scope};
use dangol::args;
use dangol::customer::{audit_of, find};
use dangol::reward::{self, Grant, Granted, Reward};
use dangol::types::Timestamp;
use serde_json::{Value as Json, json};

async fn with(shop: &Shop, authorization: &str) -> Said {
    let request = shop.client.post(format!("{}/api/v1/orders", shop.base)).body("[]");
    shop.said(request.header("content-type", "application/json").header("authorization", authorization)).await
}

#[test]
fn only_a_good_token_with_the_scope_opens() {
    on_a_shop("", async |_t, shop| {
        let none = shop.client.post(format!("{}/api/v1/orders", shop.base)).body("not even looked at");
        let said = shop.said(none).await;
        assert_eq!(
            (said.status, said.code(), said.challenge.as_str()),
            (401, "missing_token", "Bearer realm=\"dangol\"")
        );
        let good = &shop.token;
        let stranger = access::Secret::random().unwrap().reveal();
        let last = if good.ends_with('0') { '1' } else { '0' };
        for (authorization, code) in [
            (format!("Basic {good}"), "missing_token"),
            (good.clone(), "missing_token"),
            ("Bearer".into(), "missing_token"),
            ("Bearer dgl_".into(), "malformed_token"),
            (format!("Bearer {}{last}", &good[..75]), "malformed_token"),
            (format!("Bearer {good} {good}"), "malformed_token"),
            (format!("Bearer {}", "A".repeat(5_000)), "malformed_token"),
            (format!("Bearer {stranger}"), "unknown_token"),
        ] {
            let said = with(&shop, &authorization).await;
            assert_eq!((said.status, said.code()), (401, code), "{authorization}");
            assert!(!said.body.to_string().contains(&good[4..20]));
        }
        for authorization in [format!("Bearer {good}"), format!("bearer   {good} ")] {
            assert_eq!(with(&shop, &authorization).await.status, 200);
        }
        let events = shop.give("events", &[Scope::Events, Scope::Customers]).await;
        let said = with(&shop, &format!("Bearer {events}")).await;
        assert_eq!((said.status, said.code()), (403, "missing_scope"));
        assert!(said.words().contains("`orders`") && said.challenge.contains("insufficient_scope"));
        let app = &shop.world.app;
        access::revoke(&app.db, "shop", "test", shop.world.now()).await.unwrap();
        assert_eq!(with(&shop, &format!("Bearer {good}")).await.code(), "revoked_token");
        let until = "2027-03-02T03:30:00Z".parse().unwrap();
        let short = access::create(&app.db, "short", &Scope::ALL, Some(until), "test", shop.world.now()).await.unwrap();
        let short = format!("Bearer {}", short.secret.reveal());
        assert_eq!(with(&shop, &short).await.status, 200);
        shop.world.later("30m");
        assert_eq!(with(&shop, &short).await.code(), "expired_token");
    });
}

#[test]
fn a_token_that_asks_too_often_waits() {
    on_a_shop("[api]\nrate = \"3/h\"\n", async |_t, shop| {
        let other = shop.give("other", &[Scope::Orders]).await;
        for _ in 0..3 {
            assert_eq!(shop.tell("/api/v1/customers", json!([])).await.status, 200);
        }
        let said = shop.tell("/api/v1/customers", json!([])).await;
        assert_eq!((said.status, said.code()), (429, "too_many_requests"));
        let wait = said.retry_after.unwrap();
        assert!((2..=1_200).contains(&wait) && said.words().contains("3/h"), "{said:?}");
        assert_eq!(with(&shop, &format!("Bearer {other}")).await.status, 200, "another's pace is its own");
    });
}

#[test]
fn the_database_knows_no_secret_and_the_list_no_hash() {
    on_both(|t| async move {
        let now = "2027-03-02T03:00:00Z".parse().unwrap();
        let scopes = [Scope::Orders, Scope::Customers, Scope::Orders];
        let made = access::create(&t.db, " 상점 🌱 ", &scopes, None, "min", now).await.unwrap();
        let (text, id) = (made.secret.reveal(), made.token.id);
        let row: Vec<(String, String, String, String)> =
            t.db.all("SELECT name, scopes, lookup, hash FROM api_token", args![]).await.unwrap();
        let (name, scopes, lookup, hash) = &row[0];
        assert_eq!((name.as_str(), scopes.as_str()), ("상점 🌱", "customers,orders"));
        assert!(hash.starts_with(lookup) && hash.len() == 64 && !text.contains(hash));
        assert!(!format!("{made:?}").contains(&text[4..12]));
        let listed = serde_json::to_string(&access::list(&t.db).await.unwrap()).unwrap();
        assert!(!listed.contains(lookup) && !listed.contains(&text[4..12]), "{listed}");

        // the beginning of a hash is not enough
        t.db.execute("UPDATE api_token SET hash = ?", args![format!("{lookup}{}", "0".repeat(48))]).await.unwrap();
        assert!(matches!(access::check(&t.db, &text, now).await, Err(Denied::Unknown)));
        t.db.execute("UPDATE api_token SET hash = ?", args![hash]).await.unwrap();
        assert_eq!(access::check(&t.db, &text, now).await.unwrap().id, id);
        let used = access::list(&t.db).await.unwrap()[0].used_on;
        assert_eq!(used.unwrap().to_string(), "2027-03-02T00:00:00Z", "the day, and no more");

        let (revoked, was_good) = access::revoke(&t.db, "상점 🌱", "min", now).await.unwrap();
        assert!(was_good && revoked.revoked_at == Some(now));
        assert!(!access::revoke(&t.db, &format!("#{id}"), "min", now).await.unwrap().1, "once is enough");
        let lines = audit_of(&mut &t.db, &format!("token {id}")).await.unwrap();
        let lines: Vec<(&str, &str)> = lines.iter().map(|(_, who, what, _)| (who.as_str(), what.as_str())).collect();
        assert_eq!(lines, [("min", "token create"), ("min", "token revoke")]);
    });
}

#[test]
fn a_name_is_one_tokens_until_it_is_revoked() {
    on_both(|t| async move {
        let now = "2027-03-02T03:00:00Z".parse().unwrap();
        let make = async |name: &str, scopes: &[Scope]| access::create(&t.db, name, scopes, None, "min", now).await;
        make("shop", &[Scope::Orders]).await.unwrap();
        assert!(matches!(make("shop", &[Scope::Orders]).await, Err(AccessError::Taken(name)) if name == "shop"));
        for wrong in ["", "  ", "12", "#3", "a\nb", &"x".repeat(61)] {
            assert!(matches!(make(wrong, &[Scope::Orders]).await, Err(AccessError::Name(_))), "{wrong:?}");
        }
        assert!(matches!(make("other", &[]).await, Err(AccessError::NoScope)));
        access::revoke(&t.db, "shop", "min", now).await.unwrap();
        let second = make("shop", &[Scope::Events]).await.unwrap();
        let (revoked, was_good) = access::revoke(&t.db, "shop", "min", now).await.unwrap();
        assert!(was_good && revoked.id == second.token.id, "the one that is good");
        assert!(matches!(access::revoke(&t.db, "nobody", "min", now).await, Err(AccessError::Unknown(_))));
        assert_eq!(access::list(&t.db).await.unwrap().len(), 2);
    });
}

#[test]
fn what_a_token_may_spend_is_a_scope_of_its_own_and_a_customer_is_named_as_the_shop_names_them() {
    on_a_shop("", async |_t, mut shop| {
        let app = shop.world.app.clone();
        let now = shop.world.now();
        shop.tell("/api/v1/customers", json!({ "external_id": "C-1", "email": "홍길동@예시.한국" })).await;
        let id = find(&mut &app.db, "C-1").await.unwrap()[0].id;
        let file = "kind = \"points\"\nunit = \"1 KRW\"\n";
        let mut tx = app.db.begin().await.unwrap();
        reward::put_live(&mut tx, "petals", file, &app.settings(), now).await.unwrap();
        let petals = Reward::read("petals", file, &app.settings()).unwrap();
        let grant = Grant {
            customer: id,
            rule: "gift".into(),
            period: "p".into(),
            points: Some(100),
            message: None,
            pending: false,
        };
        assert!(matches!(reward::grant(&mut tx, &[grant], &petals, now).await.unwrap()[0], Granted::Yes(_)));
        tx.commit().await.unwrap();
        let event = json!({ "customer": "C-1", "kind": "redemption", "at": "2027-03-01", "key": "K",
            "data": { "reward": "petals", "points": 30 } });
        let redeem =
            |customer: Json, key: &str| json!({ "customer": customer, "reward": "petals", "points": 30, "key": key });

        let all = std::mem::take(&mut shop.token);
        shop.token = shop.give("events", &[Scope::Events]).await;
        for kind in ["redemption", "Redemption"] {
            let mut event = event.clone();
            event["kind"] = json!(kind);
            let said = shop.tell("/api/v1/events", event).await;
            assert!(said.status == 422 && said.words().contains("/api/v1/rewards/redeem"), "{said:?}");
        }
        let said = shop.tell("/api/v1/rewards/redeem", redeem(json!("C-1"), "K")).await;
        assert_eq!((said.status, said.code()), (403, "missing_scope"));

        shop.token = all;
        for ours in [json!(id), json!(format!("#{id}"))] {
            let said = shop.tell("/api/v1/rewards/redeem", redeem(ours, "K-0")).await;
            assert!(said.status == 422 && said.words().starts_with("no customer is known"), "our own number: {said:?}");
        }
        let said = shop.tell("/api/v1/rewards/redeem", redeem(json!("C-1"), "K-1")).await;
        assert_eq!(said.outcomes(), ["inserted"]);
        let said = shop.tell("/api/v1/rewards/redeem", redeem(json!("홍길동@예시.한국"), "K-2")).await;
        assert_eq!(said.outcomes(), ["inserted"]);
        let (_, balance) = reward::entries(&mut &app.db, id, "petals").await.unwrap();
        assert_eq!((balance.active, balance.spent), (40, 60));
    });
}

#[test]
fn all_answers_older_than_a_day_are_forgotten_at_once() {
    on_both(|t| async move {
        let now: Timestamp = "2027-03-02T03:00:00Z".parse().unwrap();
        let old = now.as_millisecond() - 86_400_001;
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) \
                   INSERT INTO api_answer (token_id, key, request, claim, at) \
                   SELECT 1, CAST(i AS TEXT), 'r', 'c', CASE WHEN i = 7 THEN CAST(? AS BIGINT) ELSE CAST(? AS BIGINT) END FROM n";
        t.db.execute(sql, args![now, old]).await.unwrap();
        assert_eq!(access::forget(&t.db, now).await.unwrap(), 2_499);
        let left: Vec<(String,)> = t.db.all("SELECT key FROM api_answer", args![]).await.unwrap();
        assert_eq!(left, [("7".to_owned(),)]);
    });
}
