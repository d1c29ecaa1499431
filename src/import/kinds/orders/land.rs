//! A slice of orders into the database: who, what is known, events and corrections, then the projections.

use super::super::{Context, Landed, Landing, Nth, directory};
use super::OrderRow;
use super::correction::{correction, differences};
use crate::db::{DbError, Tx};
use crate::event::purchase::{self, Item, Purchase, Status};
use crate::event::{self, Kind, NewEvent};
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;

/// An order in this slice.
struct Order<'a> {
    /// As it was before the slice, or as its first row tells it.
    before: Purchase,
    now: Purchase,
    new: bool,
    line: u64,
    /// Of the first row, when new.
    items: &'a [Item],
    /// What stood before a later row told of others.
    items_before: &'a [Item],
    /// Of a later row, or of a known order, when they differ.
    other_items: Option<&'a [Item]>,
}

impl Order<'_> {
    fn changed(&self) -> bool {
        self.now != self.before || self.other_items.is_some()
    }
}

pub(super) async fn land(
    nth: &mut Nth,
    tx: &mut Tx,
    rows: &[(u64, &OrderRow)],
    context: &Context,
    batch: Option<i64>,
) -> Result<Landing, DbError> {
    let (customers, mut outcomes) = customers(tx, rows, context, batch).await?;
    let keys = keys(nth, rows, &customers);
    let wanted: Vec<&str> = keys.iter().flatten().map(String::as_str).collect();
    let known = purchase::by_keys(tx, &super::super::distinct(wanted)).await?;
    let events: Vec<i64> = known.values().map(|p| p.event).collect();
    let has_items = rows.iter().any(|(_, row)| row.items.is_some());
    let known_items = if has_items { purchase::items(tx, &events).await? } else { HashMap::new() };

    let mut orders: Vec<Order<'_>> = Vec::with_capacity(rows.len());
    let mut by_key: HashMap<&str, usize> = HashMap::with_capacity(rows.len());
    for (((line, row), customer), (key, outcome)) in
        rows.iter().zip(&customers).zip(keys.iter().zip(outcomes.iter_mut()))
    {
        let (Some(customer), Some(key)) = (customer, key) else { continue };
        let items = row.items.as_deref();
        let slot = match by_key.get(key.as_str()) {
            Some(slot) => *slot,
            None => {
                let found = known.get(key);
                let now = found.cloned().unwrap_or_else(|| opened(row, key, *customer, batch));
                let items = if found.is_some() { &[] } else { items.unwrap_or_default() };
                let items_before = found.and_then(|p| known_items.get(&p.event)).map_or(items, Vec::as_slice);
                let before = now.clone();
                let order =
                    Order { before, now, new: found.is_none(), line: *line, items, items_before, other_items: None };
                by_key.insert(key, orders.len());
                orders.push(order);
                if found.is_none() {
                    *outcome = Landed::Inserted;
                    continue;
                }
                orders.len() - 1
            }
        };
        *outcome = change(&mut orders[slot], row, *line, *customer);
    }
    write(tx, &mut orders, context, batch).await?;
    Ok(Landing { outcomes, withdrawn_kept: 0 })
}

/// Whose each row is; the outcome of a row that is nobody's says why.
async fn customers(
    tx: &mut Tx,
    rows: &[(u64, &OrderRow)],
    context: &Context,
    batch: Option<i64>,
) -> Result<(Vec<Option<i64>>, Vec<Landed>), DbError> {
    let mut directory = directory(tx, rows.iter().map(|(_, row)| &row.customer), context).await?;
    let mut outcomes = Vec::with_capacity(rows.len());
    let mut slots = Vec::with_capacity(rows.len());
    for (_, row) in rows {
        match row.customer.slot(&mut directory, context, row.at, "orders") {
            Ok(slot) => {
                slots.push(Some(slot));
                outcomes.push(Landed::Unchanged);
            }
            Err(refusal) => {
                slots.push(None);
                outcomes.push(Landed::Rejected(refusal));
            }
        }
    }
    directory.save(tx, batch, context.now).await?;
    Ok((slots.into_iter().map(|slot| slot.map(|slot| directory.id(slot))).collect(), outcomes))
}

/// The key of each row: the shop's number, or else customer, time, amount and how many such rows came before.
fn keys(nth: &mut Nth, rows: &[(u64, &OrderRow)], customers: &[Option<i64>]) -> Vec<Option<String>> {
    let keys = rows.iter().zip(customers).map(|((_, row), customer)| {
        let customer = (*customer)?;
        Some(match &row.order_id {
            Some(id) => id.clone(),
            None => {
                let at = row.at.as_millisecond();
                let n = nth.next((customer, at, row.amount, row.currency));
                // a number of a shop is never this long and with these signs
                format!("~{customer}:{at}:{}{}:{n}", row.amount, row.currency)
            }
        })
    });
    keys.collect()
}

