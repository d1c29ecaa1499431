//! One transaction for a group of requests to the [ledger](super::ledger): results, judgements of the mails that are to
//! begin, and what hangs on both.

use super::compose::Policy;
use super::judge::{Decision, judge};
use super::lane::Counts;
use super::ledger::{Finished, Request};
use super::store::{self, Change, Changed, Check};
use super::verdict::{Outcome, retry_at};
use super::{Claimed, State};
use crate::db::{Db, DbError, Tx};
use crate::event::{self, Kind, NewEvent};
use crate::reward::{self, RewardError};
use crate::types::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};

/// One transaction for all of a group; gives the messages that may be sent.
///
/// # Errors
/// What the database says; then nothing has changed.
pub(super) async fn write(db: &Db, group: &[Request], now: Timestamp) -> Result<HashSet<i64>, DbError> {
    for check in [Check::Number, Check::Rows] {
        if let Some(begun) = attempt(db, group, check, now).await? {
            return Ok(begun);
        }
    }
    Err(DbError::Shape("a change counted by rows was counted by number".into()))
}

/// What a group asks for.
struct Asked<'a> {
    changes: Vec<Change>,
    delivered: HashMap<i64, NewEvent>,
    begins: Vec<(&'a Claimed, &'a Policy, &'a str)>,
}

fn asked(group: &[Request], now: Timestamp) -> Asked<'_> {
    let mut asked = Asked { changes: Vec::new(), delivered: HashMap::new(), begins: Vec::new() };
    for request in group {
        let finished = match request {
            Request::Begin { claimed, policy, relay, previous, .. } => {
                asked.begins.push((claimed, policy, relay.name.as_str()));
                previous.as_ref()
            }
            Request::Finish { finished, .. } => Some(finished),
            Request::Refuse { refusals, .. } => {
                asked.changes.extend(refusals.iter().map(|r| change(r.id, r.token, State::Skipped, Some(&r.reason))));
                None
            }
            Request::PutOff { put_off, .. } => {
                asked.changes.extend(put_off.iter().map(|one| Change {
                    next_at: Some(one.until),
                    ..change(one.id, one.token, State::Deferred, Some(&one.why))
                }));
                None
            }
            Request::Release { claims, .. } => {
                asked.changes.extend(claims.iter().map(|(id, token)| change(*id, *token, State::Queued, None)));
                None
            }
        };
        if let Some(finished) = finished {
            asked.changes.push(settled(finished, now));
            if matches!(finished.outcome, Outcome::Accepted { .. }) {
                asked.delivered.insert(finished.claimed.id, delivery(&finished.claimed, now));
            }
        }
    }
    asked
}

/// Tries it with this check; `None` when the check by number says that not every change took hold.
async fn attempt(db: &Db, group: &[Request], check: Check, now: Timestamp) -> Result<Option<HashSet<i64>>, DbError> {
    let Asked { changes, mut delivered, begins } = asked(group, now);
    let mut tx = db.begin().await?;
    let mails: Vec<(&Claimed, &Policy)> = begins.iter().map(|(claimed, policy, _)| (*claimed, *policy)).collect();
    // results first: a cap counts what was accepted a moment ago
    let Some(landed) = store::finish(&mut tx, &changes, check, now).await? else { return Ok(None) };
    let decisions = judge(&mut tx, &mails, now).await?;
    let mut go = Vec::new();
    let mut others = Vec::new();
    for ((claimed, _, relay), decision) in begins.iter().zip(decisions) {
        match decision {
            Decision::Go => go.push((claimed.id, claimed.token, *relay)),
            Decision::Later(reason, at) => {
                let mut change = of(claimed, State::Deferred, Some(reason));
                change.next_at = Some(at);
                others.push(change);
            }
            Decision::Never(reason) => others.push(of(claimed, State::Skipped, Some(&reason))),
        }
    }
    let Some(stopped) = store::finish(&mut tx, &others, check, now).await? else { return Ok(None) };
    rewards(&mut tx, &landed, &changes, now).await?;
    rewards(&mut tx, &stopped, &others, now).await?;
    for (campaign, counts) in tally(&landed, &changes) {
        store::count(&mut tx, campaign, &counts).await?;
    }
    let Some(begun) = store::transmit(&mut tx, &go, check, now).await? else { return Ok(None) };
    let begun: HashSet<i64> = begun.into_iter().collect();
    let day = now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let mut by_relay: HashMap<&str, i64> = HashMap::new();
    for (id, _, relay) in &go {
        if begun.contains(id) {
            *by_relay.entry(relay).or_default() += 1;
        }
    }
    for (relay, n) in by_relay {
        store::add_relay_day(&mut tx, relay, &day, n).await?;
    }
    let events: Vec<NewEvent> = landed.iter().filter_map(|changed| delivered.remove(&changed.id)).collect();
    event::append_only(tx, &events, now).await?;
    Ok(Some(begun))
}

