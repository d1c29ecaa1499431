//! Taking an audience into the queue, in slices of customer ids so short that other commits hardly wait, each of which
//! can be repeated: a process that dies between two goes on at the same place.

use super::live::Audience;
use super::store::Asks;
use super::{CampaignError, Live, LiveCache, leap, schedule, store};
use crate::config::model::Settings;
use crate::db::Db;
use crate::deliver::lane;
use crate::types::Timestamp;
use crate::types::bucket::Draw;

/// How many customer ids a slice spans: about 20 ms of the writer's time.
const SLICE: i64 = 1_000;
/// After so many slices the database is told to look at them.
const LARGE: u64 = 8;

/// What a tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Slices taken.
    pub slices: u64,
    /// Occurrences that now ask before anybody is taken in: found too late, or for suddenly so many.
    pub asking: u64,
    /// Occurrences whose audience is now all in the queue.
    pub finished: u64,
}

/// Takes up to `slices` slices of what is due. Nothing is left to do when fewer were taken.
///
/// # Errors
/// When the database is away. A campaign that cannot be compiled is held with the reason, and the others go on.
pub async fn tick(
    db: &Db,
    cache: &LiveCache,
    settings: &Settings,
    slices: u64,
    now: Timestamp,
) -> Result<Progress, CampaignError> {
    let mut progress = Progress::default();
    for occurrence in store::due_occurrences(&mut &*db, now).await? {
        let live = match cache.get(db, settings, occurrence.revision).await {
            Ok(live) => live,
            Err(CampaignError::Db(e)) => return Err(e.into()),
            Err(e) => {
                let reason = format!("it cannot be compiled: {e}");
                tracing::error!(campaign = occurrence.campaign, "{reason}");
                hold(db, occurrence.campaign, &reason, now).await?;
                continue;
            }
        };
        match go_on(db, &live, &occurrence, settings, (slices, &mut progress), now).await {
            Ok(()) => {}
            Err(CampaignError::Db(e)) if e.is_transient() => return Err(e.into()),
            // one campaign's mistake does not stop the others
            Err(e) => {
                let reason = format!("its audience cannot be taken: {e}");
                tracing::error!(campaign = live.name, "{reason}");
                hold(db, occurrence.campaign, &reason, now).await?;
            }
        }
    }
    Ok(progress)
}

async fn hold(db: &Db, campaign: i64, reason: &str, now: Timestamp) -> Result<(), CampaignError> {
    let mut tx = db.begin().await?;
    lane::hold(&mut tx, campaign, reason, now).await?;
    Ok(tx.commit().await?)
}

/// Begins an occurrence that waits, unless it has to ask, and takes its slices while there are any left to take.
async fn go_on(
    db: &Db,
    live: &Live,
    occurrence: &store::Due,
    settings: &Settings,
    (slices, progress): (u64, &mut Progress),
    now: Timestamp,
) -> Result<(), CampaignError> {
    if occurrence.state == "waiting" {
        if let Some((asks, reason)) = question(db, live, occurrence, settings, now).await? {
            // else it is another by now, agreed to or launched anew, and the next tick looks at it
            if store::ask(db, occurrence, asks, reason.clone(), now).await? {
                tracing::warn!(campaign = live.name, "holding it, nobody has got it yet: {reason}");
                progress.asking += 1;
            }
            return Ok(());
        }
        // of one that is another by now the slices take nobody, and the next tick looks at it anew
        store::begin_enrolling(db, occurrence).await?;
    }
    let (mut finished, before) = (false, progress.slices);
    while progress.slices < slices && !finished {
        progress.slices += 1;
        finished = slice(db, live, (occurrence.id, occurrence.revision), settings, now).await?;
        progress.finished += u64::from(finished);
    }
    // of a large audience, at its beginning, when mail may already go, and at its end
    let began = occurrence.state == "waiting";
    if (began && progress.slices - before >= LARGE) || (finished && !began) {
        db.learn(&["enrolment", "message"]).await;
    }
    Ok(())
}

