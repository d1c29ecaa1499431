//! What orders earn: pending, confirmed, reversed; no point twice, whatever comes again.

use super::{PETALS, Shop, day};
use crate::support::on_both;
use dangol::args;
use dangol::event::purchase::Status;
use dangol::reward::{self, Redeem, Redemption};
use dangol::types::Currency;

const TIERS: &str = "kind = \"points\"\nearn = \"1%\"\nunit = \"1 KRW\"\n[[tier]]\nname = \"Bud\"\nfrom = 0\n[[tier]]\nname = \"Rose\"\nfrom = 1000\nearn = \"2%\"\n";

#[test]
fn an_order_earns_pending_points_which_are_confirmed_and_reversed_by_a_refund() {
    on_both(async |t| {
        let shop = Shop::new(&t, 2).await;
        shop.order("before", 1, day(-1), 50_000).await;
        shop.live("petals", PETALS, day(0)).await;
        shop.order("a", 1, day(1), 12_345).await;
        shop.order("b", 1, day(2), 20_000).await;
        assert_eq!(shop.catch_up(day(2)).await.moved, 2);
        assert_eq!(shop.account(1, "petals").await, [323, 0, 0, 0, 0], "1% of each, rounded down; not of the first");

        shop.correct("a", day(3), |order| order.status = Status::Confirmed).await;
        shop.correct("b", day(3), |order| order.refunded = 5_000).await;
        shop.catch_up(day(3)).await;
        assert_eq!(shop.account(1, "petals").await, [150, 123, 0, 0, 50]);
        assert_eq!(shop.budget("petals", "all").await, 273);
        // fourteen days make an order sure, if nothing is said
        assert_eq!(shop.upkeep(day(15)).await.confirmed, 0);
        assert_eq!(shop.upkeep(day(16)).await.confirmed, 1);
        assert_eq!(shop.account(1, "petals").await, [0, 273, 0, 0, 50]);
        shop.correct("a", day(20), |order| order.status = Status::Returned).await;
        shop.correct("b", day(20), |order| order.refunded = 0).await;
        shop.catch_up(day(20)).await;
        assert_eq!(shop.account(1, "petals").await, [0, 200, 0, 0, 173]);
        shop.audit().await;
    });
}

#[test]
fn reading_the_log_again_gives_nothing_again() {
    on_both(async |t| {
        let shop = Shop::new(&t, 3).await;
        shop.live("petals", PETALS, day(0)).await;
        for n in 0..7 {
            shop.order(&format!("n{n}"), 1 + n % 3, day(1), 10_000 + n).await;
        }
        shop.correct("n1", day(2), |order| order.status = Status::Cancelled).await;
        shop.catch_up(day(2)).await;
        let before =
            [shop.account(1, "petals").await, shop.account(2, "petals").await, shop.account(3, "petals").await];
        for _ in 0..2 {
            shop.db.execute("UPDATE cursor SET position = 0 WHERE name = 'reward'", args![]).await.unwrap();
            assert_eq!(shop.catch_up(day(3)).await.moved, 0);
        }
        let after = [shop.account(1, "petals").await, shop.account(2, "petals").await, shop.account(3, "petals").await];
        assert_eq!((before, shop.catch_up(day(3)).await.events), (after, 0));
        shop.audit().await;
    });
}

#[test]
fn an_order_that_turns_out_anothers_moves_its_points() {
    on_both(async |t| {
        let shop = Shop::new(&t, 2).await;
        shop.live("petals", PETALS, day(0)).await;
        shop.order("a", 1, day(1), 10_000).await;
        shop.catch_up(day(1)).await;
        for (customer, one, two) in
            [(2, [0, 0, 0, 0, 100], [100, 0, 0, 0, 0]), (1, [100, 0, 0, 0, 100], [0, 0, 0, 0, 100])]
        {
            shop.correct("a", day(2), |order| order.customer = customer).await;
            shop.catch_up(day(2)).await;
            assert_eq!((shop.account(1, "petals").await, shop.account(2, "petals").await), (one, two));
            shop.audit().await;
        }
        // and is gone altogether, as when an import is taken back
        shop.correct("a", day(2), |_| {}).await;
        shop.db.execute("DELETE FROM purchase", args![]).await.unwrap();
        shop.catch_up(day(3)).await;
        assert_eq!(shop.account(1, "petals").await, [0, 0, 0, 0, 200]);
        shop.audit().await;
    });
}

