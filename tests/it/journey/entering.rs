//! Coming into a segment, and leaving it.

use super::{THANKS, campaign, pairs, world};
use crate::support::on_both;
use dangol::args;
use dangol::campaign::LiveCache;
use dangol::campaign::journey::{self, Which};
use dangol::import::Kind;

#[test]
fn only_those_who_come_in_after_the_launch_get_it_within_one_turn() {
    on_both(async |t| {
        let world = campaign(world(&t, 4).await, &t, "thanks", THANKS).await;
        world.buy([1]).await;
        world.run().await;
        world.launch("thanks").await;
        world.run().await;
        assert!(world.got().is_empty(), "who is in it already has not come in");
        world.buy([2]).await;
        world.run().await; // no time has passed: the order alone brings them
        assert_eq!(world.got(), ["reader2 one"]);
        world.later("1d");
        world.buy([1, 2]).await;
        world.run().await;
        assert_eq!(world.got(), ["reader2 one"], "who stays in it does not come in again");
        // again, with all that was told before told once more
        world.launch("thanks").await;
        world.run().await;
        assert_eq!(world.got().len(), 1);
    });
}

#[test]
fn present_lets_in_whoever_is_there() {
    on_both(async |t| {
        let text = format!("{THANKS}present = true\n");
        let world = campaign(world(&t, 3).await, &t, "thanks", &text).await;
        world.buy([1, 3]).await;
        world.launch("thanks").await;
        world.run().await;
        assert_eq!(world.got(), ["reader1 one", "reader3 one"]);
        world.launch("thanks").await;
        world.later("1h");
        world.run().await;
        assert_eq!(world.got().len(), 2);
    });
}

#[test]
fn time_alone_brings_people_in_and_takes_them_out() {
    on_both(async |t| {
        let quiet = "where = \"days_since('order') > 10\"\n";
        let world = world(&t, 2).await.file(&t, "segments/quiet.toml", quiet).await;
        let enters = "holdout = \"0%\"\nsend = \"j/one\"\n[trigger]\nenters = \"quiet\"\n";
        let leaves = "holdout = \"0%\"\nsend = \"j/two\"\n[trigger]\nleaves = \"recent\"\n";
        let world = campaign(world, &t, "enters", enters).await;
        let world = campaign(world, &t, "leaves", leaves).await;
        world.launch("enters").await;
        world.launch("leaves").await;
        world.buy([1]).await;
        world.run().await;
        world.later("10d");
        world.run().await;
        assert!(world.got().is_empty());
        world.later("1d");
        world.run().await;
        assert_eq!(world.got(), ["reader1 one", "reader1 two"]);
        world.later("30d");
        world.run().await;
        assert_eq!(world.got().len(), 2);
    });
}

#[test]
fn who_comes_again_gets_it_again_when_the_file_says_so() {
    on_both(async |t| {
        let with = |more: &str| format!("holdout = \"0%\"\nsend = \"j/one\"\n[trigger]\nenters = \"recent\"\n{more}");
        let world = campaign(world(&t, 1).await, &t, "never", &with("")).await;
        let yearly = with("reenter = \"365d\"\n").replace("j/one", "j/two");
        let world = campaign(world, &t, "yearly", &yearly).await;
        world.launch("never").await;
        world.launch("yearly").await;
        let mut got = Vec::new();
        for days in ["0d", "30d", "300d", "40d"] {
            world.later(days);
            world.run().await; // out of it, unseen by any order
            world.buy([1]).await;
            world.run().await;
            got.push(world.got().len());
        }
        assert_eq!(got, [2, 2, 2, 3], "only the year's second comes, 370 days after the first");
        assert_eq!(world.got(), ["reader1 one", "reader1 two", "reader1 two"]);
    });
}

#[test]
fn two_nodes_at_once_let_nobody_in_twice() {
    on_both(async |t| {
        let world = campaign(world(&t, 60).await, &t, "thanks", THANKS).await;
        let receipt = "send = \"j/two\"\ntopic = \"account\"\n[trigger]\nevent = \"order\"\nreenter = \"always\"\n";
        let world = campaign(world, &t, "receipt", receipt).await;
        world.launch("thanks").await;
        world.launch("receipt").await;
        world.buy(1..=60).await;
        let settings = world.app.settings();
        dangol::relationship::catch_up(&world.app.db, &settings, world.now()).await.unwrap();
        dangol::reward::catch_up(&world.app.db, &settings, world.now()).await.unwrap();
        let caches = [(); 4].map(|()| LiveCache::default());
        let tick = |cache| journey::tick(&world.app.db, cache, &settings, 64, Which::Running, world.now());
        let _ = tokio::join!(tick(&caches[0]), tick(&caches[1]), tick(&caches[2]), tick(&caches[3]));
        world.run().await;
        assert_eq!(world.passes("thanks").await, pairs(&[("done", 60)]));
        assert_eq!(world.passes("receipt").await, pairs(&[("done", 60)]));
        let counts = world.sink.inbox.counts();
        assert_eq!((counts.deliveries, counts.twice), (120, 0));
        assert_eq!(world.state("thanks").await, "running", "nothing is held");
    });
}

