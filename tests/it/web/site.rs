//! A running server with everything behind it, and an HTTP client before it.

use crate::support::{TestDb, on_both};
use crate::track::{CHROME, at, secret};
use dangol::args;
use dangol::config::model::{Settings, Survey};
use dangol::import::Kind;
use dangol::import::kinds::Landed;
use dangol::track::{HitLog, Spool, Tokens};
use dangol::types::{Clock, Shared, Timestamp};
use dangol::web::{self, Api, Change, Deeds, Intake, Pause, Preferences, State, Surveys, TopicState, View, Withdrawal};
use futures_util::future::BoxFuture;
use reqwest::{Client, Method, Response};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

pub const SETTINGS: &str = r#"
[site]
name = "하루 <b>정원</b>"
url = "https://mail.haru.example"
timezone = "Asia/Seoul"
locale = "ko"
currency = "KRW"
[topic.newsletter]
title = { ko = "월간 편지", en = "Monthly letter" }
[topic.offers]
[topic.account]
kind = "service"
[web]
proxies = 1
"#;

/// Permission as this door sees it, with a switch that turns it off.
#[derive(Default)]
pub struct TestDeeds {
    pub away: AtomicBool,
    pub withdrawn: Mutex<Vec<Withdrawal>>,
    pub changed: Mutex<Vec<Change>>,
}

impl TestDeeds {
    fn answers(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.away.load(Ordering::SeqCst), "the database is away");
        Ok(())
    }
}

impl Deeds for TestDeeds {
    fn unsubscribe<'a>(&'a self, withdrawal: &'a Withdrawal) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move {
            self.answers()?;
            let mut all = self.withdrawn.lock().unwrap();
            if !all.contains(withdrawal) {
                all.push(withdrawal.clone());
            }
            Ok(())
        })
    }

    fn preferences(&self, customer: i64) -> BoxFuture<'_, anyhow::Result<Option<Preferences>>> {
        Box::pin(async move {
            self.answers()?;
            let paused_until = self.changed.lock().unwrap().last().and_then(|change| match change.pause {
                Some(Pause::Until(until)) => Some(until),
                _ => None,
            });
            Ok((customer != 404).then(|| Preferences {
                email: "hong@haru.example".parse().ok(),
                locale: (customer % 2 == 0).then(|| "en".parse().unwrap()),
                topics: vec![TopicState { topic: "newsletter".into(), granted: true }],
                paused_until,
                tracking_off: false,
            }))
        })
    }

    fn change<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move {
            self.answers()?;
            self.changed.lock().unwrap().push(change.clone());
            Ok(())
        })
    }
}

/// What the API's door was asked, with a switch that turns it off.
#[derive(Default)]
pub struct TestIntake {
    pub away: AtomicBool,
    pub rows: Mutex<Vec<(Kind, Vec<Result<serde_json::Value, String>>, bool)>>,
    pub redeemed: Mutex<Vec<(String, String, Option<i64>, Option<String>, String, Option<Timestamp>)>>,
}

impl Intake for TestIntake {
    fn rows<'a>(
        &'a self,
        kind: Kind,
        rows: Vec<Result<serde_json::Value, String>>,
        create: bool,
        _request: &'a str,
    ) -> BoxFuture<'a, anyhow::Result<Vec<Landed>>> {
        Box::pin(async move {
            anyhow::ensure!(!self.away.load(Ordering::SeqCst), "SELECT secret FROM hidden_table failed");
            let landed =
                rows.iter().map(|row| row.clone().map_or_else(Landed::Rejected, |_| Landed::Inserted)).collect();
            self.rows.lock().unwrap().push((kind, rows, create));
            Ok(landed)
        })
    }

    fn redeem<'a>(
        &'a self,
        customer: &'a str,
        reward: &'a str,
        points: Option<i64>,
        code: Option<String>,
        key: &'a str,
        at: Option<Timestamp>,
    ) -> BoxFuture<'a, anyhow::Result<Landed>> {
        Box::pin(async move {
            anyhow::ensure!(!self.away.load(Ordering::SeqCst), "away");
            let mut redeemed = self.redeemed.lock().unwrap();
            if redeemed.iter().any(|known| known.4 == key) {
                return Ok(Landed::Unchanged);
            }
            redeemed.push((customer.into(), reward.into(), points, code, key.into(), at));
            Ok(Landed::Inserted)
        })
    }
}

