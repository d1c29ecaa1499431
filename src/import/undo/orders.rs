//! Orders of an import taken back: those that it opened go, those that it changed get their former values. Each of it is
//! a correction in the log, whoever has read the order already: the correction comes later in the log, and makes the
//! customer's sums anew.

use super::SLICE;
use crate::customer::one_at_a_time;
use crate::db::{Db, DbError, Tx};
use crate::event::purchase::{self, Item, Purchase};
use crate::event::{self, NewEvent};
use crate::import::kinds::orders::correction::{before, correction, differences, taken_back};
use crate::import::store;
use jiff::Timestamp;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What became of the orders.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// Orders that are no more.
    pub taken_back: u64,
    /// Changes that are no more.
    pub put_back: u64,
    /// Orders that stay because rewards were granted for them.
    rewarded: u64,
    /// Orders that stay because they were changed since, by the import that did it.
    changed_by: BTreeMap<Option<i64>, u64>,
    /// Changes that stay because what they changed has changed again.
    changed_again: u64,
    /// Changes that stay because the log no longer knows what was before.
    forgotten: u64,
}

impl Orders {
    /// What stays, in sentences.
    pub(super) fn kept(&self) -> Vec<String> {
        let mut kept = Vec::new();
        for (by, n) in &self.changed_by {
            kept.push(match by {
                Some(by) => format!(
                    "{n} orders stay: import {by} changed them since; `dangol import undo {by}` first, then this one again"
                ),
                None => format!("{n} orders stay: they were changed since, and not by an import"),
            });
        }
        if self.rewarded > 0 {
            kept.push(format!("{} orders stay: rewards were granted for them", self.rewarded));
        }
        if self.changed_again > 0 {
            kept.push(format!(
                "{} changes of known orders stay: what they changed has changed again; undo the later import first, then \
                 this one again",
                self.changed_again
            ));
        }
        if self.forgotten > 0 {
            kept.push(format!(
                "{} changes of known orders stay: the log no longer says what was before, because the customer was erased \
                 or the order is gone",
                self.forgotten
            ));
        }
        kept
    }
}

/// Takes back what import `batch` did to orders.
pub(super) async fn undo(db: &Db, batch: i64, now: Timestamp) -> Result<Orders, DbError> {
    let mut orders = Orders::default();
    // first those that it opened: with an order its own changes of it are gone
    let mut after = 0;
    loop {
        let mut tx = db.begin().await?;
        one_at_a_time(&mut tx).await?;
        let opened = purchase::of_batch(&mut tx, batch, after, SLICE).await?;
        let Some(last) = opened.last().map(|order| order.event) else { break };
        take_back(&mut tx, batch, opened, &mut orders, now).await?;
        tx.commit().await?;
        after = last;
    }
    // then its changes, the last one first: a change is put back when what it made still stands
    let mut before = i64::MAX;
    loop {
        let mut tx = db.begin().await?;
        one_at_a_time(&mut tx).await?;
        let changes = store::corrections_of(&mut tx, batch, before, SLICE).await?;
        let Some(first) = changes.last().map(|(id, ..)| *id) else { return Ok(orders) };
        put_back(&mut tx, batch, &changes, &mut orders, now).await?;
        tx.commit().await?;
        before = first;
    }
}

async fn take_back(
    tx: &mut Tx,
    batch: i64,
    opened: Vec<Purchase>,
    orders: &mut Orders,
    now: Timestamp,
) -> Result<(), DbError> {
    let events: Vec<i64> = opened.iter().map(|order| order.event).collect();
    let customers: BTreeSet<i64> = opened.iter().map(|order| order.customer).collect();
    let customers: Vec<i64> = customers.into_iter().collect();
    let rewarded: HashSet<i64> = store::rewarded(tx, &events).await?.into_iter().collect();
    let others = store::corrections_by_others(tx, batch, &customers).await?;
    // the last one counts: it is to be undone first
    let changed: HashMap<i64, Option<i64>> =
        others.iter().filter_map(|(_, by, data)| Some((about(&parsed(data))?, *by))).collect();
    let mut goes = Vec::with_capacity(opened.len());
    for order in opened {
        if let Some(by) = changed.get(&order.event) {
            *orders.changed_by.entry(*by).or_default() += 1;
        } else if rewarded.contains(&order.event) {
            orders.rewarded += 1;
        } else {
            goes.push(order);
        }
    }
    let said: Vec<NewEvent> =
        goes.iter().map(|order| taken_back(order, format!("undo:{}", order.event), now)).collect();
    event::append_in(tx, &said, now).await?;
    let gone: Vec<i64> = goes.iter().map(|order| order.event).collect();
    orders.taken_back += gone.len() as u64;
    purchase::take_back(tx, &gone).await
}

async fn put_back(
    tx: &mut Tx,
    batch: i64,
    changes: &[store::Correction],
    orders: &mut Orders,
    now: Timestamp,
) -> Result<(), DbError> {
    let changes: Vec<(i64, Json)> = changes.iter().map(|(id, _, data)| (*id, parsed(data))).collect();
    let events: BTreeSet<i64> = changes.iter().filter_map(|(_, data)| about(data)).collect();
    let events: Vec<i64> = events.into_iter().collect();
    let mut standing = purchase::by_events(tx, &events).await?;
    let mut items = purchase::items(tx, &events).await?;
    let gone: HashSet<i64> = purchase::gone(tx, &events).await?.into_iter().collect();
    let mut said = Vec::new();
    let (mut others, mut things): (BTreeSet<i64>, BTreeSet<i64>) = Default::default();
    for (id, data) in &changes {
        let order = about(data);
        if order.is_some_and(|order| gone.contains(&order)) {
            // the change of an order that this import opened itself, or that another one has taken back
            continue;
        }
        let order = order.and_then(|order| standing.get_mut(&order));
        let (Some(order), Some(change)) = (order, data.get("changes").and_then(Json::as_object)) else {
            orders.forgotten += 1;
            continue;
        };
        let things_now = items.get(&order.event).cloned().unwrap_or_default();
        let Some((was, things_before)) = before(order, &things_now, change)? else {
            orders.changed_again += 1;
            continue;
        };
        let differ = things_before.as_deref().map(|before| (things_now.as_slice(), before));
        let mut event = correction(&was, differences(order, &was, differ), None, format!("undo:{id}"), now);
        event.data["undoes"] = batch.into();
        said.push(event);
        others.insert(order.event);
        if let Some(before) = things_before {
            things.insert(order.event);
            items.insert(order.event, before);
        }
        *order = was;
        orders.put_back += 1;
    }
    event::append_in(tx, &said, now).await?;
    let changed: Vec<&Purchase> = others.iter().filter_map(|order| standing.get(order)).collect();
    purchase::update(tx, &changed, now).await?;
    let things: Vec<(i64, &[Item])> =
        things.iter().map(|order| (*order, items.get(order).map_or(&[][..], Vec::as_slice))).collect();
    purchase::set_items(tx, &things, true).await
}

fn parsed(data: &str) -> Json {
    serde_json::from_str(data).unwrap_or_default()
}

/// The event that a correction is about.
fn about(data: &Json) -> Option<i64> {
    data.get("corrects")?.as_i64()
}
