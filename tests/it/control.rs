//! What an operator does to a campaign that is larger than one transaction may be, and what a dead process leaves of it.

use crate::support::on_both;
use crate::world::{World, people, take};
use dangol::campaign::control::{Action, control};
use dangol::campaign::launch::Inside;
use dangol::campaign::{enrol, plan};
use dangol::catcher::Reply;
use dangol::types::Email;
use dangol::{args, deliver, report};

async fn enrolled(world: &World) {
    let settings = world.app.settings();
    enrol::tick(&world.app.db, &world.app.cache, &settings, 10, world.now()).await.unwrap();
}

#[test]
fn cancel_reaches_every_mail_of_a_large_campaign_and_what_a_dead_process_left() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(2_100)).await;
        world.launch("spring").await;
        enrolled(&world).await;
        let done = control(&world.app.db, Some("spring"), Action::Cancel, world.now()).await.unwrap();
        assert_eq!(done[0].cancelled, 2_100);
        // as if it had died after the first slice
        let sql = "UPDATE message SET state = 'queued', reason = NULL WHERE customer_id > 1000";
        world.app.db.execute(sql, args![]).await.unwrap();
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 0);
        assert_eq!(world.report("spring").await.skipped.get("cancelled"), Some(&2_100));
    });
}

#[test]
fn moving_those_inside_moves_all_of_them_and_the_lane_opens_only_then() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(1_300)).await;
        world.launch("spring").await;
        enrolled(&world).await;
        let toml = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        let world = world.file(&t, "campaigns/spring.toml", &format!("{toml}\n[limits]\ncap = \"9 per 7d\"\n")).await;
        let moved = world.try_launch("spring", Inside::Move).await.unwrap();
        assert_eq!((moved.revision, moved.moved), (2, 1_300));
        // said again it has nothing left to move
        assert_eq!(world.try_launch("spring", Inside::Move).await.unwrap().moved, 0);
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 1_300);
    });
}

/// Every tenth address is not known to the server.
fn every_tenth(to: &Email) -> Option<Reply> {
    to.as_str().contains("0@").then(|| Reply::new(550, "5.1.1", "no such user"))
}

#[test]
fn a_lane_counts_what_goes_wrong_holds_itself_and_counts_anew_when_it_is_opened() {
    on_both(|t| async move {
        let world = World::new(&t, every_tenth).await;
        world.customers(&people(1_500)).await;
        world.launch("spring").await;
        world.run().await;
        let settings = world.app.settings();
        deliver::lane::guard(&world.app.db, world.now()).await.unwrap();
        let status = report::status::status(&world.app.db, &settings, world.now()).await.unwrap();
        let held = status.campaigns[0].held.clone().unwrap_or_default();
        assert!(held.contains("were refused for good"), "{held}");
        let counts = deliver::store::open_lane_counts(&mut &world.app.db).await.unwrap();
        assert!(counts.is_empty(), "a held lane is not looked at: {counts:?}");
        control(&world.app.db, Some("spring"), Action::Resume, world.now()).await.ok();
        let counts = deliver::store::open_lane_counts(&mut &world.app.db).await.unwrap();
        assert!(counts.iter().all(|(_, counts)| counts.settled == 0 && counts.hard == 0), "{counts:?}");
    });
}

#[test]
fn a_plan_waits_for_quiet_hours_as_the_mail_will() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let relay = world.relay();
        let world = world.with_settings(&t, &relay, "[limits]\nquiet = \"11:00-14:00\"\ncap = \"off\"\n").await;
        world.customers(&people(2)).await;
        let content = dangol::campaign::content::Content::of(&world.app.workspace, "spring").unwrap();
        let settings = world.app.settings();
        let live = dangol::campaign::Live::compile("spring", &content, &settings).unwrap();
        let plan = plan::plan(&world.app.db, &settings, &live, &content.hash(), world.now()).await.unwrap();
        assert_eq!(plan.first_at.unwrap().to_string(), "2027-03-02T05:00:00Z", "14:00 in Seoul");
    });
}
