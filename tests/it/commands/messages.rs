//! `message list`, `settle`, `resend`: mails, those of unknown fate among them.

use super::Shop;
use serde_json::{Value as Json, json};

fn ids(shop: &Shop, state: &str) -> Vec<i64> {
    let listed = shop.json(&["message", "list", "--state", state]);
    listed["messages"].as_array().unwrap().iter().map(|message| message["id"].as_i64().unwrap()).collect()
}

#[test]
fn mails_by_state_and_campaign() {
    let shop = Shop::sent();
    assert_eq!(ids(&shop, "accepted").len(), 17);
    assert_eq!(ids(&shop, "skipped").len(), 2);
    let listed = shop.json(&["message", "list", "--campaign", "spring", "--limit", "3"]);
    let messages = listed["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    for key in ["id", "campaign", "address", "state", "reason", "reply"] {
        assert!(messages[0].get(key).is_some(), "{key}: {}", messages[0]);
    }
    let said = shop.run(&["message", "list", "--state", "skipped"]).done();
    assert!(said.contains("same address"), "{said}");
}

#[test]
fn only_mails_of_unknown_fate_are_settled_or_sent_again() {
    let shop = Shop::sent();
    let accepted = ids(&shop, "accepted");
    let (lost, other, sure) = (accepted[0], accepted[1], accepted[2]);
    shop.sql(&format!("UPDATE message SET state = 'unknown' WHERE id IN ({lost}, {other})"));
    let [lost_, sure_] = [lost.to_string(), sure.to_string()];
    let said = shop.run(&["message", "settle", &lost_, &sure_, "999999", "--json"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let why = format!(
        "message {sure} is accepted, not unknown, there is no message 999999; `dangol message list --state unknown` shows those that can be"
    );
    let answer: Json = serde_json::from_str(&said.out).unwrap();
    assert_eq!(answer, json!({ "changed": [lost], "left": [sure, 999_999], "error": { "message": why } }));
    assert_eq!(said.err, format!("error: {why}\n"));
    let said = shop.run(&["message", "resend", &other.to_string()]).done();
    assert_eq!(said, "1 message will go out again\n");
    assert_eq!((ids(&shop, "unknown"), ids(&shop, "queued")), (vec![], vec![other]));
    shop.run(&["message", "resend", &lost_]).failed(&format!("message {lost} is accepted, not unknown"));
    shop.run(&["message", "settle", "9999"]).failed("there is no message 9999");
    shop.run(&["run", "--until-idle"]).done();
    assert_eq!(ids(&shop, "accepted").len(), 17);
}

#[test]
fn what_may_not_go_out_again_stays_of_unknown_fate_and_says_why() {
    let shop = Shop::sent();
    let accepted = ids(&shop, "accepted");
    let (withdrawn, other) = (accepted[0], accepted[1]);
    shop.sql(&format!("UPDATE message SET state = 'unknown' WHERE id IN ({withdrawn}, {other})"));
    shop.sql(&format!(
        "UPDATE consent_state SET state = 'withdrawn' WHERE customer_id = (SELECT customer_id FROM message WHERE id = {withdrawn})"
    ));
    let both = [withdrawn.to_string(), other.to_string()];
    shop.run(&["message", "resend", &both[0]])
        .failed(&format!("the reader of message {withdrawn} may not be mailed: no consent"));
    shop.run(&["cancel", "spring"]).done();
    shop.run(&["message", "resend", &both[0], &both[1]])
        .failed(&format!("the campaign of message {other} was cancelled"));
    let unknown = ids(&shop, "unknown");
    assert!(unknown.contains(&withdrawn) && unknown.contains(&other) && unknown.len() == 2, "{unknown:?}");
    shop.run(&["message", "settle", &both[1]]).done();
}
