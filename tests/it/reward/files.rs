//! What is live: launched, kept, and never what merely stands in a file.

use super::{PETALS, Shop, day, settings};
use crate::support::on_both;
use dangol::args;
use dangol::reward::{self, Reward};
use dangol::types::Currency;

#[test]
fn a_reward_is_live_as_it_was_launched() {
    on_both(async |t| {
        let shop = Shop::new(&t, 1).await;
        shop.live("petals", PETALS, day(0)).await;
        let put = async |toml: &str, now| {
            let mut tx = shop.db.begin().await.unwrap();
            let changed = reward::put_live(&mut tx, "petals", toml, &shop.settings, now).await;
            tx.commit().await.unwrap();
            changed
        };
        assert!(!put(PETALS, day(3)).await.unwrap());
        let other = PETALS.replace("1%", "3%");
        assert!(put(&other, day(5)).await.unwrap());
        let live = reward::live(&mut &shop.db, &shop.settings).await.unwrap();
        assert_eq!((live.len(), live[0].since, live[0].reward.earn), (1, day(0), Some(30_000)));
        let why = put("kind = \"perk\"\n", day(6)).await.unwrap_err().to_string();
        assert!(why.contains("points") && why.contains("another name"), "{why}");
        let why = put("kind = \"points\"\n", day(6)).await.unwrap_err().to_string();
        assert!(why.contains("unit"), "{why}");
    });
}

#[test]
fn a_launch_does_not_miss_the_orders_of_that_moment() {
    on_both(async |t| {
        let shop = Shop::new(&t, 1).await;
        shop.order("early", 1, day(-1), 10_000).await;
        shop.order("same", 1, day(1), 10_000).await;
        shop.catch_up(day(1)).await;
        // the reader has passed both when the launch of the same day is written
        shop.live("petals", PETALS, day(1)).await;
        shop.catch_up(day(1)).await;
        assert_eq!(shop.account(1, "petals").await, [100, 0, 0, 0, 0]);
        let (n,): (i64,) = shop.db.one("SELECT count(*) FROM reward_entry", args![]).await.unwrap();
        assert_eq!(n, 1);
    });
}

#[test]
fn the_title_is_in_the_readers_language() {
    let text = "kind = \"perk\"\ntitle = { ko = \"먼저 보기\", en = \"Early access\" }\n";
    let perk = Reward::read("early", text, &settings()).unwrap();
    assert_eq!(perk.title(None), "먼저 보기");
    assert_eq!(perk.title(Some(&"en-US".parse().unwrap())), "Early access");
    assert_eq!(Reward::read("early", "kind = \"perk\"\n", &settings()).unwrap().title(None), "early");
}

#[test]
fn a_live_definition_that_went_bad_stops_no_other_and_loses_no_order() {
    on_both(async |t| {
        let mut shop = Shop::new(&t, 1).await;
        shop.live("petals", PETALS, day(0)).await;
        shop.live("early", "kind = \"perk\"\n", day(0)).await;
        shop.settings.site.currency = Currency::USD;
        let names = async |shop: &Shop| {
            let live = reward::live(&mut &shop.db, &shop.settings).await.unwrap();
            live.into_iter().map(|live| live.reward.name).collect::<Vec<String>>()
        };
        assert_eq!(names(&shop).await, ["early"]);
        let bad = reward::unusable(&mut &shop.db, &shop.settings).await.unwrap();
        assert!(bad.len() == 1 && bad[0].0 == "petals" && bad[0].1.contains("KRW"), "{bad:?}");
        let others = async |currency| reward::not_in(&mut &shop.db, currency).await.unwrap();
        assert_eq!(others(Currency::USD).await, ["early", "petals"]);
        assert!(others(Currency::KRW).await.is_empty());
        shop.order("a", 1, day(1), 10_000).await;
        shop.catch_up(day(1)).await;
        reward::upkeep(&shop.db, &shop.settings, day(1)).await.unwrap();
        assert_eq!(shop.account(1, "petals").await, [0, 0, 0, 0, 0]);
        // the order of the bad days earns when all is well again, and once
        shop.settings.site.currency = Currency::KRW;
        for _ in 0..2 {
            shop.catch_up(day(2)).await;
            assert_eq!(shop.account(1, "petals").await, [100, 0, 0, 0, 0]);
        }
        shop.audit().await;
    });
}
