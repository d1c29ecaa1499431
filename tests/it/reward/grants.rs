//! Granting and settling: once, within budget and ceiling, with the mail.

use super::{DAY, NOON, PETALS, Shop, at, day, define, given, points};
use crate::support::on_both;
use dangol::args;
use dangol::reward::{self, Grant, Granted, No};
use dangol::types::Currency;

const BONUS: &str = "kind = \"points\"\nunit = \"2 KRW\"\nexpires = \"3mo\"\n";

#[test]
fn a_grant_with_a_mail_is_pending_until_the_mail_is_accepted() {
    on_both(async |t| {
        let shop = Shop::new(&t, 3).await;
        let petals = define("petals", PETALS);
        for id in 1..=3 {
            shop.mail(id, id, "queued").await;
        }
        let grants: Vec<Grant> = (1..=3).map(|id| points(id, 500, "pass:1", Some(id))).collect();
        let granted = shop.grant(&grants, &petals, day(0)).await;
        assert_eq!((given(&granted[0]).points, given(&granted[0]).cost), (500, 500));
        assert_eq!(given(&granted[0]).expires_at, Some("2029-03-01T03:00:00Z".parse().unwrap()), "on the calendar");
        assert_eq!(shop.account(1, "petals").await, [500, 0, 0, 0, 0]);

        assert_eq!(shop.settle(&[1], &[2], day(0)).await, reward::Settled { activated: 1, reversed: 1 });
        assert_eq!(shop.settle(&[1], &[2], day(0)).await, reward::Settled::default(), "again: nothing");
        assert_eq!(shop.settle(&[77], &[78], day(0)).await, reward::Settled::default(), "mails without a reward");
        assert_eq!(shop.account(1, "petals").await, [0, 500, 0, 0, 0]);
        assert_eq!(shop.account(2, "petals").await, [0, 0, 0, 0, 500]);
        assert_eq!(shop.account(3, "petals").await, [500, 0, 0, 0, 0]);
        assert_eq!(shop.budget("petals", "all").await, 1_000);

        // accepted, and bounced afterwards
        shop.settle(&[], &[1], day(1)).await;
        assert_eq!(shop.account(1, "petals").await, [0, 0, 0, 0, 500]);
        let of = reward::of_messages(&mut &shop.db, &[1, 2, 3, 9]).await.unwrap();
        assert_eq!(of.keys().collect::<Vec<_>>(), [&3], "what was taken back is in no mail");
        assert_eq!((of[&3].points, of[&3].reward.as_str()), (500, "petals"));
        shop.audit().await;
    });
}

#[test]
fn nobody_gets_the_same_twice() {
    on_both(async |t| {
        let shop = Shop::new(&t, 2).await;
        let bonus = define("bonus", BONUS);
        let both = [points(1, 10, "a", None), points(1, 10, "a", None), points(1, 10, "b", None)];
        let first = shop.grant(&both, &bonus, day(0)).await;
        assert!(matches!(first[..], [Granted::Yes(_), Granted::Already(_), Granted::Yes(_)]), "{first:?}");
        let again = shop.grant(&both, &bonus, day(1)).await;
        assert!(again.iter().all(|g| matches!(g, Granted::Already(yes) if yes.points == 10)), "{again:?}");
        // taken back is not granted anew
        assert_eq!(shop.account(1, "bonus").await, [0, 20, 0, 0, 0]);
        // a transaction that ends in nothing grants nothing
        let mut tx = shop.db.begin().await.unwrap();
        reward::grant(&mut tx, &[points(2, 10, "a", None)], &bonus, day(0)).await.unwrap();
        drop(tx);
        assert_eq!(shop.account(2, "bonus").await, [0; 5]);
        assert_eq!(shop.budget("bonus", "all").await, 40);
        shop.audit().await;
    });
}

