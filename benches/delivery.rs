//! How fast a campaign goes out, against what Postfix's `smtp-source` reaches with the same sink, the same number of
//! connections and mails of the same size, in turn.
//!
//! `cargo bench --bench delivery` needs Postfix's `smtp-sink` and `smtp-source` (`apt-get install postfix`). What is
//! measured is the whole way of each mail from its row in the queue: claimed, rendered with links of its own, signed if
//! it is to be, judged, `transmitting` on the disk, sent, its result on the disk. It runs in a process of its own, whose
//! memory is told. Taking the audience into the queue comes before, and is told apart, as is the time until the readers'
//! scores know of it all.
//!
//! | variable | |
//! |---|---|
//! | `DANGOL_BENCH_MAILS` | how many recipients, `10000,100000` |
//! | `DANGOL_BENCH_SIGN` | how mail is signed, `none,rsa,ed25519`; `both` is RSA and Ed25519 |
//! | `DANGOL_BENCH_CONNECTIONS` | 32 |
//! | `DANGOL_BENCH_ROUNDS` | 3 |
//! | `DANGOL_BENCH_RATE` | a rate set for the relay, such as `2000/s`: the run then tells how exactly it was kept, from the first mail's time to the last's |
//! | `DANGOL_BENCH_DATABASE` | a PostgreSQL URL whose database may be emptied; default SQLite |

use anyhow::{Context as _, ensure};
use dangol::campaign::content::Content;
use dangol::campaign::launch::{Inside, launch};
use dangol::campaign::{Live, enrol};
use dangol::config::init;
use dangol::customer::ErasureKey;
use dangol::engine::{App, Environment, Open, Roles, Running};
use dangol::import::{self, Input, Kind, Options};
use dangol::render::dkim::{Algorithm, generate};
use std::collections::HashMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the workspace is, for the process that sends.
const CHILD: &str = "DANGOL_BENCH_WORKSPACE";

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match std::env::var(CHILD) {
        Ok(shop) => runtime.block_on(send(Path::new(&shop))),
        Err(_) => runtime.block_on(run()),
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

async fn run() -> anyhow::Result<()> {
    let list = |name: &str, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.into());
    let (sizes, ways) = (list("DANGOL_BENCH_MAILS", "10000,100000"), list("DANGOL_BENCH_SIGN", "none,rsa,ed25519"));
    let (connections, rounds) = (number("DANGOL_BENCH_CONNECTIONS", 32), number("DANGOL_BENCH_ROUNDS", 3));
    for mails in sizes.split(',').map(str::trim) {
        let mails: usize = mails.parse().context("DANGOL_BENCH_MAILS is a list of numbers")?;
        for sign in ways.split(',').map(str::trim) {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                let sink = Sink::start()?;
                let run = campaign(mails, connections, sink.port, sign).await?;
                let reference = source(mails, connections, run.bytes, sink.port)?;
                println!(
                    "{mails} mails of {} bytes, signed: {sign}, {connections} connections: {:>6.0}/s   \
                     smtp-source {reference:>6.0}/s   ratio {:.2}   (with scores {:.0}/s; enrolled {:.0}/s; {:.0} µs of processor a mail; {:.0} MB resident at most)",
                    run.bytes,
                    run.rate,
                    run.rate / reference,
                    run.all,
                    run.enrolled,
                    run.processor,
                    run.resident
                );
                if let Ok(rate) = std::env::var("DANGOL_BENCH_RATE") {
                    println!("set {rate}, kept {:.3}/s from the first mail to the last", run.kept);
                }
                ours.push(run.rate);
                theirs.push(reference);
            }
            let (run, reference) = (median(&mut ours), median(&mut theirs));
            let ratio = run / reference;
            println!("{mails}, signed: {sign}: median {run:.0}/s, smtp-source {reference:.0}/s, ratio {ratio:.2}\n");
        }
    }
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Sink {
    child: Child,
    port: u16,
}

