//! Steps: what is due of those who are inside. A slice asks once for all of its passes who has reached the goal, whose
//! last mail is still on its way, and of whom the step's condition is true; then mails, grants and the next step of each
//! pass are one transaction.

use super::Turn;
use crate::campaign::live::LiveStep;
use crate::campaign::store::{self, Moved, NewMail, Pass};
use crate::campaign::{CampaignError, Live, LiveCache};
use crate::db::Tx;
use crate::types::{Period, Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Passes that one slice moves.
pub(super) const SLICE: usize = 250;
/// How long a step waits for the mail of the step before it, before it looks again.
const PATIENCE: Period = Period::millis(3_600_000);

/// The passes that are due, in the order in which they are taken, for at most so many slices.
pub(super) async fn due(turn: &Turn<'_>, slices: u64) -> Result<Vec<i64>, CampaignError> {
    let most = i64::try_from(slices).unwrap_or(i64::MAX).saturating_mul(SLICE as i64);
    Ok(store::due_passes(&mut &*turn.db, turn.campaign.id, scarce(turn), most, turn.now).await?)
}

/// Whether not everybody may get what there is.
fn scarce(turn: &Turn<'_>) -> bool {
    turn.live.steps.iter().any(|step| step.grant.is_some())
}

/// Takes the steps of `due` in one transaction; gives how many were moved.
pub(super) async fn slice(turn: &Turn<'_>, cache: &LiveCache, due: &[i64]) -> Result<u64, CampaignError> {
    let mut tx = turn.db.begin().await?;
    if !turn.stands(&mut tx).await? {
        return Ok(0);
    }
    let due = store::lock_passes(&mut tx, due, scarce(turn), turn.now).await?;
    let mut groups: BTreeMap<(i64, String), Vec<Pass>> = BTreeMap::new();
    let n = due.len() as u64;
    for pass in due {
        groups.entry((pass.revision, pass.step.clone())).or_default().push(pass);
    }
    for ((revision, step), passes) in groups {
        let live = if revision == turn.campaign.revision {
            turn.live.clone()
        } else {
            cache.get_in(&mut tx, turn.settings, revision).await?
        };
        let moved = match live.step(&step) {
            Some((at, step)) => take(&mut tx, turn, &live, (at, step), &passes).await?,
            // a step that its own revision does not have: nothing is left to do
            None => passes.iter().map(|pass| over(pass, "done", None)).collect(),
        };
        if !store::move_on(&mut tx, &moved, turn.now).await? {
            return Ok(0);
        }
    }
    tx.commit().await?;
    Ok(n)
}

/// Takes one step of one revision for all of `passes`.
async fn take(
    tx: &mut Tx,
    turn: &Turn<'_>,
    live: &Arc<Live>,
    (at, step): (usize, &LiveStep),
    passes: &[Pass],
) -> Result<Vec<Moved>, CampaignError> {
    let ids: Vec<i64> = passes.iter().map(|pass| pass.id).collect();
    let customers: Vec<i64> = passes.iter().map(|pass| pass.customer).collect();
    let exit = live.campaign.goal.as_ref().filter(|goal| goal.exit);
    let reached = match exit {
        Some(goal) => store::reached(tx, &ids, &goal.event).await?,
        None => HashSet::new(),
    };
    let waiting = if at > 0 && !turn.past { store::waiting(tx, &ids).await? } else { HashSet::new() };
    let taken = store::taken(tx, &ids, &step.id).await?;
    let told = match live.guard(step, tx, turn.settings, turn.now)? {
        Some(condition) => Some(store::true_of(tx, &customers, &condition).await?),
        None => None,
    };
    let addresses: HashMap<i64, String> = store::addresses(tx, &customers).await?.into_iter().collect();

    let (mut moved, mut mails, mut treated) = (Vec::new(), Vec::new(), Vec::new());
    for pass in passes {
        if reached.contains(&pass.id) {
            moved.push(over(pass, "exited", Some("goal")));
            continue;
        }
        if waiting.contains(&pass.id) {
            let next = PATIENCE.after(turn.now, &jiff::tz::TimeZone::UTC);
            moved.push(Moved { next_at: Some(next), ..over(pass, "active", None) });
            continue;
        }
        if taken.contains(&pass.id) {
            moved.push(next(live, turn, (at, pass)));
            continue;
        }
        let passed = told.as_ref().is_none_or(|told| told.contains(&pass.customer));
        let mut line = NewMail {
            pass: pass.id,
            revision: pass.revision,
            occurrence: pass.occurrence,
            customer: pass.customer,
            step: step.id.clone(),
            address: None,
            reason: None,
            rewarded: false,
        };
        if !passed {
            line.reason = Some("when".into());
        } else if pass.arm != "treated" {
            line.reason = Some("holdout".into());
        } else if let Some(address) = addresses.get(&pass.customer) {
            if step.compiled.is_some() {
                line.rewarded = step.grant.is_some();
                line.address = Some(address.clone());
            } else {
                line.reason = Some("granted".into());
            }
            treated.push(pass);
        } else {
            line.reason = Some("no address".into());
        }
        mails.push(line);
        moved.push(next(live, turn, (at, pass)));
    }
    let expires = live.expires.after(turn.now, turn.settings.site.timezone.tz());
    let about = (turn.campaign.id, live.campaign.topic.as_str(), live.service());
    let made: HashMap<i64, i64> =
        store::queue(tx, &mails, about, (turn.now, expires), turn.now).await?.into_iter().collect();
    // whose address has this mail already through another customer
    let twice: Vec<NewMail> = mails
        .iter()
        .filter(|mail| mail.address.is_some() && !made.contains_key(&mail.pass))
        .map(|mail| NewMail { address: None, reason: Some("same address".into()), rewarded: false, ..mail.clone() })
        .collect();
    if !twice.is_empty() {
        store::queue(tx, &twice, about, (turn.now, expires), turn.now).await?;
        let out: HashSet<i64> = twice.iter().map(|mail| mail.pass).collect();
        if at == 0 {
            store::out_of_arms(tx, &out.iter().copied().collect::<Vec<_>>()).await?;
        }
        for one in moved.iter_mut().filter(|one| out.contains(&one.id)) {
            (one.state, one.reason, one.next_at) = ("exited", Some("same address"), None);
        }
        treated.retain(|pass| !out.contains(&pass.id));
    }
    if let Some(what) = &step.grant {
        super::grant::grant(tx, turn, live, step, what, &treated, &made).await?;
    }
    Ok(moved)
}

/// The pass at its next step, or over.
fn next(live: &Live, turn: &Turn<'_>, (at, pass): (usize, &Pass)) -> Moved {
    let taken_at = if turn.past { pass.next_at } else { turn.now };
    match live.steps.get(at + 1) {
        Some(step) => Moved {
            step: step.id.clone(),
            next_at: Some(step.wait.after(taken_at, turn.settings.site.timezone.tz())),
            ..over(pass, "active", None)
        },
        None => over(pass, "done", None),
    }
}

/// The pass where it stands, in another state.
fn over(pass: &Pass, state: &'static str, reason: Option<&'static str>) -> Moved {
    let next_at: Option<Timestamp> = None;
    Moved { id: pass.id, from: pass.step.clone(), step: pass.step.clone(), state, reason, next_at }
}
