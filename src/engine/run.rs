//! The loops: scheduler, senders, readers, web; and how they end.

use super::relays::{self, Relays};
use super::{App, AppError};
use crate::access;
use crate::campaign::journey::{self, Which};
use crate::campaign::{enrol, store as campaigns};
use crate::catcher::Catcher;
use crate::deliver::lane;
use crate::deliver::node::Node;
use crate::deliver::sender::Senders;
use crate::relationship;
use crate::reward;
use crate::track::settle;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often the loops look when nothing wakes them.
const POLL: Duration = Duration::from_millis(500);
/// How long the scheduler rests after a turn that left nothing over, so that what happens meanwhile is taken in together:
/// while mail goes out, each turn would else find a handful of deliveries, at the price of hundreds.
const REST: Duration = Duration::from_millis(200);
/// Slices of enrolment before the scheduler looks at everything else.
const SLICES: u64 = 64;
/// How often what goes wrong is counted.
const GUARD: Duration = Duration::from_secs(3);
/// How often what only time changes is looked at: scores that decay, dead nodes.
const UPKEEP: Duration = Duration::from_secs(30);

/// Which loops run in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Takes audiences into the queue, settles hits, moves relationships.
    pub scheduler: bool,
    /// Sends.
    pub sender: bool,
}

impl Roles {
    /// Both.
    pub const ALL: Roles = Roles { scheduler: true, sender: true };
}

/// Why the loops ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// They were asked to.
    Stopped,
    /// This node lost its lock, and must not send any more.
    LostLock,
}

/// Running loops.
pub struct Running {
    app: App,
    stop: CancellationToken,
    node: Option<Arc<tokio::sync::Mutex<Node>>>,
    senders: Option<Arc<Senders>>,
    catcher: Option<Catcher>,
    loops: Vec<JoinHandle<()>>,
    lost: CancellationToken,
}

impl Running {
    /// Starts senders, having recovered what dead processes left. The scheduler's loop is [`Running::schedule`].
    ///
    /// # Errors
    /// When another process sends from the same SQLite file, or a relay cannot be made.
    pub async fn start(app: App, roles: Roles) -> Result<Running, AppError> {
        let (mut node, mut senders, mut catcher) = (None, None, None);
        if roles.sender {
            let made: Relays = relays::of(&app).await?;
            catcher = made.catcher;
            let this = Node::start(&app.db, &app.location, app.clock.now()).await?;
            let recovered = this.recover(&app.db, app.clock.now()).await?;
            if recovered != crate::deliver::node::Recovered::default() {
                tracing::warn!(
                    queued = recovered.queued,
                    unknown = recovered.unknown,
                    "took over what a dead process held"
                );
            }
            let hello = url::Url::parse(&app.settings().site.url)
                .ok()
                .and_then(|url| url.host_str().map(str::to_owned))
                .unwrap_or_else(|| "localhost".into());
            let composer = Arc::new(app.composer.clone());
            let limits = &app.settings().delivery.domain;
            let routes = made.routes;
            let started = Senders::start(app.db.clone(), app.clock.clone(), this.id, routes, limits, composer, hello);
            senders = Some(Arc::new(started));
            node = Some(Arc::new(tokio::sync::Mutex::new(this)));
        }
        let stop = CancellationToken::new();
        let loops = if roles.sender { vec![tokio::spawn(guard(app.clone(), stop.clone()))] } else { Vec::new() };
        let mut running = Running { app, stop, node, senders, catcher, loops, lost: CancellationToken::new() };
        running.watch_node();
        running.watch_relays();
        Ok(running)
    }

    /// The catcher, when a relay is `catch://`.
    pub fn catcher(&self) -> Option<&Catcher> {
        self.catcher.as_ref()
    }

    /// Works the senders and the scheduler look at now rather than at their next round.
    pub fn wake(&self) {
        if let Some(senders) = &self.senders {
            senders.wake();
        }
    }

