//! A mail server that takes our mail, with its limits as they stand now.

use super::health::{Gate, Health};
use super::pace::Pace;
use super::quota::Quota;
use super::server::Server;
use crate::config::model;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A relay in use.
#[derive(Debug)]
pub struct Relay {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub server: Server,
    /// As it stands in the settings.
    pub settings: model::Relay,
    /// How many mails in a day.
    pub quota: Quota,
    /// Told when there may be something for it to send.
    pub(super) filled: Notify,
    /// Cancelled when the settings have it no more: its connections finish, and close.
    pub(super) retired: CancellationToken,
    pace: Mutex<Pace>,
    health: Mutex<Health>,
}

/// That a connection stands, for as long as this is kept.
#[derive(Debug)]
pub struct Standing(Arc<Relay>);

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.health(Health::gone);
    }
}

impl Relay {
    /// A relay of its settings.
    pub fn new(settings: &model::Relay, server: Server) -> Relay {
        Relay {
            name: settings.name.clone(),
            server,
            settings: settings.clone(),
            quota: Quota::new(settings),
            filled: Notify::new(),
            retired: CancellationToken::new(),
            pace: Mutex::new(Pace::new(settings.rate)),
            health: Mutex::new(Health::default()),
        }
    }

    /// How long a connection is used.
    pub(super) fn age(&self) -> Duration {
        Duration::from_millis(self.settings.connection_age.as_millis().try_into().unwrap_or(u64::MAX))
    }

    /// Waits until one more mail may go.
    pub async fn ready(&self) {
        self.unheld().await;
        let now = Instant::now();
        let cells = 1 << self.health(|health| health.halvings(now));
        let at = lock(&self.pace).reserve(cells, now);
        tokio::time::sleep_until(at).await;
        // it may have asked for less meanwhile
        self.unheld().await;
    }

    async fn unheld(&self) {
        while let Some(until) = self.health(|health| health.held(Instant::now())) {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Whether one more mail may go at once, when it has been; else [`Relay::ready`] waits for it.
    pub(super) fn at_once(&self) -> bool {
        let now = Instant::now();
        let (held, halvings) = self.health(|health| (health.held(now).is_some(), health.halvings(now)));
        let mut pace = lock(&self.pace);
        let free = !held && pace.free_at(now) <= now;
        if free {
            pace.reserve(1 << halvings, now);
        }
        free
    }

    /// The relay said that it is too fast.
    pub fn slow_down(&self) {
        if self.health(|health| health.slow_down(Instant::now())) {
            tracing::warn!(relay = self.name, "the relay asks for less: halving the rate for a while");
        }
    }

    /// Whether a connection may be opened now.
    pub(super) fn gate(&self) -> Gate {
        self.health(|health| health.gate(Instant::now()))
    }

    /// Whoever was to probe has nothing to send.
    pub(super) fn unprobed(&self) {
        self.health(Health::unprobed);
    }

    /// A connection or login failed.
    pub(super) fn failed(&self, why: &str) {
        self.health(|health| health.failed(why, Instant::now()));
    }

    /// A connection stands; keep what this gives for as long as it does.
    pub(super) fn succeeded(self: &Arc<Self>) -> Standing {
        self.health(Health::opened);
        self.filled.notify_waiters();
        Standing(self.clone())
    }

    /// The server's word settled a mail.
    pub(super) fn worked(&self) {
        self.health(Health::worked);
    }

    /// The connection broke under a mail.
    pub(super) fn broke(&self, why: &str) {
        self.health(|health| health.broke(why, Instant::now()));
    }

    /// Whether another relay should not wait for this one.
    pub(super) fn usable(&self) -> bool {
        self.health(|health| health.usable(Instant::now()))
    }

    /// Why nothing can go through it, when connecting has failed again and again.
    pub fn unreachable(&self) -> Option<String> {
        self.health(|health| health.unreachable().map(str::to_owned))
    }

    /// What is wrong with it, for `status`.
    pub fn trouble(&self) -> Option<String> {
        self.health(|health| health.trouble(Instant::now()))
    }

    fn health<T>(&self, act: impl FnOnce(&mut Health) -> T) -> T {
        act(&mut lock(&self.health))
    }
}

/// A panic while one of these is held cannot leave its few numbers half-changed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
