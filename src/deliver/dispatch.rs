//! The dispatcher: claims due mail, has it made, and puts it where the connections take it from. It also tells the
//! database what is in mail's way.

use super::ledger::{Ledger, PutOff};
use super::obstacles::Obstacles;
use super::quota::day;
use super::sender::Shared;
use super::{Claimed, lane, queue};
use crate::db::DbError;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often the queue is looked at when nothing says that it changed.
const POLL: Duration = Duration::from_millis(500);

/// Runs until the senders stop.
pub(super) async fn dispatch(shared: Arc<Shared>, ledger: Ledger) {
    let mut obstacles = Obstacles::default();
    while !shared.stop.is_cancelled() {
        let held = shared.buffer().drain_held(Instant::now());
        give_back(&shared, &ledger, held.iter().map(|waiting| claim(&waiting.mail.claimed)).collect()).await;
        give_back_spent(&shared, &ledger).await;
        obstacles.tell(&shared, shared.clock.now()).await;
        shared.show_reach();
        let (ahead, waiting) = {
            let buffer = shared.buffer();
            (buffer.ahead(), buffer.len())
        };
        let room = ahead.saturating_sub(waiting);
        if room < ahead / 2 {
            tokio::select! {
                () = shared.taken.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                () = shared.stop.cancelled() => {}
            }
            continue;
        }
        match fill(&shared, &ledger, room).await {
            Ok(0) => {
                shared.looked();
                tokio::select! {
                    () = shared.wake.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                    () = shared.stop.cancelled() => {}
                }
            }
            Ok(_) => {}
            Err(e) => {
                tracing::error!(error = %e, "the queue cannot be read, trying again");
                tokio::time::sleep(POLL).await;
            }
        }
    }
    obstacles.clear(&shared, shared.clock.now()).await;
}

/// Gives back what only waits.
pub(super) async fn clear(shared: &Shared, ledger: &Ledger) {
    let left = shared.buffer().drain_all();
    give_back(shared, ledger, left.iter().map(|waiting| claim(&waiting.mail.claimed)).collect()).await;
}

fn claim(claimed: &Claimed) -> (i64, i64) {
    (claimed.id, claimed.token)
}

async fn give_back(shared: &Shared, ledger: &Ledger, claims: Vec<(i64, i64)>) {
    if !claims.is_empty() {
        let n = claims.len();
        ledger.release(claims).await;
        shared.landed(n);
    }
}

/// Claims and composes; gives how many were claimed.
async fn fill(shared: &Arc<Shared>, ledger: &Ledger, room: usize) -> Result<usize, DbError> {
    let now = shared.clock.now();
    let Some((room, by_score)) = today(shared, room).await else { return Ok(0) };
    let held = |campaign| shared.buffer().held_everywhere(campaign, Instant::now());
    let claimed = queue::claim_from(&shared.db, shared.node, room, by_score, held, now).await?;
    let n = claimed.len();
    if n == 0 {
        return Ok(0);
    }
    shared.took_off(n);
    let mut put_off = Vec::new();
    let mut admitted = Vec::with_capacity(n);
    {
        let mut buffer = shared.buffer();
        for one in claimed {
            match buffer.admit(&one.address, one.again(), now) {
                Ok(()) => admitted.push(one),
                Err((name, at)) => put_off.push(PutOff::new(&one, format!("waits for its turn at {name}"), at)),
            }
        }
    }
    let claims: Vec<(i64, i64)> = admitted.iter().map(claim).collect();
    let known: HashMap<i64, (String, bool)> =
        admitted.iter().map(|one| (one.id, (one.address.clone(), one.again()))).collect();
    let composed = match shared.composer.compose(admitted, now).await {
        Ok(composed) => composed,
        Err(e) => {
            unmade(shared, known.values());
            put(shared, ledger, put_off).await;
            give_back(shared, ledger, claims).await;
            return Err(e);
        }
    };
    let mut refusals = Vec::new();
    {
        let mut buffer = shared.buffer();
        for mail in composed {
            match mail {
                Ok(outgoing) => {
                    let again = known.get(&outgoing.claimed.id).is_some_and(|(_, again)| *again);
                    if let Err((mail, why, at)) = buffer.take_in(outgoing, again, now) {
                        buffer.unmade(&mail.claimed.address);
                        put_off.push(PutOff::new(&mail.claimed, why, at));
                    }
                }
                Err(refusal) => refusals.push(refusal),
            }
        }
    }
    unmade(shared, refusals.iter().filter_map(|refusal| known.get(&refusal.id)));
    shared.filled();
    put(shared, ledger, put_off).await;
    let (held, refusals): (Vec<_>, Vec<_>) = refusals.into_iter().partition(|refusal| refusal.give_back);
    give_back(shared, ledger, held.into_iter().map(|refusal| (refusal.id, refusal.token)).collect()).await;
    if !refusals.is_empty() {
        let refused = refusals.len();
        ledger.refuse(refusals).await;
        shared.landed(refused);
        lane::guard(&shared.db, now).await?;
    }
    Ok(n)
}

/// What was claimed for relays that have had their day's mail meanwhile goes back until tomorrow: others may have sent it,
/// or a mail was claimed while another was on its way to a connection. Nobody else could have what waits here.
async fn give_back_spent(shared: &Shared, ledger: &Ledger) {
    let now = shared.clock.now();
    let relays = shared.relays();
    let mut spent = Vec::new();
    for relay in &relays {
        if relay.quota.left(&shared.db, &relay.name, now).await == Some(0) {
            spent.push(relay.clone());
        }
    }
    let (waiting, (why, until)) = {
        let mut buffer = shared.buffer();
        let set = buffer.routes.set(|_, relay| spent.iter().any(|other| Arc::ptr_eq(other, relay)));
        buffer.drain_spent(set, now)
    };
    put(shared, ledger, waiting.iter().map(|one| PutOff::new(&one.mail.claimed, why.clone(), until)).collect()).await;
}

/// How many mails may be claimed now, and whether the most engaged readers come first; none when every relay has had its
/// day's mail.
async fn today(shared: &Shared, room: usize) -> Option<(usize, bool)> {
    let now = shared.clock.now();
    let relays = shared.relays();
    let warming = relays.iter().any(|relay| relay.quota.warming(day(now)).is_some());
    let mut left = Some(0_u64);
    for relay in &relays {
        let its = relay.quota.left(&shared.db, &relay.name, now).await;
        left = left.zip(its).map(|(left, its)| left.saturating_add(its));
    }
    let Some(left) = left else { return Some((room, warming)) };
    let waiting = u64::try_from(shared.buffer().len()).unwrap_or(u64::MAX);
    let more = usize::try_from(left.saturating_sub(waiting)).unwrap_or(usize::MAX);
    (more > 0).then(|| (room.min(more), warming))
}

/// Mails that were admitted do not come.
fn unmade<'a>(shared: &Shared, mails: impl Iterator<Item = &'a (String, bool)>) {
    let mut buffer = shared.buffer();
    mails.for_each(|(address, _)| buffer.unmade(address));
}

async fn put(shared: &Shared, ledger: &Ledger, put_off: Vec<PutOff>) {
    if !put_off.is_empty() {
        let n = put_off.len();
        ledger.put_off(put_off).await;
        shared.landed(n);
    }
}
