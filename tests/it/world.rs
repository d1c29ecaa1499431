//! A workspace of its own for a test, over either database, with a real SMTP server to send to and a clock that the test
//! steps.

use crate::support::TestDb;
use dangol::campaign::content::Content;
use dangol::campaign::launch::{Inside, Launched, launch};
use dangol::campaign::{CampaignError, Live};
use dangol::catcher::{self, Catcher, Reply, Verdict};
use dangol::config::init;
use dangol::customer::ErasureKey;
use dangol::db::location::Location;
use dangol::engine::{App, Environment, Open, Roles, Running};
use dangol::import::{self, Input, Kind, Options};
use dangol::report::campaign::{Report, report};
use dangol::types::{Clock, Email, Timestamp};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Noon in Seoul, a Tuesday.
pub const NOON: &str = "2027-03-02T03:00:00Z";

/// The world of a test.
pub struct World {
    pub dir: PathBuf,
    pub app: App,
    pub clock: Clock,
    pub sink: Catcher,
}

/// Takes everything.
pub fn take(_: &Email) -> Option<Reply> {
    None
}

impl World {
    /// A workspace as `init` writes it, its mail going to a sink with this verdict.
    pub async fn new(t: &TestDb, verdict: impl Verdict) -> World {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let clock = Clock::stepped(NOON.parse().unwrap());
        let sink = Catcher::start(catcher::Options::default(), clock.clone(), verdict).await.unwrap();
        let dir = t.dir.path().join("shop");
        init::write(&dir).unwrap();
        write(&dir, "dangol.toml", &settings(&format!("smtp://{}", sink.smtp_addr), ""));
        let app = open(&dir, t, &clock).await;
        World { dir, app, clock, sink }
    }

    /// The same with another `dangol.toml`.
    pub async fn with_settings(self, t: &TestDb, relay: &str, more: &str) -> World {
        write(&self.dir, "dangol.toml", &settings(relay, more));
        let app = open(&self.dir, t, &self.clock).await;
        World { app, ..self }
    }

    /// The relay's URL of the sink.
    pub fn relay(&self) -> String {
        format!("smtp://{}", self.sink.smtp_addr)
    }

    /// Writes a file of the workspace, and opens it again.
    pub async fn file(self, t: &TestDb, path: &str, text: &str) -> World {
        write(&self.dir, path, text);
        let app = open(&self.dir, t, &self.clock).await;
        World { app, ..self }
    }

    /// Imports customers who consent to the newsletter.
    pub async fn customers(&self, csv: &str) -> import::Report {
        self.import(Kind::Customers, csv, Some(("newsletter".into(), "test".into()))).await
    }

    /// Imports a file.
    pub async fn import(&self, kind: Kind, text: &str, consent: Option<(String, String)>) -> import::Report {
        let file = self.dir.join(format!("{}.csv", kind.name()));
        std::fs::write(&file, text).unwrap();
        let settings = self.app.settings();
        let mut options = Options::new(&settings, ErasureKey::new(self.app.secret.erasure_key()));
        options.consent = consent;
        let input = Input::of(file.to_str().unwrap());
        import::run(&self.app.db, kind, input, &options, &mut |_| {}, self.now()).await.unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Steps the clock.
    pub fn later(&self, period: &str) {
        let period: dangol::types::Period = period.parse().unwrap();
        self.clock.set(period.after(self.now(), &jiff::tz::TimeZone::UTC));
    }

    /// Launches a campaign of the files.
    pub async fn launch(&self, name: &str) -> Launched {
        self.try_launch(name, Inside::Stay).await.unwrap()
    }

    pub async fn try_launch(&self, name: &str, inside: Inside) -> Result<Launched, CampaignError> {
        let content = Content::of(&self.app.workspace, name)?;
        let live = Live::compile(name, &content, &self.app.settings())?;
        launch(&self.app.db, name, &content, &live, &self.app.settings(), inside, self.now()).await
    }

    /// Works until nothing is due.
    pub async fn run(&self) {
        self.try_run().await.unwrap();
    }

    pub async fn try_run(&self) -> Result<(), String> {
        let running = Running::start(self.app.clone(), Roles::ALL).await.map_err(|e| e.to_string())?;
        // not a measure of speed: a run that never ends would otherwise say nothing at all
        let patience = std::time::Duration::from_secs(120);
        let idle =
            tokio::time::timeout(patience, running.until_idle()).await.expect("nothing is idle after two minutes");
        running.stop().await.map_err(|e| e.to_string())?;
        idle.map_err(|e| e.to_string())
    }

    /// The report of a campaign.
    pub async fn report(&self, name: &str) -> Report {
        report(&self.app.db, &self.app.cache, &self.app.settings(), name, self.now()).await.unwrap()
    }

    /// How many messages of a campaign are in a state.
    pub async fn count(&self, name: &str, state: &str) -> i64 {
        self.report(name).await.messages[state]
    }

    /// Whoever got mail, with how many.
    pub fn received(&self) -> Vec<(String, u64)> {
        let mut all: Vec<(String, u64)> = self.sink.inbox.by_recipient().into_iter().collect();
        all.sort();
        all
    }
}

/// `dangol.toml` of a test: no quiet hours and no cap unless `more` sets them.
pub fn settings(relay: &str, more: &str) -> String {
    let limits = if more.contains("[limits]") { "" } else { "[limits]\nquiet = \"off\"\ncap = \"off\"\n" };
    format!(
        r#"
[site]
name = "Haru Garden"
url = "http://127.0.0.1:8080"
address = "12 Mapo-daero, Seoul"
phone = "02-000-0000"
timezone = "Asia/Seoul"
locale = "en"
currency = "KRW"
[law]
profile = "kr"
[[relay]]
name = "primary"
url = "{relay}"
rate = "5000/s"
connections = 4
[sender.hello]
from = "Haru Garden <hello@haru.example>"
[topic.newsletter]
consent = "opt-in"
[topic.offers]
[topic.account]
kind = "service"
{limits}{more}
"#
    )
}

/// `n` customers `c1`…, each with an address.
pub fn people(n: usize) -> String {
    let rows: Vec<String> = (1..=n).map(|i| format!("c{i},reader{i}@example.com,Reader {i}")).collect();
    format!("external_id,email,name\n{}\n", rows.join("\n"))
}

pub fn write(dir: &Path, path: &str, text: &str) {
    let file = dir.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// How the workspace of a test is opened.
pub fn opening(dir: &Path, t: &TestDb, clock: &Clock) -> Open {
    let url = match &t.location {
        Location::Sqlite(path) => format!("sqlite://{}", path.display()),
        Location::Postgres(url) => url.clone(),
    };
    let environment = HashMap::from([("DANGOL_DATABASE_URL".to_owned(), url)]);
    Open {
        workspace: Some(dir.to_path_buf()),
        clock: clock.clone(),
        environment: Environment::Of(Arc::new(environment)),
        ..Open::default()
    }
}

async fn open(dir: &Path, t: &TestDb, clock: &Clock) -> App {
    opening(dir, t, clock).app().await.unwrap()
}