    /// Cancelled when the loops are to end.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts the scheduler's loop and the upkeep.
    pub fn schedule(&mut self) {
        let (app, stop, senders) = (self.app.clone(), self.stop.clone(), self.senders.clone());
        self.loops.push(tokio::spawn(async move {
            let mut upkeep = tokio::time::Instant::now();
            while !stop.is_cancelled() {
                let refresh = tokio::time::Instant::now() >= upkeep;
                if refresh {
                    upkeep = tokio::time::Instant::now() + UPKEEP;
                }
                let turn = turn(&app, refresh).await;
                if matches!(turn, Ok(Turn::Done | Turn::Unfinished))
                    && let Some(senders) = &senders
                {
                    senders.wake();
                }
                match turn {
                    Ok(Turn::Unfinished) => tokio::task::yield_now().await,
                    Ok(Turn::Done) => tokio::select! {
                        () = tokio::time::sleep(REST) => {}
                        () = stop.cancelled() => {}
                    },
                    Ok(Turn::Idle) => tokio::select! {
                        () = tokio::time::sleep(POLL) => {}
                        () = app.woken.notified() => {}
                        () = stop.cancelled() => {}
                    },
                    Err(e) => {
                        tracing::error!(error = %e, "the scheduler stumbled, trying again");
                        tokio::select! {
                            () = tokio::time::sleep(Duration::from_secs(2)) => {}
                            () = stop.cancelled() => {}
                        }
                    }
                }
            }
        }));
    }

    /// Takes over from dead nodes now and then, and ends when our own lock is lost.
    fn watch_node(&mut self) {
        let Some(node) = self.node.clone() else { return };
        let (app, stop, lost) = (self.app.clone(), self.stop.clone(), self.lost.clone());
        self.loops.push(tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(UPKEEP) => {}
                    () = stop.cancelled() => break,
                }
                let mut node = node.lock().await;
                if !node.alive().await {
                    tracing::error!("this node lost its lock in the database: it stops sending");
                    lost.cancel();
                    stop.cancel();
                    break;
                }
                match node.recover(&app.db, app.clock.now()).await {
                    Ok(recovered) if recovered.queued + recovered.unknown > 0 => {
                        tracing::warn!(
                            queued = recovered.queued,
                            unknown = recovered.unknown,
                            "took over from a dead node"
                        );
                    }
                    Ok(_) => {}
                    Err(e) => tracing::error!(error = %e, "dead nodes cannot be looked for"),
                }
            }
        }));
    }

    /// Takes relays and limits as they stand in the settings when those are read again.
    fn watch_relays(&mut self) {
        let Some(senders) = self.senders.clone() else { return };
        let (app, stop) = (self.app.clone(), self.stop.clone());
        let catcher = self.catcher.as_ref().map(|catcher| catcher.smtp_addr);
        let mut seen = app.settings();
        self.loops.push(tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(POLL) => {}
                    () = stop.cancelled() => break,
                }
                let settings = app.settings();
                if Arc::ptr_eq(&seen, &settings) {
                    continue;
                }
                match relays::again(&app, &settings, catcher, &senders.relays()) {
                    Ok(routes) => senders.set(routes, &settings.delivery.domain),
                    Err(e) => tracing::error!("the relays stay as they were: {e}"),
                }
                seen = settings;
            }
        }));
    }

    /// Works until nothing is due: audiences taken, mail sent, hits settled, relationships moved. Deferred mail that is
    /// not due yet counts as idle.
    ///
    /// # Errors
    /// What the database says, or that mail is due and no relay can be reached.
    pub async fn until_idle(&self) -> Result<(), AppError> {
        loop {
            while enrol(&self.app).await? != Turn::Idle {
                if self.stop.is_cancelled() {
                    return Ok(());
                }
            }
            if let Some(senders) = &self.senders {
                tokio::select! {
                    result = senders.until_idle() => result.map_err(AppError::Other)?,
                    () = self.stop.cancelled() => return Ok(()),
                }
            }
            if turn(&self.app, true).await? == Turn::Idle {
                return Ok(());
            }
        }
    }

    /// Stops: takes nothing new, finishes what is in flight, gives the rest back.
    ///
    /// # Errors
    /// When the database cannot be told; a later start recovers.
    pub async fn stop(self) -> Result<Ended, AppError> {
        self.stop.cancel();
        for task in self.loops {
            let _ = task.await;
        }
        if let Some(senders) = self.senders.and_then(Arc::into_inner) {
            senders.stop().await;
        }
        if let Some(node) = self.node.and_then(Arc::into_inner) {
            node.into_inner().stop(&self.app.db, self.app.clock.now()).await?;
        }
        if let Some(catcher) = self.catcher {
            catcher.shutdown().await;
        }
        Ok(if self.lost.is_cancelled() { Ended::LostLock } else { Ended::Stopped })
    }
}

