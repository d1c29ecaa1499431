//! What others read of the ledger: mails their reward, readers their balances, plans and reports what it comes to.

use super::error::RewardError;
use super::live::Live;
use super::lot::{Amounts, Kind};
use super::store;
use crate::db::{DbError, Query};
use crate::types::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// A reward that hangs on a mail, as far as it was not taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each name says it")]
pub struct Attached {
    pub message: i64,
    pub lot: i64,
    pub reward: String,
    pub points: i64,
    pub coupon: Option<String>,
    pub expires_at: Option<Timestamp>,
}

/// What a customer has of a reward.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Usable now; negative: a debt.
    pub active: i64,
    /// Not usable yet.
    pub pending: i64,
    /// The tier that they are in.
    pub tier: Option<String>,
    /// What was earned within the time that counts for a tier.
    pub earned: i64,
    /// When the next points expire, and how many.
    pub soonest: Option<(Timestamp, i64)>,
}

/// What open points would cost, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Liability {
    /// Of those that are pending.
    pub pending: i64,
    /// Of those that are usable, less debts.
    pub active: i64,
    /// How many are pending.
    pub pending_points: i64,
    /// How many are usable.
    pub active_points: i64,
}

/// What grants came to; costs in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each name says it")]
pub struct Sum {
    /// Grants.
    pub count: i64,
    pub points: i64,
    pub cost: i64,
    pub reversed: i64,
    pub reversed_cost: i64,
    pub spent: i64,
    pub spent_cost: i64,
    pub expired: i64,
    /// Grants of which something was spent.
    pub used: i64,
}

/// A line of the ledger, with what its lot says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each name says it")]
pub struct Entry {
    pub id: i64,
    pub at: Timestamp,
    pub kind: Kind,
    pub reward: String,
    pub lot: i64,
    pub by: Amounts,
    /// What it takes from the budget; negative: gives back.
    pub cost: i64,
    pub rule: String,
    pub period: String,
    pub coupon: Option<String>,
    pub expires_at: Option<Timestamp>,
    pub message: Option<i64>,
    /// The key of the redemption.
    pub redemption: Option<String>,
}

/// What hangs on these mails, by mail: for composing them. What was taken back is not among it.
///
/// # Errors
/// What the database says.
pub async fn of_messages(db: &mut impl Query, messages: &[i64]) -> Result<HashMap<i64, Attached>, DbError> {
    let found = store::attached(db, messages).await?;
    Ok(found.into_iter().map(|attached| (attached.message, attached)).collect())
}

/// What these customers have, by customer and reward, of all rewards that are live: for the variables of mails. Points
/// whose time is over are not counted, though nobody has swept them up yet.
///
/// # Errors
/// What the database says.
pub async fn balances(
    db: &mut impl Query,
    customers: &[i64],
    live: &[Live],
    now: Timestamp,
) -> Result<HashMap<i64, BTreeMap<String, Balance>>, RewardError> {
    let mut all: HashMap<i64, BTreeMap<String, Balance>> = HashMap::new();
    for Live { reward, .. } in live {
        let since = now.as_millisecond().saturating_sub(reward.tier_within);
        let earned = store::earned(db, customers, &reward.name, since).await?;
        for customer in customers {
            let earned = earned.get(customer).copied().unwrap_or(0);
            let tier = reward.tier(earned).map(|tier| tier.name.clone());
            let balance = Balance { tier, earned, ..Balance::default() };
            all.entry(*customer).or_default().insert(reward.name.clone(), balance);
        }
    }
    for (customer, reward, pending, active, expires) in store::open(db, customers).await? {
        if expires.is_some_and(|at| at <= now.as_millisecond()) && active >= 0 {
            continue;
        }
        let balance = all.entry(customer).or_default().entry(reward).or_default();
        balance.pending += pending;
        balance.active += active;
        let at = expires.filter(|_| active > 0).and_then(|at| Timestamp::from_millisecond(at).ok());
        if let Some(at) = at {
            balance.soonest = match balance.soonest {
                Some((first, n)) if first == at => Some((at, n + active)),
                Some(first) if first.0 < at => Some(first),
                _ => Some((at, active)),
            };
        }
    }
    Ok(all)
}

/// What the open points of a reward would cost.
///
/// # Errors
/// What the database says.
pub async fn liability(db: &mut impl Query, reward: &str) -> Result<Liability, DbError> {
    store::liability(db, reward).await
}

/// What the grants of all rules that begin with `prefix` came to.
///
/// # Errors
/// What the database says.
pub async fn granted(db: &mut impl Query, prefix: &str) -> Result<Sum, DbError> {
    store::granted(db, prefix).await
}

/// A customer's lines of a reward, the oldest first, and the balance that they add up to.
///
/// # Errors
/// What the database says.
pub async fn entries(db: &mut impl Query, customer: i64, reward: &str) -> Result<(Vec<Entry>, Amounts), DbError> {
    store::entries(db, customer, reward).await
}

/// What of the budget of the period `period` is used, in minor units.
///
/// # Errors
/// What the database says.
pub async fn budget_used(db: &mut impl Query, reward: &str, period: &str) -> Result<i64, DbError> {
    store::budget_now(db, reward, period).await
}

/// How often a reward was redeemed, and what that came to in minor units.
///
/// # Errors
/// What the database says.
pub async fn redemptions(db: &mut impl Query, reward: &str) -> Result<(i64, i64), DbError> {
    store::redemptions(db, reward).await
}
