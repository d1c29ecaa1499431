//! Letting customers in: whether they may come again, whether they are eligible, which arm they are in.

use super::Turn;
use crate::campaign::{CampaignError, store};
use crate::config::model::Trigger;
use crate::db::Tx;
use crate::types::Timestamp;
use crate::types::bucket::Draw;
use crate::types::pace::Reenter;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Somebody whom a trigger brings, and the event that did, when one did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub customer: i64,
    pub event: Option<i64>,
    /// When at the earliest: it matters after a restore only.
    pub since: Timestamp,
}

/// Begins a pass for each who may come in; gives how many began. Whoever is not eligible gets a line with the reason, and
/// may come again when they are.
pub(super) async fn enter(
    tx: &mut Tx,
    turn: &Turn<'_>,
    trigger: &Trigger,
    entries: &[Entry],
) -> Result<u64, CampaignError> {
    if entries.is_empty() {
        return Ok(0);
    }
    let (live, now) = (turn.live, turn.now);
    let audience = live.audience(tx, turn.settings, now)?;
    let rule = live.rule(turn.settings, now)?;
    let draw = (Draw::new(turn.campaign.id, "holdout"), Draw::threshold(live.holdout()));
    let ids: Vec<i64> = entries.iter().map(|entry| entry.customer).collect::<BTreeSet<_>>().into_iter().collect();
    let mut candidates = HashMap::new();
    for chunk in ids.chunks(500) {
        let found = store::candidates(tx, turn.campaign.id, chunk, (&audience, &rule), draw).await?;
        candidates.extend(found.into_iter().map(|one| (one.customer, one)));
    }
    let zone = turn.settings.site.timezone.tz();
    let mut occurrences: BTreeMap<String, i64> = BTreeMap::new();
    let mut passes = Vec::new();
    for entry in entries {
        let Some(candidate) = candidates.get_mut(&entry.customer) else { continue };
        let again = match trigger.reenter {
            Reenter::Always => true,
            Reenter::Never => candidate.last_at.is_none() && !candidate.inside,
            Reenter::After(period) => {
                !candidate.inside && candidate.last_at.is_none_or(|at| period.after(at, zone) <= now)
            }
        };
        if !again {
            continue;
        }
        // once in an arm, always in it: only a holdout of nothing lets everybody in
        let arm = match (&candidate.reason, &candidate.before) {
            (None, Some(before)) if draw.1 > 0 => before.clone(),
            _ => candidate.arm.clone(),
        };
        // the first pass of each customer belongs together, and so on: nobody's address is in one of them twice. What
        // comes every time, such as a receipt, is each event's own
        let key = match (trigger.reenter, entry.event) {
            (Reenter::Always, Some(event)) => format!("event {event}"),
            _ if arm == "none" => format!("in vain {}", candidate.in_vain + 1),
            _ => format!("pass {}", candidate.passes + 1),
        };
        let occurrence = match occurrences.get(&key) {
            Some(id) => *id,
            None => {
                let id = store::open_occurrence(tx, turn.campaign.id, turn.campaign.revision, &key, now).await?;
                occurrences.insert(key, id);
                id
            }
        };
        if arm == "none" {
            candidate.in_vain += 1;
        } else {
            candidate.passes += 1;
            candidate.inside = true;
            candidate.last_at = Some(now);
        }
        let begins = if turn.past { entry.since.min(now) } else { now };
        passes.push(store::NewPass {
            occurrence,
            customer: entry.customer,
            arm,
            reason: candidate.reason.clone(),
            event: entry.event,
            due: live.first().wait.after(begins, zone),
        });
    }
    let common = store::Common {
        campaign: turn.campaign.id,
        revision: turn.campaign.revision,
        step: &live.first().id,
        topic: &live.campaign.topic,
        service: live.service(),
    };
    store::begin(tx, &passes, common, now).await?;
    Ok(passes.len() as u64)
}
