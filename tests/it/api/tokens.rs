//! Tokens: what opens the API, what each is for, and what becomes of those that are not good.

use super::shop::{Said, Shop, on_a_shop};
use crate::support::on_both;
use dangol::access::{self, AccessError, Denied, Scope};
use dangol::args;
use dangol::customer::audit_of;
use serde_json::json;

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
