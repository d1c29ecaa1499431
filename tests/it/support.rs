//! The harness: a database of either kind for a test of its own, gone when the test ends.
//!
//! SQLite is always there. PostgreSQL is used where `DANGOL_TEST_POSTGRES` names one (`postgres://user@host/db`, a role
//! that may create databases), or where its binaries are installed; else those halves of the tests say that they skip,
//! and with `DANGOL_TEST_REQUIRE=1` they fail instead.

use dangol::db::location::Location;
use dangol::db::{Db, migrate};
use std::future::Future;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// A database with the tables in it.
pub struct TestDb {
    pub db: Db,
    pub location: Location,
    pub dir: Arc<TempDir>,
}

/// Runs a behaviour on SQLite and, where there is one, on PostgreSQL.
pub fn on_both<F: Future<Output = ()>>(behaviour: impl Fn(TestDb) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let fresh = sqlite().await;
        // a behaviour may use the database alone: the folder stays until it has ended
        let (db, _dir) = (fresh.db.clone(), fresh.dir.clone());
        behaviour(fresh).await;
        db.close().await;
    });
    let Some(server) = postgres_server() else { return };
    runtime.block_on(async {
        let fresh = postgres(server).await;
        let (db, location) = (fresh.db.clone(), fresh.location.clone());
        behaviour(fresh).await;
        db.close().await;
        drop_postgres(server, &location).await;
    });
}

/// A fresh SQLite database.
pub async fn sqlite() -> TestDb {
    let dir = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(dir.path().join("test.db"));
    let db = Db::open(&location).await.unwrap();
    migrate::apply(&db, &location, true).await.unwrap();
    TestDb { db, location, dir: Arc::new(dir) }
}

async fn postgres(server: &str) -> TestDb {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("dangol_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let admin = Db::open(&Location::Postgres(server.to_owned())).await.unwrap();
    admin_execute(&admin, &format!("CREATE DATABASE {name}")).await;
    admin.close().await;
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    let location = Location::Postgres(url.to_string());
    let db = Db::open(&location).await.unwrap();
    migrate::apply(&db, &location, true).await.unwrap();
    TestDb { db, location, dir: Arc::new(tempfile::tempdir().unwrap()) }
}

async fn drop_postgres(server: &str, location: &Location) {
    let Location::Postgres(url) = location else { return };
    let name = url::Url::parse(url).unwrap().path().trim_start_matches('/').to_owned();
    let admin = Db::open(&Location::Postgres(server.to_owned())).await.unwrap();
    admin_execute(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    admin.close().await;
}

/// CREATE DATABASE wants to stand outside a transaction, so it goes through the reading door.
async fn admin_execute(admin: &Db, sql: &str) {
    admin.all::<(i64,)>(sql, vec![]).await.unwrap();
}

/// The URL of a PostgreSQL server to test against; says once, loudly, when there is none.
pub fn postgres_server() -> Option<&'static str> {
    static SERVER: OnceLock<Option<String>> = OnceLock::new();
    SERVER
        .get_or_init(|| {
            if let Ok(url) = std::env::var("DANGOL_TEST_POSTGRES") {
                return Some(url);
            }
            let found = start_postgres();
            if found.is_none() {
                assert!(
                    std::env::var("DANGOL_TEST_REQUIRE").is_err(),
                    "DANGOL_TEST_REQUIRE is set, and there is no PostgreSQL: set DANGOL_TEST_POSTGRES or install it"
                );
                eprintln!("SKIPPED: every test's half on PostgreSQL, because none is installed and DANGOL_TEST_POSTGRES is not set");
            }
            found
        })
        .as_deref()
}

/// Starts a throw-away server from installed binaries. It ends with the test process: its standard input closes.
fn start_postgres() -> Option<String> {
    let bin = find_postgres()?;
    let dir = std::env::temp_dir().join(format!("dangol-test-pg-{}", std::process::id()));
    std::fs::create_dir_all(&dir).ok()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    // PostgreSQL refuses to run as root
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0\n"));
    let script = format!(
        r#"set -e
        cd /
        "{bin}/initdb" -D "{dir}/data" -U dangol -A trust -E UTF8 --locale=C >/dev/null
        "{bin}/postgres" -D "{dir}/data" -p {port} -k "{dir}" -c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 >"{dir}/log" 2>&1 &
        server=$!
        read -r _ || true
        kill -INT $server; wait $server || true; rm -rf "{dir}""#,
        bin = bin.display(),
        dir = dir.display(),
    );
    let mut command = if root {
        Command::new("chown").args(["-R", "postgres"]).arg(&dir).status().ok()?;
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh", "-c", &script]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        command
    };
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    std::mem::forget(child.stdin.take()); // stays open as long as this process lives
    let ready = || {
        Command::new(bin.join("pg_isready"))
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .output()
            .is_ok_and(|o| o.status.success())
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !ready() {
        if std::time::Instant::now() > deadline || child.try_wait().ok()?.is_some() {
            eprintln!("PostgreSQL is installed in {} but did not start", bin.display());
            return None;
        }
        std::thread::sleep(std::time::Duration::from_millis(50)); // sleep-ok: pg_isready is asked again, there is no signal
    }
    Some(format!("postgres://dangol@127.0.0.1:{port}/postgres"))
}

fn find_postgres() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|dir| dir.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .chain([PathBuf::from("/usr/bin"), PathBuf::from("/usr/local/bin")])
        .find(|bin| bin.join("initdb").exists() && bin.join("pg_isready").exists())
}
