//! Making a campaign live: a revision by content, an occurrence, an open lane.

use super::content::Content;
use super::{CampaignError, Live, journey, schedule, store};
use crate::config::model::{Settings, Trigger};
use crate::db::{Db, Tx};
use crate::deliver::lane::Lane;
use crate::deliver::{lane, store as delivery};
use crate::event;
use crate::reward;
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
    /// Whether it was paused, and goes on by this.
    pub resumed: bool,
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

/// How a launch is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// What becomes of those who are inside already.
    pub inside: Inside,
    /// So many people somebody was shown as a [`Leap`](super::Leap), and agreed to; none: nobody was asked.
    pub agreed: Option<i64>,
}

impl From<Inside> for How {
    fn from(inside: Inside) -> How {
        How { inside, agreed: None }
    }
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
    how: impl Into<How>,
    now: Timestamp,
) -> Result<Launched, CampaignError> {
    let How { inside, agreed } = how.into();
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
    let before = match campaign.as_ref().and_then(|found| found.revision).filter(|_| live.campaign.trigger.is_some()) {
        // one that does not compile any more is as good as none
        Some(revision) => {
            let (name, content) = store::content(&mut tx, revision).await?;
            Live::compile(&name, &content, settings).ok()
        }
        None => None,
    };
    let resumed = campaign.as_ref().is_some_and(|found| found.state == "paused");
    let (revision, number, changed) = store::put_revision(&mut tx, id, content, now).await?;
    store::set_running(&mut tx, id, revision, now).await?;
    delivery::open_lane(&mut tx, id, live.service(), now).await?;
    for (reward, file, _) in content.rewards() {
        // what orders earn, and what it costs, counts from the launch of the first campaign that speaks of it
        if live.speaks_of(&reward) {
            reward::put_live(&mut tx, &reward, &file.source, settings, now).await?;
        }
    }
    // held while those inside are moved: nothing may go out by the revision that is left behind; and while it is seen
    // who is in the segment already: only those who come later enter it
    let moving = inside == Inside::Move;
    let rests = campaign.as_ref().is_some_and(|found| matches!(found.state.as_str(), "closed" | "finished"));
    let seen = watched(&mut tx, id, rests, (live, before.as_ref()), settings, now).await?;
    let first = seen != Seen::Yes;
    let lane = if moving || first { Lane::Held(lane::LAUNCHING.into()) } else { Lane::Open };
    lane::set(&mut tx, id, &lane, now).await?;
    let begins = schedule::begins(live.campaign.schedule.at, now);
    if live.campaign.trigger.is_none() {
        store::put_occurrence(&mut tx, id, revision, super::ONCE, begins, agreed).await?;
    }
    tx.commit().await?;
    if first {
        let before = before.as_ref().filter(|_| seen == Seen::Changed);
        journey::baseline(db, settings, id, (live, before), now).await?;
    }
    let mut moved = 0;
    if moving {
        let steps: Vec<&str> = live.steps.iter().map(|step| step.id.as_str()).collect();
        moved = store::move_passes(db, id, revision, &steps, now).await?;
        moved += store::move_mails(db, id, revision, &steps, now).await?;
        moved += journey::again(db, (id, revision), live, now).await?;
    }
    if moving || first {
        // unless somebody paused or cancelled it meanwhile
        let mut tx = db.begin().await?;
        lane::release(&mut tx, id, lane::LAUNCHING, now).await?;
        tx.commit().await?;
    }
    Ok(Launched { campaign: name.to_owned(), revision: number, changed, begins, resumed, moved })
}

/// Whether it is known who is in the segment that a trigger waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// It is, or need not be.
    Yes,
    /// It must be seen first.
    No,
    /// It is of what the segment was before.
    Changed,
}

/// Begins to watch what a trigger waits for. `rests`: it let nobody in until now, so that this is a beginning.
async fn watched(
    tx: &mut Tx,
    campaign: i64,
    rests: bool,
    (live, before): (&Live, Option<&Live>),
    settings: &Settings,
    now: Timestamp,
) -> Result<Seen, CampaignError> {
    let cursor = journey::cursor(campaign);
    let segment = live.campaign.trigger.as_ref().map(Trigger::segment);
    if rests || segment.is_none() {
        event::end_cursor(tx, &cursor).await?;
    }
    if segment.flatten().is_none() {
        store::end_watch(tx, campaign).await?;
    }
    let Some(trigger) = &live.campaign.trigger else { return Ok(Seen::Yes) };
    // the log up to here is the past
    let end = store::last_event(tx).await?;
    event::begin_cursor(tx, &cursor, end).await?;
    let Some(segment) = trigger.segment() else { return Ok(Seen::Yes) };
    let swept = store::watch(tx, campaign).await?.is_some_and(|watch| watch.swept_at.is_some());
    let named = store::watched_segment(tx, campaign).await?;
    let asks = |live: &Live| -> Result<_, CampaignError> {
        Ok(live.watched(tx, settings, now)?.map(|condition| (condition.sql, condition.args)))
    };
    let same = before.map(asks).transpose()?.flatten() == asks(live)?;
    let seen = match (trigger.present, swept && !rests) {
        (true, _) => Seen::Yes,
        (false, false) => Seen::No,
        (false, true) if same || (before.is_none() && named.as_deref() == Some(segment)) => Seen::Yes,
        // what it was before cannot be asked any more: it begins anew
        (false, true) if before.is_none() => Seen::No,
        (false, true) => Seen::Changed,
    };
    store::put_watch(tx, campaign, segment, seen != Seen::Yes, now).await?;
    Ok(seen)
}