#[test]
fn who_comes_first_gets_it_when_the_budget_is_short() {
    on_both(async |t| {
        let shop = Shop::new(&t, 5).await;
        let bonus = define("bonus", &format!("{BONUS}budget = \"100 KRW per month\"\n"));
        let wanted = [(3, 20), (1, 20), (2, 30), (4, 10), (5, 1)];
        let grants: Vec<Grant> = wanted.iter().map(|(id, n)| points(*id, *n, "p", Some(*id))).collect();
        let granted = shop.grant(&grants, &bonus, day(0)).await;
        let got: Vec<bool> = granted.iter().map(|g| matches!(g, Granted::Yes(_))).collect();
        assert_eq!(got, [true, true, false, true, false], "{granted:?}");
        assert_eq!(granted[2], Granted::No(No::Budget));
        assert_eq!(shop.budget("bonus", "2027-03").await, 100);

        // what falls through is there for others, in the month that it was taken from
        shop.settle(&[], &[3], day(0)).await;
        assert_eq!(shop.budget("bonus", "2027-03").await, 60);
        assert!(matches!(shop.grant(&[points(5, 20, "p", None)], &bonus, day(1)).await[0], Granted::Yes(_)));
        assert_eq!(shop.grant(&[points(2, 1, "p", None)], &bonus, day(1)).await, [Granted::No(No::Budget)]);
        // 1 April on the site's calendar, still March in Greenwich
        let april = "2027-03-31T15:00:00Z".parse().unwrap();
        assert!(matches!(shop.grant(&[points(2, 50, "p", None)], &bonus, april).await[0], Granted::Yes(_)));
        shop.settle(&[], &[1], april).await;
        assert_eq!((shop.budget("bonus", "2027-03").await, shop.budget("bonus", "2027-04").await), (60, 100));
        shop.audit().await;
    });
}

#[test]
fn nobody_gets_more_than_their_share_of_what_they_bring() {
    on_both(async |t| {
        let shop = Shop::new(&t, 3).await;
        let bonus = define("bonus", &format!("{BONUS}ceiling = \"30% of margin\"\n"));
        let krw = Currency::KRW;
        shop.order_of("a", 1, day(-30), 10_000, krw, Some(2_000)).await;
        shop.order_of("old", 1, day(-400), 90_000, krw, Some(90_000)).await;
        shop.order_of("b", 1, day(-20), 10_000, krw, Some(2_000)).await;
        shop.order_of("dollars", 1, day(-20), 10_000, Currency::USD, Some(9_000)).await;
        shop.correct("b", day(-19), |order| order.refunded = 5_000).await;
        shop.order_of("c", 2, day(-20), 10_000, krw, None).await;
        // 30% of 2,000 + 1,000 is 900; a point costs 2
        let ask = |n: i64, period: &str| points(1, n, period, None);
        assert_eq!(shop.grant(&[ask(451, "p")], &bonus, day(0)).await, [Granted::No(No::Ceiling)]);
        let granted = shop.grant(&[ask(400, "p"), ask(51, "q"), ask(50, "r")], &bonus, day(0)).await;
        assert!(matches!(granted[..], [Granted::Yes(_), Granted::No(No::Ceiling), Granted::Yes(_)]), "{granted:?}");
        let unknown = shop.grant(&[points(2, 1, "p", None), points(3, 1, "p", None)], &bonus, day(0)).await;
        assert_eq!(unknown, [Granted::No(No::Ceiling), Granted::No(No::Ceiling)], "no margins, no reward");
        shop.audit().await;
    });
}

#[test]
fn what_makes_no_sense_is_refused() {
    on_both(async |t| {
        let shop = Shop::new(&t, 1).await;
        let bonus = define("bonus", BONUS);
        let perk = define("early", "kind = \"perk\"\ntitle = { ko = \"먼저 보기\", en = \"Early access\" }\n");
        let none = |n: Option<i64>| Grant { points: n, ..points(1, 1, "p", None) };
        for (reward, n) in [(&bonus, None), (&bonus, Some(0)), (&bonus, Some(-5)), (&perk, Some(1))] {
            let mut tx = shop.db.begin().await.unwrap();
            assert!(reward::grant(&mut tx, &[none(n)], reward, day(0)).await.is_err(), "{n:?}");
        }
        assert_eq!(shop.grant(&[points(99, 5, "p", None)], &bonus, day(0)).await, [Granted::No(No::NoCustomer)]);
        shop.db.execute("UPDATE customer SET erased_at = 1 WHERE id = 1", args![]).await.unwrap();
        assert_eq!(shop.grant(&[none(None)], &perk, day(0)).await, [Granted::No(No::NoCustomer)]);
        assert_eq!(shop.grant(&[], &bonus, day(0)).await, []);
        shop.audit().await;
    });
}

