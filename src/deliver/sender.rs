//! One process's senders: a dispatcher that claims and composes, and for each relay the tasks that own its connections.
//!
//! Memory is bounded: at most `AHEAD` mails are made in advance, whatever the size of the queue.

use super::connection::Connection;
use super::ledger::{Finished, Ledger};
use super::relay::Relay;
use super::verdict::Outcome;
use super::{Compose, Outgoing, queue};
use crate::db::{Db, DbError};
use crate::types::Clock;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How many mails are made in advance.
const AHEAD: usize = 512;
/// How long a connection with nothing to do stays open.
const IDLE: Duration = Duration::from_secs(10);
/// How often the queue is looked at when nothing says that it changed.
const POLL: Duration = Duration::from_millis(500);

/// What the senders are doing, for `--until-idle` and `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Looks at the queue that found nothing due, counted: a look that began after you asked is one that counts.
    pub empty_looks: u64,
    /// Mails claimed and not yet settled.
    pub in_flight: usize,
    /// The relay's last error, when no relay can be reached.
    pub unreachable: Option<String>,
}

/// The running senders.
pub struct Senders {
    shared: Arc<Shared>,
    dispatcher: JoinHandle<()>,
    connections: Vec<JoinHandle<()>>,
    ledger: JoinHandle<()>,
}

struct Shared {
    db: Db,
    clock: Clock,
    node: i64,
    relays: Vec<Arc<Relay>>,
    composer: Arc<dyn Compose>,
    hello: String,
    buffer: Mutex<VecDeque<Outgoing>>,
    /// A mail came into the buffer.
    filled: Notify,
    /// A mail was taken out of it.
    taken: Notify,
    /// The queue may have changed.
    wake: Notify,
    in_flight: AtomicUsize,
    activity: watch::Sender<Activity>,
    stop: CancellationToken,
}

impl Senders {
    /// Starts the tasks. `hello` is the name that we give in EHLO.
    pub fn start(
        db: Db,
        clock: Clock,
        node: i64,
        relays: Vec<Arc<Relay>>,
        composer: Arc<dyn Compose>,
        hello: String,
    ) -> Senders {
        let (ledger, ledger_task) = Ledger::start(db.clone(), clock.clone());
        let shared = Arc::new(Shared {
            db,
            clock,
            node,
            relays,
            composer,
            hello,
            buffer: Mutex::new(VecDeque::with_capacity(AHEAD)),
            filled: Notify::new(),
            taken: Notify::new(),
            wake: Notify::new(),
            in_flight: AtomicUsize::new(0),
            activity: watch::Sender::new(Activity::default()),
            stop: CancellationToken::new(),
        });
        let mut connections = Vec::new();
        for relay in &shared.relays {
            for _ in 0..relay.connections {
                connections.push(tokio::spawn(connection(shared.clone(), relay.clone(), ledger.clone())));
            }
        }
        let dispatcher = tokio::spawn(dispatch(shared.clone(), ledger));
        Senders { shared, dispatcher, connections, ledger: ledger_task }
    }

    /// Says that the queue may have changed.
    pub fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// What the senders are doing, and how it changes.
    pub fn activity(&self) -> watch::Receiver<Activity> {
        self.shared.activity.subscribe()
    }

