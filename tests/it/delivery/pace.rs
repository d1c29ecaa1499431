//! How much goes, when, and who is first.

use super::office::{Office, patient as relay, until};
use super::server::{Can, Server};
use crate::support::on_both;
use crate::world::{World, people, settings, take};
use dangol::args;
use dangol::config::model::DomainLimit;
use dangol::deliver::route::For;

#[test]
fn while_a_relay_is_warmed_up_the_most_engaged_come_first_and_the_table_is_kept() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let relay = world.relay();
        let warm = "rate = \"5000/s\"\nwarmup = { start = 2027-03-02, caps = [3, 4] }";
        let world = world.file(&t, "dangol.toml", &settings(&relay, "").replace("rate = \"5000/s\"", warm)).await;
        world.customers(&people(9)).await;
        // everybody has their figures before they are given others
        world.run().await;
        world.launch("spring").await;
        // as time goes by they would be counted anew
        let scored = async || {
            let sql = "INSERT INTO relationship (customer_id, score) SELECT id, id FROM customer WHERE true \
                       ON CONFLICT (customer_id) DO UPDATE SET score = excluded.score";
            world.app.db.execute(sql, args![]).await.unwrap();
        };
        scored().await;
        world.run().await;
        let got = |world: &World| -> Vec<String> { world.received().into_iter().map(|(address, _)| address).collect() };
        let expect = |ids: std::ops::RangeInclusive<i32>| -> Vec<String> {
            ids.map(|i| format!("reader{i}@example.com")).collect()
        };
        assert_eq!(got(&world), expect(7..=9));
        world.later("24h");
        scored().await;
        world.run().await;
        assert_eq!(got(&world), expect(3..=9));
        world.later("24h");
        scored().await;
        world.run().await;
        assert_eq!((got(&world), world.sink.inbox.counts().twice), (expect(1..=9), 0));
    });
}

#[test]
fn mail_whose_only_relay_has_had_its_day_waits_for_tomorrow_and_no_run_waits_for_it() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(9)).await;
        world.launch("spring").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let (busy, free) = (Server::start(Can::default()).await, Server::start(Can::default()).await);
        let newsletter = vec![For::Topic("newsletter".into())];
        let relays = vec![
            (relay(&busy, "name = \"busy\"\ndaily = 3\nconnections = 4"), newsletter),
            (relay(&free, "name = \"free\""), vec![]),
        ];
        let senders = office.send(relays, &[]);
        let mut got = Vec::new();
        for _ in 0..3 {
            senders.until_idle().await.unwrap();
            got.push(busy.taken().len());
            let sql = "SELECT count(*) FROM message WHERE state = 'claimed'";
            assert_eq!(world.app.db.one::<(i64,)>(sql, args![]).await.unwrap(), (0,), "others may have what waits");
            world.later("24h");
        }
        senders.stop().await;
        assert_eq!((got, free.taken().len()), (vec![3, 6, 9], 0));
    });
}

#[test]
fn a_slow_domain_does_not_hold_up_the_rest_and_its_mail_comes_in_its_turn() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let rows: Vec<String> = (0..40)
            .map(|i| format!("g{i},g{i}@gmail.com,G\n"))
            .chain((0..40).map(|i| format!("o{i},o{i}@example.com,O\n")))
            .collect();
        world.customers(&format!("external_id,email,name\n{}", rows.concat())).await;
        world.launch("spring").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let server = Server::start(Can { extensions: vec!["PIPELINING"], login: None }).await;
        let limit: DomainLimit = toml::from_str("name = \"gmail.com\"\nrate = \"1/h\"").unwrap();
        let count = |domain: &str| server.taken().iter().filter(|(to, _)| to.ends_with(domain)).count();
        let senders = office.send(vec![(relay(&server, ""), vec![])], std::slice::from_ref(&limit));
        until("the others have arrived", async || count("@example.com") == 40).await;
        assert_eq!(count("@gmail.com"), 1);
        senders.stop().await;
        let (put_off, soonest) = {
            let sql =
                "SELECT count(*), min(next_at) FROM message WHERE state = 'deferred' AND reason LIKE '%gmail.com%'";
            world.app.db.one::<(i64, i64)>(sql, args![]).await.unwrap()
        };
        assert_eq!(put_off, 32);
        assert!(soonest > world.now().as_millisecond());
        // without the limit they go when their turn comes
        world.clock.set(world.now().checked_add(jiff::SignedDuration::from_hours(60)).unwrap());
        office.send_all(&relay(&server, "")).await;
        assert_eq!((count("@gmail.com"), count("@example.com")), (40, 40));
    });
}