/// What somebody has to say before anybody of a waiting occurrence is taken in, if anything. An answer is to all of it,
/// so that one which is both too late and for so many says both.
async fn question(
    db: &Db,
    live: &Live,
    occurrence: &store::Due,
    settings: &Settings,
    now: Timestamp,
) -> Result<Option<(Asks, String)>, CampaignError> {
    // enrolment begins when the first reader on earth is due: late is what is late on the site's own clock
    let site = settings.site.timezone.tz();
    let due = schedule::due(live.campaign.schedule.at, occurrence.due_at, site).max(occurrence.due_at);
    let late = schedule::stale(due, live.campaign.schedule.stale, now);
    let leap = leap::found(db, settings, live, (occurrence.campaign, occurrence.agreed), now).await?;
    let (asks, what) = match (late, leap) {
        (false, None) => return Ok(None),
        (false, Some(leap)) => (Asks::Large, leap.to_string()),
        (true, None) => (Asks::Stale, format!("found too late: it was due at {}", occurrence.due_at)),
        (true, Some(leap)) => (Asks::Stale, format!("found too late: it was due at {}; {leap}", occurrence.due_at)),
    };
    let name = &live.name;
    let answers = format!(
        "`dangol resume {name}` sends it all the same, `dangol cancel {name}` does not; to mend it first, launch it again"
    );
    Ok(Some((asks, format!("{what}: {answers}"))))
}

/// What became of audiences that were due before a restore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overdue {
    /// Occurrences whose audience is now all in the queue.
    pub finished: u64,
    /// Occurrences that cannot be compiled any more, and take nobody.
    pub cancelled: u64,
}

/// Takes the whole audience of every occurrence that was due, whatever state its campaign is in. For a restore, which
/// then has a row for each mail that may have gone out since the backup, and sends none of them again.
///
/// # Errors
/// When the database is away.
pub async fn overdue(
    db: &Db,
    cache: &LiveCache,
    settings: &Settings,
    now: Timestamp,
) -> Result<Overdue, CampaignError> {
    let mut done = Overdue::default();
    for occurrence in store::overdue_occurrences(&mut &*db, now).await? {
        let live = match cache.get(db, settings, occurrence.revision).await {
            Ok(live) => live,
            Err(CampaignError::Db(e)) => return Err(e.into()),
            Err(e) => {
                tracing::error!(
                    campaign = occurrence.campaign,
                    "its audience cannot be taken, and nobody more gets it: {e}"
                );
                store::cancel_occurrence(db, occurrence.id, now).await?;
                done.cancelled += 1;
                continue;
            }
        };
        store::begin_overdue(db, occurrence.id).await?;
        while !slice(db, &live, (occurrence.id, occurrence.revision), settings, now).await? {}
        done.finished += 1;
    }
    Ok(done)
}

/// One slice of an occurrence, by the revision that `live` is of; true when it was the last, or when another revision
/// takes over, which the next look at what is due will find.
async fn slice(
    db: &Db,
    live: &Live,
    (occurrence, revision): (i64, i64),
    settings: &Settings,
    now: Timestamp,
) -> Result<bool, CampaignError> {
    let mut tx = db.begin().await?;
    let Some(place) = store::place(&mut tx, occurrence).await? else { return Ok(true) };
    if place.revision != revision {
        return Ok(true);
    }
    let to = (place.position + SLICE).min(place.last_id);
    let audience: Audience = live.audience(&tx, settings, now)?;
    let rule = live.rule(settings, now)?;
    let arm = Draw::new(place.campaign, "holdout");
    let slice = store::Slice {
        place: &place,
        to,
        step: &live.first().id,
        one_mail: live.is_one_mail(),
        topic: &live.campaign.topic,
        service: live.service(),
        draw: arm,
        threshold: Draw::threshold(live.holdout()),
    };
    store::insert_enrolments(&mut tx, &slice, &audience, &rule, now).await?;
    let zones = store::zones(&mut tx, &slice).await?;
    let site = settings.site.timezone.tz();
    let due = |zone: Option<&str>| {
        let zone = zone.and_then(|name| jiff::tz::TimeZone::get(name).ok());
        // never before the occurrence itself: one that was found too late, and sent all the same, is due from then on
        schedule::due(live.campaign.schedule.at, place.due_at, zone.as_ref().unwrap_or(site)).max(place.due_at)
    };
    let by_zone: Vec<(String, Timestamp)> =
        zones.into_iter().map(|zone| (due(Some(&zone)), zone)).map(|(at, zone)| (zone, at)).collect();
    store::insert_messages(&mut tx, &slice, &by_zone, due(None), live.expires, now).await?;
    if !slice.one_mail {
        let wait = live.first().wait;
        let later: Vec<(String, Timestamp)> =
            by_zone.into_iter().map(|(zone, at)| (zone, wait.after(at, site))).collect();
        store::begin_passes(&mut tx, &slice, &later, wait.after(due(None), site)).await?;
    }
    let finished = to >= place.last_id;
    // another node took the same slice meanwhile: then nothing of this one stands
    if store::advance(&mut tx, &slice, finished, now).await? {
        tx.commit().await?;
    }
    Ok(finished)
}
