//! Making a campaign live: a revision by content, an occurrence, an open lane.

use super::content::Content;
use super::{CampaignError, Live, journey, schedule, store};
use crate::config::model::Settings;
use crate::db::{Db, Tx};
use crate::deliver::lane::Lane;
use crate::deliver::{lane, store as delivery};
use crate::event;
use crate::types::Timestamp;

/// What a launch did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Launched {
    /// The campaign.
    pub campaign: String,
    /// The number of its revision.
    pub revision: i64,
    /// Whether the revision is a new one.
    pub changed: bool,
    /// When its first mail can fall due.
    pub begins: Timestamp,
    /// Queued mails, and customers on their way through its steps, that were moved to this revision.
    pub moved: u64,
}

/// What becomes of those who are inside already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inside {
    /// They stay on the revision that they came in with.
    #[default]
    Stay,
    /// What is not sent yet is sent by the new revision, that which failed to render included.
    Move,
}

/// Launches `content` as campaign `name`. On one that runs: a new revision, for newcomers and, with [`Inside::Move`], for
/// those inside; whoever was mailed is not mailed again.
///
/// # Errors
/// When the content does not compile, the campaign was cancelled, or its time has passed.
pub async fn launch(
    db: &Db,
    name: &str,
    content: &Content,
    live: &Live,
    settings: &Settings,
    inside: Inside,
    now: Timestamp,
) -> Result<Launched, CampaignError> {
    let mut tx = db.begin().await?;
    let campaign = match store::campaign(&mut tx, name).await? {
        Some(found) => Some(found),
        None => match &live.campaign.was {
            Some(was) => store::rename(&mut tx, was, name, now).await?,
            None => None,
        },
    };
    if let Some(found) = &campaign
        && found.state == "cancelled"
    {
        let message = format!("`{name}` was cancelled, and that is for good: give the new one another `id`");
        return Err(CampaignError::State(message));
    }
    let begun = match &campaign {
        Some(found) => store::occurrence(&mut tx, found.id, super::ONCE).await?,
        None => None,
    };
    if begun.is_none()
        && live.campaign.trigger.is_none()
        && let Some(why) = schedule::too_late(&live.campaign.schedule, now)
    {
        return Err(CampaignError::State(format!("`{name}` cannot be launched: {why}")));
    }
    let id = match &campaign {
        Some(found) => found.id,
        None => store::insert_campaign(&mut tx, name, now).await?,
    };
    let (revision, number, changed) = store::put_revision(&mut tx, id, content, now).await?;
    store::set_running(&mut tx, id, revision, now).await?;
    delivery::open_lane(&mut tx, id, live.service(), now).await?;
    // held while those inside are moved: nothing may go out by the revision that is left behind; and while it is seen
    // who is in the segment already: only those who come later enter it
    let moving = inside == Inside::Move;
    let first = watched(&mut tx, id, live, now).await?;
    let held = || Lane::Held("being launched: if this stays, launch again".into());
    let lane = if moving || first { held() } else { Lane::Open };
    lane::set(&mut tx, id, &lane, now).await?;
    let begins = schedule::begins(live.campaign.schedule.at, now);
    if live.campaign.trigger.is_none() {
        store::put_occurrence(&mut tx, id, revision, super::ONCE, begins).await?;
    }
    tx.commit().await?;
    if first {
        journey::baseline(db, settings, id, live, now).await?;
    }
    let mut moved = 0;
    if moving {
        let steps: Vec<&str> = live.steps.iter().map(|step| step.id.as_str()).collect();
        moved = store::move_passes(db, id, revision, &steps, now).await?;
        moved += store::move_mails(db, id, revision, &steps, now).await?;
    }
    if moving || first {
        let mut tx = db.begin().await?;
        lane::set(&mut tx, id, &Lane::Open, now).await?;
        tx.commit().await?;
    }
    Ok(Launched { campaign: name.to_owned(), revision: number, changed, begins, moved })
}

/// Begins to watch what a trigger waits for. True when it must first be seen who is in the segment already.
async fn watched(tx: &mut Tx, campaign: i64, live: &Live, now: Timestamp) -> Result<bool, CampaignError> {
    let Some(trigger) = &live.campaign.trigger else { return Ok(false) };
    // the log up to here is the past
    let end = store::last_event(tx).await?;
    event::begin_cursor(tx, &journey::cursor(campaign), end).await?;
    let Some(segment) = trigger.segment() else { return Ok(false) };
    let before = store::watch(tx, campaign).await?;
    store::put_watch(tx, campaign, segment, now).await?;
    Ok(!trigger.present && before.is_none_or(|watch| watch.swept_at.is_none()))
}
