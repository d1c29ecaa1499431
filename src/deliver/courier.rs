//! A task that owns one connection to a relay at a time: takes a mail, waits for its turn, has the ledger begin it, sends
//! it, and brings the result with the next.

use super::Refusal;
use super::buffer::{Next, Waiting};
use super::connection::Connection;
use super::health::Gate;
use super::ledger::{Finished, Ledger};
use super::relay::{Relay, Standing};
use super::sender::Shared;
use super::verdict::Outcome;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a connection with nothing to do stays open.
const IDLE: Duration = Duration::from_secs(10);
/// How often a relay that has had its day's mail looks whether it is tomorrow.
const QUOTA: Duration = Duration::from_secs(1);

/// What the task has in hand.
struct Courier {
    shared: Arc<Shared>,
    relay: Arc<Relay>,
    ledger: Ledger,
    open: Option<(Connection, Standing)>,
    previous: Option<Finished>,
}

/// Runs until the senders stop, or the relay is retired.
pub(super) async fn courier(shared: Arc<Shared>, relay: Arc<Relay>, ledger: Ledger) {
    let mut this = Courier { shared, relay, ledger, open: None, previous: None };
    while !this.ends() {
        this.round().await;
    }
    this.settle().await;
    this.close().await;
}

impl Courier {
    async fn round(&mut self) {
        self.renew().await;
        let mut probe = false;
        if self.open.is_none() {
            match self.relay.gate() {
                Gate::Open => {}
                Gate::Probe => probe = true,
                Gate::Closed(until) => {
                    self.settle().await;
                    return self.wait(Some(until)).await;
                }
            }
        }
        let now = self.shared.clock.now();
        let next = match self.relay.quota.left(&self.shared.db, &self.relay.name, now).await {
            Some(0) => Next::Later(Instant::now() + QUOTA),
            _ => self.shared.next(&self.relay),
        };
        let until = match next {
            Next::Mail(waiting) => return self.carry(waiting).await,
            Next::Later(at) => Some(at),
            Next::Nothing => None,
        };
        if probe {
            self.relay.unprobed();
        }
        if !self.settle().await {
            self.wait(until).await;
        }
    }

    /// Sends a mail, as far as it goes.
    async fn carry(&mut self, waiting: Waiting) {
        if self.open.is_none() && !self.connect().await {
            self.shared.put_back(waiting);
            return self.shared.show_reach();
        }
        let Some((connection, _)) = &self.open else { return self.shared.put_back(waiting) };
        let mail = &waiting.mail;
        let claim = (mail.claimed.id, mail.claimed.token);
        if let Some(reason) = connection.unfit(&mail.from, &mail.to, &mail.content) {
            let refusal = Refusal { id: claim.0, token: claim.1, give_back: false, reason };
            self.ledger.refuse(vec![refusal]).await;
            self.shared.flew(&waiting);
            return self.shared.landed(1);
        }
        let quota = &self.relay.quota;
        if !quota.take(&self.shared.db, &self.relay.name, self.shared.clock.now()).await {
            return self.shared.put_back(waiting);
        }
        if !self.relay.at_once() {
            // a result that waited for the next mail's turn would be of unknown fate if the process were killed meanwhile
            self.settle().await;
            let turn = tokio::select! {
                () = self.relay.ready() => true,
                () = self.shared.stop.cancelled() => false,
                () = self.relay.retired.cancelled() => false,
            };
            if !turn {
                self.relay.quota.returned();
                return self.shared.put_back(waiting);
            }
        }
        self.transmit(waiting).await;
    }

