//! Pause, close, cancel.

use super::{THANKS, TWO, campaign, pairs, world};
use crate::support::on_both;
use dangol::args;
use dangol::campaign::control::Action;
use dangol::campaign::{LiveCache, journey};

#[test]
fn while_it_is_paused_nobody_comes_in_and_nobody_is_lost() {
    on_both(async |t| {
        let world = campaign(world(&t, 5).await, &t, "two", TWO).await;
        world.launch("two").await;
        world.buy([1]).await;
        world.run().await;
        world.control("two", Action::Pause).await;
        world.buy([2, 3]).await;
        world.later("15d");
        world.run().await;
        assert_eq!(world.got(), ["reader1 one"]);
        assert_eq!(world.passes("two").await, pairs(&[("active", 1)]));
        world.control("two", Action::Resume).await;
        world.run().await;
        assert_eq!(world.got(), ["reader1 one", "reader1 two", "reader2 one", "reader3 one"]);
    });
}

#[test]
fn a_closed_one_admits_nobody_new_and_those_inside_go_on() {
    on_both(async |t| {
        let world = campaign(world(&t, 4).await, &t, "two", TWO).await;
        world.launch("two").await;
        world.buy([1]).await;
        world.run().await;
        world.control("two", Action::Close).await;
        world.buy([2]).await;
        world.run().await;
        // a pause does not open it again
        world.control("two", Action::Pause).await;
        world.later("14d");
        world.run().await;
        assert_eq!(world.got(), ["reader1 one"]);
        world.control("two", Action::Resume).await;
        world.buy([3]).await;
        world.run().await;
        assert_eq!(world.got(), ["reader1 one", "reader1 two"]);
        assert_eq!(world.state("two").await, "closed");
        // launched again it begins anew: those who came meanwhile are there already
        world.launch("two").await;
        world.run().await;
        assert_eq!(world.got().len(), 2);
        world.buy([4]).await;
        world.run().await;
        assert_eq!(world.got(), ["reader1 one", "reader1 two", "reader4 one"]);
    });
}

#[test]
fn a_cancelled_one_ends_every_pass_and_takes_back_what_was_not_sent() {
    on_both(async |t| {
        let world = world(&t, 3).await;
        let relay = world.relay();
        let world = world.with_settings(&t, &relay, "[limits]\nquiet = \"11:00-23:00\"\ncap = \"off\"\n").await;
        let text = TWO.replace("id = \"one\"\n", "id = \"one\"\nreward = { grant = \"petals\", points = 50 }\n");
        let world = campaign(world, &t, "two", &text).await;
        world.launch("two").await;
        world.buy([1, 2]).await;
        world.run().await;
        assert_eq!(world.ledger().await.account(1, "petals").await, [170, 0, 0, 0, 0]);
        world.control("two", Action::Cancel).await;
        let ledger = world.ledger().await;
        assert_eq!(
            (ledger.account(1, "petals").await, ledger.account(2, "petals").await),
            ([120, 0, 0, 0, 50], [120, 0, 0, 0, 50])
        );
        assert_eq!(world.passes("two").await, pairs(&[("cancelled", 2)]));
        world.buy([3]).await;
        world.later("15d");
        world.run().await;
        assert!(world.got().is_empty());
        assert_eq!(world.lines(1).await, ["one skipped cancelled"]);
        assert_eq!(world.passes("two").await, pairs(&[("cancelled", 2)]));
    });
}

#[test]
fn who_works_from_an_older_look_at_it_does_nothing_once_it_is_paused() {
    on_both(async |t| {
        let world = campaign(world(&t, 3).await, &t, "thanks", THANKS).await;
        world.launch("thanks").await;
        world.buy(1..=3).await;
        let settings = world.app.settings();
        let db = &world.app.db;
        dangol::relationship::catch_up(db, &settings, world.now()).await.unwrap();
        dangol::reward::catch_up(db, &settings, world.now()).await.unwrap();
        world.control("thanks", Action::Pause).await;
        let cache = LiveCache::default();
        // its state was read before: only the lane says so
        db.execute("UPDATE campaign SET state = 'running'", args![]).await.unwrap();
        let done = journey::tick(db, &cache, &settings, 64, journey::Which::Running, world.now()).await.unwrap();
        assert_eq!(done, journey::Progress::default());
        world.control("thanks", Action::Resume).await;
        world.run().await;
        assert_eq!(world.got().len(), 3);
    });
}
