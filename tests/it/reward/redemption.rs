//! Redemption: once for each key, never more than there is, and the log knows it.

use super::{Shop, day, points};
use crate::support::on_both;
use dangol::args;
use dangol::reward::{self, Redeem, Redeemed, Redemption, Refusal, RewardError};

const BONUS: &str = "kind = \"points\"\nunit = \"2 KRW\"\nexpires = \"3mo\"\n";

fn ask(customer: i64, what: Redeem, key: &str) -> Redemption {
    Redemption { customer, reward: "bonus".into(), what, key: key.into(), at: day(1), source: "api", batch: None }
}

pub async fn redeem(shop: &Shop, ask: &Redemption) -> Result<Redeemed, Refusal> {
    let mut tx = shop.db.begin().await.unwrap();
    match reward::redeem(&mut tx, ask, day(1)).await {
        Ok(redeemed) => {
            tx.commit().await.unwrap();
            Ok(redeemed)
        }
        Err(RewardError::Refused(why)) => {
            tx.commit().await.unwrap(); // a refusal has changed nothing, so this does nothing
            Err(why)
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn points_are_used_once_for_each_key() {
    on_both(async |t| {
        let shop = Shop::new(&t, 2).await;
        let bonus = shop.live("bonus", BONUS, day(0)).await;
        shop.grant(&[points(1, 100, "a", None), points(2, 5, "a", None)], &bonus, day(0)).await;
        let first = redeem(&shop, &ask(1, Redeem::Points(30), "계산대:1")).await.unwrap();
        assert_eq!((first.points, first.cost, first.balance, first.again), (30, 60, 70, false));
        redeem(&shop, &ask(1, Redeem::Points(10), "till:2")).await.unwrap();
        let again = redeem(&shop, &ask(1, Redeem::Points(30), "계산대:1")).await.unwrap();
        assert_eq!(again, Redeemed { again: true, ..first }, "the same answer");

        for (wrong, why) in [
            (ask(1, Redeem::Points(31), "계산대:1"), Refusal::KeyUsed { key: "계산대:1".into() }),
            (ask(2, Redeem::Points(30), "계산대:1"), Refusal::KeyUsed { key: "계산대:1".into() }),
            (ask(1, Redeem::Points(61), "till:3"), Refusal::NotEnough { asked: 61, active: 60 }),
            (ask(1, Redeem::Points(0), "till:3"), Refusal::NoPoints { points: 0 }),
            (ask(1, Redeem::Points(i64::MIN), "till:3"), Refusal::NoPoints { points: i64::MIN }),
            (ask(1, Redeem::Points(1), " "), Refusal::BadKey),
            (
                ask(1, Redeem::Coupon("X".into()), "till:3"),
                Refusal::WrongKind { reward: "bonus".into(), kind: "points".into() },
            ),
            (
                Redemption { reward: "🌹".into(), ..ask(1, Redeem::Points(1), "till:3") },
                Refusal::UnknownReward { reward: "🌹".into() },
            ),
        ] {
            assert_eq!(redeem(&shop, &wrong).await, Err(why));
        }
        assert_eq!(shop.account(1, "bonus").await, [0, 60, 40, 0, 0]);
        type Row = (i64, i64, String, String);
        let events: Vec<Row> = shop
            .db
            .all("SELECT customer_id, value, currency, data FROM event WHERE kind = 'redemption' ORDER BY id", args![])
            .await
            .unwrap();
        let data = |n: i64| format!("{{\"reward\":\"bonus\",\"points\":{n}}}");
        assert_eq!(events, [(1, 60, "KRW".into(), data(30)), (1, 20, "KRW".into(), data(10))]);
        assert_eq!(reward::redemptions(&mut &shop.db, "bonus").await.unwrap(), (2, 80));
        shop.audit().await;
    });
}

#[test]
fn what_has_expired_cannot_be_used_though_nobody_has_swept_it_up() {
    on_both(async |t| {
        let shop = Shop::new(&t, 1).await;
        let bonus = shop.live("bonus", BONUS, day(-200)).await;
        shop.grant(&[points(1, 100, "old", None)], &bonus, day(-100)).await;
        shop.grant(&[points(1, 20, "new", None)], &bonus, day(0)).await;
        let refused = redeem(&shop, &ask(1, Redeem::Points(21), "till:1")).await;
        assert_eq!(refused, Err(Refusal::NotEnough { asked: 21, active: 20 }));
        assert_eq!(shop.account(1, "bonus").await, [0, 120, 0, 0, 0], "a refusal changes nothing");
        redeem(&shop, &ask(1, Redeem::Points(20), "till:1")).await.unwrap();
        assert_eq!(shop.account(1, "bonus").await, [0, 0, 20, 100, 0]);
        shop.audit().await;
    });
}

#[test]
fn pending_points_cannot_be_used() {
    on_both(async |t| {
        let shop = Shop::new(&t, 1).await;
        let bonus = shop.live("bonus", BONUS, day(0)).await;
        shop.mail(1, 1, "queued").await;
        shop.grant(&[points(1, 100, "a", Some(1))], &bonus, day(0)).await;
        let refused = redeem(&shop, &ask(1, Redeem::Points(1), "till:1")).await;
        assert_eq!(refused, Err(Refusal::NotEnough { asked: 1, active: 0 }));
        shop.settle(&[1], &[], day(0)).await;
        assert!(redeem(&shop, &ask(1, Redeem::Points(1), "till:1")).await.is_ok(), "a key that was refused is free");
        shop.audit().await;
    });
}
