//! Reads the event log from the cursor `relationship` in slices, and moves sums, figures and cursor in one short
//! transaction: each event counts exactly once, on one node or on many. The engine calls it again and again.

use super::calibration::Calibration;
use super::constants::Model;
use super::error::RelationshipError;
use super::figures::Figures;
use super::slice::{self, Outcome};
use super::store;
use crate::config::model::Settings;
use crate::db::Db;
use crate::event;
use jiff::Timestamp;

/// The cursor's name. Whoever writes sums or figures holds it for the length of the transaction.
pub const CURSOR: &str = "relationship";
/// Up to which customer there are rows for those of whom nothing has happened.
pub const NEWCOMERS: &str = "relationship.newcomers";
/// Under which calibration everybody's figures are.
pub const CALIBRATED: &str = "relationship.calibrated";
/// Events a slice.
const SLICE: i64 = 500;
/// So often a slice is tried again when other nodes were faster.
const TRIES: usize = 10;
/// Rows deleted at once when all sums are made anew.
const FORGET: i64 = 1_000;

/// What a call has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Events read.
    pub events: u64,
    /// Rows of `relationship` written.
    pub customers: u64,
    /// Where the cursor stands now.
    pub position: i64,
    /// Whether the log's end was reached.
    pub at_end: bool,
}

/// Takes in all that the log holds beyond the cursor, with figures as of `now`.
///
/// # Errors
/// What the database says; what was taken in before stays, and the next call goes on there.
pub async fn catch_up(db: &Db, settings: &Settings, now: Timestamp) -> Result<Progress, RelationshipError> {
    let mut all = Progress::default();
    loop {
        let one = catch_up_slice(db, settings, now).await?;
        all.events += one.events;
        all.customers += one.customers;
        (all.position, all.at_end) = (one.position, one.at_end);
        if one.at_end {
            return Ok(all);
        }
    }
}

/// Takes in one slice of the log (up to 500 events), for those who want to stop in between.
///
/// # Errors
/// As [`catch_up`].
pub async fn catch_up_slice(db: &Db, settings: &Settings, now: Timestamp) -> Result<Progress, RelationshipError> {
    let model = Model::new(settings);
    start_anew_if_changed(db, &model).await?;
    let calibration = store::calibration(&mut &*db).await?;
    for _ in 0..TRIES {
        let before = event::cursor(&mut &*db, CURSOR).await?;
        let events = event::read_after(&mut &*db, before, SLICE).await?;
        let Some(last) = events.last().map(|event| event.id) else {
            return Ok(Progress { position: before, at_end: true, ..Progress::default() });
        };
        let outcome = slice::take(db, &events, before, &model).await?;
        let Some(customers) = write(db, outcome, &calibration, &model, (before, last), now).await? else { continue };
        if grown(before, last) {
            db.learn(&["event", "message", "relationship"]).await;
        }
        let read = events.len();
        return Ok(Progress { events: read as u64, customers, position: last, at_end: (read as i64) < SLICE });
    }
    Err(RelationshipError::Contended(CURSOR))
}

/// Whether the log has become four times as long within this slice.
fn grown(before: i64, last: i64) -> bool {
    (5..31).any(|n| (before..last).contains(&(1 << (2 * n))))
}

/// Writes what a slice came to and moves the cursor over it; none when another node has moved it meanwhile.
async fn write(
    db: &Db,
    outcome: Outcome,
    calibration: &Calibration,
    model: &Model,
    (from, to): (i64, i64),
    now: Timestamp,
) -> Result<Option<u64>, RelationshipError> {
    let now = now.as_millisecond();
    let rows: Vec<_> = outcome
        .sums
        .into_iter()
        .map(|(customer, sums)| {
            let figures = Figures::at(&sums, calibration, model, now);
            (customer, sums, figures)
        })
        .collect();
    let credits: Vec<(i64, f64)> = outcome.credits.into_iter().collect();
    let mut tx = db.begin().await?;
    if !event::move_cursor(&mut tx, CURSOR, from, to).await? {
        return Ok(None);
    }
    store::write(&mut tx, &rows).await?;
    store::write_credits(&mut tx, &credits).await?;
    tx.commit().await?;
    Ok(Some(rows.len() as u64))
}

/// Sums made with other half-lives, another zone or currency cannot be mended: they are forgotten in slices, and the log
/// is read again from its beginning. Interrupted, it goes on at the next call.
async fn start_anew_if_changed(db: &Db, model: &Model) -> Result<(), RelationshipError> {
    let wanted = model.fingerprint();
    let found = store::fingerprint(&mut &*db).await?;
    if found.as_ref() == Some(&wanted) {
        return Ok(());
    }
    if found.is_some() {
        tracing::info!("the constants of the relationship sums have changed: making them anew from the log");
    }
    for _ in 0..TRIES {
        loop {
            let mut tx = db.begin().await?;
            let gone = store::forget_slice(&mut tx, FORGET).await?;
            tx.commit().await?;
            if gone == 0 {
                break;
            }
        }
        let position = event::cursor(&mut &*db, CURSOR).await?;
        let mut tx = db.begin().await?;
        if event::move_cursor(&mut tx, CURSOR, position, 0).await? {
            for name in [NEWCOMERS, CALIBRATED] {
                let position = event::cursor(&mut tx, name).await?;
                event::move_cursor(&mut tx, name, position, 0).await?;
            }
            store::keep_fingerprint(&mut tx, &wanted).await?;
            tx.commit().await?;
            return Ok(());
        }
    }
    Err(RelationshipError::Contended(CURSOR))
}
