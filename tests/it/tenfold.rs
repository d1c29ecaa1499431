//! An audience that is suddenly ten times as large as the last one's on its topic: nobody gets it before a person says so.

use crate::support::{TestDb, on_both};
use crate::world::{World, people, take};
use dangol::campaign::content::Content;
use dangol::campaign::control::{ASKS, Action, control};
use dangol::campaign::enrol::{self, Overdue, Progress};
use dangol::campaign::launch::{How, Inside, launch};
use dangol::campaign::{Leap, Live, plan, store};
use dangol::report::status::{CampaignStatus, status};

const HELD: &str = "500 people, 10 times the 50 of the last mail on this topic: `dangol resume spring` sends it all the \
                    same, `dangol cancel spring` does not; to mend it first, launch it again";

/// A campaign on a topic, to everybody, at once.
fn letter(topic: &str) -> String {
    format!("topic = \"{topic}\"\nsender = \"hello\"\nsend = \"letters/spring\"\n[audience]\nsegment = \"everybody\"\n")
}

async fn shop(t: &TestDb) -> World {
    let world = World::new(t, take).await;
    world.file(t, "segments/everybody.toml", "title = \"모두\"\nwhere = \"created_at IS NOT NULL\"\n").await
}

/// A shop whose last letter went to 50, and which has 500 readers now.
async fn grown(t: &TestDb) -> World {
    let world = shop(t).await;
    let world = world.file(t, "campaigns/first.toml", &letter("newsletter")).await;
    world.customers(&people(50)).await;
    world.launch("first").await;
    assert_eq!(tick(&world).await.asking, 0);
    world.customers(&people(500)).await;
    world
}

async fn tick(world: &World) -> Progress {
    enrol::tick(&world.app.db, &world.app.cache, &world.app.settings(), 100, world.now()).await.unwrap()
}

async fn told(world: &World, campaign: &str) -> CampaignStatus {
    let now = status(&world.app.db, &world.app.settings(), world.now()).await.unwrap();
    now.campaigns.into_iter().find(|found| found.campaign == campaign).unwrap()
}

async fn audience(world: &World, campaign: &str) -> String {
    told(world, campaign).await.audience.unwrap()
}

async fn act(world: &World, campaign: &str, action: Action) {
    control(&world.app.db, Some(campaign), action, world.now()).await.unwrap();
}

fn live(world: &World, campaign: &str) -> (Content, Live) {
    let content = Content::of(&world.app.workspace, campaign).unwrap();
    let live = Live::compile(campaign, &content, &world.app.settings()).unwrap();
    (content, live)
}

/// A launch at which somebody was shown so many people, and said yes.
async fn agreed(world: &World, campaign: &str, people: i64) {
    let (content, live) = live(world, campaign);
    let how = How { inside: Inside::Stay, agreed: Some(people) };
    launch(&world.app.db, campaign, &content, &live, &world.app.settings(), how, world.now()).await.unwrap();
}

async fn leap(world: &World, campaign: &str) -> Option<Leap> {
    let (content, live) = live(world, campaign);
    plan::plan(&world.app.db, &world.app.settings(), &live, &content.hash(), world.now()).await.unwrap().leap
}

#[test]
fn it_asks_from_ten_times_on_of_at_least_five_hundred_and_by_topic() {
    on_both(|t| async move {
        let world = shop(&t).await;
        let relay = world.relay();
        let topics = ["few", "ten", "nine"];
        let more: String = topics.map(|topic| format!("[topic.{topic}]\nkind = \"service\"\n")).concat();
        let mut world = world.with_settings(&t, &relay, &more).await;
        for topic in topics {
            for which in ["1", "2"] {
                world = world.file(&t, &format!("campaigns/{topic}{which}.toml"), &letter(topic)).await;
            }
        }
        let mut queued = Vec::new();
        for (campaign, readers) in
            [("few1", 49), ("ten1", 50), ("nine1", 51), ("few2", 499), ("ten2", 500), ("nine2", 509)]
        {
            world.customers(&people(readers)).await;
            world.launch(campaign).await;
            tick(&world).await;
            queued.push((campaign, audience(&world, campaign).await));
        }
        let queued: Vec<(&str, &str)> = queued.iter().map(|(campaign, state)| (*campaign, state.as_str())).collect();
        let enrolled = "enrolled";
        let expected = [("few1", enrolled), ("ten1", enrolled), ("nine1", enrolled), ("few2", enrolled)];
        assert_eq!(queued[..4], expected, "499 people are below notice");
        assert_eq!(queued[4..], [("ten2", "large"), ("nine2", enrolled)], "ten times and not nine");
        // the first on its topic has nothing to be compared with
        assert_eq!(leap(&world, "spring").await, None);
        world.launch("spring").await;
        tick(&world).await;
        assert_eq!(world.count("spring", "queued").await, 509);
    });
}

