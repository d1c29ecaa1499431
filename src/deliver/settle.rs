//! Mails of unknown fate, dealt with by hand: taken for delivered, or sent again.

use super::{State, lane, store};
use crate::config::model::Settings;
use crate::customer::audit;
use crate::db::{Db, DbError, Tx};
use crate::event::{self, Kind, NewEvent};
use crate::permission::{self, Reason, Rule};
use crate::types::Timestamp;
use std::collections::HashMap;

/// What somebody says of mails of unknown fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They arrived.
    Delivered,
    /// They are to go out again, and may arrive twice.
    Again,
}

/// Those of these mails of unknown fate that are not to go out again, and why: queued, they would be put down as never
/// sent, which nobody knows.
async fn barred(tx: &mut Tx, ids: &[i64], settings: &Settings, now: Timestamp) -> Result<Vec<(i64, String)>, DbError> {
    let mut barred = Vec::new();
    let mut by_topic: HashMap<String, Vec<(i64, i64)>> = HashMap::new();
    for (id, customer, topic, held) in store::unknown(tx, ids).await? {
        match held.as_deref() {
            Some(lane::CANCELLED) => barred.push((id, format!("the campaign of message {id} was cancelled"))),
            _ => by_topic.entry(topic).or_default().push((id, customer)),
        }
    }
    for (topic, mails) in by_topic {
        let Some(rule) = Rule::of(&topic, settings, now) else {
            let gone = |(id, _)| (id, format!("the topic of message {id}, `{topic}`, is not in dangol.toml"));
            barred.extend(mails.into_iter().map(gone));
            continue;
        };
        let customers: Vec<i64> = mails.iter().map(|(_, customer)| *customer).collect();
        let reasons: HashMap<i64, Reason> = permission::reasons(tx, &customers, &rule).await?.into_iter().collect();
        let why = |(id, customer): (i64, i64)| {
            let reason = reasons.get(&customer)?.name();
            Some((id, format!("the reader of message {id} may not be mailed: {reason}")))
        };
        barred.extend(mails.into_iter().filter_map(why));
    }
    Ok(barred)
}

/// What became of mails that somebody settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Those that were of unknown fate, and are not any more.
    pub changed: Vec<i64>,
    /// Those that may not go out again, and why.
    pub barred: Vec<(i64, String)>,
}

/// Settles those of `ids` that are of unknown fate. A delivered one counts as delivered from now on, in the log and so in
/// its reader's score.
///
/// # Errors
/// What the database says; then nothing has changed.
pub async fn settle(
    db: &Db,
    settings: &Settings,
    ids: &[i64],
    fate: Fate,
    actor: &str,
    now: Timestamp,
) -> Result<Settled, DbError> {
    let (to, reason) = match fate {
        Fate::Delivered => (State::Accepted, "settled by hand"),
        Fate::Again => (State::Queued, "sent again by hand"),
    };
    let mut tx = db.begin().await?;
    let barred = match fate {
        Fate::Again => barred(&mut tx, ids, settings, now).await?,
        Fate::Delivered => Vec::new(),
    };
    let free: Vec<i64> = ids.iter().copied().filter(|id| !barred.iter().any(|(barred, _)| barred == id)).collect();
    let changed = store::settle_unknown(&mut tx, &free, to, reason, now).await?;
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
    Ok(Settled { changed: changed.into_iter().map(|(id, ..)| id).collect(), barred })
}
