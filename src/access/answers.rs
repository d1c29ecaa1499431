//! Answers that are given again: whoever repeats a request under its `Idempotency-Key` gets what was answered the first
//! time, and nothing is done a second time.
//!
//! ```text
//! (none) ─► claimed ─► answered ─► (forgotten after a day)
//!              └─► (none): it failed, and may be tried again
//! ```

use super::store;
use crate::db::{Db, DbError};
use crate::types::Timestamp;

/// How long an answer is given again.
pub const KEPT: std::time::Duration = std::time::Duration::from_hours(24);
/// The longest key.
pub const LONGEST_KEY: usize = 255;
/// No request is at work this long: the process that claimed it is dead, and another may go on. What had landed then
/// lands as `unchanged`.
const DEAD: i64 = 120_000;

/// Answers a statement forgets: short, for the writer is others' too.
const SLICE: i64 = 1_000;

/// A request at work under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    token: i64,
    key: String,
    claim: String,
}

/// What is to be done with a request under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// It is ours: do it, then [`Claim::answer`] or [`Claim::release`].
    Ours(Claim),
    /// It was answered: the status and the body.
    Answered(u16, String),
    /// Somebody is at it right now.
    AtWork,
    /// The key belongs to another request.
    Another,
}

impl Claim {
    /// Claims `key` of a token for a request of this hash. `claim` is a word that nobody else has.
    ///
    /// # Errors
    /// What the database says.
    pub async fn take(
        db: &Db,
        token: i64,
        key: &str,
        request: &str,
        claim: &str,
        now: Timestamp,
    ) -> Result<Claimed, DbError> {
        let ours = || Claimed::Ours(Claim { token, key: key.to_owned(), claim: claim.to_owned() });
        let mut tx = db.begin().await?;
        if store::claim(&mut tx, token, key, request, claim, now).await? {
            tx.commit().await?;
            return Ok(ours());
        }
        let Some(found) = store::answer(&mut tx, token, key).await? else { return Ok(Claimed::AtWork) };
        let age = now.as_millisecond() - found.at.as_millisecond();
        let over = age >= i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
        let dead = found.status.is_none() && age >= DEAD;
        if over || (dead && found.request == request) {
            let taken = store::take_over(&mut tx, token, key, &found.claim, request, claim, now).await?;
            tx.commit().await?;
            return Ok(if taken { ours() } else { Claimed::AtWork });
        }
        if found.request != request {
            return Ok(Claimed::Another);
        }
        Ok(match (found.status.and_then(|status| u16::try_from(status).ok()), found.answer) {
            (Some(status), Some(answer)) => Claimed::Answered(status, answer),
            _ => Claimed::AtWork,
        })
    }

    /// Keeps the answer. When another took the claim over meanwhile, theirs stands.
    ///
    /// # Errors
    /// What the database says.
    pub async fn answer(self, db: &Db, status: u16, answer: &str) -> Result<(), DbError> {
        store::keep(db, self.token, &self.key, &self.claim, i64::from(status), answer).await
    }

    /// Gives the key back: it failed, and may be tried again.
    ///
    /// # Errors
    /// What the database says.
    pub async fn release(self, db: &Db) -> Result<(), DbError> {
        store::release(db, self.token, &self.key, &self.claim).await
    }
}

pub(super) async fn forget(db: &Db, now: Timestamp) -> Result<u64, DbError> {
    let before = now.as_millisecond() - i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
    let mut all = 0;
    loop {
        let gone = store::forget(db, before, SLICE).await?;
        all += gone;
        if gone < SLICE as u64 {
            return Ok(all);
        }
    }
}