impl Sink {
    fn start() -> anyhow::Result<Sink> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("smtp-sink");
        if Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n")) {
            command.args(["-u", "nobody"]);
        }
        command.args([&format!("127.0.0.1:{port}"), "1000"]).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("smtp-sink cannot be started: install Postfix")?;
        let since = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(since.elapsed() < Duration::from_secs(5), "smtp-sink does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Sink { child, port })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Mails a second of `smtp-source`, which makes one mail and sends it again and again.
fn source(mails: usize, connections: usize, bytes: usize, port: u16) -> anyhow::Result<f64> {
    let start = Instant::now();
    let status = Command::new("smtp-source")
        .args(["-d", "-s", &connections.to_string(), "-m", &mails.to_string(), "-l", &bytes.to_string()])
        .args(["-f", "hello@haru.example", "-t", "reader@example.com", &format!("127.0.0.1:{port}")])
        .status()
        .context("smtp-source cannot be started: install Postfix")?;
    ensure!(status.success(), "smtp-source failed");
    Ok(mails as f64 / start.elapsed().as_secs_f64())
}

struct Run {
    /// Mails a second, from the queue to the last result on the disk.
    rate: f64,
    /// The same, with the time until the readers' scores know of each delivery.
    all: f64,
    /// Mails a second from the time of the first to that of the last, as the database has them.
    kept: f64,
    /// Customers a second, from the database into the queue.
    enrolled: f64,
    /// Of one mail.
    bytes: usize,
    /// The most memory that the process has held that sent them, in MB.
    resident: f64,
    /// Microseconds of processor that it took for a mail, its scores among it.
    processor: f64,
}

async fn campaign(mails: usize, connections: usize, port: u16, sign: &str) -> anyhow::Result<Run> {
    let dir = tempfile::tempdir()?;
    let shop = dir.path().join("shop");
    init::write(&shop)?;
    std::fs::write(shop.join("dangol.toml"), settings(connections, port, &keys(&shop, sign)?))?;
    if let Ok(url) = std::env::var("DANGOL_BENCH_DATABASE") {
        empty(&url).await?;
    }
    let app = open(&shop).await?;
    customers(&app, dir.path(), mails).await?;
    let content = Content::of(&app.workspace, "spring")?;
    let settings = app.settings();
    let live = Live::compile("spring", &content, &settings)?;
    launch(&app.db, "spring", &content, &live, &settings, Inside::Stay, app.clock.now()).await?;
    let start = Instant::now();
    while enrol::tick(&app.db, &app.cache, &settings, 64, app.clock.now()).await?.slices > 0 {}
    let enrolled = mails as f64 / start.elapsed().as_secs_f64();
    let (_, mut made) =
        dangol::campaign::preview::preview(&app.db, &app.composer, &live, None, 1, None, app.clock.now()).await?;
    app.composer.sign(&live, &mut made.bytes, app.clock.now())?;
    app.db.close().await;

    let sent = Command::new(std::env::current_exe()?).env(CHILD, &shop).stderr(Stdio::inherit()).output()?;
    ensure!(sent.status.success(), "the process that sends failed");
    let told = String::from_utf8(sent.stdout)?;
    let told: Vec<f64> = told.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [seconds, all, resident, processor] = told[..] else { anyhow::bail!("the process that sends told {told:?}") };

    let app = open(&shop).await?;
    let counts = dangol::deliver::store::counts(&mut &app.db, None).await?;
    let accepted = counts.iter().find(|(state, _)| state == "accepted").map_or(0, |(_, n)| *n);
    ensure!(usize::try_from(accepted)? == mails, "not all were accepted: {counts:?}");
    let sql = "SELECT min(sent_at), max(sent_at) FROM message";
    let (first, last): (i64, i64) = app.db.one(sql, vec![]).await?;
    let kept = (mails as f64 - 1.0) * 1e3 / (last - first).max(1) as f64;
    app.db.close().await;
    let (rate, all) = (mails as f64 / seconds, mails as f64 / all);
    Ok(Run { rate, all, kept, enrolled, bytes: made.bytes.len(), resident, processor: processor / mails as f64 })
}

/// Sends all that is queued; tells how many seconds it took until the last result was on the disk, how many until the
/// scores knew of it all, and the memory.
async fn send(shop: &Path) -> anyhow::Result<()> {
    let app = open(shop).await?;
    let (start, began) = (Instant::now(), app.clock.now());
    let running = Running::start(app.clone(), Roles::ALL).await?;
    running.until_idle().await?;
    let all = start.elapsed().as_secs_f64();
    running.stop().await?;
    let (settled,): (i64,) = app.db.one("SELECT max(settled_at) FROM message", vec![]).await?;
    app.db.close().await;
    let seconds = (settled - began.as_millisecond()).max(1) as f64 / 1e3;
    println!("{seconds} {all} {} {}", resident(), processor());
    Ok(())
}

/// New keys, and the line of `[sender.hello]` that names them.
fn keys(shop: &Path, sign: &str) -> anyhow::Result<String> {
    let algorithms = match sign {
        "none" => return Ok(String::new()),
        "rsa" => vec![Algorithm::Rsa],
        "ed25519" => vec![Algorithm::Ed25519],
        "both" => vec![Algorithm::Rsa, Algorithm::Ed25519],
        other => anyhow::bail!("DANGOL_BENCH_SIGN has none, rsa, ed25519 and both, and not {other}"),
    };
    let mut tables = Vec::new();
    for (i, algorithm) in algorithms.into_iter().enumerate() {
        let file = format!("bench{i}.pem");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(shop.join(&file))?.write_all(generate::pem(algorithm).map_err(anyhow::Error::msg)?.as_bytes())?;
        tables.push(format!("{{ selector = \"s{i}\", key = \"{file}\" }}"));
    }
    Ok(format!("dkim = [{}]", tables.join(", ")))
}

/// The most memory that this process has held, in MB (Linux).
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// What this process has taken of all processors, in microseconds (Linux, whose clock ticks a hundred times a second).
fn processor() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10_000
}

