//! The database locked, full or gone for a while, and a clock that jumps, in the middle of a campaign: nobody is missed,
//! nobody gets two.

use super::office::{Office, patient, until};
use super::server::{Can, Server};
use crate::support::{TestDb, on_both, sqlite};
use crate::world::{World, people, take};
use dangol::args;
use dangol::db::location::Location;
use dangol::db::{Db, Query as _};
use dangol::deliver::sender::Senders;
use std::collections::HashSet;

const N: usize = 300;

/// A campaign to N readers that has begun to go out.
async fn begun<'a>(office: &Office<'a>, server: &Server) -> Senders {
    office.enrol().await;
    let senders = office.send(vec![(patient(server, "rate = \"400/s\"\nconnections = 3"), vec![])], &[]);
    until("it is under way", async || server.taken().len() >= 20).await;
    senders
}

async fn world(t: &TestDb) -> World {
    let world = World::new(t, take).await;
    world.customers(&people(N)).await;
    world.launch("spring").await;
    world
}

/// Everybody has one, and the database knows it.
async fn all_well(office: &Office<'_>, senders: Senders, server: &Server) {
    senders.until_idle().await.unwrap();
    senders.stop().await;
    let taken = server.taken();
    let people: HashSet<&String> = taken.iter().map(|(to, _)| to).collect();
    assert_eq!((taken.len(), people.len()), (N, N));
    let messages = office.world.report("spring").await.messages;
    assert_eq!((messages["accepted"], messages["unknown"]), (i64::try_from(N).unwrap(), 0), "{messages:?}");
}

fn pipelining() -> Can {
    Can { extensions: vec!["PIPELINING"], login: None }
}

#[test]
fn another_process_holds_the_writers_lock_for_a_while() {
    on_both(|t| async move {
        let world = world(&t).await;
        let server = Server::start(pipelining()).await;
        let office = Office::new(&world).await;
        let senders = begun(&office, &server).await;
        let other = Db::open(&t.location).await.unwrap();
        let mut tx = other.begin().await.unwrap();
        if let Location::Postgres(_) = t.location {
            tx.execute("LOCK TABLE message, event, relay_day IN ACCESS EXCLUSIVE MODE", args![]).await.unwrap();
        }
        let before = server.taken().len();
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await; // sleep-ok: how long the lock is held is what is tried
        // what had been begun may still arrive, and nothing more
        assert!(server.taken().len() <= before + 6, "{} after {before}", server.taken().len());
        drop(tx);
        other.close().await;
        all_well(&office, senders, &server).await;
    });
}

#[test]
fn the_disk_is_full_for_a_while() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let t = sqlite().await;
        let world = world(&t).await;
        let server = Server::start(pipelining()).await;
        let office = Office::new(&world).await;
        let senders = begun(&office, &server).await;
        let db = &world.app.db;
        let limit = async || {
            let mut tx = db.begin().await?;
            let (limit,) = tx.one::<(i64,)>("PRAGMA max_page_count", args![]).await?;
            tx.commit().await.map(|()| limit)
        };
        let mut n = 0;
        for _ in 0..4 {
            let (pages,) = db.one::<(i64,)>("SELECT page_count FROM pragma_page_count", args![]).await.unwrap();
            let full = format!("PRAGMA max_page_count = {}", pages + 2);
            until("there is a limit", async || db.execute(&full, args![]).await.is_ok()).await;
            // whoever hits it, this or the ledger: SQLite ends the transaction itself, and a new connection has no limit
            until("the disk is full", async || {
                n += 1;
                let junk = "INSERT INTO meta (key, value) VALUES (?, ?)";
                let put = db.execute(junk, args![format!("junk {n}"), "x".repeat(3_000)]).await;
                put.is_err() || limit().await.is_ok_and(|limit| limit > 1_000_000)
            })
            .await;
        }
        all_well(&office, senders, &server).await;
    });
}

#[test]
fn the_databases_connections_are_cut_again_and_again() {
    on_both(|t| async move {
        let Location::Postgres(_) = t.location else { return };
        let world = world(&t).await;
        let server = Server::start(pipelining()).await;
        let office = Office::new(&world).await;
        let senders = begun(&office, &server).await;
        let other = Db::open(&t.location).await.unwrap();
        for next in [60, 100, 140] {
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            let (cut,): (i64,) = other.one(sql, args![]).await.unwrap();
            assert!(cut > 0);
            until("it goes on", async || server.taken().len() >= next).await;
        }
        other.close().await;
        all_well(&office, senders, &server).await;
    });
}

#[test]
fn the_clock_jumps_back_and_forth() {
    on_both(|t| async move {
        let world = world(&t).await;
        let server = Server::start(pipelining()).await;
        let office = Office::new(&world).await;
        let senders = begun(&office, &server).await;
        let start = world.now();
        for (hours, next) in [(-20, 60), (26, 100), (-1, 140), (0, 180)] {
            world.clock.set(start.checked_add(jiff::SignedDuration::from_hours(hours)).unwrap());
            // what is due is due, whatever the clock said in between; before its time nothing is claimed anew
            if hours >= 0 {
                until("it goes on", async || server.taken().len() >= next).await;
            }
        }
        all_well(&office, senders, &server).await;
    });
}