#[test]
fn who_may_not_get_it_comes_in_vain_and_is_welcome_later() {
    on_both(async |t| {
        let world =
            world(&t, 0).await.file(&t, "segments/rivals.toml", "where = \"email_domain = 'rival.kr'\"\n").await;
        let text =
            "holdout = \"0%\"\nsend = \"j/one\"\n[audience]\nexclude = [\"rivals\"]\n[trigger]\nenters = \"recent\"\n";
        let world = campaign(world, &t, "thanks", text).await;
        let known = "external_id,email,name\nc1,one@example.com,홍길동\nc2,two@example.com,\nc3,Same@example.com,\n\
                     c4,same@EXAMPLE.com,\nc5,spy@rival.kr,\nc6,,مريم\n";
        world.customers(known).await;
        world.import(Kind::Customers, "external_id,email\nc7,silent@example.com\n", None).await;
        world.import(Kind::Suppressions, "address\ntwo@example.com\n", None).await;
        world.launch("thanks").await;
        world.buy(1..=7).await;
        world.run().await;
        assert_eq!(world.got(), ["one one", "same one"]);
        let skipped = world.report("thanks").await.skipped;
        let expected = [("no address", 1), ("no consent", 1), ("same address", 1), ("suppressed", 1)];
        assert_eq!(skipped.into_iter().collect::<Vec<_>>(), pairs(&expected));
        assert!(world.lines(5).await.is_empty(), "who is excluded was never asked for");
        let report = world.report("thanks").await;
        assert_eq!((report.assigned.treated, report.assigned.holdout), (2, 0));

        // out of it, and in again, with a consent: what was in vain does not count
        let consent = "customer,topic,state,at\nc7,newsletter,granted,2027-03-02T03:00:00Z\n";
        world.import(Kind::Consents, consent, None).await;
        world.later("20d");
        world.run().await;
        world.buy(1..=7).await;
        world.run().await;
        assert_eq!(world.got(), ["one one", "same one", "silent one"]);
    });
}

#[test]
fn an_address_gets_it_once_although_its_customers_come_at_different_times() {
    on_both(async |t| {
        let world = campaign(world(&t, 0).await, &t, "thanks", THANKS).await;
        let two = "external_id,email\nc1,same@example.com\nc2,same@example.com\n";
        world.import(Kind::Customers, two, None).await;
        let consent = |who: &str| format!("customer,topic,state,at\n{who},newsletter,granted,2027-03-02T03:00:00Z\n");
        world.import(Kind::Consents, &consent("c2"), None).await;
        world.launch("thanks").await;
        world.buy([1]).await;
        world.run().await; // the first comes in vain
        assert_eq!(world.lines(1).await, ["send skipped no consent"]);
        world.import(Kind::Consents, &consent("c1"), None).await;
        world.app.db.execute("DELETE FROM segment_member", args![]).await.unwrap();
        world.later("1h");
        world.buy([2]).await;
        world.run().await;
        assert_eq!(world.received(), [("same@example.com".to_owned(), 1)]);
    });
}

#[test]
fn points_that_an_order_earns_bring_somebody_in_within_the_same_turn() {
    on_both(async |t| {
        let world = world(&t, 2).await;
        let world = world.file(&t, "segments/buyers.toml", "where = \"reward_balance('petals') >= 120\"\n").await;
        let text = "holdout = \"0%\"\n[trigger]\nenters = \"buyers\"\n[[step]]\nsend = \"j/one\"\nwhen = \"reward_unused('petals')\"\n";
        let world = campaign(world, &t, "thanks", text).await;
        world.launch("thanks").await;
        let order = format!("customer,order_id,at,amount,status\nc1,a,{},12000,confirmed\n", world.now());
        world.import(Kind::Orders, &order, None).await;
        world.run().await;
        assert_eq!(world.got(), ["reader1 one"]);
    });
}
