//! Makes `transmitting` and results durable, for all connections together: one commit, one fsync, many mails.
//!
//! A connection brings the result of its last mail and asks to begin the next; it may go on when the answer comes, and
//! then both are on the disk. So a process that is killed leaves at most one mail of unknown fate per connection.

use super::compose::Policy;
use super::judge::{Decision, judge};
use super::lane::Counts;
use super::store::{self, Change, Changed};
use super::verdict::{Outcome, retry_at};
use super::{Claimed, Refusal, State};
use crate::db::{Db, DbError, Tx};
use crate::event::{self, Kind, NewEvent};
use crate::reward::{self, RewardError};
use crate::types::{Clock, Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How many requests one commit takes at most.
const GROUP: usize = 256;

/// The result of a mail.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Which mail.
    pub claimed: Claimed,
    /// What became of it.
    pub outcome: Outcome,
}

/// A claim that is given back until its turn comes.
#[derive(Clone, Debug)]
pub struct PutOff {
    id: i64,
    token: i64,
    why: String,
    until: Timestamp,
}

impl PutOff {
    /// This one, for this reason.
    pub fn new(claimed: &Claimed, why: String, until: Timestamp) -> PutOff {
        PutOff { id: claimed.id, token: claimed.token, why, until }
    }
}

#[expect(clippy::large_enum_variant, reason = "almost every request is the large one")]
enum Request {
    /// Begin a mail; `previous` is the same connection's last result.
    Begin { claimed: Claimed, policy: Policy, relay: String, previous: Option<Finished>, answer: oneshot::Sender<bool> },
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
    pub async fn begin(&self, claimed: Claimed, policy: Policy, relay: &str, previous: Option<Finished>) -> bool {
        let (answer, answered) = oneshot::channel();
        let request = Request::Begin { claimed, policy, relay: relay.to_owned(), previous, answer };
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
        match write(db, group, clock.now()).await {
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

/// One transaction for all of a group; gives the messages that may be sent.
async fn write(db: &Db, group: &[Request], now: Timestamp) -> Result<HashSet<i64>, DbError> {
    let mut changes: Vec<Change> = Vec::new();
    let mut delivered: HashMap<i64, NewEvent> = HashMap::new();
    let mut begins: Vec<(&Claimed, &Policy, &str)> = Vec::new();
    for request in group {
        let finished = match request {
            Request::Begin { claimed, policy, relay, previous, .. } => {
                begins.push((claimed, policy, relay));
                previous.as_ref()
            }
            Request::Finish { finished, .. } => Some(finished),
            Request::Refuse { refusals, .. } => {
                changes.extend(refusals.iter().map(|r| change(r.id, r.token, State::Skipped, Some(&r.reason))));
                None
            }
            Request::PutOff { put_off, .. } => {
                changes.extend(put_off.iter().map(|one| Change {
                    next_at: Some(one.until),
                    ..change(one.id, one.token, State::Deferred, Some(&one.why))
                }));
                None
            }
            Request::Release { claims, .. } => {
                changes.extend(claims.iter().map(|(id, token)| change(*id, *token, State::Queued, None)));
                None
            }
        };
        if let Some(finished) = finished {
            changes.push(settled(finished, now));
            if matches!(finished.outcome, Outcome::Accepted { .. }) {
                delivered.insert(finished.claimed.id, delivery(&finished.claimed, now));
            }
        }
    }

    let mut tx = db.begin().await?;
    let mails: Vec<(&Claimed, &Policy)> = begins.iter().map(|(claimed, policy, _)| (*claimed, *policy)).collect();
    // results first: a cap counts what was accepted a moment ago
    let landed = store::finish(&mut tx, &changes, now).await?;
    let decisions = judge(&mut tx, &mails, now).await?;
    let mut go = Vec::new();
    let mut others = Vec::new();
    for ((claimed, _, relay), decision) in begins.iter().zip(decisions) {
        match decision {
            Decision::Go => go.push((claimed.id, claimed.token, *relay)),
            Decision::Later(reason, at) => {
                let mut change = change(claimed.id, claimed.token, State::Deferred, Some(reason));
                change.next_at = Some(at);
                others.push(change);
            }
            Decision::Never(reason) => {
                others.push(change(claimed.id, claimed.token, State::Skipped, Some(&reason)));
            }
        }
    }
    let stopped = store::finish(&mut tx, &others, now).await?;
    rewards(&mut tx, &landed, &changes, now).await?;
    rewards(&mut tx, &stopped, &others, now).await?;
    for (campaign, counts) in tally(&landed, &changes) {
        store::count(&mut tx, campaign, &counts).await?;
    }
    let begun: HashSet<i64> = store::transmit(&mut tx, &go, now).await?.into_iter().collect();
    let day = now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let mut by_relay: HashMap<&str, i64> = HashMap::new();
    for (id, _, relay) in &go {
        if begun.contains(id) {
            *by_relay.entry(relay).or_default() += 1;
        }
    }
    for (relay, n) in by_relay {
        store::add_relay_day(&mut tx, relay, &day, n).await?;
    }
    let events: Vec<NewEvent> = landed.iter().filter_map(|changed| delivered.remove(&changed.id)).collect();
    event::append(tx, &events, now).await?;
    Ok(begun)
}

/// What hangs on these mails is usable when they were accepted, and taken back when they will never go.
async fn rewards(tx: &mut Tx, changed: &[Changed], changes: &[Change], now: Timestamp) -> Result<(), DbError> {
    let rewarded: HashSet<i64> = changed.iter().filter(|changed| changed.rewarded).map(|changed| changed.id).collect();
    if rewarded.is_empty() {
        return Ok(());
    }
    let of = |wanted: &[State]| -> Vec<i64> {
        let theirs = changes.iter().filter(|change| wanted.contains(&change.state) && rewarded.contains(&change.id));
        theirs.map(|change| change.id).collect()
    };
    let (accepted, fallen) = (of(&[State::Accepted]), of(&[State::Skipped, State::Refused]));
    // what another node changed at this moment is tried again with the whole group
    reward::settle(tx, &accepted, &fallen, now).await.map_err(RewardError::into_db)?;
    Ok(())
}

/// What changes that took hold mean for the lanes of their campaigns.
fn tally(landed: &[Changed], changes: &[Change]) -> BTreeMap<i64, Counts> {
    let by_id: HashMap<i64, &Change> = changes.iter().map(|change| (change.id, change)).collect();
    let mut counts: BTreeMap<i64, Counts> = BTreeMap::new();
    for Changed { id, campaign, .. } in landed {
        let Some(change) = by_id.get(id) else { continue };
        let render = change.reason.as_deref().is_some_and(|reason| reason.starts_with("render"));
        let one = match change.state {
            State::Accepted => Counts { settled: 1, ..Counts::default() },
            State::Refused => Counts { settled: 1, hard: 1, ..Counts::default() },
            State::Skipped if render => Counts { unrendered: 1, ..Counts::default() },
            _ => continue,
        };
        counts.entry(*campaign).or_default().add(&one);
    }
    counts
}

fn change(id: i64, token: i64, state: State, reason: Option<&str>) -> Change {
    Change { id, token, state, reason: reason.map(str::to_owned), reply: None, next_at: None }
}

/// What a result makes of the message.
fn settled(finished: &Finished, now: Timestamp) -> Change {
    let Finished { claimed, outcome } = finished;
    let attempts = claimed.attempts + 1;
    let (state, reason, reply, next_at) = match outcome {
        Outcome::Accepted { reply } => (State::Accepted, None, Some(reply), None),
        Outcome::Refused { reply } => (State::Refused, None, Some(reply), None),
        Outcome::Unfit { why } => (State::Skipped, Some(why.as_str()), None, None),
        // service mail has to arrive, once too often rather than never, under the same Message-ID
        Outcome::Unknown { why } if claimed.service => {
            (State::Deferred, Some(why.as_str()), None, Some(retry_at(attempts, now)))
        }
        Outcome::Unknown { why } => (State::Unknown, Some(why.as_str()), None, None),
        Outcome::Deferred { reply, .. } | Outcome::Blamed { reply } => {
            let at = retry_at(attempts, now);
            if at >= claimed.expires_at {
                (State::Skipped, Some("expired"), Some(reply), None)
            } else {
                (State::Deferred, Some("the server said: not now"), Some(reply), Some(at))
            }
        }
        Outcome::NotSent { .. } if retry_at(attempts, now) >= claimed.expires_at => {
            (State::Skipped, Some("expired"), None, None)
        }
        Outcome::NotSent { why } => (State::Deferred, Some(why.as_str()), None, Some(retry_at(attempts, now))),
    };
    Change {
        id: claimed.id,
        token: claimed.token,
        state,
        reason: reason.map(str::to_owned),
        reply: reply.cloned(),
        next_at,
    }
}

fn delivery(claimed: &Claimed, now: Timestamp) -> NewEvent {
    let key = format!("delivered:{}", claimed.id);
    let mut event = NewEvent::new(Kind::Delivered, claimed.customer, now, "deliver", key);
    event.campaign = Some(claimed.campaign);
    event.message = Some(claimed.id);
    event
}