#[test]
fn points_expire_what_expires_first_is_spent_first() {
    on_both(async |t| {
        let shop = Shop::new(&t, 1).await;
        let bonus = shop.live("bonus", BONUS, day(0)).await;
        shop.grant(&[points(1, 100, "a", None)], &bonus, day(0)).await;
        shop.grant(&[points(1, 100, "b", None)], &bonus, day(10)).await;
        let ends = at(NOON + 92 * DAY);
        let live = reward::live(&mut &shop.db, &shop.settings).await.unwrap();
        let soon = reward::balances(&mut &shop.db, &[1], &live, day(20)).await.unwrap();
        assert_eq!((soon[&1]["bonus"].active, soon[&1]["bonus"].soonest), (200, Some((ends, 100))));

        assert_eq!(shop.upkeep(at(ends.as_millisecond() - 1)).await.expired, 0);
        assert_eq!(shop.upkeep(ends).await.expired, 1);
        assert_eq!(shop.upkeep(ends).await.expired, 0);
        assert_eq!(shop.account(1, "bonus").await, [0, 100, 0, 100, 0]);
        let liability = reward::liability(&mut &shop.db, "bonus").await.unwrap();
        assert_eq!((liability.active, liability.active_points), (200, 100));
        let sum = reward::granted(&mut &shop.db, "thank-regulars/").await.unwrap();
        assert_eq!((sum.count, sum.points, sum.cost, sum.expired), (2, 200, 400, 100));
        assert_eq!(reward::granted(&mut &shop.db, "thank-regulars0").await.unwrap().count, 0);
        shop.audit().await;
    });
}

#[test]
fn grants_of_mails_that_others_ended_are_settled_all_the_same() {
    on_both(async |t| {
        let shop = Shop::new(&t, 4).await;
        let bonus = shop.live("bonus", BONUS, day(0)).await;
        for (id, state) in [(1, "skipped"), (2, "accepted"), (3, "unknown"), (4, "queued")] {
            shop.mail(id, id, state).await;
        }
        let grants: Vec<Grant> = (1..=4).map(|id| points(id, 10, "p", Some(id))).collect();
        shop.grant(&grants, &bonus, day(0)).await;
        assert_eq!(shop.upkeep(day(0)).await.settled, 2);
        assert_eq!(shop.account(1, "bonus").await, [0, 0, 0, 0, 10]);
        assert_eq!(shop.account(2, "bonus").await, [0, 10, 0, 0, 0]);
        assert_eq!(shop.account(3, "bonus").await, [10, 0, 0, 0, 0]);
        assert_eq!(shop.account(4, "bonus").await, [10, 0, 0, 0, 0]);
        shop.audit().await;
    });
}

#[test]
fn many_at_once_do_not_overrun_a_budget_together() {
    on_both(async |t| {
        let shop = std::sync::Arc::new(Shop::new(&t, 40).await);
        let bonus = define("bonus", &format!("{BONUS}budget = \"100 KRW\"\n"));
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let (shop, bonus) = (shop.clone(), bonus.clone());
                tokio::spawn(async move {
                    let mut yes = 0;
                    for n in 1..=5 {
                        // 6 KRW each: sixteen have room
                        let granted = shop.grant(&[points(task * 5 + n, 3, "p", None)], &bonus, day(0)).await;
                        yes += usize::from(matches!(granted[0], Granted::Yes(_)));
                    }
                    yes
                })
            })
            .collect();
        let mut yes = 0;
        for task in tasks {
            yes += task.await.unwrap();
        }
        assert_eq!((yes, shop.budget("bonus", "all").await), (16, 96));
        shop.audit().await;
    });
}

#[test]
fn the_same_grant_from_many_at_once_is_made_once() {
    on_both(async |t| {
        let shop = std::sync::Arc::new(Shop::new(&t, 1).await);
        let bonus = define("bonus", BONUS);
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (shop, bonus) = (shop.clone(), bonus.clone());
                tokio::spawn(async move { shop.grant(&[points(1, 10, "p", None)], &bonus, day(0)).await.remove(0) })
            })
            .collect();
        let mut yes = 0;
        for task in tasks {
            yes += usize::from(matches!(task.await.unwrap(), Granted::Yes(_)));
        }
        assert_eq!((yes, shop.account(1, "bonus").await), (1, [0, 10, 0, 0, 0]));
        shop.audit().await;
    });
}
