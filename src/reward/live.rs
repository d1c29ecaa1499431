//! What is live: a definition as it was launched. Saving a file changes nothing that runs.

use super::definition::Reward;
use super::error::RewardError;
use super::reader::CURSOR;
use super::store;
use crate::config::model::{RewardKind, Settings};
use crate::db::{DbError, Query, Tx};
use crate::types::{Currency, Timestamp};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// A live reward.
#[derive(Clone, Debug)]
pub struct Live {
    /// Made ready.
    pub reward: Reward,
    /// Orders from then on earn.
    pub since: Timestamp,
    /// The hash of the file that it came from.
    pub hash: String,
}

pub(super) fn kind_name(kind: RewardKind) -> &'static str {
    match kind {
        RewardKind::Points => "points",
        RewardKind::Coupon => "coupon",
        RewardKind::Perk => "perk",
    }
}

/// Puts the file `toml` of the reward `name` live, or in the place of what was live under this name; true when that
/// changed anything. What was granted stays as it was granted, and orders earn since it was live for the first time.
///
/// # Errors
/// When something is wrong with the file, or it is of another kind than what was granted under this name.
pub async fn put_live(
    tx: &mut Tx,
    name: &str,
    toml: &str,
    settings: &Settings,
    now: Timestamp,
) -> Result<bool, RewardError> {
    let reward = Reward::read(name, toml, settings)?;
    let row = store::LiveRow {
        name: name.to_owned(),
        kind: kind_name(reward.kind).to_owned(),
        definition: toml.to_owned(),
        hash: blake3::hash(toml.as_bytes()).to_hex().to_string(),
        currency: reward.currency.to_string(),
        since: now,
    };
    let before = store::reward(tx, name).await?;
    if let Some(before) = &before {
        if before.kind != row.kind {
            let why =
                format!("it was launched as {}, and what was granted stays so: give it another name", before.kind);
            return Err(RewardError::Definition { name: name.to_owned(), why });
        }
        if before.hash == row.hash && before.currency == row.currency {
            return Ok(false);
        }
    }
    store::put(tx, &row).await?;
    store::put_tiers(tx, name, &reward.tiers, reward.tier_within).await?;
    if before.is_none() && reward.earn.is_some() {
        // orders that came in while this was under way may have been passed over; to look twice gives nothing twice
        store::forget_after(tx, CURSOR, now.as_millisecond()).await?;
    }
    Ok(true)
}

/// What is live, and what of it this version or these settings cannot use.
#[derive(Debug, Default)]
pub(super) struct All {
    pub good: Vec<Live>,
    /// The name, and what is wrong.
    pub bad: Vec<(String, RewardError)>,
}

/// All that is live, by name, each judged on its own: one definition that went bad stops no other.
pub(super) async fn all(db: &mut impl Query, settings: &Settings) -> Result<All, DbError> {
    let mut all = All::default();
    for row in store::live(db).await? {
        match Reward::read(&row.name, &row.definition, settings) {
            Ok(reward) => all.good.push(Live { reward, since: row.since, hash: row.hash }),
            Err(why) => all.bad.push((row.name, why)),
        }
    }
    Ok(all)
}

/// What was told already: the readers look many times a minute.
static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// All that is live and can be used, by name. A definition that this version or these settings cannot use is left out,
/// and the log says so once: nothing is granted or earned of it until it is mended, and no other waits for it.
///
/// # Errors
/// What the database says.
pub async fn live(db: &mut impl Query, settings: &Settings) -> Result<Vec<Live>, RewardError> {
    let all = all(db, settings).await?;
    for (name, why) in &all.bad {
        let why = why.to_string();
        if TOLD.lock().is_ok_and(|mut told| told.insert(why.clone())) {
            tracing::warn!(reward = name, "a live reward is left out: {why}");
        }
    }
    Ok(all.good)
}

/// The live rewards that cannot be used, each with what is wrong.
///
/// # Errors
/// What the database says.
pub async fn unusable(db: &mut impl Query, settings: &Settings) -> Result<Vec<(String, String)>, DbError> {
    let all = all(db, settings).await?;
    Ok(all.bad.into_iter().map(|(name, why)| (name, why.to_string())).collect())
}

/// The live rewards whose amounts are in another currency than this.
///
/// # Errors
/// What the database says.
pub async fn not_in(db: &mut impl Query, currency: Currency) -> Result<Vec<String>, DbError> {
    let rows = store::live(db).await?;
    Ok(rows.into_iter().filter(|row| row.currency != currency.code()).map(|row| row.name).collect())
}

/// Whether any order says what it brought: without that a ceiling lets nothing pass.
///
/// # Errors
/// What the database says.
pub async fn margins_known(db: &mut impl Query) -> Result<bool, DbError> {
    store::margins_known(db).await
}
