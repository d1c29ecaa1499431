//! Triggers on an event: the log is read from the campaign's own cursor.

use super::enter::{Entry, enter};
use super::{Turn, cursor, horizon};
use crate::campaign::{CampaignError, store};
use crate::config::model::Trigger;
use crate::event;
use crate::types::Timestamp;

/// Events that one slice takes.
const SLICE: i64 = 250;
/// How much of the log is looked through for them.
const SPAN: i64 = 20_000;

/// One slice of the log; how many passes began, or `None` when there is nothing to read.
pub(super) async fn slice(turn: &Turn<'_>, trigger: &Trigger, kind: &str) -> Result<Option<u64>, CampaignError> {
    let name = cursor(turn.campaign.id);
    let from = event::cursor(&mut &*turn.db, &name).await?;
    let end = horizon(turn.db).await?.min(from + SPAN);
    if end <= from {
        return Ok(None);
    }
    // what happened before the launch, or is told of too late, brings nobody in
    let oldest = trigger.stale.before(turn.now, turn.settings.site.timezone.tz());
    let since: Timestamp = oldest.max(turn.campaign.launched_at);
    let mut tx = turn.db.begin().await?;
    if !turn.stands(&mut tx).await? {
        return Ok(None);
    }
    let found = store::happened(&mut tx, (turn.campaign.id, kind), (from, end), since, SLICE).await?;
    let full = found.len() as i64 == SLICE;
    let to = found.last().filter(|_| full).map_or(end, |(id, ..)| *id);
    // taken first: of two nodes with the same events, the second waits here, and then finds nothing to do
    if !event::move_cursor(&mut tx, &name, from, to).await? {
        return Ok(Some(0));
    }
    let entry = |(id, customer, at)| Entry { customer, event: Some(id), since: at };
    let entries: Vec<Entry> = found.into_iter().map(entry).collect();
    let entered = enter(&mut tx, turn, trigger, &entries).await?;
    tx.commit().await?;
    Ok(Some(entered))
}
