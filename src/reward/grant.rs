//! Granting: once for a customer, a rule and a period, within budget and ceiling, in the caller's transaction.

use super::book::Book;
use super::coupon;
use super::definition::{MOST, Reward};
use super::error::RewardError;
use super::limits::{Ceiling, Purse};
use super::lot::{Amounts, Lot};
use super::store;
use crate::db::Tx;
use crate::types::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A grant to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// To whom.
    pub customer: i64,
    /// How many points; none for a coupon or a perk.
    pub points: Option<i64>,
    /// What grants it, such as `thank-regulars/thanks`. Once in a `period`.
    pub rule: String,
    /// Once in this, such as the id of the pass.
    pub period: String,
    /// The mail that carries it: it is pending until that is accepted, and taken back when that falls through.
    pub message: Option<i64>,
    /// Pending without a mail yet: see [`attach`](super::attach).
    pub pending: bool,
}

/// What became of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Granted {
    /// It was made.
    Yes(Yes),
    /// It was made before, for the same customer, rule and period; what stands of it, which may be nothing.
    Already(Yes),
    /// It was not made.
    No(No),
}

/// A grant that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Yes {
    /// Its number.
    pub lot: i64,
    /// Points; 1 for a coupon or a perk.
    pub points: i64,
    /// The code.
    pub coupon: Option<String>,
    /// What it takes from the budget, in minor units.
    pub cost: i64,
    /// Until when it can be used.
    pub expires_at: Option<Timestamp>,
}

/// Why a grant was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum No {
    /// The budget of the period has no room for it.
    Budget,
    /// The customer's ceiling has no room for it.
    Ceiling,
    /// The pool is empty.
    NoCoupon,
    /// There is no such customer, or they were erased.
    NoCustomer,
}

impl No {
    /// In words, for reports and reasons.
    pub fn reason(self) -> &'static str {
        match self {
            No::Budget => "budget",
            No::Ceiling => "ceiling",
            No::NoCoupon => "no coupon left",
            No::NoCustomer => "no such customer",
        }
    }
}

/// Grants, in the order given: when the budget is short, those who come first get it. One grant that has no room does not
/// keep a smaller one after it from being made.
///
/// # Errors
/// When points are missing where they are needed, or given where they make no sense; what the database says.
pub async fn grant(
    tx: &mut Tx,
    grants: &[Grant],
    reward: &Reward,
    now: Timestamp,
) -> Result<Vec<Granted>, RewardError> {
    let points = grants.iter().map(|grant| points(grant, reward)).collect::<Result<Vec<i64>, RewardError>>()?;
    if grants.is_empty() {
        return Ok(Vec::new());
    }
    let accounts: BTreeSet<_> = grants.iter().map(|grant| (grant.customer, reward.name.clone())).collect();
    let customers: Vec<i64> = accounts.iter().map(|(customer, _)| *customer).collect();
    let living = store::living(tx, &customers).await?;
    let accounts = accounts.into_iter().filter(|(customer, _)| living.contains(customer)).collect();
    let mut book = Book::load(tx, &accounts).await?;
    let keys: BTreeSet<Key> = grants.iter().map(key).collect();
    let known = store::lots_of_grants(tx, &keys.into_iter().collect::<Vec<Key>>()).await?;
    let mut made: HashMap<Key, i64> = HashMap::new();
    for lot in known {
        made.insert((lot.customer, lot.rule.clone(), lot.period.clone()), lot.id);
        book.lots.insert(lot.id, lot);
    }
    let wanted = grants.iter().filter(|grant| !made.contains_key(&key(grant)) && living.contains(&grant.customer));
    let mut codes = coupon::take(tx, reward, wanted.count(), now).await?;
    let mut ceiling = Ceiling::of(tx, reward, &customers, now).await?;
    let period = reward.budget_period(now);
    let mut purse = Purse::open(tx, reward, &period).await?;

    let mut found: Vec<Result<i64, No>> = Vec::with_capacity(grants.len());
    let mut fresh: BTreeSet<usize> = BTreeSet::new();
    for (i, (grant, points)) in grants.iter().zip(points).enumerate() {
        if let Some(lot) = made.get(&key(grant)) {
            found.push(Ok(*lot));
            continue;
        }
        let cost = points.saturating_mul(reward.unit);
        let no = if !living.contains(&grant.customer) {
            Some(No::NoCustomer)
        } else if !ceiling.has(grant.customer, cost) {
            Some(No::Ceiling)
        } else if !purse.has(cost) {
            Some(No::Budget)
        } else if codes.as_ref().is_some_and(Vec::is_empty) {
            Some(No::NoCoupon)
        } else {
            None
        };
        if let Some(no) = no {
            found.push(Err(no));
            continue;
        }
        ceiling.take(grant.customer, cost);
        purse.take(cost);
        let lot = book.open(lot(grant, reward, &period, codes.as_mut().and_then(Vec::pop), now));
        book.write(lot, |lot| Some(lot.grant(points, grant.pending || grant.message.is_some())));
        made.insert(key(grant), lot);
        fresh.insert(i);
        found.push(Ok(lot));
    }
    purse.close(tx).await?;
    let lots = book.lots.clone();
    let ids = book.save(tx, now).await?;
    let given: Vec<(String, i64)> =
        ids.iter().filter_map(|(before, id)| Some((lots.get(before)?.coupon.clone()?, *id))).collect();
    if store::give(tx, &reward.name, &given).await? != given.len() as u64 {
        return Err(RewardError::Contended);
    }
    Ok(found.into_iter().enumerate().map(|(i, found)| answer(found, &lots, &ids, fresh.contains(&i))).collect())
}

