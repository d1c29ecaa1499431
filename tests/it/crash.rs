//! The process is killed, or told to stop, in the middle: nobody is missed, nobody is mailed twice.

use crate::support::sqlite;
use crate::world::{World, people, take};
use std::process::{Child, Command, Stdio};

const N: usize = 600;

fn dangol(world: &World, t: &crate::support::TestDb) -> Child {
    let dangol::db::location::Location::Sqlite(path) = &t.location else { unreachable!("this test is of SQLite") };
    Command::new(env!("CARGO_BIN_EXE_dangol"))
        .args(["run", "--until-idle", "--json", "--workspace"])
        .arg(&world.dir)
        .env("DANGOL_DATABASE_URL", format!("sqlite://{}", path.display()))
        .env_remove("DANGOL_SECRET")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Launches to N readers, at a rate that leaves time to interfere.
async fn launched(t: &crate::support::TestDb) -> World {
    let world = World::new(t, take).await;
    let relay = world.relay();
    let slow = crate::world::settings(&relay, "").replace("5000/s", "300/s");
    let world = world.file(t, "dangol.toml", &slow).await;
    // the child reads the system's clock: what it finds must be due then
    world.clock.set(jiff::Timestamp::now());
    world.customers(&people(N)).await;
    world.launch("spring").await;
    world
}

#[test]
fn killed_again_and_again_nobody_is_missed_and_nobody_mailed_twice() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let t = sqlite().await;
        let world = launched(&t).await;
        let mut caught = world.sink.inbox.subscribe();
        for kill in 1..=4_usize {
            let mut child = dangol(&world, &t);
            // the signal is the mail itself: the next hundred have come in
            for _ in 0..100 {
                caught.recv().await;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            let counts = world.sink.inbox.counts();
            assert_eq!(counts.twice, 0, "after kill {kill}");
        }
        let mut last = dangol(&world, &t);
        assert!(last.wait().unwrap().success());
        let counts = world.sink.inbox.counts();
        let report = world.report("spring").await;
        let unknown = report.messages["unknown"];
        assert_eq!(counts.twice, 0);
        // at most one of unknown fate for each connection and kill
        assert!(unknown <= 4 * 4, "{unknown}");
        // whoever is not known to have got it is called unknown: nobody is lost in silence
        assert_eq!(report.messages["accepted"] + unknown, i64::try_from(N).unwrap(), "{:?}", report.messages);
        assert!(counts.deliveries >= u64::try_from(report.messages["accepted"]).unwrap());
        assert!(counts.deliveries <= u64::try_from(N).unwrap());
    });
}

#[test]
fn told_to_stop_it_finishes_what_is_in_flight_and_nothing_is_unknown() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let t = sqlite().await;
        let world = launched(&t).await;
        let mut caught = world.sink.inbox.subscribe();
        let mut child = dangol(&world, &t);
        for _ in 0..50 {
            caught.recv().await;
        }
        let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert!(child.wait().unwrap().success(), "a polite end is no failure");
        let report = world.report("spring").await;
        let n = i64::try_from(N).unwrap();
        assert_eq!(
            (report.messages["unknown"], report.messages["claimed"], report.messages["transmitting"]),
            (0, 0, 0)
        );
        assert_eq!(report.messages["accepted"] + report.messages["queued"] + report.messages["deferred"], n);
        assert_eq!(u64::try_from(report.messages["accepted"]).unwrap(), world.sink.inbox.counts().deliveries);
        assert!(report.messages["queued"] > 0, "it stopped in the middle");
        assert!(dangol(&world, &t).wait().unwrap().success());
        let counts = world.sink.inbox.counts();
        assert_eq!((counts.deliveries, counts.twice), (u64::try_from(N).unwrap(), 0));
    });
}

#[test]
#[ignore = "takes minutes: cargo test --test it crash20 -- --ignored --nocapture"]
fn crash20_killed_twenty_times_in_a_campaign_of_twenty_thousand() {
    const N: usize = 20_000;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let t = sqlite().await;
        let world = World::new(&t, take).await;
        world.clock.set(jiff::Timestamp::now());
        world.customers(&people(N)).await;
        world.launch("spring").await;
        let mut caught = world.sink.inbox.subscribe();
        for kill in 0..20_usize {
            let mut child = dangol(&world, &t);
            // another number each time, so that it is hit in another place
            for _ in 0..(300 + kill * 53) {
                let _ = caught.recv().await; // that some were missed by this counter does not matter
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(dangol(&world, &t).wait().unwrap().success());
        let counts = world.sink.inbox.counts();
        let messages = world.report("spring").await.messages;
        println!(
            "delivered {}, twice {}, unknown {}, {messages:?}",
            counts.deliveries, counts.twice, messages["unknown"]
        );
        let n = i64::try_from(N).unwrap();
        assert_eq!(counts.twice, 0, "repeated");
        assert_eq!(messages["accepted"] + messages["unknown"], n, "lost");
        assert!(messages["unknown"] <= 4 * 20);
        assert!(i64::try_from(counts.deliveries).unwrap() >= messages["accepted"]);
    });
}
