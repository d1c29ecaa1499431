//! What time alone does: points whose time is over expire, orders that stood long enough count as confirmed, and grants
//! whose mails ended in a way that nobody settled are settled. In slices; the engine calls it again and again.

use super::book::Book;
use super::earn;
use super::error::RewardError;
use super::live::live;
use super::settle::settle;
use super::store;
use crate::config::model::Settings;
use crate::db::Db;
use crate::event;
use crate::types::Timestamp;
use std::collections::BTreeSet;

/// Lots a transaction.
const SLICE: i64 = 300;
/// Pending grants with mails that are looked at in a call.
const LOOK: i64 = 1_000;
/// How far the look at them has come: the last lot.
const WAITING: &str = "reward.waiting";

/// What a call has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Grants of which something expired.
    pub expired: u64,
    /// Orders that count as confirmed now.
    pub confirmed: u64,
    /// Grants that were settled by what became of their mail.
    pub settled: u64,
}

/// Does all that is due by `now`.
///
/// # Errors
/// What the database says; what was done before stays, and the next call goes on there.
pub async fn upkeep(db: &Db, settings: &Settings, now: Timestamp) -> Result<Upkeep, RewardError> {
    let confirmed = confirm(db, settings, now).await?;
    let settled = strays(db, now).await?;
    let expired = expire(db, now).await?;
    Ok(Upkeep { expired, confirmed, settled })
}

async fn expire(db: &Db, now: Timestamp) -> Result<u64, RewardError> {
    let mut all = 0;
    loop {
        let due = store::due(&mut &*db, now.as_millisecond(), SLICE).await?;
        if due.is_empty() {
            return Ok(all);
        }
        let mut tx = db.begin().await?;
        let lots = store::lots(&mut tx, &due).await?;
        let accounts: BTreeSet<_> = lots.iter().map(|lot| (lot.customer, lot.reward.clone())).collect();
        let mut book = Book::load(&mut tx, &accounts).await?;
        let mut n = 0;
        for lot in due {
            // what another node did meanwhile is seen here: the accounts are held
            n += u64::from(book.write(lot, |lot| if lot.is_due(now.as_millisecond()) { lot.expire() } else { None }));
        }
        book.save(&mut tx, now).await?;
        tx.commit().await?;
        all += n;
        if n == 0 {
            return Ok(all);
        }
    }
}

async fn confirm(db: &Db, settings: &Settings, now: Timestamp) -> Result<u64, RewardError> {
    let mut all = 0;
    loop {
        let due = store::due_to_confirm(&mut &*db, now.as_millisecond(), SLICE).await?;
        let Some(last) = due.last().copied() else { return Ok(all) };
        let due: BTreeSet<i64> = due.into_iter().collect();
        let mut tx = db.begin().await?;
        let live = live(&mut tx, settings).await?;
        earn::orders(&mut tx, &live, &due, now).await?;
        tx.commit().await?;
        all += due.len() as u64;
        // an order that is due and does not move would be looked at for ever
        let again = store::due_to_confirm(&mut &*db, now.as_millisecond(), SLICE).await?;
        if again.contains(&last) {
            return Ok(all);
        }
    }
}

/// Mails that were ended by others than delivery: an erasure, a cancelled campaign. A part of what waits in each call, so
/// that a long queue is not gone through each time.
async fn strays(db: &Db, now: Timestamp) -> Result<u64, RewardError> {
    let before = event::cursor(&mut &*db, WAITING).await?;
    let found = store::waiting(&mut &*db, before, LOOK).await?;
    let next = if (found.len() as i64) < LOOK { 0 } else { found.last().map_or(0, |(lot, ..)| *lot) };
    let (mut accepted, mut fallen) = (Vec::new(), Vec::new());
    for (_, message, state) in found {
        match state.as_deref() {
            Some("accepted" | "complained") => accepted.push(message),
            // a mail that is not there will not be sent
            None | Some("skipped" | "refused" | "bounced") => fallen.push(message),
            Some(_) => {}
        }
    }
    if accepted.is_empty() && fallen.is_empty() && before == next {
        return Ok(0);
    }
    let mut tx = db.begin().await?;
    if !event::move_cursor(&mut tx, WAITING, before, next).await? {
        return Ok(0);
    }
    let settled = settle(&mut tx, &accepted, &fallen, now).await?;
    tx.commit().await?;
    Ok(settled.activated + settled.reversed)
}