type Key = (i64, String, String);

fn key(grant: &Grant) -> Key {
    (grant.customer, grant.rule.clone(), grant.period.clone())
}

fn points(grant: &Grant, reward: &Reward) -> Result<i64, RewardError> {
    let wrong = |why: String| RewardError::Grant { reward: reward.name.clone(), why };
    match grant.points {
        Some(n) if reward.is_points() && (1..=MOST).contains(&n) => Ok(n),
        Some(n) if reward.is_points() => Err(wrong(format!("{n} points: grant 1 or more"))),
        None if reward.is_points() => Err(wrong("it is points, and nobody says how many".into())),
        Some(_) => Err(wrong("it is no points, and takes no number".into())),
        None => Ok(1),
    }
}

fn lot(grant: &Grant, reward: &Reward, budget: &str, coupon: Option<String>, now: Timestamp) -> Lot {
    Lot {
        id: 0,
        customer: grant.customer,
        reward: reward.name.clone(),
        rule: grant.rule.clone(),
        period: grant.period.clone(),
        amounts: Amounts::default(),
        moves: 0,
        unit: reward.unit,
        budget: budget.to_owned(),
        rate: None,
        order: None,
        message: grant.message,
        coupon,
        granted_at: now.as_millisecond(),
        expires_at: reward.expires_at(now).map(Timestamp::as_millisecond),
        confirm_at: None,
    }
}

fn answer(found: Result<i64, No>, lots: &BTreeMap<i64, Lot>, ids: &BTreeMap<i64, i64>, fresh: bool) -> Granted {
    let number = match found {
        Ok(number) => number,
        Err(no) => return Granted::No(no),
    };
    let Some(lot) = lots.get(&number) else { return Granted::No(No::NoCustomer) };
    let points = lot.amounts.standing();
    let yes = Yes {
        lot: ids.get(&number).copied().unwrap_or(number),
        points,
        coupon: lot.coupon.clone(),
        cost: points.saturating_mul(lot.unit),
        expires_at: lot.expires_at.and_then(|at| Timestamp::from_millisecond(at).ok()),
    };
    if fresh { Granted::Yes(yes) } else { Granted::Already(yes) }
}
