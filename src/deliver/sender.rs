//! One process's senders: a dispatcher that claims and composes, and for each relay the tasks that own its connections.
//! What they share is here; the dispatcher is [`super::dispatch`], a connection's task [`super::courier`].
//!
//! Memory is bounded: few mails are made in advance, whatever the size of the queue.

use super::buffer::{Buffer, Next, Waiting};
use super::ledger::{Finished, Ledger};
use super::relay::Relay;
use super::route::Routes;
use super::{Compose, courier, dispatch};
use crate::config::model::DomainLimit;
use crate::db::Db;
use crate::types::{Clock, Timestamp};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What the senders are doing, for `--until-idle` and `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Looks at the queue that found nothing due, counted: a look that began after you asked is one that counts.
    pub empty_looks: u64,
    /// Mails claimed and not yet settled.
    pub in_flight: usize,
    /// The relays' last errors, when none of the mail in hand can go anywhere.
    pub unreachable: Option<String>,
    /// Mails went back to the queue because a domain or a relay is slow; the last one's turn.
    pub put_off_until: Option<Timestamp>,
}

/// The running senders.
pub struct Senders {
    shared: Arc<Shared>,
    dispatcher: JoinHandle<()>,
    ledger: JoinHandle<()>,
}

/// What dispatcher and connections share.
pub(super) struct Shared {
    pub db: Db,
    pub clock: Clock,
    pub node: i64,
    pub composer: Arc<dyn Compose>,
    /// The name that we give in EHLO.
    pub hello: String,
    /// Mails were taken out of the buffer, or may not stay in it.
    pub taken: Notify,
    /// The queue may have changed.
    pub wake: Notify,
    pub stop: CancellationToken,
    buffer: Mutex<Buffer>,
    in_flight: AtomicUsize,
    activity: watch::Sender<Activity>,
    couriers: Mutex<Vec<JoinHandle<()>>>,
    /// For connections that are made later.
    ledger: Mutex<Option<Ledger>>,
}

impl Senders {
    /// Starts the tasks: relays, and limits of domains. `hello` is the name that we give in EHLO.
    pub fn start(
        db: Db,
        clock: Clock,
        node: i64,
        routes: Routes,
        limits: &[DomainLimit],
        composer: Arc<dyn Compose>,
        hello: String,
    ) -> Senders {
        let (ledger, ledger_task) = Ledger::start(db.clone(), clock.clone());
        let shared = Arc::new(Shared {
            db,
            clock,
            node,
            composer,
            hello,
            taken: Notify::new(),
            wake: Notify::new(),
            stop: CancellationToken::new(),
            buffer: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            activity: watch::Sender::new(Activity::default()),
            couriers: Mutex::default(),
            ledger: Mutex::new(Some(ledger.clone())),
        });
        shared.hire(routes, limits, &ledger);
        let dispatcher = tokio::spawn(dispatch::dispatch(shared.clone(), ledger));
        Senders { shared, dispatcher, ledger: ledger_task }
    }

    /// Goes on with these relays and limits. Relays that were there before, the same `Arc`, keep their connections and
    /// what is known of them; those that are gone finish what they have, and close.
    pub fn set(&self, routes: Routes, limits: &[DomainLimit]) {
        let Some(ledger) = lock(&self.shared.ledger).clone() else { return };
        self.shared.hire(routes, limits, &ledger);
        self.shared.taken.notify_one();
        self.wake();
    }

    /// The relays in use.
    pub fn relays(&self) -> Vec<Arc<Relay>> {
        self.shared.relays()
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
    /// The relays' words, when mail is due and can go nowhere.
    pub async fn until_idle(&self) -> Result<(), String> {
        let mut activity = self.activity();
        let looked = activity.borrow_and_update().empty_looks;
        loop {
            {
                let now = activity.borrow_and_update();
                if let Some(why) = &now.unreachable {
                    return Err(why.clone());
                }
                let put_off = now.put_off_until.is_some_and(|until| until >= self.shared.clock.now());
                // the look under way may have begun before our caller queued something
                if now.empty_looks >= looked + 2 && now.in_flight == 0 && !put_off {
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
        let couriers = std::mem::take(&mut *lock(&self.shared.couriers));
        for task in couriers {
            let _ = task.await;
        }
        let ledger = lock(&self.shared.ledger).take();
        if let Some(ledger) = ledger {
            dispatch::clear(&self.shared, &ledger).await;
        }
        let _ = self.ledger.await;
    }
}

impl Shared {
    pub fn buffer(&self) -> MutexGuard<'_, Buffer> {
        lock(&self.buffer)
    }

    /// Puts relays and limits in place, and starts the tasks of those that are new.
    fn hire(self: &Arc<Self>, routes: Routes, limits: &[DomainLimit], ledger: &Ledger) {
        let new = routes.relays.clone();
        let old = {
            let mut buffer = self.buffer();
            let old = std::mem::take(&mut buffer.routes.relays);
            buffer.set(routes, limits);
            old
        };
        let has = |relays: &[Arc<Relay>], relay: &Arc<Relay>| relays.iter().any(|other| Arc::ptr_eq(other, relay));
        for gone in old.iter().filter(|relay| !has(&new, relay)) {
            gone.retired.cancel();
        }
        let mut couriers = lock(&self.couriers);
        couriers.retain(|task| !task.is_finished());
        for relay in new.iter().filter(|relay| !has(&old, relay)) {
            for _ in 0..relay.settings.connections {
                couriers.push(tokio::spawn(courier::courier(self.clone(), relay.clone(), ledger.clone())));
            }
        }
        drop(couriers);
        self.filled();
    }

    pub fn relays(&self) -> Vec<Arc<Relay>> {
        self.buffer().routes.relays.clone()
    }

    /// The next mail for a relay; says so to others who may now have something to do.
    pub fn next(&self, relay: &Arc<Relay>) -> Next {
        let mut buffer = self.buffer();
        let Some(at) = buffer.routes.relays.iter().position(|other| Arc::ptr_eq(other, relay)) else {
            return Next::Nothing;
        };
        let next = buffer.next(at, Instant::now());
        if matches!(next, Next::Mail(_)) {
            if !buffer.is_empty() {
                relay.filled.notify_one();
            }
            if buffer.weighted() {
                buffer.routes.relays.iter().for_each(|relay| relay.filled.notify_one());
            }
            if buffer.len() <= buffer.ahead() / 2 {
                self.taken.notify_one();
            }
        }
        next
    }

    /// Tells every relay that there may be something to send.
    pub fn filled(&self) {
        self.buffer().routes.relays.iter().for_each(|relay| relay.filled.notify_one());
    }

    /// Puts a mail back to the front: it was taken, and nothing was sent.
    pub fn put_back(&self, waiting: Waiting) {
        self.buffer().put_back(waiting);
        self.filled();
    }

    /// A mail that was taken is on its way no more; its domain has room for another.
    pub fn flew(&self, waiting: &Waiting) {
        let mut buffer = self.buffer();
        if buffer.landed(waiting) {
            buffer.routes.relays.iter().for_each(|relay| relay.filled.notify_one());
        }
    }

    pub fn took_off(&self, n: usize) {
        self.in_flight.fetch_add(n, Ordering::SeqCst);
        self.show();
    }

    pub fn landed(&self, n: usize) {
        self.in_flight.fetch_sub(n, Ordering::SeqCst);
        self.show();
    }

    fn show(&self) {
        self.activity.send_if_modified(|activity| {
            // read under the channel's lock: else a slower thread could show an older number last
            activity.in_flight = self.in_flight.load(Ordering::SeqCst);
            // nobody waits for anything but the last: telling of each mail would wake them for each
            activity.in_flight == 0
        });
    }

    /// Shows a look at the queue that found nothing.
    pub fn looked(&self) {
        let put_off_until = self.buffer().horizon();
        self.activity.send_modify(|activity| {
            activity.empty_looks += 1;
            activity.put_off_until = put_off_until;
        });
    }

    /// Shows whether what is in hand can go anywhere.
    pub fn show_reach(&self) {
        let unreachable = {
            let buffer = self.buffer();
            let dead = buffer.routes.set(|_, relay| relay.unreachable().is_some());
            let stuck = dead != 0 && !buffer.is_empty() && buffer.all_within(dead);
            // what is under way may still arrive
            let all_wait = buffer.len() == self.in_flight.load(Ordering::SeqCst);
            let words = buffer
                .routes
                .relays
                .iter()
                .filter_map(|relay| relay.unreachable().map(|why| format!("relay `{}`: {why}", relay.name)));
            (stuck && all_wait).then(|| words.collect::<Vec<_>>().join("; "))
        };
        self.activity.send_if_modified(|activity| {
            let changed = activity.unreachable != unreachable;
            activity.unreachable = unreachable;
            changed
        });
    }

    /// Makes a connection's last result durable; whether there was one.
    pub async fn settle(&self, ledger: &Ledger, previous: &mut Option<Finished>) -> bool {
        let Some(finished) = previous.take() else { return false };
        ledger.finish(finished).await;
        self.landed(1);
        true
    }
}

/// A panic while one of these is held cannot leave it half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
