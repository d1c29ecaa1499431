//! Redemptions: what the door behind is asked, and that the same key is asked once.

use crate::web::site::on_a_site;
use dangol::access::{self, Scope};
use serde_json::{Value as Json, json};

#[test]
fn a_redemption_is_handed_on_as_it_was_told() {
    on_a_site(async |t, site| {
        let now = site.state.clock.now();
        let token = access::create(&t.db, "till", &[Scope::Rewards], None, "test", now).await.unwrap().secret.reveal();
        let send = async |body: Json| {
            let request = site.client.post(format!("{}/api/v1/rewards/redeem", site.base)).bearer_auth(&token);
            let response =
                request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
            let status = response.status().as_u16();
            (status, serde_json::from_str::<Json>(&response.text().await.unwrap()).unwrap())
        };
        let points = json!({ "customer": 7, "reward": "petals", "points": 500, "key": "R-1", "at": "2026-01-05T09:00:00+09:00" });
        let coupon = json!({ "customer": "홍길동@예시.한국", "reward": "come-back", "code": "봄-2027", "key": 2 });
        let (status, said) = send(json!([points, coupon, points, { "customer": 7, "reward": "petals" }])).await;
        assert_eq!(status, 200);
        let outcomes: Vec<&str> =
            said["results"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["inserted", "inserted", "unchanged", "rejected"], "{said}");
        assert!(said["results"][3]["reason"].as_str().unwrap().contains("`key` is needed"));
        let redeemed = site.intake.redeemed.lock().unwrap().clone();
        let at = Some("2026-01-05T00:00:00Z".parse().unwrap());
        assert_eq!(redeemed[0], ("7".into(), "petals".into(), Some(500), None, "R-1".into(), at));
        let code = Some("봄-2027".to_owned());
        assert_eq!(redeemed[1], ("홍길동@예시.한국".into(), "come-back".into(), None, code, "2".into(), None));
        let (status, _) = send(json!({ "customer": 7 })).await;
        assert_eq!(status, 422);
    });
}
