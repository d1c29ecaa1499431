//! What bounds grants: the budget of the period, and the ceiling of each customer. Budgets are held to the end of the
//! transaction and taken by a guarded update, so no two nodes overrun one together.

use super::definition::{Reward, share};
use super::error::RewardError;
use super::store;
use crate::db::Tx;
use crate::types::Timestamp;
use std::collections::HashMap;

/// What is left of a reward's budget, as far as this transaction goes.
#[derive(Debug)]
pub(super) struct Purse {
    reward: String,
    period: String,
    limit: i64,
    used: i64,
    taken: i64,
}

impl Purse {
    pub async fn open(tx: &mut Tx, reward: &Reward, period: &str) -> Result<Purse, RewardError> {
        let used = store::budget_used(tx, &reward.name, period).await?;
        let limit = reward.budget.map_or(i64::MAX, |budget| budget.amount.minor);
        Ok(Purse { reward: reward.name.clone(), period: period.to_owned(), limit, used, taken: 0 })
    }

    pub fn has(&self, cost: i64) -> bool {
        let left = i128::from(self.limit) - i128::from(self.used) - i128::from(self.taken);
        i128::from(cost) <= left
    }

    pub fn take(&mut self, cost: i64) {
        self.taken += cost;
    }

    /// Makes what was taken true.
    pub async fn close(self, tx: &mut Tx) -> Result<(), RewardError> {
        // the guard without an overflow: a reward without a budget has the largest number as its limit
        if self.taken > 0 && !store::reserve(tx, (&self.reward, &self.period), self.taken, self.limit).await? {
            return Err(RewardError::Contended);
        }
        Ok(())
    }
}

/// What each customer may still get of a reward, as far as it has a ceiling.
#[derive(Debug)]
pub(super) struct Ceiling {
    left: Option<HashMap<i64, i64>>,
}

impl Ceiling {
    pub async fn of(tx: &mut Tx, reward: &Reward, customers: &[i64], now: Timestamp) -> Result<Ceiling, RewardError> {
        let Some(part) = reward.ceiling else { return Ok(Ceiling { left: None }) };
        let (since, until) = (reward.year_before(now).as_millisecond(), now.as_millisecond());
        let margins = store::margins(tx, customers, reward.currency.code(), since, until).await?;
        let costs = store::granted_cost(tx, customers, &reward.name, since).await?;
        let left = customers.iter().map(|customer| {
            let margin = margins.get(customer).copied().unwrap_or(0);
            (*customer, share(part, margin) - costs.get(customer).copied().unwrap_or(0))
        });
        Ok(Ceiling { left: Some(left.collect()) })
    }

    pub fn has(&self, customer: i64, cost: i64) -> bool {
        self.left.as_ref().is_none_or(|left| cost <= left.get(&customer).copied().unwrap_or(0))
    }

    pub fn take(&mut self, customer: i64, cost: i64) {
        if let Some(left) = self.left.as_mut().and_then(|left| left.get_mut(&customer)) {
            *left -= cost;
        }
    }
}