/// What hangs on these mails is usable when they were accepted, and taken back when they will never go.
async fn rewards(tx: &mut Tx, changed: &[Changed], changes: &[Change], now: Timestamp) -> Result<(), DbError> {
    let rewarded: HashSet<i64> = changed.iter().filter(|changed| changed.rewarded).map(|changed| changed.id).collect();
    if rewarded.is_empty() {
        return Ok(());
    }
    let of = |wanted: &[State]| -> Vec<i64> {
        let theirs = changes.iter().filter(|change| wanted.contains(&change.state) && rewarded.contains(&change.id));
        theirs.map(|change| change.id).collect()
    };
    let (accepted, fallen) = (of(&[State::Accepted]), of(&[State::Skipped, State::Refused]));
    // what another node changed at this moment is tried again with the whole group
    reward::settle(tx, &accepted, &fallen, now).await.map_err(RewardError::into_db)?;
    Ok(())
}

/// What changes that took hold mean for the lanes of their campaigns.
fn tally(landed: &[Changed], changes: &[Change]) -> BTreeMap<i64, Counts> {
    let by_id: HashMap<i64, &Change> = changes.iter().map(|change| (change.id, change)).collect();
    let mut counts: BTreeMap<i64, Counts> = BTreeMap::new();
    for Changed { id, campaign, .. } in landed {
        let Some(change) = by_id.get(id) else { continue };
        let render = change.reason.as_deref().is_some_and(|reason| reason.starts_with("render"));
        let one = match change.state {
            State::Accepted => Counts { settled: 1, ..Counts::default() },
            State::Refused => Counts { settled: 1, hard: 1, ..Counts::default() },
            State::Skipped if render => Counts { unrendered: 1, ..Counts::default() },
            _ => continue,
        };
        counts.entry(*campaign).or_default().add(&one);
    }
    counts
}

fn change(id: i64, token: i64, state: State, reason: Option<&str>) -> Change {
    Change { id, token, state, reason: reason.map(str::to_owned), reply: None, next_at: None, of: None }
}

/// A change of a message of which all is known.
fn of(claimed: &Claimed, state: State, reason: Option<&str>) -> Change {
    let known = Changed { id: claimed.id, campaign: claimed.campaign, rewarded: claimed.rewarded };
    Change { of: Some(known), ..change(claimed.id, claimed.token, state, reason) }
}

/// What a result makes of the message.
fn settled(finished: &Finished, now: Timestamp) -> Change {
    let Finished { claimed, outcome } = finished;
    let attempts = claimed.attempts + 1;
    let (state, reason, reply, next_at) = match outcome {
        Outcome::Accepted { reply } => (State::Accepted, None, Some(reply), None),
        Outcome::Refused { reply } => (State::Refused, None, Some(reply), None),
        Outcome::Unfit { why } => (State::Skipped, Some(why.as_str()), None, None),
        // service mail has to arrive, once too often rather than never, under the same Message-ID
        Outcome::Unknown { why } if claimed.service => {
            (State::Deferred, Some(why.as_str()), None, Some(retry_at(attempts, now)))
        }
        Outcome::Unknown { why } => (State::Unknown, Some(why.as_str()), None, None),
        Outcome::Deferred { reply, .. } | Outcome::Blamed { reply } => {
            let why = match outcome {
                Outcome::Blamed { .. } => "the relay refuses us, not the reader",
                _ => "the server said: not now",
            };
            let at = retry_at(attempts, now);
            if at >= claimed.expires_at {
                (State::Skipped, Some("expired"), Some(reply), None)
            } else {
                (State::Deferred, Some(why), Some(reply), Some(at))
            }
        }
        Outcome::NotSent { .. } if retry_at(attempts, now) >= claimed.expires_at => {
            (State::Skipped, Some("expired"), None, None)
        }
        Outcome::NotSent { why } => (State::Deferred, Some(why.as_str()), None, Some(retry_at(attempts, now))),
    };
    Change { reply: reply.cloned(), next_at, ..of(claimed, state, reason) }
}

fn delivery(claimed: &Claimed, now: Timestamp) -> NewEvent {
    let key = format!("delivered:{}", claimed.id);
    let mut event = NewEvent::new(Kind::Delivered, claimed.customer, now, "deliver", key);
    event.campaign = Some(claimed.campaign);
    event.message = Some(claimed.id);
    event
}
