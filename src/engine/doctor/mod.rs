//! `dangol doctor`: whether the world lets our mail in, and what to change where it does not.
//!
//! Asks DNS as receivers ask it (SPF, DKIM, DMARC, MX, PTR), compares what is published with the keys on the disk, tries
//! each relay, and looks at what every mail needs: an https site, one-click unsubscribe, the footer of the law, a clock
//! that is right. It changes nothing. Where DNS is away it says so, and goes on with the rest.

mod dmarc;
pub mod dns;
mod ntp;
mod relays;
mod senders;
mod site;
mod spf;

use super::{App, AppError};
use crate::config::nearest;
use dns::Resolver;
use serde::Serialize;
use std::net::SocketAddr;

/// What is asked where.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only this sender.
    pub sender: Option<String>,
    /// The DNS server to ask, instead of the system's.
    pub resolver: Option<SocketAddr>,
    /// The server that knows what time it is, `host:port`.
    pub ntp: String,
}

impl Default for Options {
    fn default() -> Self {
        Options { sender: None, resolver: None, ntp: "pool.ntp.org:123".into() }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it has to be.
    Ok,
    /// Worth a look, or not to be known from here.
    Warn,
    /// Mail suffers from it.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at, such as `dkim`.
    pub area: &'static str,
    /// Of what: a domain, a relay, the site.
    pub subject: String,
    /// What was found.
    pub found: String,
    /// What to change.
    pub advice: Option<String>,
    /// The record to publish, in the place of what stands there.
    pub record: Option<Record>,
}

/// A record of DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Where.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it says, in one piece.
    pub value: String,
}

impl Finding {
    fn new(level: Level, area: &'static str, subject: &str, found: impl Into<String>) -> Finding {
        Finding { level, area, subject: subject.to_owned(), found: found.into(), advice: None, record: None }
    }
    fn ok(area: &'static str, subject: &str, found: impl Into<String>) -> Finding {
        Finding::new(Level::Ok, area, subject, found)
    }
    fn warn(area: &'static str, subject: &str, found: impl Into<String>) -> Finding {
        Finding::new(Level::Warn, area, subject, found)
    }
    fn fail(area: &'static str, subject: &str, found: impl Into<String>) -> Finding {
        Finding::new(Level::Fail, area, subject, found)
    }
    /// DNS gave no answer: nothing is known, and nothing is held against it.
    fn away(area: &'static str, subject: &str, why: &str) -> Finding {
        Finding::warn(area, subject, format!("not known: {why}")).advice("try again where DNS can be asked")
    }
    fn advice(mut self, advice: impl Into<String>) -> Finding {
        self.advice = Some(advice.into());
        self
    }
    fn txt(mut self, name: impl Into<String>, value: impl Into<String>) -> Finding {
        self.record = Some(Record { name: name.into(), kind: "TXT", value: value.into() });
        self
    }
}

/// Looks at everything.
///
/// # Errors
/// When there is no such sender.
pub async fn run(app: &App, options: &Options) -> Result<Vec<Finding>, AppError> {
    let settings = app.settings();
    let chosen = |name: &str| options.sender.as_deref().is_none_or(|wanted| wanted == name);
    if let Some(wanted) = options.sender.as_deref().filter(|wanted| !settings.sender.contains_key(*wanted)) {
        let known = nearest(wanted, settings.sender.keys().map(String::as_str)).unwrap_or_default();
        return Err(AppError::Other(format!("there is no sender `{wanted}` in dangol.toml: {known}")));
    }
    let resolver = match options.resolver {
        Some(server) => Resolver::of(vec![server]),
        None => Resolver::system(),
    };
    let reached = relays::reached(app, &resolver).await;
    let mut findings = Vec::new();
    for (name, sender) in settings.sender.iter().filter(|(name, _)| chosen(name)) {
        findings.extend(senders::findings(app, &resolver, name, sender, &reached).await);
    }
    findings.extend(relays::findings(app, &resolver, &reached).await);
    findings.extend(site::findings(app, &resolver, &options.ntp).await);
    Ok(findings)
}
