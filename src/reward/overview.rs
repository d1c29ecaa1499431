//! A reward at a glance: what its file says, what is live, and what the ledger comes to. For `dangol reward`.

use super::definition::Reward;
use super::error::RewardError;
use super::live::{self, kind_name};
use super::look::{Liability, liability};
use super::store;
use crate::config::model::Settings;
use crate::db::Db;
use crate::types::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// A reward at a glance; amounts in minor units of `currency`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "each name says it")]
pub struct Overview {
    pub name: String,
    pub title: String,
    pub kind: &'static str,
    /// None: never launched, so orders earn nothing and nothing can be redeemed.
    pub live_since: Option<Timestamp>,
    /// The file says otherwise than what is live.
    pub changed: bool,
    pub currency: String,
    /// As it is written.
    pub budget: Option<String>,
    /// The period of the budget that it is now.
    pub period: String,
    /// What of that is used.
    pub used: i64,
    pub liability: Liability,
    pub redemptions: i64,
    pub redeemed_cost: i64,
    /// Codes that nobody has yet.
    pub codes_free: Option<i64>,
}

/// All rewards that are live or in `files` (name, text), by name. What is live counts; a file alone shows itself.
///
/// # Errors
/// What the database says; a definition that cannot be used.
pub async fn overview(
    db: &Db,
    settings: &Settings,
    files: &[(&str, &str)],
    now: Timestamp,
) -> Result<Vec<Overview>, RewardError> {
    let mut all: BTreeMap<String, (Reward, Option<Timestamp>, bool)> = BTreeMap::new();
    let running = live::all(&mut &*db, settings).await?;
    for live in running.good {
        let hash = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
        let changed = files.iter().any(|(name, text)| *name == live.reward.name && hash(text) != live.hash);
        all.insert(live.reward.name.clone(), (live.reward, Some(live.since), changed));
    }
    for (name, text) in files {
        // what is live and cannot be used has its own place: see [`super::unusable`]
        if !all.contains_key(*name) && !running.bad.iter().any(|(bad, _)| bad == name) {
            all.insert((*name).to_owned(), (Reward::read(name, text, settings)?, None, false));
        }
    }
    let mut found = Vec::with_capacity(all.len());
    for (name, (reward, live_since, changed)) in all {
        let period = reward.budget_period(now);
        let (redemptions, redeemed_cost) = store::redemptions(&mut &*db, &name).await?;
        let codes_free = match &reward.codes {
            Some(_) => Some(store::count_free(&mut &*db, &name).await?),
            None => None,
        };
        found.push(Overview {
            title: reward.title(None).to_owned(),
            kind: kind_name(reward.kind),
            live_since,
            changed,
            currency: reward.currency.to_string(),
            budget: reward.budget.map(|budget| budget.to_string()),
            used: store::budget_now(&mut &*db, &name, &period).await?,
            period,
            liability: liability(&mut &*db, &name).await?,
            redemptions,
            redeemed_cost,
            codes_free,
            name,
        });
    }
    Ok(found)
}