#[test]
fn a_small_campaign_launched_later_is_not_stuck_behind_a_large_one() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let world = world.file(&t, "segments/few.toml", "match = \"email ends_with '@few.example'\"\n").await;
        let spring = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        let world = world.file(&t, "campaigns/urgent.toml", &spring).await;
        world.customers(&people(600)).await;
        world.launch("spring").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let server = Server::start(Can { extensions: vec!["PIPELINING"], login: None }).await;
        let senders = office.send(vec![(relay(&server, "rate = \"400/s\""), vec![])], &[]);
        until("the large one is under way", async || server.taken().len() >= 20).await;
        world.launch("urgent").await;
        office.enrol().await;
        // all but five of the urgent one's are for another day
        let later = world.now().as_millisecond() + 1_000_000_000;
        let sql = "UPDATE message SET next_at = ? WHERE customer_id > 5 AND state = 'queued' AND campaign_id = \
                   (SELECT id FROM campaign WHERE name = 'urgent')";
        office.execute(sql, args![later]).await;
        senders.wake();
        until("five of the urgent one have gone", async || world.count("urgent", "accepted").await >= 5).await;
        let large = world.count("spring", "accepted").await;
        senders.stop().await;
        assert!(large < 560, "{large} of the large one had gone before");
    });
}

#[test]
fn connections_are_made_anew_after_so_many_mails() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(10)).await;
        world.launch("spring").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let server = Server::start(Can::default()).await;
        office.send_all(&relay(&server, "per_connection = 3")).await;
        assert_eq!((server.taken().len(), server.connections()), (10, 4));
        world.launch("spring").await;
    });
}

#[test]
fn an_old_connection_is_made_anew() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(6)).await;
        world.launch("spring").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let server = Server::start(Can::default()).await;
        // each mail takes longer than that
        office.send_all(&relay(&server, "connection_age = \"1ms\"\nrate = \"100/s\"")).await;
        assert_eq!((server.taken().len(), server.connections()), (6, 6));
    });
}

#[test]
#[ignore = "measures for a minute: DANGOL_RATE=5/s cargo test --test it rate_by_hand -- --ignored --nocapture"]
fn rate_by_hand() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let rate = std::env::var("DANGOL_RATE").unwrap_or("5/s".into());
        let seconds: u64 = std::env::var("DANGOL_SECONDS").map_or(60, |text| text.parse().unwrap());
        let per_second = rate.parse::<dangol::types::pace::Rate>().unwrap().per_second();
        let t = crate::support::sqlite().await;
        let world = World::new(&t, take).await;
        world.customers(&people((per_second * (seconds + 2) as f64) as usize)).await;
        world.launch("spring").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let server = Server::start(Can { extensions: vec!["PIPELINING"], login: None }).await;
        let relay = relay(&server, &format!("rate = \"{rate}\"\nconnections = 32\nper_connection = 10000"));
        let senders = office.send(vec![(relay, vec![])], &[]);
        until("it has begun", async || server.count() > 0).await;
        let before = server.count();
        let start = std::time::Instant::now();
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await; // sleep-ok: what is measured is how much goes in this time
        let (n, elapsed) = (server.count() - before, start.elapsed().as_secs_f64());
        let share = n as f64 / elapsed / per_second;
        println!("{n} in {elapsed:.1} s: {share:.4} of {rate}");
        senders.stop().await;
    });
}
