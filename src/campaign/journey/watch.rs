//! Triggers on a segment: who is in it and was not, who was and is not. Whoever the log tells of is looked at within
//! seconds; everyone is looked at in a sweep now and then, because time alone changes who is in a segment.

use super::enter::{Entry, enter};
use super::{Turn, cursor, horizon};
use crate::campaign::store::{self, Whom};
use crate::campaign::{CampaignError, Live};
use crate::config::model::{Settings, Trigger};
use crate::db::{Db, Tx};
use crate::event;
use crate::types::{Period, Timestamp};

/// Customer ids that a slice of a sweep spans.
const SLICE: i64 = 1_000;
/// Events of which one slice looks at the customers.
const EVENTS: i64 = 500;
/// Further behind than this, a sweep is quicker than the log.
const FAR: i64 = 50_000;
/// How long after a sweep the next one begins.
const PAUSE: Period = Period::millis(15 * 60_000);

/// One slice; how many passes began, or `None` when there is nothing to look at.
pub(super) async fn slice(turn: &Turn<'_>, trigger: &Trigger) -> Result<Option<u64>, CampaignError> {
    let Some(watch) = store::watch(&mut &*turn.db, turn.campaign.id).await? else { return Ok(None) };
    if watch.position > 0 || watch.next_at <= turn.now {
        return sweep(turn, trigger, &watch).await;
    }
    let name = cursor(turn.campaign.id);
    let from = event::cursor(&mut &*turn.db, &name).await?;
    let horizon = horizon(turn.db).await?;
    if horizon <= from {
        return Ok(None);
    }
    let mut tx = turn.db.begin().await?;
    if !turn.stands(&mut tx).await? {
        return Ok(None);
    }
    if horizon - from > FAR {
        store::sweep_now(&mut tx, turn.campaign.id, turn.now).await?;
        if event::move_cursor(&mut tx, &name, from, horizon).await? {
            tx.commit().await?;
        }
        return Ok(Some(0));
    }
    let to = horizon.min(from + EVENTS);
    // taken first: of two nodes with the same events, the second waits here, and then finds nothing to do
    if !event::move_cursor(&mut tx, &name, from, to).await? {
        return Ok(Some(0));
    }
    let touched = store::touched(&mut tx, from, to).await?;
    let since = watch.swept_at.or(trigger.present.then_some(turn.now));
    let entered =
        if touched.is_empty() { 0 } else { look(&mut tx, turn, trigger, &Whom::These(touched), since).await? };
    tx.commit().await?;
    Ok(Some(entered))
}

async fn sweep(turn: &Turn<'_>, trigger: &Trigger, watch: &store::Watch) -> Result<Option<u64>, CampaignError> {
    let position = watch.position;
    let mut tx = turn.db.begin().await?;
    if !turn.stands(&mut tx).await? {
        return Ok(None);
    }
    let last = store::last_customer(&mut tx).await?;
    let to = (position + SLICE).min(last);
    let zone = turn.settings.site.timezone.tz();
    let ended = (to >= last).then(|| (turn.now, PAUSE.after(turn.now, zone)));
    if !store::move_watch(&mut tx, turn.campaign.id, (position, to), ended).await? {
        return Ok(Some(0));
    }
    let since = watch.swept_at.or(trigger.present.then_some(turn.now));
    let entered = look(&mut tx, turn, trigger, &Whom::Range(position, to), since).await?;
    tx.commit().await?;
    Ok(Some(entered))
}

/// `since`: before then nobody of them came in; none: who is in the segment is only being remembered, because the launch
/// that was to do so was interrupted.
async fn look(
    tx: &mut Tx,
    turn: &Turn<'_>,
    trigger: &Trigger,
    whom: &Whom,
    since: Option<Timestamp>,
) -> Result<u64, CampaignError> {
    let Some(condition) = turn.live.watched(tx, turn.settings, turn.now)? else { return Ok(0) };
    let (entered, left) = store::difference(tx, turn.campaign.id, (&condition, None), whom, turn.now).await?;
    let Some(since) = since else { return Ok(0) };
    let come = if trigger.enters.is_some() { entered } else { left };
    let entries: Vec<Entry> = come.into_iter().map(|customer| Entry { customer, event: None, since }).collect();
    enter(tx, turn, trigger, &entries).await
}

/// Remembers who is in the segment at launch, so that only those who come in, or leave, after it are let in. `before`: the
/// campaign as it ran until now, when its segment is another since; whoever came in before that and was not looked at
/// yet is let in all the same, and only those whom the change itself brought in, or out, are not. Can be done again when
/// it was interrupted.
///
/// # Errors
/// What the database says.
pub async fn baseline(
    db: &Db,
    settings: &Settings,
    campaign: i64,
    (live, before): (&Live, Option<&Live>),
    now: Timestamp,
) -> Result<(), CampaignError> {
    let Some(condition) = live.watched(&db, settings, now)? else { return Ok(()) };
    let before = before.map(|before| before.watched(&db, settings, now)).transpose()?.flatten();
    let last = store::last_customer(&mut &*db).await?;
    let mut position = 0;
    loop {
        let to = (position + SLICE).min(last);
        let mut tx = db.begin().await?;
        let whom = Whom::Range(position, to);
        store::difference(&mut tx, campaign, (&condition, before.as_ref()), &whom, now).await?;
        tx.commit().await?;
        if to >= last {
            break;
        }
        position = to;
    }
    let mut tx = db.begin().await?;
    // who came in unseen, before the change, is looked for at once
    let next = if before.is_some() { now } else { PAUSE.after(now, settings.site.timezone.tz()) };
    store::move_watch(&mut tx, campaign, (0, 0), Some((now, next))).await?;
    Ok(tx.commit().await?)
}
