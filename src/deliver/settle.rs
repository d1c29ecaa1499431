//! Mails of unknown fate, dealt with by hand: taken for delivered, or sent again.

use super::{State, store};
use crate::customer::audit;
use crate::db::{Db, DbError};
use crate::event::{self, Kind, NewEvent};
use crate::types::Timestamp;

/// What somebody says of mails of unknown fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They arrived.
    Delivered,
    /// They are to go out again, and may arrive twice.
    Again,
}

/// Settles those of `ids` that are of unknown fate; gives their ids. A delivered one counts as delivered from now on,
/// in the log and so in its reader's score.
///
/// # Errors
/// What the database says; then nothing has changed.
pub async fn settle(db: &Db, ids: &[i64], fate: Fate, actor: &str, now: Timestamp) -> Result<Vec<i64>, DbError> {
    let (to, reason) = match fate {
        Fate::Delivered => (State::Accepted, "settled by hand"),
        Fate::Again => (State::Queued, "sent again by hand"),
    };
    let mut tx = db.begin().await?;
    let changed = store::settle_unknown(&mut tx, ids, to, reason, now).await?;
    for (id, ..) in &changed {
        audit(&mut tx, actor, reason, &format!("message {id}"), None, now).await?;
    }
    let mut events = Vec::new();
    if fate == Fate::Delivered {
        for (id, customer, campaign) in &changed {
            let mut event = NewEvent::new(Kind::Delivered, *customer, now, "deliver", format!("delivered:{id}"));
            event.campaign = Some(*campaign);
            event.message = Some(*id);
            events.push(event);
        }
    }
    event::append(tx, &events, now).await?;
    Ok(changed.into_iter().map(|(id, ..)| id).collect())
}