pub struct Mails;

impl View for Mails {
    fn view(&self, message: i64) -> BoxFuture<'_, anyhow::Result<Option<String>>> {
        let html = (message != 404).then(|| format!("<p>mail {message}</p><script>alert(1)</script>"));
        Box::pin(async move {
            anyhow::ensure!(message != 500, "select * from secret_table failed");
            Ok(html)
        })
    }
}

impl Surveys for Mails {
    fn survey<'a>(&'a self, _: i64, name: &'a str) -> BoxFuture<'a, anyhow::Result<Option<Survey>>> {
        Box::pin(async move {
            Ok(match name {
                "nps" => Some(toml::from_str(include_str!("../../../templates/workspace/surveys/nps.toml"))?),
                "taste" => Some(toml::from_str(include_str!("../../../templates/workspace/surveys/taste.toml"))?),
                "xss" => Some(toml::from_str("kind = 'nps'\nquestion = '<script>alert(1)</script>'")?),
                _ => None,
            })
        })
    }
}

/// A running server, with everything behind it.
pub struct Site {
    pub base: String,
    pub client: Client,
    pub tokens: Tokens,
    pub deeds: Arc<TestDeeds>,
    pub intake: Arc<TestIntake>,
    pub state: Arc<State>,
    pub stop: CancellationToken,
}

impl Site {
    pub async fn start(t: &TestDb) -> Site {
        Site::with(t, t.db.clone(), SETTINGS).await
    }

    pub async fn with(t: &TestDb, db: dangol::db::Db, settings: &str) -> Site {
        let settings: Settings = toml::from_str(settings).unwrap();
        let (hits, _writer) = HitLog::start(db.clone(), t.dir.path().join("hits.ndjson"));
        let deeds = Arc::new(TestDeeds::default());
        let tokens = Tokens::new(&secret());
        let intake = Arc::new(TestIntake::default());
        let state = Arc::new(State {
            db,
            clock: Clock::stepped(at(5, 0)),
            settings: Shared::new(settings),
            tokens: tokens.clone(),
            hits,
            deeds: deeds.clone(),
            view: Arc::new(Mails),
            surveys: Arc::new(Mails),
            api: Api::new(intake.clone()),
            metrics: Some(metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle()),
            withdrawals: Spool::new(t.dir.path().join("withdrawals.ndjson")),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(web::serve(listener, state.clone(), stop.clone().cancelled_owned()));
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(CHROME)
            .build()
            .unwrap();
        Site { base, client, tokens, deeds, intake, state, stop }
    }

    pub async fn ask(&self, method: Method, path: &str) -> Response {
        let request = self.client.request(method, format!("{}{path}", self.base));
        request.header("x-forwarded-for", "6.6.6.6, 203.0.113.7").send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Response {
        self.ask(Method::GET, path).await
    }

    pub async fn post(&self, path: &str, body: &str) -> Response {
        let request = self.client.post(format!("{}{path}", self.base)).body(body.to_owned());
        request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap()
    }

    pub fn withdrawn(&self) -> Vec<Withdrawal> {
        self.deeds.withdrawn.lock().unwrap().clone()
    }
}

pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

pub async fn hits(t: &TestDb) -> Vec<(String, String, Option<String>)> {
    t.db.all("SELECT kind, method, ip FROM hit ORDER BY id", args![]).await.unwrap()
}

/// Each test that does not touch the database through the door runs on both all the same: opening is cheap.
pub fn on_a_site(behaviour: impl AsyncFn(TestDb, Site)) {
    on_both(|t| async {
        let site = Site::start(&t).await;
        let stop = site.stop.clone();
        behaviour(t, site).await;
        stop.cancel();
    });
}
