//! What of an order turned out otherwise, as an event of the log: both values of all that differs, so that it can be told,
//! and taken back. Written by an import that finds a known order changed, and by the undoing of one.

use crate::db::DbError;
use crate::event::purchase::{Item, Purchase, Status};
use crate::event::{Kind, NewEvent};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

/// Both values of each column that differs, and of the things bought, when they do: `{"amount": {"from": 5, "to": 7}}`.
pub(in crate::import) fn differences(
    old: &Purchase,
    new: &Purchase,
    items: Option<(&[Item], &[Item])>,
) -> Map<String, Json> {
    let mut changes = Map::new();
    let mut differ = |name: &str, from: Json, to: Json| {
        if from != to {
            changes.insert(name.to_owned(), json!({ "from": from, "to": to }));
        }
    };
    for ((name, from), (_, to)) in columns(old).into_iter().zip(columns(new)) {
        differ(name, from, to);
    }
    if let Some((from, to)) = items {
        differ("items", json!(from), json!(to));
    }
    changes
}

fn columns(p: &Purchase) -> [(&'static str, Json); 7] {
    [
        ("at", json!(p.at.as_millisecond())),
        ("amount", json!(p.amount)),
        ("currency", json!(p.currency.code())),
        ("margin", json!(p.margin)),
        ("discount", json!(p.discount)),
        ("refunded", json!(p.refunded)),
        ("status", json!(p.status)),
    ]
}

/// The event: `order` is how it stands now.
pub(in crate::import) fn correction(
    order: &Purchase,
    changes: Map<String, Json>,
    batch: Option<i64>,
    key: String,
    now: Timestamp,
) -> NewEvent {
    NewEvent {
        value: Some(order.amount),
        currency: Some(order.currency.to_string()),
        batch,
        data: json!({ "corrects": order.event, "kind": "order", "order": order.key, "changes": changes }),
        ..NewEvent::new(Kind::Correction, order.customer, now, "import", key)
    }
}

/// The event that says that an order never was. It has no `changes`: readers of the log take the order's event for one
/// that did not happen.
pub(in crate::import) fn taken_back(order: &Purchase, key: String, now: Timestamp) -> NewEvent {
    NewEvent {
        data: json!({ "corrects": order.event, "kind": "order", "order": order.key, "taken_back": true }),
        ..NewEvent::new(Kind::Correction, order.customer, now, "import", key)
    }
}

/// An order, and the things bought when they differ, as they were before these `changes`.
type Before = (Purchase, Option<Vec<Item>>);

/// The order as it was before `changes`; none when something of it has changed again since, or when the log no longer
/// says what was before.
///
/// # Errors
/// When the log holds what was never written into it.
pub(in crate::import) fn before(
    now: &Purchase,
    items: &[Item],
    changes: &Map<String, Json>,
) -> Result<Option<Before>, DbError> {
    let mut before = now.clone();
    let mut items_before = None;
    let standing = columns(now);
    for (name, change) in changes {
        let (Some(from), Some(to)) = (change.get("from"), change.get("to")) else { return Ok(None) };
        let stands = match name.as_str() {
            "items" => json!(items) == *to,
            name => standing.iter().any(|(column, value)| *column == name && value == to),
        };
        if !stands {
            return Ok(None);
        }
        let strange = || DbError::Shape(format!("a correction in the log has {from} as {name} of an order"));
        let whole = || from.as_i64().ok_or_else(strange);
        match name.as_str() {
            "at" => before.at = Timestamp::from_millisecond(whole()?).map_err(|_| strange())?,
            "amount" => before.amount = whole()?,
            "refunded" => before.refunded = whole()?,
            "margin" => before.margin = from.as_i64(),
            "discount" => before.discount = from.as_i64(),
            "currency" => {
                before.currency = from.as_str().and_then(|code| code.parse().ok()).ok_or_else(strange)?;
            }
            "status" => before.status = from.as_str().and_then(Status::of).ok_or_else(strange)?,
            _ => items_before = Some(serde_json::from_value(from.clone()).map_err(|_| strange())?),
        }
    }
    Ok(Some((before, items_before)))
}