    /// Waits until nothing is due and nothing is in flight.
    ///
    /// # Errors
    /// The relay's words, when mail is due and no relay can be reached.
    pub async fn until_idle(&self) -> Result<(), String> {
        let mut activity = self.activity();
        let looked = activity.borrow_and_update().empty_looks;
        loop {
            {
                let now = activity.borrow_and_update();
                if let Some(why) = &now.unreachable {
                    return Err(why.clone());
                }
                // the look under way may have begun before our caller queued something
                if now.empty_looks >= looked + 2 && now.in_flight == 0 {
                    return Ok(());
                }
                if now.empty_looks < looked + 2 {
                    self.wake();
                }
            }
            if activity.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// Stops: takes nothing new, finishes what is in flight, gives back what was only claimed.
    pub async fn stop(self) {
        self.shared.stop.cancel();
        let _ = self.dispatcher.await;
        for task in self.connections {
            let _ = task.await;
        }
        let _ = self.ledger.await;
    }
}

async fn dispatch(shared: Arc<Shared>, ledger: Ledger) {
    while !shared.stop.is_cancelled() {
        let room = AHEAD - shared.buffered();
        if room < AHEAD / 2 {
            tokio::select! {
                () = shared.taken.notified() => {}
                () = shared.stop.cancelled() => {}
            }
            continue;
        }
        match fill(&shared, &ledger, room).await {
            Ok(0) => {
                shared.activity.send_modify(|activity| activity.empty_looks += 1);
                tokio::select! {
                    () = shared.wake.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                    () = shared.stop.cancelled() => {}
                }
            }
            Ok(_) => {}
            Err(e) => {
                tracing::error!(error = %e, "the queue cannot be read, trying again");
                tokio::time::sleep(POLL).await;
            }
        }
    }
    let left: Vec<(i64, i64)> = shared.lock().drain(..).map(|mail| (mail.claimed.id, mail.claimed.token)).collect();
    if !left.is_empty() {
        let n = left.len();
        ledger.release(left).await;
        shared.landed(n);
    }
}

/// Claims and composes; gives how many were claimed.
async fn fill(shared: &Arc<Shared>, ledger: &Ledger, room: usize) -> Result<usize, DbError> {
    let now = shared.clock.now();
    if queue::all_over_quota(&shared.db, &shared.relays, now).await {
        return Ok(0);
    }
    let claimed = queue::claim(&shared.db, shared.node, room, now).await?;
    let n = claimed.len();
    if n == 0 {
        return Ok(0);
    }
    shared.took_off(n);
    let claims: Vec<(i64, i64)> = claimed.iter().map(|c| (c.id, c.token)).collect();
    let composed = match shared.composer.compose(claimed, now).await {
        Ok(composed) => composed,
        Err(e) => {
            ledger.release(claims).await;
            shared.landed(n);
            return Err(e);
        }
    };
    let mut refusals = Vec::new();
    {
        let mut buffer = shared.lock();
        for mail in composed {
            match mail {
                Ok(outgoing) => buffer.push_back(outgoing),
                Err(refusal) => refusals.push(refusal),
            }
        }
    }
    shared.filled.notify_waiters();
    shared.filled.notify_one();
    let (held, refusals): (Vec<_>, Vec<_>) = refusals.into_iter().partition(|refusal| refusal.give_back);
    if !held.is_empty() {
        let back = held.len();
        ledger.release(held.into_iter().map(|refusal| (refusal.id, refusal.token)).collect()).await;
        shared.landed(back);
    }
    if !refusals.is_empty() {
        let refused = refusals.len();
        ledger.refuse(refusals).await;
        shared.landed(refused);
        super::lane::guard(&shared.db, now).await?;
    }
    Ok(n)
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Outgoing>> {
        // a panic while holding it cannot leave the queue half-changed
        self.buffer.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    fn buffered(&self) -> usize {
        self.lock().len()
    }
    fn took_off(&self, n: usize) {
        self.in_flight.fetch_add(n, Ordering::SeqCst);
        self.show();
    }
    fn landed(&self, n: usize) {
        self.in_flight.fetch_sub(n, Ordering::SeqCst);
        self.show();
    }
    fn show(&self) {
        let failures: Vec<_> = self.relays.iter().map(|relay| (relay.name.as_str(), relay.failures())).collect();
        let unreachable = self.relays.iter().all(|relay| relay.unreachable()).then(|| {
            let errors: Vec<String> = failures
                .iter()
                .map(|(name, (_, error))| format!("relay `{name}`: {}", error.as_deref().unwrap_or("not reachable")))
                .collect();
            errors.join("; ")
        });
        self.activity.send_modify(|activity| {
            // read under the channel's lock: else a slower thread could show an older number last
            activity.in_flight = self.in_flight.load(Ordering::SeqCst);
            activity.unreachable = unreachable.filter(|_| activity.in_flight > 0);
        });
    }
    /// The next mail that may go through `relay`, and wakes another connection when there is more.
    fn take(&self, relay: &str) -> Option<Outgoing> {
        let mut buffer = self.lock();
        let at = buffer.iter().position(|mail| mail.relay.as_deref().is_none_or(|pinned| pinned == relay))?;
        let mail = buffer.remove(at);
        if !buffer.is_empty() {
            self.filled.notify_one();
        }
        self.taken.notify_one();
        mail
    }
    /// Makes a connection's last result durable; whether there was one.
    async fn settle(&self, ledger: &Ledger, previous: &mut Option<Finished>) -> bool {
        let Some(finished) = previous.take() else { return false };
        ledger.finish(finished).await;
        self.landed(1);
        true
    }
    /// Puts a mail back at the front: it was taken, and nothing was sent.
    fn put_back(&self, mail: Outgoing) {
        self.lock().push_front(mail);
        self.filled.notify_one();
    }
}

/// A task that owns one connection at a time.
async fn connection(shared: Arc<Shared>, relay: Arc<Relay>, ledger: Ledger) {
    let mut open: Option<Connection> = None;
    let mut standing = None;
    let mut previous: Option<Finished> = None;
    loop {
        if open.is_none() {
            standing = None;
        }
        let stopping = shared.stop.is_cancelled();
        let mail = if stopping { None } else { shared.take(&relay.name) };
        let Some(mail) = mail else {
            if shared.settle(&ledger, &mut previous).await {
                continue;
            }
            if stopping {
                break;
            }
            tokio::select! {
                () = shared.filled.notified() => {}
                () = tokio::time::sleep(IDLE), if open.is_some() => {
                    if let Some(connection) = open.take() { connection.quit().await; }
                }
                () = shared.stop.cancelled() => {}
            }
            continue;
        };
        if open.as_ref().is_some_and(|connection| connection.sent >= relay.per_connection)
            && let Some(full) = open.take()
        {
            full.quit().await;
        }
        let connection = match open.as_mut() {
            Some(connection) => connection,
            None => match Connection::open(&relay.server, &shared.hello).await {
                Ok(connection) => {
                    standing = Some(relay.succeeded());
                    open.insert(connection)
                }
                Err(e) => {
                    shared.put_back(mail);
                    shared.settle(&ledger, &mut previous).await;
                    let wait = relay.failed(&e.why);
                    tracing::warn!(relay = relay.name, "{e}");
                    shared.show();
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = shared.stop.cancelled() => {}
                    }
                    continue;
                }
            },
        };
        if queue::over_quota(&shared.db, &relay, shared.clock.now()).await {
            // back to the rows: another relay may have room, and tomorrow this one has
            ledger.release(vec![(mail.claimed.id, mail.claimed.token)]).await;
            shared.landed(1);
            shared.settle(&ledger, &mut previous).await;
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(5)) => {}
                () = shared.stop.cancelled() => {}
            }
            continue;
        }
        let ready = relay.ready();
        tokio::pin!(ready);
        let at_once = tokio::select! { biased; () = &mut ready => true, () = std::future::ready(()) => false };
        if !at_once {
            // a result that waited for the next mail's turn would be of unknown fate if the process were killed meanwhile
            shared.settle(&ledger, &mut previous).await;
            tokio::select! {
                () = &mut ready => {}
                () = shared.stop.cancelled() => {
                    shared.put_back(mail);
                    continue;
                }
            }
        }
        let had_previous = usize::from(previous.is_some());
        let go = ledger.begin(mail.claimed.clone(), mail.policy.clone(), &relay.name, previous.take()).await;
        if had_previous > 0 {
            shared.landed(1);
        }
        if !go {
            shared.landed(1);
            continue;
        }
        let (outcome, usable) = connection.transmit(&mail.from, &mail.to, &mail.bytes).await;
        if matches!(outcome, Outcome::Deferred { relay: true, .. }) {
            relay.slow_down();
        }
        if let Outcome::Blamed { reply } = &outcome {
            tracing::warn!(
                relay = relay.name,
                message = mail.claimed.id,
                "the relay refuses us, not the reader: {reply}"
            );
        }
        previous = Some(Finished { claimed: mail.claimed, outcome });
        if !usable {
            open = None;
        }
    }
    drop(standing);
    if let Some(connection) = open {
        connection.quit().await;
    }
}
