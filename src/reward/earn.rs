//! What orders earn: what an order should have given by now is compared with what stands, and the ledger moved by the
//! difference. So a replay, a refund, a correction or an order that turns out another's gives no point twice.

use super::book::{Account, Book};
use super::definition::{Reward, points};
use super::error::RewardError;
use super::limits::{Ceiling, Purse};
use super::live::Live;
use super::lot::{Amounts, Lot};
use super::store::{self, OrderRow};
use crate::db::Tx;
use crate::types::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a look at some orders came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Earned {
    /// Lots that were moved.
    pub moved: u64,
    /// Orders that earn nothing because they are in another currency.
    pub foreign: u64,
    /// Orders for which budget or ceiling had no room.
    pub refused: u64,
}

/// Looks at these orders, by their events.
pub(super) async fn orders(
    tx: &mut Tx,
    live: &[Live],
    events: &BTreeSet<i64>,
    now: Timestamp,
) -> Result<Earned, RewardError> {
    let ids: Vec<i64> = events.iter().copied().collect();
    let orders: BTreeMap<i64, OrderRow> =
        store::orders(tx, &ids).await?.into_iter().map(|order| (order.event, order)).collect();
    let before = store::lots_of(tx, &ids).await?;
    let mut accounts: BTreeSet<Account> = before.into_iter().map(|lot| (lot.customer, lot.reward)).collect();
    for Live { reward, since, .. } in live {
        let eligible = orders.values().filter(|order| may_earn(order, reward, *since));
        accounts.extend(eligible.map(|order| (order.customer, reward.name.clone())));
    }
    if accounts.is_empty() {
        let foreign = orders.values().filter(|order| is_foreign(order, live)).count() as u64;
        return Ok(Earned { foreign, ..Earned::default() });
    }
    let mut book = Book::load(tx, &accounts).await?;
    book.add(store::lots_of(tx, &ids).await?);
    let mut all = Earned::default();
    for live in live {
        let customers: Vec<i64> =
            accounts.iter().filter(|(_, name)| *name == live.reward.name).map(|(customer, _)| *customer).collect();
        if !customers.is_empty() {
            one(tx, live, (&ids, &orders), &customers, &mut book, &mut all, now).await?;
        }
    }
    book.save(tx, now).await?;
    all.foreign = orders.values().filter(|order| is_foreign(order, live)).count() as u64;
    Ok(all)
}

fn is_foreign(order: &OrderRow, live: &[Live]) -> bool {
    live.iter().any(|live| {
        live.reward.earn.is_some() && order.at >= live.since && order.currency != live.reward.currency.code()
    })
}

fn may_earn(order: &OrderRow, reward: &Reward, since: Timestamp) -> bool {
    reward.earn.is_some() && order.at >= since && order.currency == reward.currency.code() && !order.erased
}

/// One reward.
async fn one(
    tx: &mut Tx,
    live: &Live,
    (ids, orders): (&[i64], &BTreeMap<i64, OrderRow>),
    customers: &[i64],
    book: &mut Book,
    all: &mut Earned,
    now: Timestamp,
) -> Result<(), RewardError> {
    let reward = &live.reward;
    let mut by_order: HashMap<i64, Vec<(i64, i64)>> = HashMap::new();
    for lot in book.lots.values().filter(|lot| lot.reward == reward.name) {
        if let Some(order) = lot.order {
            by_order.entry(order).or_default().push((lot.id, lot.customer));
        }
    }
    let since = now.as_millisecond().saturating_sub(reward.tier_within);
    let mut earned = match reward.tiers.is_empty() {
        true => HashMap::new(),
        false => store::earned(tx, customers, &reward.name, since).await?,
    };
    let mut ceiling = Ceiling::of(tx, reward, customers, now).await?;
    let mut purses: BTreeMap<String, Purse> = BTreeMap::new();
    for id in ids {
        let order = orders.get(id);
        let lots = by_order.get(id).map_or(&[][..], Vec::as_slice);
        // it is not there any more, or is another's
        for (lot, _) in lots.iter().filter(|(_, customer)| order.is_none_or(|order| order.customer != *customer)) {
            all.moved += u64::from(book.write(*lot, |lot| lot.reverse(lot.amounts.standing())));
        }
        let Some(order) = order else { continue };
        let own = lots.iter().find(|(_, customer)| *customer == order.customer).map(|(lot, _)| *lot);
        let Some(own) = own.or_else(|| {
            let rate = reward.rate(earned.get(&order.customer).copied().unwrap_or(0))?;
            may_earn(order, reward, live.since).then(|| book.open(opened(order, reward, rate, now)))
        }) else {
            continue;
        };
        let Some(lot) = book.lots.get(&own).cloned() else { continue };
        let more = desired(order, reward, &lot).saturating_sub(lot.amounts.standing());
        let confirmed = is_confirmed(order, reward, now);
        if more > 0 && !order.erased {
            let cost = more.saturating_mul(lot.unit);
            if !purses.contains_key(&lot.budget) {
                purses.insert(lot.budget.clone(), Purse::open(tx, reward, &lot.budget).await?);
            }
            let purse = purses.get_mut(&lot.budget).filter(|purse| purse.has(cost));
            match purse.filter(|_| ceiling.has(order.customer, cost)) {
                Some(purse) => {
                    purse.take(cost);
                    ceiling.take(order.customer, cost);
                    all.moved += u64::from(book.write(own, |lot| Some(lot.grant(more, !confirmed))));
                }
                None => all.refused += 1,
            }
        } else if more < 0 {
            all.moved += u64::from(book.write(own, |lot| lot.reverse(-more)));
        }
        if confirmed {
            all.moved += u64::from(book.write(own, Lot::activate));
        }
        let at = if confirmed { None } else { reward.confirmed_at(order.at).map(Timestamp::as_millisecond) };
        book.confirm_at(own, at);
        // what this order gave counts for the tier of the next
        let counts = |a: &Amounts| a.standing() - a.pending;
        let after = book.lots.get(&own).map_or(0, |lot| counts(&lot.amounts));
        *earned.entry(order.customer).or_default() += after - counts(&lot.amounts);
    }
    for purse in purses.into_values() {
        purse.close(tx).await?;
    }
    Ok(())
}

/// What the order should have given by now.
fn desired(order: &OrderRow, reward: &Reward, lot: &Lot) -> i64 {
    let nothing = matches!(order.status.as_str(), "cancelled" | "returned") || order.currency != reward.currency.code();
    match lot.rate {
        Some(rate) if !nothing => points(rate, order.amount.saturating_sub(order.refunded), lot.unit),
        _ => 0,
    }
}

fn is_confirmed(order: &OrderRow, reward: &Reward, now: Timestamp) -> bool {
    order.status == "confirmed" || reward.confirmed_at(order.at).is_some_and(|at| at <= now)
}

/// The lot of an order that has earned nothing yet. Its rate stays: a tier that is reached later does not reach back.
fn opened(order: &OrderRow, reward: &Reward, rate: i64, now: Timestamp) -> Lot {
    Lot {
        id: 0,
        customer: order.customer,
        reward: reward.name.clone(),
        rule: format!("earn:{}", reward.name),
        period: format!("order:{}", order.event),
        amounts: Amounts::default(),
        moves: 0,
        unit: reward.unit,
        budget: reward.budget_period(now),
        rate: Some(rate),
        order: Some(order.event),
        message: None,
        coupon: None,
        granted_at: order.at.as_millisecond(),
        expires_at: reward.expires_at(order.at).map(Timestamp::as_millisecond),
        confirm_at: None,
    }
}
