//! Codes: from a pool or made, each given to one and used by them once.

use super::redemption::redeem;
use super::{COUPON, Shop, day, given};
use crate::support::on_both;
use dangol::reward::{self, Grant, Granted, No, Redeem, Redemption, Refusal};
use std::collections::BTreeSet;

fn coupon(customer: i64, period: &str, message: Option<i64>) -> Grant {
    Grant { customer, rule: "comeback/coupon".into(), period: period.into(), message, ..Grant::default() }
}

fn ask(customer: i64, code: &str, key: &str) -> Redemption {
    Redemption {
        customer,
        reward: "five".into(),
        what: Redeem::Coupon(code.into()),
        key: key.into(),
        at: day(1),
        source: "api",
        batch: None,
    }
}

#[test]
fn a_pool_gives_each_code_once_and_takes_it_back_from_a_mail_that_fell_through() {
    on_both(async |t| {
        let shop = Shop::new(&t, 4).await;
        let five = shop.live("five", &format!("{COUPON}expires = \"30d\"\n"), day(0)).await;
        let text = "\u{feff}AAA-1\nBBB-2\n\n AAA-1 \nhas space\n";
        let added = reward::add_codes(&shop.db, "five", text, day(0)).await.unwrap();
        assert_eq!(
            (added.added, added.duplicates, added.refused),
            (2, vec!["AAA-1".into()], vec![(5, "has space".into())])
        );
        let again = reward::add_codes(&shop.db, "five", "BBB-2\n", day(0)).await.unwrap();
        assert_eq!((again.added, again.duplicates.len()), (0, 1));

        shop.mail(1, 1, "queued").await;
        let grants = [coupon(1, "p", Some(1)), coupon(2, "p", None), coupon(3, "p", None)];
        let granted = shop.grant(&grants, &five, day(0)).await;
        assert_eq!(given(&granted[0]).coupon.as_deref(), Some("AAA-1"));
        assert_eq!((given(&granted[1]).coupon.as_deref(), given(&granted[1]).cost), (Some("BBB-2"), 5_000));
        assert_eq!(granted[2], Granted::No(No::NoCoupon));
        shop.audit().await;
        shop.settle(&[], &[1], day(0)).await;
        shop.audit().await;
        let next = shop.grant(&[coupon(1, "p", None), coupon(3, "p", None)], &five, day(0)).await;
        assert!(matches!(&next[0], Granted::Already(yes) if yes.points == 0 && yes.coupon.is_none()), "{next:?}");
        assert_eq!(given(&next[1]).coupon.as_deref(), Some("AAA-1"));

        for (customer, code, why) in [
            (1, "AAA-1", Refusal::OthersCode { code: "AAA-1".into() }),
            (1, "ZZZ", Refusal::UnknownCode { code: "ZZZ".into() }),
        ] {
            assert_eq!(redeem(&shop, &ask(customer, code, "k1")).await, Err(why));
        }
        assert_eq!(redeem(&shop, &ask(3, " AAA-1 ", "k1")).await.unwrap().cost, 5_000);
        assert!(redeem(&shop, &ask(3, "AAA-1", "k1")).await.unwrap().again);
        assert_eq!(redeem(&shop, &ask(3, "AAA-1", "k2")).await, Err(Refusal::Used { code: "AAA-1".into() }));
        shop.upkeep(day(31)).await;
        assert_eq!(redeem(&shop, &ask(2, "BBB-2", "k3")).await, Err(Refusal::Expired { code: "BBB-2".into() }));
        shop.audit().await;
    });
}

#[test]
fn codes_are_made_to_a_pattern_and_unlike_each_other() {
    on_both(async |t| {
        let shop = Shop::new(&t, 40).await;
        let text = "kind = \"coupon\"\nvalue = \"10%\"\ncost = \"3000 KRW\"\ncodes = \"HARU-########\"\n";
        let made = shop.live("five", text, day(0)).await;
        let grants: Vec<Grant> = (1..=40).map(|id| coupon(id, "p", None)).collect();
        let granted = shop.grant(&grants, &made, day(0)).await;
        let codes: BTreeSet<String> = granted.iter().map(|g| given(g).coupon.clone().unwrap()).collect();
        assert_eq!(codes.len(), 40);
        assert!(codes.iter().all(|code| code.starts_with("HARU-") && code.len() == 13));
        assert_eq!(shop.budget("five", "all").await, 120_000);
        shop.audit().await;
    });
}

#[test]
fn a_code_that_comes_back_was_read_whatever_became_of_its_mail() {
    on_both(async |t| {
        let shop = Shop::new(&t, 1).await;
        let five = shop.live("five", COUPON, day(0)).await;
        reward::add_codes(&shop.db, "five", "AAA-1", day(0)).await.unwrap();
        shop.mail(1, 1, "unknown").await;
        shop.grant(&[coupon(1, "p", Some(1))], &five, day(0)).await;
        assert_eq!(shop.account(1, "five").await, [1, 0, 0, 0, 0]);
        redeem(&shop, &ask(1, "AAA-1", "k1")).await.unwrap();
        shop.settle(&[], &[1], day(2)).await;
        assert_eq!(shop.account(1, "five").await, [0, 0, 1, 0, 0]);
        shop.audit().await;
    });
}
