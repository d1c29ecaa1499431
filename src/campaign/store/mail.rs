//! What is needed to make a mail: the message, and what is known of its reader.

use crate::args;
use crate::db::{DbError, FromRow, Query, Row, Rows};
use crate::types::{Currency, Timestamp};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What is known of a reader.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of customer and relationship")]
pub struct Reader {
    pub id: i64,
    pub external_id: Option<String>,
    pub email: Option<String>,
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub locale: Option<String>,
    pub timezone: Option<String>,
    pub birthday: Option<String>,
    pub source: Option<String>,
    pub attributes: String,
    pub tracking_off: bool,
    pub score: Option<f64>,
    pub lifecycle: Option<String>,
    pub purchases: Option<i64>,
    pub revenue: Option<i64>,
    pub last_purchase_at: Option<Timestamp>,
}

impl FromRow for Reader {
    fn from_row(row: &mut Row<'_>) -> Result<Reader, DbError> {
        Ok(Reader {
            id: row.take()?,
            external_id: row.take()?,
            email: row.take()?,
            name: row.take()?,
            first_name: row.take()?,
            last_name: row.take()?,
            locale: row.take()?,
            timezone: row.take()?,
            birthday: row.take()?,
            source: row.take()?,
            attributes: row.take()?,
            tracking_off: row.take()?,
            score: row.take()?,
            lifecycle: row.take()?,
            purchases: row.take()?,
            revenue: row.take()?,
            last_purchase_at: row.take()?,
        })
    }
}

/// The readers of these ids.
///
/// # Errors
/// What the database says.
pub async fn readers(db: &mut impl Query, ids: &[i64]) -> Result<Vec<Reader>, DbError> {
    let sql = "SELECT c.id, c.external_id, c.email, c.name, c.first_name, c.last_name, c.locale, c.timezone, c.birthday, \
               c.source, c.attributes, c.tracking_off, r.score, r.lifecycle, r.purchases, r.revenue, r.last_purchase_at \
               FROM customer c LEFT JOIN relationship r ON r.customer_id = c.id WHERE c.id IN ({rows})";
    db.all_with_rows(sql, Rows::ids(ids), args![]).await
}

/// A message, as far as its mail depends on it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the message")]
pub struct Mail {
    pub id: i64,
    pub campaign: i64,
    pub revision: i64,
    pub customer: i64,
    pub step: String,
    pub state: String,
    pub at: Timestamp,
}

/// A message by its id.
///
/// # Errors
/// What the database says.
pub async fn mail(db: &mut impl Query, id: i64) -> Result<Option<Mail>, DbError> {
    let sql = "SELECT id, campaign_id, revision_id, customer_id, step, state, COALESCE(sent_at, due_at) FROM message WHERE id = ?";
    let row: Option<(i64, i64, i64, i64, String, String, Timestamp)> = db.optional(sql, args![id]).await?;
    let mail = |(id, campaign, revision, customer, step, state, at)| Mail {
        id,
        campaign,
        revision,
        customer,
        step,
        state,
        at,
    };
    Ok(row.map(mail))
}

/// The events that began the passes of these messages: of each, its data with kind, time, amount and currency, and what
/// was ordered, as a template reads them. Amounts are in major units.
///
/// # Errors
/// What the database says.
pub async fn events(db: &mut impl Query, messages: &[i64]) -> Result<Vec<(i64, Value)>, DbError> {
    let sql = "WITH wanted(id) AS ({rows}) SELECT m.id, v.id, v.kind, v.at, v.value, v.currency, v.data FROM wanted w \
               JOIN message m ON m.id = w.id JOIN enrolment e ON e.id = m.enrolment_id JOIN event v ON v.id = e.event_id";
    let found: Vec<Found> = db.all_with_rows(sql, Rows::ids(messages), args![]).await?;
    shown(db, found).await
}

