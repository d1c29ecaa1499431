//! How fast an audience is taken into the queue, and how long others wait meanwhile for the one writer.
//!
//! `cargo bench --bench enrol` takes 1,000,000 customers (`DANGOL_BENCH_CUSTOMERS`) of SQLite into a campaign, while
//! another task commits one small row after the other. The reference is one bare `INSERT … SELECT` of as many rows into
//! a table with the queue's columns and indexes: what SQLite takes without judging anybody, and without letting anybody
//! else in between.

use anyhow::ensure;
use dangol::campaign::content::Content;
use dangol::campaign::launch::{Inside, launch};
use dangol::campaign::{Live, enrol};
use dangol::config::init;
use dangol::db::Db;
use dangol::engine::{App, Environment, Open};
use dangol::{args, types::bucket::bucket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let n: i64 = std::env::var("DANGOL_BENCH_CUSTOMERS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let dir = tempfile::tempdir()?;
    let shop = dir.path().join("shop");
    init::write(&shop)?;
    let open = Open { workspace: Some(shop), environment: Environment::Of(Arc::default()), ..Open::default() };
    let app = open.app().await?;
    customers(&app.db, n).await?;
    let reference = reference(&app.db, n).await?;
    let (seconds, waits) = enrolment(&app, n).await?;
    let longest = waits.iter().max().copied().unwrap_or_default();
    let late = waits.iter().filter(|wait| **wait > Duration::from_millis(100)).count();
    println!("{n} customers enrolled in {seconds:.1} s: {:.0}/s", n as f64 / seconds);
    println!("the reference, one bare INSERT: {reference:.1} s; ratio {:.2}", reference / seconds);
    println!(
        "{} commits of others meanwhile: the longest waited {:.0} ms, {late} more than 100 ms",
        waits.len(),
        longest.as_secs_f64() * 1e3
    );
    Ok(())
}

async fn customers(db: &Db, n: i64) -> anyhow::Result<()> {
    let mut id = 0;
    while id < n {
        let mut tx = db.begin().await?;
        let to = (id + 20_000).min(n);
        // the bucket is a hash that SQL does not know
        let mut rows = dangol::db::Rows::new(&[dangol::db::Type::Int, dangol::db::Type::Int]);
        for next in id + 1..=to {
            rows.push(args![next, bucket(next)]);
            if rows.len() == 500 || next == to {
                let sql = "WITH input(id, bucket) AS ({rows}) INSERT INTO customer (id, bucket, external_id, email, email_domain, \
                           locale, attributes, created_at, updated_at) SELECT id, bucket, 'c' || id, 'reader' || id || '@example.com', \
                           'example.com', 'ko', '{}', 1, 1 FROM input WHERE true";
                tx.execute_rows(
                    sql,
                    std::mem::replace(&mut rows, dangol::db::Rows::new(&[dangol::db::Type::Int; 2])),
                    args![],
                )
                .await?;
            }
        }
        for sql in [
            "INSERT INTO consent (customer_id, topic, state, source, at, recorded_at) \
             SELECT id, 'newsletter', 'granted', 'bench', 1, 1 FROM customer WHERE id > ? AND id <= ?",
            "INSERT INTO consent_state (customer_id, topic, state, at, consent_id) \
             SELECT id, 'newsletter', 'granted', 1, id FROM customer WHERE id > ? AND id <= ?",
        ] {
            tx.execute(sql, args![id, to]).await?;
        }
        tx.commit().await?;
        id = to;
    }
    db.execute("ANALYZE", args![]).await?;
    Ok(())
}

async fn reference(db: &Db, n: i64) -> anyhow::Result<f64> {
    let (table,): (String,) = { db }.one("SELECT sql FROM sqlite_master WHERE name = 'message'", args![]).await?;
    db.execute(&table.replace("message", "reference"), args![]).await?;
    let indexes: Vec<(String,)> = { db }
        .all("SELECT sql FROM sqlite_master WHERE tbl_name = 'message' AND type = 'index' AND sql IS NOT NULL", args![])
        .await?;
    for (index,) in indexes {
        db.execute(&index.replace("message", "reference"), args![]).await?;
    }
    let start = Instant::now();
    let sql = "INSERT INTO reference (enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, address, state, topic, \
               due_at, next_at, expires_at, created_at, updated_at) \
               SELECT id, 1, 1, 1, 'send', id, email, 'queued', 'newsletter', 1, 1, 2, 1, 1 FROM customer ORDER BY id";
    let rows = db.execute(sql, args![]).await?;
    ensure!(rows == n.cast_unsigned(), "{rows}");
    let seconds = start.elapsed().as_secs_f64();
    db.execute("DROP TABLE reference", args![]).await?;
    Ok(seconds)
}

async fn enrolment(app: &App, n: i64) -> anyhow::Result<(f64, Vec<Duration>)> {
    let settings = app.settings();
    let content = Content::of(&app.workspace, "spring")?;
    let live = Live::compile("spring", &content, &settings)?;
    launch(&app.db, "spring", &content, &live, &settings, Inside::Stay, app.clock.now()).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let (db, stopped) = (app.db.clone(), stop.clone());
    let others = tokio::spawn(async move {
        let mut waits = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            let start = Instant::now();
            let sql = "INSERT INTO meta (key, value) VALUES ('bench', '1') ON CONFLICT (key) DO UPDATE SET value = '1'";
            if db.execute(sql, args![]).await.is_err() {
                break;
            }
            waits.push(start.elapsed());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        waits
    });
    let start = Instant::now();
    while enrol::tick(&app.db, &app.cache, &settings, 64, app.clock.now()).await?.slices > 0 {}
    let seconds = start.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    let waits = others.await?;
    let (queued,): (i64,) = { &app.db }.one("SELECT count(*) FROM message WHERE state = 'queued'", args![]).await?;
    ensure!(queued == n, "{queued} of {n} are queued");
    Ok((seconds, waits))
}