#[test]
fn only_those_who_may_get_it_are_counted() {
    on_both(|t| async move {
        let world = shop(&t).await;
        let world = world.file(&t, "campaigns/first.toml", &letter("newsletter")).await;
        let world = world.file(&t, "campaigns/second.toml", &letter("newsletter")).await;
        world.customers(&people(40)).await;
        world.launch("first").await;
        tick(&world).await;
        world.customers(&people(399)).await;
        world.import(dangol::import::Kind::Customers, &people(800), None).await;
        world.launch("second").await;
        tick(&world).await;
        assert_eq!(audience(&world, "second").await, "enrolled", "401 never agreed to letters");
        assert_eq!(world.count("second", "queued").await, 399);
    });
}

#[test]
fn nobody_gets_it_until_it_is_resumed_and_then_everybody_once() {
    on_both(|t| async move {
        let world = grown(&t).await;
        assert_eq!(leap(&world, "spring").await, Some(Leap { people: 500, last: 50, agreed: None }));
        world.launch("spring").await;
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 50, "the first letter's");
        let now = told(&world, "spring").await;
        assert_eq!((now.state.as_str(), now.audience.as_deref()), ("running", Some("large")));
        assert_eq!(now.held.as_deref(), Some(HELD));
        assert!(now.messages.is_empty(), "{:?}", now.messages);
        assert_eq!(tick(&world).await, Progress::default(), "what has asked is not counted again");
        // later than `stale` allows: whoever answers has been asked
        world.later("8h");
        act(&world, "spring", Action::Resume).await;
        world.run().await;
        let received = world.received();
        let twice = received.iter().filter(|(_, mails)| *mails == 2).count();
        assert_eq!((received.len(), twice), (500, 50), "the first fifty had the first letter, too");
        assert_eq!((world.sink.inbox.counts().deliveries, world.sink.inbox.counts().twice), (550, 0));
        assert_eq!(leap(&world, "spring").await, None, "it has gone");
    });
}

#[test]
fn who_speaks_of_all_campaigns_does_not_answer_it() {
    on_both(|t| async move {
        let world = grown(&t).await;
        world.launch("spring").await;
        assert_eq!(tick(&world).await.asking, 1);
        let all = async |action| control(&world.app.db, None, action, world.now()).await.unwrap();
        all(Action::Pause).await;
        assert_eq!(told(&world, "spring").await.held.as_deref(), Some(HELD), "a pause does not hide the question");
        for done in all(Action::Resume).await {
            assert_eq!(done.state == ASKS, done.campaign == "spring", "{done:?}");
        }
        world.run().await;
        assert_eq!((audience(&world, "spring").await.as_str(), world.sink.inbox.counts().deliveries), ("large", 50));
        act(&world, "spring", Action::Resume).await;
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 550);
    });
}

#[test]
fn cancelled_it_goes_to_nobody_and_is_no_measure_for_the_next() {
    on_both(|t| async move {
        let world = grown(&t).await;
        let world = world.file(&t, "campaigns/next.toml", &letter("newsletter")).await;
        world.launch("spring").await;
        tick(&world).await;
        act(&world, "spring", Action::Cancel).await;
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 50);
        assert_eq!(audience(&world, "spring").await, "cancelled");
        // nor is one that somebody let go, and stopped when it was in the queue
        agreed(&world, "next", 500).await;
        tick(&world).await;
        assert_eq!(audience(&world, "next").await, "enrolled");
        act(&world, "next", Action::Cancel).await;
        let world = world.file(&t, "campaigns/third.toml", &letter("newsletter")).await;
        world.launch("third").await;
        assert_eq!(tick(&world).await.asking, 1);
    });
}

#[test]
fn who_agreed_at_the_launch_is_not_asked_again_unless_it_is_ten_times_that() {
    on_both(|t| async move {
        let world = grown(&t).await;
        let world = world.file(&t, "campaigns/again.toml", &letter("newsletter")).await;
        world.customers(&people(550)).await;
        agreed(&world, "again", 55).await;
        tick(&world).await;
        let held = told(&world, "again").await.held.unwrap();
        assert!(
            held.starts_with("550 people, 10 times the 55 that its launch agreed to: `dangol resume again`"),
            "{held}"
        );
        agreed(&world, "spring", 56).await;
        assert_eq!(tick(&world).await.asking, 0);
        assert_eq!(world.count("spring", "queued").await, 550);
    });
}

