//! What time alone changes: decay moves scores and lifecycles without any event. The engine calls [`refresh`] every few
//! minutes; `score refresh` calls [`refresh_all`].

use super::calibration::{Calibration, Patience, calibrate_if_due};
use super::constants::Model;
use super::error::RelationshipError;
use super::figures::Figures;
use super::reader::{CALIBRATED, CURSOR, NEWCOMERS, catch_up};
use super::store;
use super::sums::Sums;
use crate::config::model::Settings;
use crate::db::Db;
use crate::event;
use jiff::Timestamp;

/// Customers a slice.
const SLICE: i64 = 500;
const TRIES: usize = 10;

/// Computes the figures anew of those whose time has come, gives rows to new customers, and takes a calibration when
/// one is due, after which everybody's figures are computed. Gives how many rows were written.
///
/// # Errors
/// What the database says; what was written before stays.
pub async fn refresh(db: &Db, settings: &Settings, now: Timestamp) -> Result<u64, RelationshipError> {
    let calibration = calibrate_if_due(db, settings, now, Patience::Waits).await?;
    let work = Work { db, model: Model::new(settings), calibration, now: now.as_millisecond() };
    Ok(work.recalibrated().await? + work.newcomers().await? + work.due().await?)
}

/// Brings every customer's figures to the moment `at`: what the log tells, then a calibration when one is due, then all
/// figures. Gives how many rows were written. Events after `at` are not unlearned: they count in full.
///
/// # Errors
/// What the database says; what was written before stays, and another call does it again.
pub async fn refresh_all(db: &Db, settings: &Settings, at: Timestamp) -> Result<u64, RelationshipError> {
    catch_up(db, settings, at).await?;
    let calibration = calibrate_if_due(db, settings, at, Patience::Now).await?;
    let work = Work { db, model: Model::new(settings), calibration, now: at.as_millisecond() };
    let (mut written, mut position) = (0, 0);
    while let Some(last) = work.slice(Which::Everybody(position), &mut written).await? {
        position = last;
    }
    work.mark(CALIBRATED, work.calibration.id.unwrap_or(0)).await?;
    work.mark(NEWCOMERS, position).await?;
    Ok(written)
}

struct Work<'d> {
    db: &'d Db,
    model: Model,
    calibration: Calibration,
    now: i64,
}

#[derive(Clone, Copy)]
enum Which {
    Everybody(i64),
    Behind(i64),
    Due,
}

impl Work<'_> {
    async fn due(&self) -> Result<u64, RelationshipError> {
        let mut written = 0;
        while self.slice(Which::Due, &mut written).await?.is_some() {}
        Ok(written)
    }

    /// Everybody whose figures are under another calibration; once for each calibration.
    async fn recalibrated(&self) -> Result<u64, RelationshipError> {
        let id = self.calibration.id.unwrap_or(0);
        if event::cursor(&mut &*self.db, CALIBRATED).await? == id {
            return Ok(0);
        }
        let (mut written, mut position) = (0, 0);
        while let Some(last) = self.slice(Which::Behind(position), &mut written).await? {
            position = last;
        }
        self.mark(CALIBRATED, id).await?;
        Ok(written)
    }

    /// Those who came since the last time. Who slips through, because ids of concurrent transactions become visible out
    /// of order, gets a row with the first event, or at the next calibration.
    async fn newcomers(&self) -> Result<u64, RelationshipError> {
        let (mut written, mut position) = (0, event::cursor(&mut &*self.db, NEWCOMERS).await?);
        while let Some(last) = self.slice(Which::Everybody(position), &mut written).await? {
            position = last;
            self.mark(NEWCOMERS, position).await?;
        }
        Ok(written)
    }

    async fn mark(&self, cursor: &str, position: i64) -> Result<(), RelationshipError> {
        let mut tx = self.db.begin().await?;
        let from = event::cursor(&mut tx, cursor).await?;
        // another node that was faster has marked the same or more
        if from != position && event::move_cursor(&mut tx, cursor, from, position).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    /// One slice; gives its last customer, or none when there was nobody.
    async fn slice(&self, which: Which, written: &mut u64) -> Result<Option<i64>, RelationshipError> {
        for _ in 0..TRIES {
            let mut db = self.db;
            // before the sums: when the log is read meanwhile, they are old
            let position = event::cursor(&mut db, CURSOR).await?;
            let found: Vec<(i64, Sums)> = match which {
                Which::Everybody(after) => store::everybody(&mut db, after, SLICE).await?,
                Which::Behind(after) => store::behind(&mut db, after, self.calibration.id.unwrap_or(0), SLICE).await?,
                Which::Due => store::due(&mut db, self.now, SLICE).await?,
            };
            let Some((last, _)) = found.last() else { return Ok(None) };
            let last = *last;
            let rows: Vec<_> = found
                .into_iter()
                .map(|(customer, sums)| {
                    let figures = Figures::at(&sums, &self.calibration, &self.model, self.now);
                    (customer, sums, figures)
                })
                .collect();
            let mut tx = self.db.begin().await?;
            if !store::hold(&mut tx, CURSOR, position).await? {
                continue;
            }
            store::write(&mut tx, &rows).await?;
            tx.commit().await?;
            *written += rows.len() as u64;
            return Ok(Some(last));
        }
        Err(RelationshipError::Contended(CURSOR))
    }
}
