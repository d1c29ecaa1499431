//! `token`.

use super::{Shop, keys};

#[test]
fn a_token_is_shown_once_listed_and_revoked() {
    let shop = Shop::empty();
    let said = shop.run(&["token", "create", "web", "--scope", "customers,orders", "--expires", "90d"]).done();
    let secret = said.lines().next().unwrap().to_owned();
    assert!(secret.starts_with("dgl_") && secret.len() == 76, "{said}");
    assert!(said.contains("token web (#1) for customers, orders, until "), "{said}");
    let till = shop.json(&["token", "create", "till", "--scope", "rewards"]);
    assert_eq!(keys(&till), ["id", "name", "scopes", "created_at", "expires_at", "revoked_at", "used_on", "secret"]);
    let listed = shop.run(&["token", "list"]).done();
    assert!(listed.contains("web") && listed.contains("never") && !listed.contains(&secret[4..12]), "{listed}");
    let listed = shop.json(&["token", "list"]);
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 2);
    assert!(listed["tokens"][0].get("secret").is_none());

    assert!(shop.run(&["token", "revoke", "2"]).done().contains("till (#2) opens nothing any more"));
    assert!(shop.run(&["token", "revoke", "till"]).done().contains("was revoked already"));
    assert!(shop.run(&["token", "list"]).done().contains("revoked 20"));
    shop.run(&["token", "revoke", "tell"]).failed("there is no token `tell`");
    shop.run(&["token", "create", "web", "--scope", "orders"]).failed("there is a token `web` already");
    shop.run(&["token", "create", "x"]).misused("--scope");
    shop.run(&["token", "create", "x", "--scope", "order"]).misused("did you mean `orders`?");
    shop.run(&["token", "create", "x", "--scope", "orders", "--expires", "soon"]).misused("a period such as `90d`");
}
