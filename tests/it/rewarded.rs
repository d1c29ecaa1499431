//! The loyalty reward by itself: somebody becomes a regular, is thanked once within a budget, and the ledger balances.

use crate::support::on_both;
use crate::world::{World, take};

use dangol::import::Kind;
use dangol::{args, report, reward};

const REWARD: &str = "kind = \"points\"\nunit = \"1 KRW\"\nbudget = \"1000 KRW\"\n";
const CAMPAIGN: &str = "topic = \"newsletter\"\nsender = \"hello\"\nholdout = \"0%\"\n[trigger]\nenters = \"regulars\"\n\
                        [goal]\nevent = \"order\"\nwithin = \"30d\"\n\
                        [[step]]\nid = \"thanks\"\nsend = \"loyalty/thanks\"\nreward = { grant = \"petals\", points = 500 }\n\
                        [[step]]\nid = \"remind\"\nwait = \"14d\"\nwhen = \"reward_unused('petals')\"\nsend = \"loyalty/reminder\"\n";

async fn shop(t: &crate::support::TestDb, customers: usize) -> World {
    let world = World::new(t, take).await;
    let world = world.file(t, "rewards/petals.toml", REWARD).await;
    let world = world.file(t, "segments/regulars.toml", "where = \"count('order') >= 3\"\n").await;
    let world = world.file(t, "campaigns/thank-regulars.toml", CAMPAIGN).await;
    world.customers(&crate::world::people(customers)).await;
    world
}

/// `n` orders of each of these customers, a day apart, the last one yesterday.
async fn orders(world: &World, customers: &[usize], n: usize, tag: &str) {
    let mut csv = String::from("customer,order_id,at,amount\n");
    for c in customers {
        for i in 0..n {
            let at = world.now().checked_sub(jiff::SignedDuration::from_hours(24 * (n - i) as i64)).unwrap();
            csv += &format!("c{c},{tag}-{c}-{i},{at},10000\n");
        }
    }
    let report = world.import(Kind::Orders, &csv, None).await;
    assert_eq!(report.rejected, 0, "{report:?}");
}

#[test]
fn whoever_becomes_a_regular_is_thanked_once_and_reminded_when_nothing_was_used() {
    on_both(|t| async move {
        let world = shop(&t, 4).await;
        orders(&world, &[1], 3, "old").await;
        world.run().await;
        world.launch("thank-regulars").await;
        world.run().await;
        assert!(world.received().is_empty(), "who is a regular already did not become one");
        orders(&world, &[2, 3], 3, "new").await;
        world.run().await;
        let got: Vec<String> = world.received().into_iter().map(|(address, _)| address).collect();
        assert_eq!(got, ["reader2@example.com", "reader3@example.com"]);
        let (lines, balance) = reward::entries(&mut &world.app.db, 2, "petals").await.unwrap();
        assert_eq!((balance.granted, balance.active, balance.pending), (500, 500, 0), "{lines:?}");
        // again and again: nothing more
        world.run().await;
        world.launch("thank-regulars").await;
        world.run().await;
        assert_eq!(world.received().len(), 2);
        // the budget is used up: the next one is refused, and gets no mail that promises it
        orders(&world, &[4], 3, "late").await;
        world.run().await;
        assert_eq!(world.received().len(), 2);
        let why = report::why::why(&world.app.db, &world.app.settings(), 4, None, world.now()).await.unwrap();
        assert_eq!(why.messages[0].reason.as_deref(), Some("reward: budget"));
        // two weeks later, one has spent something
        let mut tx = world.app.db.begin().await.unwrap();
        let ask = reward::Redemption {
            customer: 3,
            reward: "petals".into(),
            what: reward::Redeem::Points(100),
            key: "till-1".into(),
            at: world.now(),
            source: "api",
            batch: None,
        };
        reward::redeem(&mut tx, &ask, world.now()).await.unwrap();
        tx.commit().await.unwrap();
        world.later("14d");
        world.run().await;
        let got = world.received();
        assert_eq!(got[0], ("reader2@example.com".to_owned(), 2), "{got:?}");
        assert_eq!(got[1], ("reader3@example.com".to_owned(), 1), "{got:?}");
        let report = world.report("thank-regulars").await;
        assert_eq!(report.passes.get("done"), Some(&3), "{report:?}");
        let rewards = report.rewards.unwrap();
        assert_eq!((rewards.grants, rewards.points, rewards.spent), (2, 1_000, 100));
    });
}

#[test]
fn a_grant_falls_with_its_mail_and_the_budget_has_it_again() {
    on_both(|t| async move {
        let world = shop(&t, 2).await;
        world.launch("thank-regulars").await;
        world.run().await;
        orders(&world, &[1, 2], 3, "new").await;
        // both are granted and queued, and one withdraws before the mail goes
        let settings = world.app.settings();
        dangol::relationship::catch_up(&world.app.db, &settings, world.now()).await.unwrap();
        reward::catch_up(&world.app.db, &settings, world.now()).await.unwrap();
        let which = dangol::campaign::journey::Which::Running;
        let db = &world.app.db;
        while dangol::campaign::journey::tick(db, &world.app.cache, &settings, 9, which, world.now())
            .await
            .unwrap()
            .slices
            > 0
        {}
        let mut tx = db.begin().await.unwrap();
        dangol::permission::withdraw(&mut tx, 1, &["newsletter"], "test", world.now(), world.now()).await.unwrap();
        tx.commit().await.unwrap();
        world.run().await;
        assert_eq!(world.received().len(), 1);
        let (_, one) = reward::entries(&mut &world.app.db, 1, "petals").await.unwrap();
        let (_, two) = reward::entries(&mut &world.app.db, 2, "petals").await.unwrap();
        assert_eq!((one.granted, one.reversed, one.active), (500, 500, 0));
        assert_eq!((two.granted, two.reversed, two.active), (500, 0, 500));
        let (used,): (i64,) =
            db.clone().one("SELECT used FROM reward_budget WHERE reward = 'petals'", args![]).await.unwrap();
        assert_eq!(used, 500);
    });
}

#[test]
fn a_live_reward_that_went_bad_stops_no_campaign_and_live_rewards_keep_their_currency() {
    on_both(|t| async move {
        let world = shop(&t, 3).await;
        world.launch("thank-regulars").await;
        world.run().await;
        let file = world.dir.join("dangol.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("\"KRW\""));
        std::fs::write(&file, text.replace("\"KRW\"", "\"USD\"")).unwrap();
        let why = world.app.reload().await.unwrap_err().to_string();
        assert!(why.contains("from KRW to USD") && why.contains("petals") && why.contains("back"), "{why}");
        assert_eq!(world.app.settings().site.currency.code(), "KRW");
        std::fs::write(&file, text).unwrap();
        world.app.reload().await.unwrap();

        world.app.db.execute("UPDATE reward SET definition = 'kind = 7'", args![]).await.unwrap();
        orders(&world, &[1], 1, "bad").await;
        world.launch("spring").await;
        world.run().await;
        assert_eq!(world.received().len(), 3, "the other campaign goes out");
    });
}