#[test]
fn points_spent_and_then_taken_back_are_a_debt_that_later_points_fill() {
    on_both(async |t| {
        let shop = Shop::new(&t, 1).await;
        shop.live("petals", PETALS, day(0)).await;
        shop.order("a", 1, day(1), 10_000).await;
        shop.correct("a", day(1), |order| order.status = Status::Confirmed).await;
        shop.catch_up(day(1)).await;
        let ask = |points: i64, key: &str| Redemption {
            customer: 1,
            reward: "petals".into(),
            what: Redeem::Points(points),
            key: key.into(),
            at: day(2),
            source: "api",
            batch: None,
        };
        let mut tx = shop.db.begin().await.unwrap();
        assert_eq!(reward::redeem(&mut tx, &ask(80, "till:1"), day(2)).await.unwrap().balance, 20);
        tx.commit().await.unwrap();

        shop.correct("a", day(3), |order| order.status = Status::Returned).await;
        shop.catch_up(day(3)).await;
        assert_eq!(shop.account(1, "petals").await, [0, -80, 80, 0, 100]);
        shop.audit().await;
        for (key, amount, left) in [("b", 5_000, -30), ("c", 10_000, 70)] {
            shop.order(key, 1, day(4), amount).await;
            shop.correct(key, day(4), |order| order.status = Status::Confirmed).await;
            shop.catch_up(day(4)).await;
            assert_eq!(shop.account(1, "petals").await, [0, left, 80, 0, 100]);
            shop.audit().await;
        }
        let mut tx = shop.db.begin().await.unwrap();
        assert!(reward::redeem(&mut tx, &ask(71, "till:2"), day(4)).await.is_err());
        drop(tx);
        shop.audit().await;
    });
}

#[test]
fn a_tier_earns_more_and_does_not_reach_back() {
    on_both(async |t| {
        let shop = Shop::new(&t, 1).await;
        shop.live("petals", TIERS, day(0)).await;
        let confirmed = async |key: &str, at, amount: i64| {
            shop.order(key, 1, at, amount).await;
            shop.correct(key, at, |order| order.status = Status::Confirmed).await;
            shop.catch_up(at).await;
            shop.account(1, "petals").await[1]
        };
        assert_eq!(confirmed("a", day(1), 90_000).await, 900);
        assert_eq!(confirmed("b", day(2), 10_000).await, 1_000);
        assert_eq!(confirmed("c", day(3), 10_000).await, 1_200, "a Rose earns 2%");
        shop.correct("a", day(4), |order| order.amount = 100_000).await;
        shop.catch_up(day(4)).await;
        assert_eq!(shop.account(1, "petals").await[1], 1_300, "the first order earns as it did");
        let live = reward::live(&mut &shop.db, &shop.settings).await.unwrap();
        let tier = async |now| {
            let all = reward::balances(&mut &shop.db, &[1], &live, now).await.unwrap();
            all[&1]["petals"].tier.clone()
        };
        assert_eq!(tier(day(5)).await.as_deref(), Some("Rose"));
        assert_eq!(tier(day(400)).await.as_deref(), Some("Bud"));
        shop.audit().await;
    });
}

#[test]
fn other_currencies_earn_nothing_and_a_budget_holds_for_orders_too() {
    on_both(async |t| {
        let shop = Shop::new(&t, 2).await;
        shop.live("petals", &format!("{PETALS}budget = \"250 KRW per month\"\n"), day(0)).await;
        shop.order_of("usd", 1, day(1), 10_000, Currency::USD, None).await;
        shop.order("a", 1, day(1), 20_000).await;
        shop.order("b", 2, day(1), 10_000).await;
        shop.order("c", 2, day(1), 4_000).await;
        shop.order("refund", 2, day(1), -4_000).await;
        shop.order("huge", 2, day(1), i64::MAX / 4).await;
        let progress = shop.catch_up(day(1)).await;
        assert_eq!((progress.moved, progress.foreign, progress.refused), (2, 1, 2));
        assert_eq!(shop.account(2, "petals").await, [40, 0, 0, 0, 0]);
        assert_eq!(shop.budget("petals", "2027-03").await, 240);
        shop.audit().await;
    });
}
