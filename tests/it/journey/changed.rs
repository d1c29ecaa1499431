//! A campaign that is launched again, otherwise, while customers are inside.

use super::{BUYERS, THANKS, TWO, campaign, pairs, world};
use crate::support::on_both;
use crate::world::people;
use dangol::args;
use dangol::campaign::launch::Inside;

#[test]
fn those_inside_stay_with_what_they_began_unless_they_are_moved() {
    on_both(async |t| {
        let world = campaign(world(&t, 3).await, &t, "two", TWO).await;
        world.launch("two").await;
        world.buy([1]).await;
        world.run().await;
        let world = campaign(world, &t, "two", &TWO.replace("j/two", "j/three")).await;
        world.launch("two").await;
        world.buy([2]).await;
        world.run().await;
        world.later("14d");
        world.run().await;
        assert_eq!(world.got(), ["reader1 one", "reader1 two", "reader2 one", "reader2 three"]);

        world.buy([3]).await;
        world.run().await;
        let world = campaign(world, &t, "two", &TWO.replace("j/two", "j/one")).await;
        assert_eq!(world.try_launch("two", Inside::Move).await.unwrap().moved, 1);
        world.later("14d");
        world.run().await;
        assert_eq!(world.got().last().unwrap(), "reader3 one");
        assert_eq!(world.got().len(), 6);
    });
}

#[test]
fn who_stands_at_a_step_that_is_gone_goes_on_by_the_old_revision() {
    on_both(async |t| {
        let world = campaign(world(&t, 1).await, &t, "two", TWO).await;
        world.launch("two").await;
        world.buy([1]).await;
        world.run().await;
        let world = campaign(world, &t, "two", &TWO.replace("\"two\"", "\"other\"")).await;
        assert_eq!(world.try_launch("two", Inside::Move).await.unwrap().moved, 0);
        world.later("14d");
        world.run().await;
        assert_eq!(world.lines(1).await, ["one accepted", "two accepted"]);
    });
}

#[test]
fn a_step_that_was_taken_is_not_taken_again_when_it_is_moved_behind() {
    on_both(async |t| {
        let world = campaign(world(&t, 1).await, &t, "two", TWO).await;
        world.launch("two").await;
        world.buy([1]).await;
        world.run().await;
        let turned = "holdout = \"0%\"\n[trigger]\nenters = \"buyers\"\n[[step]]\nid = \"two\"\nsend = \"j/two\"\n\
                      [[step]]\nid = \"one\"\nsend = \"j/one\"\n[[step]]\nid = \"three\"\nsend = \"j/three\"\n";
        let world = campaign(world, &t, "two", turned).await;
        world.try_launch("two", Inside::Move).await.unwrap();
        world.later("14d");
        world.run().await;
        world.later("1h");
        world.run().await;
        world.later("1h");
        world.run().await;
        assert_eq!(world.lines(1).await, ["one accepted", "two accepted", "three accepted"]);
        assert_eq!(world.passes("two").await, pairs(&[("done", 1)]));
        assert_eq!(world.report("two").await.assigned.treated, 1);
    });
}

#[test]
fn whom_a_change_of_the_segment_brings_has_not_come_in() {
    on_both(async |t| {
        let world = campaign(world(&t, 5).await, &t, "thanks", THANKS).await;
        world.buy([1, 2]).await;
        world.run().await;
        let three = BUYERS.replace(">= 1", ">= 3");
        let world = world.file(&t, "segments/buyers.toml", &three).await;
        world.launch("thanks").await;
        world.run().await;
        // comes in by the old words, and is not looked at before the new ones hold
        for _ in 0..3 {
            world.later("1h");
            world.buy([3]).await;
        }
        let settings = world.app.settings();
        dangol::relationship::catch_up(&world.app.db, &settings, world.now()).await.unwrap();
        let world = world.file(&t, "segments/buyers.toml", BUYERS).await;
        world.launch("thanks").await;
        world.run().await;
        assert_eq!(world.got(), ["reader3 one"], "the new words bring nobody by themselves");
        world.later("1h");
        world.buy([1, 4]).await;
        world.run().await;
        assert_eq!(world.got(), ["reader3 one", "reader4 one"]);
    });
}

#[test]
fn one_that_was_sent_once_can_be_given_a_trigger_and_a_schedule_again() {
    on_both(async |t| {
        let once = "send = \"j/two\"\n[audience]\nsegment = \"subscribers\"\n";
        let world = campaign(world(&t, 2).await, &t, "thanks", once).await;
        world.launch("thanks").await;
        world.run().await;
        assert_eq!(world.state("thanks").await, "finished");
        let world = campaign(world, &t, "thanks", THANKS).await;
        world.launch("thanks").await;
        world.run().await;
        assert_eq!(world.state("thanks").await, "running", "somebody may come");
        world.customers(&people(3)).await;
        world.buy([1, 3]).await;
        world.run().await;
        assert_eq!(world.got(), ["reader1 two", "reader2 two", "reader3 one"], "who had it has had it");
        let world = campaign(world, &t, "thanks", once).await;
        world.launch("thanks").await;
        world.run().await;
        assert_eq!((world.state("thanks").await.as_str(), world.got().len()), ("finished", 3));
        let left: (i64,) = world.app.db.one("SELECT count(*) FROM segment_member", args![]).await.unwrap();
        assert_eq!(left.0, 0);
    });
}