fn opened(row: &OrderRow, key: &str, customer: i64, batch: Option<i64>) -> Purchase {
    Purchase {
        event: 0,
        key: key.to_owned(),
        customer,
        at: row.at,
        amount: row.amount,
        currency: row.currency,
        margin: row.margin,
        discount: row.discount,
        refunded: row.refunded.unwrap_or(0),
        status: row.status.unwrap_or(Status::Paid),
        batch,
    }
}

fn change<'a>(order: &mut Order<'a>, row: &'a OrderRow, line: u64, customer: i64) -> Landed {
    if order.now.customer != customer {
        return Landed::Rejected(format!(
            "order `{}` belongs to another customer",
            order.now.key.chars().take(80).collect::<String>()
        ));
    }
    let told = Purchase {
        at: row.at,
        amount: row.amount,
        currency: row.currency,
        margin: row.margin.or(order.now.margin),
        discount: row.discount.or(order.now.discount),
        refunded: row.refunded.unwrap_or(order.now.refunded),
        status: row.status.unwrap_or(order.now.status),
        ..order.now.clone()
    };
    let mut changed = told != order.now;
    order.now = told;
    if let Some(items) = row.items.as_deref() {
        let standing = order.other_items.unwrap_or(order.items_before);
        if items != standing {
            order.other_items = Some(items);
            changed = true;
        }
    }
    if changed {
        order.line = line;
        Landed::Updated
    } else {
        Landed::Unchanged
    }
}

async fn write(tx: &mut Tx, orders: &mut [Order<'_>], context: &Context, batch: Option<i64>) -> Result<(), DbError> {
    let events: Vec<NewEvent> = orders.iter().filter(|o| o.new).map(|o| order_event(o, context, batch)).collect();
    let ids = event::append_in(tx, &events, context.now).await?;
    for (order, id) in orders.iter_mut().filter(|o| o.new).zip(ids) {
        // another import of the same file was faster: what it wrote stands
        order.now.event = id.unwrap_or(0);
        order.before.event = order.now.event;
    }
    let standing = || orders.iter().filter(|o| o.now.event != 0);
    let corrections: Vec<NewEvent> = standing()
        .filter(|o| o.changed())
        .map(|o| {
            let items = o.other_items.map(|now| (o.items_before, now));
            let call = batch.map_or_else(|| context.door.call().to_owned(), |batch| batch.to_string());
            let key = format!("correction:{call}:{}:{}", o.line, o.now.event);
            let changes = differences(&o.before, &o.now, items);
            let source = context.door.source();
            NewEvent { source, ..correction(&o.now, changes, batch, key, context.now) }
        })
        .collect();
    event::append_in(tx, &corrections, context.now).await?;
    let new: Vec<&Purchase> = standing().filter(|o| o.new).map(|o| &o.now).collect();
    purchase::insert(tx, &new, context.now).await?;
    let changed: Vec<&Purchase> = standing().filter(|o| !o.new && o.changed()).map(|o| &o.now).collect();
    purchase::update(tx, &changed, context.now).await?;
    let new: Vec<(i64, &[Item])> =
        standing().filter(|o| o.new).map(|o| (o.now.event, o.other_items.unwrap_or(o.items))).collect();
    purchase::set_items(tx, &new, false).await?;
    let other: Vec<(i64, &[Item])> =
        standing().filter(|o| !o.new).filter_map(|o| Some((o.now.event, o.other_items?))).collect();
    purchase::set_items(tx, &other, true).await
}

fn order_event(order: &Order<'_>, context: &Context, batch: Option<i64>) -> NewEvent {
    let p = &order.before;
    let mut data = Map::new();
    data.insert("order".into(), json!(p.key));
    data.insert("status".into(), json!(p.status));
    for (name, value) in [("margin", p.margin), ("discount", p.discount), ("refunded", Some(p.refunded))] {
        if let Some(value) = value.filter(|value| *value != 0 || name == "margin") {
            data.insert(name.into(), json!(value));
        }
    }
    NewEvent {
        value: Some(p.amount),
        currency: Some(p.currency.to_string()),
        batch,
        data: Json::Object(data),
        ..NewEvent::new(Kind::Order, p.customer, p.at, context.door.source(), format!("order:{}", p.key))
    }
}