async fn customers(app: &App, dir: &Path, n: usize) -> anyhow::Result<()> {
    let file = dir.join("customers.csv");
    let mut csv = std::io::BufWriter::new(std::fs::File::create(&file)?);
    writeln!(csv, "external_id,email,name,locale,city")?;
    for i in 0..n {
        writeln!(csv, "c{i},reader{i}@example.com,홍길동,ko,Seoul")?;
    }
    csv.flush()?;
    let settings = app.settings();
    let mut options = Options::new(&settings, ErasureKey::new(app.secret.erasure_key()));
    options.consent = Some(("newsletter".into(), "bench".into()));
    let input = Input::of(&file.display().to_string());
    let report = import::run(&app.db, Kind::Customers, input, &options, &mut |_| {}, app.clock.now()).await?;
    ensure!(report.inserted as usize == n, "{report:?}");
    Ok(())
}

async fn open(shop: &Path) -> anyhow::Result<App> {
    let mut environment = HashMap::new();
    if let Ok(url) = std::env::var("DANGOL_BENCH_DATABASE") {
        environment.insert("DANGOL_DATABASE_URL".to_owned(), url);
    }
    let environment = Environment::Of(Arc::new(environment));
    Ok(Open { workspace: Some(shop.to_owned()), environment, migrate: true, ..Open::default() }.app().await?)
}

async fn empty(url: &str) -> anyhow::Result<()> {
    let location = dangol::db::location::Location::parse(url, Path::new("."))?;
    let db = dangol::db::Db::open(&location).await?;
    db.execute("DROP SCHEMA public CASCADE", vec![]).await?;
    db.execute("CREATE SCHEMA public", vec![]).await?;
    db.close().await;
    Ok(())
}

fn settings(connections: usize, port: u16, dkim: &str) -> String {
    let rate = std::env::var("DANGOL_BENCH_RATE").unwrap_or_else(|_| "1000000/s".into());
    format!(
        r#"
[site]
name = "Haru Garden"
url = "https://mail.haru.example"
address = "12 Mapo-daero, Seoul"
phone = "02-000-0000"
timezone = "Asia/Seoul"
locale = "ko"
currency = "KRW"
[law]
profile = "kr"
[[relay]]
name = "primary"
url = "smtp://127.0.0.1:{port}"
rate = "{rate}"
connections = {connections}
per_connection = 100000
[limits]
cap = "off"
quiet = "off"
[topic.newsletter]
[topic.offers]
[topic.account]
kind = "service"
[sender.hello]
from = "Haru Garden <hello@haru.example>"
{dkim}
"#
    )
}