#[test]
fn a_launch_by_a_script_asks_anew_and_keeps_a_yes_only_to_what_has_not_changed() {
    on_both(|t| async move {
        let world = grown(&t).await;
        let spring = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        let later = spring.replace("at    = \"now\"", "at    = 2027-03-02T13:00:00+09:00");
        let world = world.file(&t, "campaigns/changed.toml", &later).await;
        let world = world.file(&t, "campaigns/same.toml", &later).await;
        agreed(&world, "changed", 500).await;
        agreed(&world, "same", 500).await;
        let world = world.file(&t, "campaigns/changed.toml", &later.replace("title", "# title")).await;
        assert!(leap(&world, "same").await.is_none() && leap(&world, "changed").await.is_some());
        world.launch("changed").await;
        world.launch("same").await;
        world.launch("spring").await;
        tick(&world).await;
        assert_eq!(audience(&world, "spring").await, "large");
        // once more, and it asks once more
        world.launch("spring").await;
        assert_eq!((told(&world, "spring").await.held, audience(&world, "spring").await), (None, "waiting".into()));
        assert_eq!(tick(&world).await.asking, 1);
        // close takes the question back, and a launch after it asks
        act(&world, "spring", Action::Close).await;
        assert_eq!((told(&world, "spring").await.held, audience(&world, "spring").await), (None, "cancelled".into()));
        world.launch("spring").await;
        assert_eq!(tick(&world).await.asking, 1);
        world.later("1h");
        tick(&world).await;
        assert_eq!(
            (audience(&world, "changed").await, audience(&world, "same").await),
            ("large".into(), "enrolled".into())
        );
        // a yes at the launch is one
        agreed(&world, "spring", 500).await;
        tick(&world).await;
        assert_eq!(audience(&world, "spring").await, "enrolled");
    });
}

#[test]
fn two_nodes_ask_once_and_an_answer_is_not_undone_by_one_that_looked_before() {
    on_both(|t| async move {
        let world = grown(&t).await;
        world.launch("spring").await;
        let db = &world.app.db;
        let seen = store::due_occurrences(&mut &*db, world.now()).await.unwrap();
        let (one, other) = tokio::join!(tick(&world), tick(&world));
        assert_eq!((one.asking + other.asking, audience(&world, "spring").await), (1, "large".into()));
        act(&world, "spring", Action::Resume).await;
        let late = store::ask(db, &seen[0], store::Asks::Large, "late".into(), world.now()).await.unwrap();
        assert!(!late);
        assert_eq!((told(&world, "spring").await.held, audience(&world, "spring").await), (None, "enrolling".into()));
        // nor is another revision begun by one that looked at the old
        act(&world, "spring", Action::Close).await;
        let world = world.file(&t, "campaigns/other.toml", &letter("newsletter")).await;
        world.launch("other").await;
        let seen = store::due_occurrences(&mut &world.app.db, world.now()).await.unwrap();
        let world = world.file(&t, "campaigns/other.toml", &format!("title = \"봄\"\n{}", letter("newsletter"))).await;
        world.launch("other").await;
        store::begin_enrolling(&world.app.db, &seen[0]).await.unwrap();
        assert_eq!(audience(&world, "other").await, "waiting");
    });
}

#[test]
fn one_that_is_also_too_late_says_both_and_one_answer_is_enough() {
    on_both(|t| async move {
        let world = grown(&t).await;
        let toml = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        let toml = toml.replace("at    = \"now\"", "at    = 2027-03-02T13:00:00+09:00");
        let world = world.file(&t, "campaigns/spring.toml", &toml).await;
        world.launch("spring").await;
        world.later("8h");
        tick(&world).await;
        let now = told(&world, "spring").await;
        let held = now.held.unwrap();
        assert_eq!(now.audience.as_deref(), Some("stale"));
        assert!(held.starts_with("found too late: it was due at 2027-03-02T04:00:00Z; 500 people, 10 times"), "{held}");
        act(&world, "spring", Action::Resume).await;
        assert_eq!(tick(&world).await.asking, 0);
        assert_eq!(world.count("spring", "queued").await, 500);
    });
}

#[test]
fn a_restore_takes_it_too_since_somebody_may_have_answered_after_the_backup() {
    on_both(|t| async move {
        let world = grown(&t).await;
        world.launch("spring").await;
        tick(&world).await;
        act(&world, "spring", Action::Pause).await;
        let app = &world.app;
        let done = enrol::overdue(&app.db, &app.cache, &app.settings(), world.now()).await.unwrap();
        assert_eq!(done, Overdue { finished: 1, cancelled: 0 });
        assert_eq!((audience(&world, "spring").await, world.count("spring", "queued").await), ("enrolled".into(), 500));
    });
}
