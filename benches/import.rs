//! How fast customers come in from CSV, against the same rows put into the same table by the database layer alone.
//!
//! `cargo bench --bench import` prints rows per second of both, and the ratio. The reference reads no CSV, judges no row
//! and keeps no batch: it is what SQLite takes, in transactions of the same size.

use dangol::customer::ErasureKey;
use dangol::db::location::Location;
use dangol::db::{Db, Rows, Type, migrate};
use dangol::import::{self, Input, Kind, Options};
use dangol::types::bucket::bucket;
use dangol::{args, config::model::Settings};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

const ROWS: usize = 500_000;
const ROUNDS: usize = 3;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("customers.csv");
    let mut csv = String::from("external_id,email,name,locale,city\n");
    for i in 0..ROWS {
        writeln!(csv, "c{i},reader{i}@example.com,홍길동 {i},ko,Seoul")?;
    }
    std::fs::write(&file, &csv)?;
    let settings: Settings = toml::from_str(
        "[site]\nname = \"Bench\"\nurl = \"http://127.0.0.1\"\ntimezone = \"Asia/Seoul\"\nlocale = \"ko\"\ncurrency = \"KRW\"\n",
    )?;
    println!("{ROWS} customers, {:.0} MB of CSV, SQLite, {ROUNDS} rounds in turn", csv.len() as f64 / 1e6);
    let (mut ours, mut references) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let reference = reference(dir.path(), round).await?;
        let import = import_once(dir.path(), round, &file, &settings).await?;
        println!("import {import:>9.0} rows/s   reference {reference:>9.0} rows/s   ratio {:.2}", import / reference);
        ours.push(import);
        references.push(reference);
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (import, reference) = (median(&mut ours), median(&mut references));
    println!("median: import {import:.0} rows/s, reference {reference:.0} rows/s, ratio {:.2}", import / reference);
    Ok(())
}

async fn open(path: &Path) -> anyhow::Result<Db> {
    let location = Location::Sqlite(path.to_path_buf());
    let db = Db::open(&location).await?;
    migrate::apply(&db, &location, true).await?;
    Ok(db)
}

async fn import_once(dir: &Path, round: usize, file: &Path, settings: &Settings) -> anyhow::Result<f64> {
    let db = open(&dir.join(format!("import{round}.db"))).await?;
    let options = Options::new(settings, ErasureKey::new([7; 32]));
    let start = Instant::now();
    let input = Input::of(&file.display().to_string());
    let report = import::run(&db, Kind::Customers, input, &options, &mut |_| {}, jiff::Timestamp::now()).await?;
    let seconds = start.elapsed().as_secs_f64();
    anyhow::ensure!(report.inserted as usize == ROWS, "{report:?}");
    db.close().await;
    Ok(ROWS as f64 / seconds)
}

async fn reference(dir: &Path, round: usize) -> anyhow::Result<f64> {
    let db = open(&dir.join(format!("reference{round}.db"))).await?;
    let start = Instant::now();
    let types =
        [Type::Int, Type::Int, Type::Text, Type::Text, Type::Text, Type::Text, Type::Text, Type::Text, Type::Int];
    let sql = "INSERT INTO customer (id, bucket, external_id, email, email_domain, name, locale, attributes, created_at, updated_at) \
               SELECT a, b, c, d, e, f, g, h, i, i FROM (WITH input(a, b, c, d, e, f, g, h, i) AS ({rows}) SELECT * FROM input) AS rows WHERE true";
    let mut next = 0_usize;
    while next < ROWS {
        let mut tx = db.begin().await?;
        for _ in 0..4 {
            let mut rows = Rows::new(&types);
            for i in next..(next + 512).min(ROWS) {
                let id = i64::try_from(i)? + 1;
                rows.push(args![
                    id,
                    bucket(id),
                    format!("c{i}"),
                    format!("reader{i}@example.com"),
                    "example.com",
                    format!("홍길동 {i}"),
                    "ko",
                    "{\"city\":\"Seoul\"}",
                    1
                ]);
            }
            next = (next + 512).min(ROWS);
            tx.execute_rows(sql, rows, args![]).await?;
        }
        tx.commit().await?;
    }
    let seconds = start.elapsed().as_secs_f64();
    db.close().await;
    Ok(ROWS as f64 / seconds)
}
