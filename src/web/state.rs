//! What the handlers need, and the doors to the stages that they call.

use super::api::Api;
use crate::config::model::{Settings, Survey};
use crate::db::Db;
use crate::track::{HitLog, Spool, Tokens};
use crate::types::locale::Locale;
use crate::types::{Clock, Email, Shared};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What the handlers need.
pub struct State {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// `dangol.toml`.
    pub settings: Shared<Settings>,
    /// Reads the tokens in links.
    pub tokens: Tokens,
    /// Keeps evidence.
    pub hits: HitLog,
    /// The rules of permission.
    pub deeds: Arc<dyn Deeds>,
    /// The mail as a page.
    pub view: Arc<dyn View>,
    /// The questions of launched campaigns.
    pub surveys: Arc<dyn Surveys>,
    /// What the shop's programs tell.
    pub api: Api,
    /// Counters for `/metrics`.
    pub metrics: Option<PrometheusHandle>,
    /// Withdrawals that came while the database was away.
    pub withdrawals: Spool,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("db", &self.db).finish_non_exhaustive()
    }
}

/// What a withdrawal is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One topic.
    Topic(String),
    /// All marketing mail.
    All,
}

/// Somebody wants no more mail. May wait in a spool, so it holds all that there is to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Who.
    pub customer: i64,
    /// The message whose link it was, if any.
    pub message: Option<i64>,
    /// From what.
    pub scope: Scope,
    /// When they said so.
    pub at: Timestamp,
    /// How: `one-click` or `page`.
    pub source: String,
}

/// What somebody has chosen.
#[derive(Clone, Debug)]
pub struct Preferences {
    /// To be shown masked: the page's link may have been forwarded.
    pub email: Option<Email>,
    /// Their language, when it is known.
    pub locale: Option<Locale>,
    /// Where they stand, by topic; topics without a row are missing.
    pub topics: Vec<TopicState>,
    /// No marketing mail until then.
    pub paused_until: Option<Timestamp>,
    /// Whether opens and clicks are not to be recorded.
    pub tracking_off: bool,
}

/// Whether somebody agreed to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicState {
    /// The topic of dangol.toml.
    pub topic: String,
    /// Whether mail may be sent.
    pub granted: bool,
}

/// A pause of all marketing mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Until then.
    Until(Timestamp),
    /// No longer.
    End,
}

/// What somebody changes on the preference page, by their own act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub customer: i64,
    /// When.
    pub at: Timestamp,
    /// Topics that they now agree to.
    pub grant: Vec<String>,
    /// Topics that they now do not agree to.
    pub withdraw: Vec<String>,
    /// A pause, when they said something about it.
    pub pause: Option<Pause>,
    /// Whether opens and clicks are no longer to be recorded.
    pub tracking_off: bool,
}

/// The rules of permission, as this door calls them. Errors mean "not now": the caller tries again or says so. A customer
/// who does not exist, or was erased, is no error.
pub trait Deeds: Send + Sync {
    /// Takes a withdrawal down, at once; the same one twice is one.
    fn unsubscribe<'a>(&'a self, withdrawal: &'a Withdrawal) -> BoxFuture<'a, anyhow::Result<()>>;

    /// What somebody has chosen; `None` when there is no such customer any more.
    fn preferences(&self, customer: i64) -> BoxFuture<'_, anyhow::Result<Option<Preferences>>>;

    /// Takes a change of preferences down.
    fn change<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, anyhow::Result<()>>;
}

/// A mail as a page.
pub trait View: Send + Sync {
    /// The HTML of a message; `None` when it is no longer to be had, as after erasure.
    fn view(&self, message: i64) -> BoxFuture<'_, anyhow::Result<Option<String>>>;
}

/// The questions of launched campaigns.
pub trait Surveys: Send + Sync {
    /// The survey `name` as it was when the campaign of `message` was launched.
    fn survey<'a>(&'a self, message: i64, name: &'a str) -> BoxFuture<'a, anyhow::Result<Option<Survey>>>;
}
