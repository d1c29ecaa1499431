//! Makes `transmitting` and results durable, for all connections together: one commit, one fsync, many mails.
//!
//! A connection brings the result of its last mail and asks to begin the next; it may go on when the answer comes, and
//! then both are on the disk. So a process that is killed leaves at most one mail of unknown fate per connection.

use super::compose::Policy;
use super::relay::Relay;
use super::verdict::Outcome;
use super::{Claimed, Refusal, group};
use crate::db::{Db, DbError};
use crate::types::{Clock, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How many requests one commit takes at most.
const GROUP: usize = 256;

/// The result of a mail.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Which mail.
    pub claimed: Arc<Claimed>,
    /// What became of it.
    pub outcome: Outcome,
}

/// A claim that is given back until its turn comes.
#[derive(Clone, Debug)]
pub struct PutOff {
    pub(super) id: i64,
    pub(super) token: i64,
    pub(super) why: String,
    pub(super) until: Timestamp,
}

impl PutOff {
    /// This one, for this reason.
    pub fn new(claimed: &Claimed, why: String, until: Timestamp) -> PutOff {
        PutOff { id: claimed.id, token: claimed.token, why, until }
    }
}

pub(super) enum Request {
    /// Begin a mail; `previous` is the same connection's last result.
    Begin {
        claimed: Arc<Claimed>,
        policy: Arc<Policy>,
        relay: Arc<Relay>,
        previous: Option<Finished>,
        answer: oneshot::Sender<bool>,
    },
    /// A result with nothing to follow.
    Finish { finished: Finished, answer: oneshot::Sender<()> },
    /// Mails that could not be made.
    Refuse { refusals: Vec<Refusal>, answer: oneshot::Sender<()> },
    /// Claims that are given back until their turn.
    PutOff { put_off: Vec<PutOff>, answer: oneshot::Sender<()> },
    /// Claims that are given back untouched.
    Release { claims: Vec<(i64, i64)>, answer: oneshot::Sender<()> },
}

/// The way to the ledger. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ledger {
    requests: mpsc::Sender<Request>,
}

impl Ledger {
    /// Starts the ledger's task; it ends when the last handle is dropped, after the last request.
    pub fn start(db: Db, clock: Clock) -> (Ledger, tokio::task::JoinHandle<()>) {
        let (requests, inbox) = mpsc::channel(GROUP * 2);
        let task = tokio::spawn(run(db, clock, inbox));
        (Ledger { requests }, task)
    }

    /// Whether `claimed` may be sent through `relay` now. When this gives true, `transmitting` and the previous result
    /// are durable.
    pub async fn begin(
        &self,
        claimed: Arc<Claimed>,
        policy: Arc<Policy>,
        relay: Arc<Relay>,
        previous: Option<Finished>,
    ) -> bool {
        let (answer, answered) = oneshot::channel();
        let request = Request::Begin { claimed, policy, relay, previous, answer };
        self.requests.send(request).await.is_ok() && answered.await.unwrap_or(false)
    }

    /// Makes a result durable.
    pub async fn finish(&self, finished: Finished) {
        self.ask(|answer| Request::Finish { finished, answer }).await;
    }

    /// Skips mails that could not be made.
    pub async fn refuse(&self, refusals: Vec<Refusal>) {
        self.ask(|answer| Request::Refuse { refusals, answer }).await;
    }

    /// Gives claims back until their turn.
    pub async fn put_off(&self, put_off: Vec<PutOff>) {
        self.ask(|answer| Request::PutOff { put_off, answer }).await;
    }

    /// Gives claims back to the queue: (message, token).
    pub async fn release(&self, claims: Vec<(i64, i64)>) {
        self.ask(|answer| Request::Release { claims, answer }).await;
    }

    async fn ask(&self, request: impl FnOnce(oneshot::Sender<()>) -> Request) {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(request(answer)).await.is_ok() {
            let _ = answered.await; // the task answers, or has ended with the process
        }
    }
}

async fn run(db: Db, clock: Clock, mut inbox: mpsc::Receiver<Request>) {
    let mut group = Vec::with_capacity(GROUP);
    while inbox.recv_many(&mut group, GROUP).await > 0 {
        let begun = match insist(&db, &group, &clock).await {
            Ok(begun) => begun,
            // one of them the database will never take: the others must not suffer for it
            Err(_) => one_by_one(&db, &group, &clock).await,
        };
        for request in group.drain(..) {
            match request {
                Request::Begin { claimed, answer, .. } => {
                    let _ = answer.send(begun.contains(&claimed.id));
                }
                Request::Finish { answer, .. }
                | Request::Refuse { answer, .. }
                | Request::PutOff { answer, .. }
                | Request::Release { answer, .. } => {
                    let _ = answer.send(());
                }
            }
        }
    }
}

/// Writes a group, waiting for a database that is away: results must not be lost. Gives up only on what waiting cannot
/// mend.
async fn insist(db: &Db, group: &[Request], clock: &Clock) -> Result<HashSet<i64>, DbError> {
    let mut wait = Duration::from_millis(20);
    loop {
        match group::write(db, group, clock.now()).await {
            Err(e) if e.is_transient() => {
                tracing::error!(error = %e, "results of delivery cannot be written, trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(5));
            }
            done => return done,
        }
    }
}

/// Each request in a transaction of its own. A message whose request fails all the same stays as it is, and is of unknown
/// fate after the next start.
async fn one_by_one(db: &Db, group: &[Request], clock: &Clock) -> HashSet<i64> {
    let mut begun = HashSet::new();
    for request in group {
        match insist(db, std::slice::from_ref(request), clock).await {
            Ok(ids) => begun.extend(ids),
            Err(e) => tracing::error!(error = %e, "a result of delivery cannot be written; the mail stays as it is"),
        }
    }
    begun
}
