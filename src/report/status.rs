//! What is going on.

use super::store;
use crate::campaign::store as campaign_store;
use crate::config::model::Settings;
use crate::db::{Db, DbError};
use crate::deliver::{State, store as delivery};
use crate::types::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// A campaign that was launched.
#[derive(Clone, Debug, Serialize)]
pub struct CampaignStatus {
    /// Its name.
    pub campaign: String,
    /// running, paused, closed, cancelled.
    pub state: String,
    /// Why its mail is held, if it is.
    pub held: Option<String>,
    /// What is in its mail's way, and mends itself when it is mended.
    pub trouble: Option<String>,
    /// waiting, enrolling, enrolled, cancelled; stale or large while it asks before anybody gets it.
    pub audience: Option<String>,
    /// Messages by state, those that there are.
    pub messages: BTreeMap<String, i64>,
    /// Customers on their way through its steps.
    pub inside: i64,
}

/// A relay of the settings.
#[derive(Clone, Debug, Serialize)]
pub struct RelayStatus {
    /// Its name.
    pub name: String,
    /// Mails that it was given today (UTC).
    pub sent_today: i64,
    /// How many it may be given in a day.
    pub daily: Option<u64>,
    /// How fast.
    pub rate: String,
    /// What is wrong with it at this moment, as a sending process sees it.
    pub trouble: Option<String>,
}

/// What is going on.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// All messages by state; every state is there.
    pub queue: BTreeMap<String, i64>,
    /// The campaigns.
    pub campaigns: Vec<CampaignStatus>,
    /// The relays.
    pub relays: Vec<RelayStatus>,
    /// When the next message falls due.
    pub next_due: Option<Timestamp>,
    /// Hits that wait to be judged.
    pub unsettled_hits: i64,
    /// Events that each reader of the log has still to read.
    pub lag: BTreeMap<String, i64>,
}

/// What is going on now.
///
/// # Errors
/// What the database says.
pub async fn status(db: &Db, settings: &Settings, now: Timestamp) -> Result<Status, DbError> {
    let mut reader = db;
    let mut queue: BTreeMap<String, i64> = State::ALL.iter().map(|state| (state.name().to_owned(), 0)).collect();
    queue.extend(delivery::counts(&mut reader, None).await?);
    let mut obstacles = delivery::obstacles(&mut reader, now).await?;
    let mut campaigns = Vec::new();
    for (id, campaign, state, lane, reason, audience) in store::campaigns(&mut reader).await? {
        let messages = delivery::counts(&mut reader, Some(id)).await?.into_iter().collect();
        let held = (lane.as_deref() == Some("held")).then(|| reason.unwrap_or_default());
        let inside = campaign_store::inside(&mut reader, id).await?;
        let trouble = obstacles.remove(&format!("campaign {id}"));
        campaigns.push(CampaignStatus { campaign, state, held, trouble, audience, messages, inside });
    }
    let day = now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let mut relays = Vec::new();
    for relay in &settings.relay {
        relays.push(RelayStatus {
            name: relay.name.clone(),
            sent_today: delivery::relay_day(&mut reader, &relay.name, &day).await?,
            daily: relay.daily,
            rate: relay.rate.to_string(),
            trouble: obstacles.remove(&format!("relay {}", relay.name)),
        });
    }
    let (newest, cursors) = store::lag(&mut reader).await?;
    Ok(Status {
        queue,
        campaigns,
        relays,
        next_due: delivery::next_due(&mut reader).await?,
        unsettled_hits: store::open_hits(&mut reader).await?,
        lag: cursors.into_iter().map(|(name, position)| (name, newest - position)).collect(),
    })
}
