//! A backup takes the place of what went on: nobody is mailed twice.

use super::{TWO, campaign, pairs, world};
use crate::support::on_both;
use dangol::campaign::control::{Action, control};
use dangol::engine::restore;

#[test]
fn what_may_have_gone_out_since_the_backup_is_unknown_and_goes_to_nobody_again() {
    on_both(async |t| {
        let world = campaign(world(&t, 3).await, &t, "two", TWO).await;
        let closed = TWO.replace("j/one", "j/three").replace("j/two", "j/three");
        let world = campaign(world, &t, "closed", &closed).await;
        world.launch("two").await;
        world.launch("closed").await;
        world.buy([1]).await;
        world.run().await;
        world.control("closed", Action::Close).await;
        // the backup is of now: the second is about to come in, and the first waits for the second step
        world.buy([2]).await;
        world.later("20d");
        let open = crate::world::opening(&world.dir, &t, &world.clock);
        let restored = restore::external(&open).await.unwrap();
        assert_eq!((restored.paused, restored.unknown), (2, 4), "{restored:?}");
        assert_eq!(world.lines(1).await.len(), 4);
        let ours = |lines: Vec<String>| lines.into_iter().filter(|line| line.contains("unknown")).count();
        assert_eq!((ours(world.lines(1).await), ours(world.lines(2).await)), (2, 2));
        world.run().await;
        control(&world.app.db, None, Action::Resume, world.now()).await.unwrap();
        assert_eq!(world.state("closed").await, "closed");
        world.run().await;
        world.later("30d");
        world.run().await;
        assert_eq!(world.got(), ["reader1 one", "reader1 three"], "what went out before the backup, and no more");
        assert_eq!(world.passes("two").await, pairs(&[("done", 2)]));
        world.buy([3]).await;
        world.run().await;
        assert_eq!(world.got().last().unwrap(), "reader3 one", "and it goes on");
    });
}