    async fn transmit(&mut self, waiting: Waiting) {
        let quota = &self.relay.quota;
        // it may have gone while its mail waited for its turn; here nothing is lost, a moment later the mail has to wait
        if self.open.as_mut().is_some_and(|(connection, _)| !connection.stands()) {
            self.open = None;
        }
        let Some((connection, _)) = &mut self.open else {
            quota.returned();
            return self.shared.put_back(waiting);
        };
        let previous = self.previous.take();
        let mail = &waiting.mail;
        let had_previous = previous.is_some();
        let go = self.ledger.begin(mail.claimed.clone(), mail.policy.clone(), self.relay.clone(), previous).await;
        if had_previous {
            self.shared.landed(1);
        }
        if !go {
            quota.returned();
            self.shared.flew(&waiting);
            return self.shared.landed(1);
        }
        quota.begun();
        let (outcome, usable) = connection.transmit(&mail.from, &mail.to, &mail.content).await;
        self.shared.flew(&waiting);
        self.learn(&outcome, &waiting);
        // after what its mail has taught: when it is gone, another may try
        if !usable {
            self.open = None;
        }
        self.previous = Some(Finished { claimed: waiting.mail.claimed, outcome });
    }

    /// What the outcome says of the relay, and of the campaign.
    fn learn(&self, outcome: &Outcome, waiting: &Waiting) {
        let (relay, campaign) = (&self.relay, waiting.mail.claimed.campaign);
        match outcome {
            Outcome::Accepted { .. } | Outcome::Refused { .. } => {
                relay.worked();
                self.shared.buffer().blames.fine(&relay.name, campaign);
            }
            Outcome::Deferred { relay: asks_for_less, .. } => {
                relay.worked();
                if *asks_for_less {
                    relay.slow_down();
                }
            }
            Outcome::Blamed { reply } => {
                relay.worked();
                let message = waiting.mail.claimed.id;
                tracing::warn!(relay = relay.name, message, "the relay refuses us, not the reader: {reply}");
                let (every, now) = (relay.server.limits.probe, Instant::now());
                if self.shared.buffer().blames.refused(&relay.name, campaign, reply, every, now) {
                    tracing::error!(relay = relay.name, campaign, "holding the campaign back from this relay: {reply}");
                    self.shared.taken.notify_one();
                }
            }
            Outcome::NotSent { why } | Outcome::Unknown { why } => {
                tracing::warn!(relay = relay.name, message = waiting.mail.claimed.id, "{why}");
                relay.broke(why);
            }
            Outcome::Unfit { .. } => {}
        }
    }

    /// Opens a connection; whether it stands.
    async fn connect(&mut self) -> bool {
        self.settle().await;
        match Connection::open(&self.relay.server, &self.shared.hello).await {
            Ok(connection) => {
                self.open = Some((connection, self.relay.succeeded()));
                self.shared.show_reach();
                true
            }
            Err(e) => {
                self.relay.failed(&e.why);
                tracing::warn!(relay = self.relay.name, "{e}");
                false
            }
        }
    }

    /// Closes a connection that has been used enough, and forgets one that the server has closed.
    async fn renew(&mut self) {
        let Some((connection, _)) = &mut self.open else { return };
        if !connection.stands() {
            self.open = None;
        } else if connection.sent >= self.relay.settings.per_connection || connection.age() >= self.relay.age() {
            self.settle().await;
            self.close().await;
        }
    }

    async fn close(&mut self) {
        if let Some((connection, standing)) = self.open.take() {
            connection.quit().await;
            drop(standing);
        }
    }

    /// Waits for something to do, or until then.
    async fn wait(&mut self, until: Option<Instant>) {
        let idle = Instant::now() + IDLE;
        tokio::select! {
            () = self.relay.filled.notified() => {}
            () = tokio::time::sleep_until(until.unwrap_or(idle)), if until.is_some() => {}
            () = tokio::time::sleep_until(idle), if self.open.is_some() => self.close().await,
            () = self.shared.stop.cancelled() => {}
            () = self.relay.retired.cancelled() => {}
        }
    }

    async fn settle(&mut self) -> bool {
        self.shared.settle(&self.ledger, &mut self.previous).await
    }

    fn ends(&self) -> bool {
        self.shared.stop.is_cancelled() || self.relay.retired.is_cancelled()
    }
}
