//! Campaigns with a trigger, and campaigns of several steps: who comes in, and what happens to whoever is inside.
//!
//! ```text
//! log ─┬─► watch (a segment: who came in, who left) ─┬─► enter (eligible? which arm?) ─► pass ─► step ─► message rows
//!      └─► happen (an event) ────────────────────────┘                                   ▲        │
//!                                                                                        └─ wait ◄┘
//! ```
//! All of it in slices, each one transaction: what was seen, what follows from it, and the place from which to go on. So
//! each entry and each step happens once, whoever dies between two slices. Steps are a list with guards, and a pass is
//! pinned to the revision under which it began.

mod enter;
mod grant;
mod happen;
mod step;
mod watch;

pub use grant::{again, rule, rules};
pub use watch::baseline;

use super::{CampaignError, Live, LiveCache, store};
use crate::config::model::Settings;
use crate::db::{Db, Tx};
use crate::deliver::lane;
use crate::event;
use crate::relationship;
use crate::reward::{self, RewardError};
use crate::types::Timestamp;
use std::sync::Arc;

/// What a tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Slices that changed something or moved a place on.
    pub slices: u64,
    /// Passes that began.
    pub entered: u64,
    /// Passes that took a step.
    pub stepped: u64,
}

/// Which campaigns are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that run and whose lane is open.
    Running,
    /// Those that are paused or held as well: for a restore, which wants a row for each mail that may have gone out.
    Held,
}

/// A campaign and the moment, for one slice of it.
struct Turn<'a> {
    db: &'a Db,
    settings: &'a Settings,
    campaign: &'a store::Running,
    live: &'a Arc<Live>,
    now: Timestamp,
    /// After a restore: what fell due since the backup may have happened already, at the time at which it fell due.
    past: bool,
}

impl Turn<'_> {
    /// Whether what was found when the turn began still holds, inside the transaction of a slice.
    async fn stands(&self, tx: &mut Tx) -> Result<bool, CampaignError> {
        Ok(self.past || store::stands(tx, self.campaign).await?)
    }
}

/// Lets in whoever a trigger has brought, and takes the steps that are due; up to `slices` slices of each campaign.
///
/// # Errors
/// When the database is away. A campaign that cannot go on is held with the reason, and the others go on.
pub async fn tick(
    db: &Db,
    cache: &LiveCache,
    settings: &Settings,
    slices: u64,
    which: Which,
    now: Timestamp,
) -> Result<Progress, CampaignError> {
    let mut progress = Progress::default();
    for campaign in store::running(&mut &*db, which == Which::Held).await? {
        let done = match cache.get(db, settings, campaign.revision).await {
            Ok(live) => {
                let turn = Turn { db, settings, campaign: &campaign, live: &live, now, past: which == Which::Held };
                one(&turn, cache, slices, &mut progress).await
            }
            Err(e) => Err(e),
        };
        match done {
            Ok(()) => {}
            Err(CampaignError::Db(e) | CampaignError::Reward(RewardError::Db(e))) if e.is_transient() => {
                return Err(e.into());
            }
            // another node granted of the same budget at this moment: nothing of the slice stands, and it is still due
            Err(CampaignError::Reward(RewardError::Contended)) => progress.slices += 1,
            // one campaign's mistake does not stop the others
            Err(e) => hold(db, campaign.id, &e, now).await?,
        }
    }
    Ok(progress)
}

async fn one(turn: &Turn<'_>, cache: &LiveCache, slices: u64, progress: &mut Progress) -> Result<(), CampaignError> {
    if let Some(trigger) = &turn.live.campaign.trigger
        && turn.campaign.state != "closed"
    {
        for _ in 0..slices {
            let admitted = match &trigger.event {
                Some(kind) => happen::slice(turn, trigger, kind).await?,
                None => watch::slice(turn, trigger).await?,
            };
            let Some(entered) = admitted else { break };
            progress.slices += 1;
            progress.entered += entered;
        }
    }
    // who comes first is asked once for all slices: their order would otherwise be sought through all who are due, again
    // for each of them
    let mut due = step::due(turn, slices).await?;
    while !due.is_empty() {
        let rest = due.split_off(due.len().min(step::SLICE));
        progress.slices += 1;
        progress.stepped += step::slice(turn, cache, &due).await?;
        due = rest;
    }
    Ok(())
}

async fn hold(db: &Db, campaign: i64, why: &CampaignError, now: Timestamp) -> Result<(), CampaignError> {
    let reason = format!("it cannot go on: {why}");
    tracing::error!(campaign, "holding the campaign: {reason}");
    let mut tx = db.begin().await?;
    lane::hold(&mut tx, campaign, &reason, now).await?;
    Ok(tx.commit().await?)
}

/// The place in the log up to which a campaign's trigger has looked.
pub(super) fn cursor(campaign: i64) -> String {
    format!("trigger.{campaign}")
}

/// How far a trigger may read: what relationships and rewards have not taken in yet would be judged by old figures.
async fn horizon(db: &Db) -> Result<i64, CampaignError> {
    let related = event::cursor(&mut &*db, relationship::CURSOR).await?;
    Ok(related.min(event::cursor(&mut &*db, reward::CURSOR).await?))
}