/// What a round of the scheduler has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// There was nothing to do.
    Idle,
    /// It was done.
    Done,
    /// Some of it was, and more is there.
    Unfinished,
}

/// One round of everything but sending. The journal is kept whatever else fails: an
/// erasure or a withdrawal has to survive a restore.
async fn turn(app: &App, refresh: bool) -> Result<Turn, AppError> {
    let done = round(app, refresh).await;
    match app.journal.keep(&app.db).await {
        Err(e) if done.is_err() => tracing::error!(error = %e, "the journal cannot be kept"),
        kept => _ = kept?,
    }
    done
}

async fn round(app: &App, refresh: bool) -> Result<Turn, AppError> {
    let now = app.clock.now();
    let settings = app.settings();
    let settled = if settle::settle(&app.db, now).await? > 0 { Turn::Done } else { Turn::Idle };
    let done = settled.max(enrol(app).await?);
    campaigns::finish_all(&app.db, now).await?;
    for campaign in campaigns::half_cancelled(&app.db).await? {
        campaigns::cancel_rest(&app.db, campaign, now).await?;
    }
    if refresh {
        relationship::refresh(&app.db, &settings, now).await?;
        if let Err(e) = reward::upkeep(&app.db, &settings, now).await {
            tracing::error!(error = %e, "rewards cannot be looked after; everything else goes on");
        }
        access::forget(&app.db, now).await?;
    }
    Ok(done)
}

/// Takes audiences and passes on. What happened is taken in first: conditions and triggers read figures as of now, and
/// what orders have earned is in the ledger before a gift takes the budget.
async fn enrol(app: &App) -> Result<Turn, AppError> {
    let settings = app.settings();
    let now = app.clock.now();
    let mut busy = relationship::catch_up(&app.db, &settings, now).await?.events > 0;
    match reward::catch_up(&app.db, &settings, now).await {
        Ok(progress) => busy |= progress.events > 0,
        // mail waits for no ledger: what was not read is read in the next round
        Err(e) => tracing::error!(error = %e, "what orders earn cannot be reckoned; everything else goes on"),
    }
    let progress = enrol::tick(&app.db, &app.cache, &settings, SLICES, now).await?;
    let inside = journey::tick(&app.db, &app.cache, &settings, SLICES, Which::Running, now).await?;
    let slices = progress.slices.max(inside.slices);
    Ok(match slices {
        SLICES.. => Turn::Unfinished,
        0 if !busy => Turn::Idle,
        _ => Turn::Done,
    })
}

/// Looks, while mail goes out, whether a campaign has to stop.
async fn guard(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(e) = lane::guard(&app.db, app.clock.now()).await {
            tracing::error!(error = %e, "what goes wrong cannot be counted");
        }
        tokio::select! {
            () = tokio::time::sleep(GUARD) => {}
            () = stop.cancelled() => {}
        }
    }
}