/// The last event of a kind of each of these customers, in the same form: for a mail that is looked at before there is
/// one.
///
/// # Errors
/// What the database says.
pub async fn latest_events(db: &mut impl Query, kind: &str, customers: &[i64]) -> Result<Vec<(i64, Value)>, DbError> {
    let sql = "WITH wanted(id) AS ({rows}) SELECT w.id, v.id, v.kind, v.at, v.value, v.currency, v.data FROM wanted w \
               JOIN event v ON v.id = (SELECT max(e.id) FROM event e WHERE e.customer_id = w.id AND e.kind = ? \
               AND (e.kind <> 'order' OR EXISTS (SELECT 1 FROM purchase p WHERE p.event_id = e.id)))";
    let found: Vec<Found> = db.all_with_rows(sql, Rows::ids(customers), args![kind]).await?;
    shown(db, found).await
}

/// Of whom or of what, and the event's id, kind, time, value, currency and data.
type Found = (i64, i64, String, Timestamp, Option<i64>, Option<String>, String);

async fn shown(db: &mut impl Query, found: Vec<Found>) -> Result<Vec<(i64, Value)>, DbError> {
    let ids: Vec<i64> = found.iter().map(|(_, event, ..)| *event).collect();
    let ordered = items(db, &ids).await?;
    let mut events = Vec::with_capacity(found.len());
    for (of, id, kind, at, value, currency, data) in found {
        let currency: Option<Currency> = currency.as_deref().and_then(|code| code.parse().ok());
        let mut event = serde_json::from_str::<Map<String, Value>>(&data).unwrap_or_default();
        event.insert("kind".into(), kind.into());
        event.insert("at".into(), at.to_string().into());
        if let Some(minor) = value {
            event.insert("amount".into(), major(minor, currency));
            event.insert("currency".into(), currency.map(|c| c.code().to_owned()).into());
        }
        let list: Vec<Value> = ordered.get(&id).into_iter().flatten().map(|item| item.shown(currency)).collect();
        // an order without a list has an empty one, so that a template can go through it
        if !list.is_empty() || (event["kind"] == "order" && !event.contains_key("items")) {
            event.insert("items".into(), list.into());
        }
        events.push((of, Value::Object(event)));
    }
    Ok(events)
}

/// A whole amount is a whole number, as it would be written by hand.
fn major(minor: i64, currency: Option<Currency>) -> Value {
    let scale = currency.map_or(1, Currency::scale);
    if minor % scale == 0 { (minor / scale).into() } else { (minor as f64 / scale as f64).into() }
}

/// Something that was ordered.
struct Item {
    event: i64,
    sku: Option<String>,
    name: Option<String>,
    category: Option<String>,
    quantity: f64,
    amount: Option<i64>,
}

impl FromRow for Item {
    fn from_row(row: &mut Row<'_>) -> Result<Item, DbError> {
        Ok(Item {
            event: row.take()?,
            sku: row.take()?,
            name: row.take()?,
            category: row.take()?,
            quantity: row.take()?,
            amount: row.take()?,
        })
    }
}

impl Item {
    fn shown(&self, currency: Option<Currency>) -> Value {
        let mut item = Map::new();
        let words = [("sku", &self.sku), ("name", &self.name), ("category", &self.category)];
        item.extend(words.into_iter().filter_map(|(key, word)| Some((key.to_owned(), word.clone()?.into()))));
        let whole = self.quantity.fract() == 0.0 && self.quantity.abs() < 1e15;
        let quantity = if whole { Value::from(self.quantity as i64) } else { self.quantity.into() };
        item.insert("quantity".into(), quantity);
        item.extend(self.amount.map(|minor| ("amount".to_owned(), major(minor, currency))));
        Value::Object(item)
    }
}

/// What was ordered with these events, in the order of the bill.
async fn items(db: &mut impl Query, events: &[i64]) -> Result<HashMap<i64, Vec<Item>>, DbError> {
    let sql =
        "SELECT event_id, sku, name, category, quantity, amount FROM order_item WHERE event_id IN ({rows}) ORDER BY id";
    let mut ordered: HashMap<i64, Vec<Item>> = HashMap::new();
    for item in db.all_with_rows::<Item>(sql, Rows::ids(events), args![]).await? {
        ordered.entry(item.event).or_default().push(item);
    }
    Ok(ordered)
}
