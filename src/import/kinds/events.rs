//! Events that shops report: visits, service contacts, reviews, and their own kinds. What Dangol observes itself, nobody
//! reports to it.

use super::{Context, Landed, Landing, Named, Nth, Rows, directory};
use crate::db::{DbError, Tx};
use crate::event::{self, Kind, NewEvent};
use crate::import::columns::{Field, Shape};
use crate::import::record::{Cell, Record, short};
use crate::reward::{self, Redeem, Redemption, RewardError};
use crate::types::{Currency, Money, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// Rows of events.
#[derive(Debug, Default)]
pub struct Events {
    nth: Nth,
}

/// An event as a row tells of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventRow {
    /// Whose.
    pub customer: Named,
    /// Its kind.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// The reporter's key: the same key is the same event.
    pub key: Option<String>,
    /// An amount in minor units, or another whole number.
    pub value: Option<i64>,
    /// The currency of `value`, when it is money.
    pub currency: Option<Currency>,
    /// Everything else.
    pub data: Map<String, Json>,
}

const FIELDS: &[Field] = &[
    Field {
        name: "customer",
        aliases: &["customerid", "externalid", "email", "userid", "고객", "회원", "고객번호", "회원번호", "이메일"],
    },
    Field { name: "kind", aliases: &["event", "type", "eventtype", "eventname", "종류", "이벤트"] },
    Field { name: "at", aliases: &["time", "timestamp", "date", "datetime", "occurredat", "일시", "날짜"] },
    Field { name: "key", aliases: &["eventid", "id", "dedupekey"] },
    Field { name: "data", aliases: &["properties", "payload"] },
    Field { name: "value", aliases: &["amount"] },
    Field { name: "currency", aliases: &["통화"] },
];

const MOST: usize = 64 * 1024;

impl Rows for Events {
    type Row = EventRow;

    const SHAPE: Shape = Shape {
        kind: "events",
        fields: FIELDS,
        needed: &[&["customer"], &["kind"], &["at"]],
        attributes: false,
        known_attributes: &[],
    };

    fn parse(mut record: Record, context: &Context) -> Result<EventRow, String> {
        let customer = Named::read(record.needed(0, "customer")?);
        let kind = kind(&record.needed(1, "kind")?, context)?;
        let at = context.past(&record.needed(2, "at")?, "at")?;
        let key = short(record.text(3)?, "key")?;
        let data = match record.take(4) {
            Cell::Json(Json::Object(object)) => object,
            cell => match cell.into_text().map_err(|_| "`data` is no JSON object".to_owned())? {
                None => Map::new(),
                Some(text) => serde_json::from_str(&text).map_err(|_| "`data` is no JSON object".to_owned())?,
            },
        };
        let currency = record.text(6)?.map(|code| code.parse::<Currency>()).transpose()?;
        let value =
            match (record.text(5)?, currency) {
                (None, _) => None,
                (Some(text), Some(currency)) => {
                    let money = Money::parse(&text, currency).map_err(|e| format!("`value`: {e}"))?;
                    if money.currency != currency {
                        return Err(format!("`value` is in {}, and `currency` says otherwise", money.currency));
                    }
                    Some(money.minor)
                }
                (Some(text), None) => {
                    // languages whose numbers are floats write 3 as 3.0
                    let whole = text
                        .strip_suffix(".0")
                        .unwrap_or(&text)
                        .parse::<i64>()
                        .ok()
                        .filter(|n| n.unsigned_abs() <= Money::LARGEST.unsigned_abs());
                    Some(whole.ok_or_else(|| {
                        "`value` is a whole number, or an amount with `currency` beside it".to_owned()
                    })?)
                }
            };
        crate::import::record::without_nul(&Json::Object(data.clone()))?;
        if kind == reward::EVENT {
            redeemed(&data)?;
        }
        let row = EventRow { customer, kind, at, key, value, currency, data };
        if !row.data.is_empty() && Json::Object(row.data.clone()).to_string().len() > MOST {
            return Err(format!("`data` is longer than {} KB", MOST / 1024));
        }
        Ok(row)
    }

    async fn land(
        &mut self,
        tx: &mut Tx,
        rows: &[(u64, &EventRow)],
        context: &Context,
        batch: Option<i64>,
    ) -> Result<Landing, DbError> {
        let mut directory = directory(tx, rows.iter().map(|(_, row)| &row.customer), context).await?;
        let mut outcomes = Vec::with_capacity(rows.len());
        let mut slots = Vec::with_capacity(rows.len());
        for (_, row) in rows {
            match row.customer.slot(&mut directory, context, row.at, "events") {
                Ok(slot) => {
                    slots.push((slot, *row));
                    outcomes.push(Landed::Unchanged);
                }
                Err(refusal) => outcomes.push(Landed::Rejected(refusal)),
            }
        }
        directory.save(tx, batch, context.now).await?;
        // only now has a new customer an id
        let (mut events, mut redemptions, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        let open = outcomes.iter_mut().filter(|outcome| **outcome == Landed::Unchanged);
        for (outcome, (slot, row)) in open.zip(slots) {
            let customer = directory.id(slot);
            if row.kind == reward::EVENT {
                let (said, event) = self.redeem(tx, row, customer, context, batch).await?;
                *outcome = said;
                redemptions.extend(event);
            } else {
                events.push(self.event(row, customer, context, batch));
                plain.push(outcome);
            }
        }
        event::append_in(tx, &redemptions, context.now).await?;
        let ids = event::append_in(tx, &events, context.now).await?;
        let known: Vec<&str> = events
            .iter()
            .zip(&ids)
            .filter(|(_, id)| id.is_none())
            .map(|(event, _)| event.dedupe_key.as_str())
            .collect();
        let standing: HashMap<String, (Option<i64>, String)> = event::by_keys(tx, &known).await?.into_iter().collect();
        for ((outcome, id), event) in plain.into_iter().zip(ids).zip(&events) {
            if id.is_some() {
                *outcome = Landed::Inserted;
            } else if standing.get(&event.dedupe_key).is_some_and(|(customer, kind)| {
                customer.is_some_and(|customer| customer != event.customer) || kind != event.kind.name()
            }) {
                let key = event.dedupe_key.trim_start_matches("event:");
                let why = format!(
                    "another event came under the key `{key}`, of another kind or customer: a key stands for one"
                );
                *outcome = Landed::Rejected(why);
            }
        }
        Ok(Landing { outcomes, withdrawn_kept: 0 })
    }

    fn settle(&mut self, durable: bool) {
        self.nth.settle(durable);
    }
}

impl Events {
    /// The reporter's key, or else what the row says and how many such rows came before.
    fn key(&mut self, row: &EventRow, customer: i64, context: &Context) -> String {
        match &row.key {
            Some(key) => key.clone(),
            None => {
                let data = Json::Object(row.data.clone());
                let content = format!("{customer}\n{}\n{}\n{:?}\n{data}", row.kind, row.at.as_millisecond(), row.value);
                let hash = blake3::hash(content.as_bytes()).to_hex();
                let nth = if context.door.counts() { self.nth.next(&content) } else { 0 };
                format!("~{}:{nth}", &hash[..32])
            }
        }
    }

    /// Points or a code that were used in the shop: the ledger says whether that can be.
    async fn redeem(
        &mut self,
        tx: &mut Tx,
        row: &EventRow,
        customer: i64,
        context: &Context,
        batch: Option<i64>,
    ) -> Result<(Landed, Option<NewEvent>), DbError> {
        let (reward, what) = match redeemed(&row.data) {
            Ok(told) => told,
            Err(why) => return Ok((Landed::Rejected(why), None)),
        };
        let key = self.key(row, customer, context);
        let ask = Redemption { customer, reward, what, key, at: row.at, source: context.door.source(), batch };
        match reward::redeem_in(tx, &ask, context.now).await {
            Ok((redeemed, event)) => Ok((if redeemed.again { Landed::Unchanged } else { Landed::Inserted }, event)),
            Err(why @ RewardError::Refused(_)) => Ok((Landed::Rejected(why.to_string()), None)),
            // the slice is undone as a whole, and tried again when somebody else was faster
            Err(other) => Err(other.into_db()),
        }
    }

    fn event(&mut self, row: &EventRow, customer: i64, context: &Context, batch: Option<i64>) -> NewEvent {
        let data = Json::Object(row.data.clone());
        let key = format!("event:{}", self.key(row, customer, context));
        NewEvent {
            value: row.value,
            currency: row.currency.map(|currency| currency.to_string()),
            batch,
            data,
            ..NewEvent::new(Kind::of(&row.kind), customer, row.at, context.door.source(), key)
        }
    }
}

/// What a redemption's `data` says: `{"reward": "petals", "points": 500}`, or `"code"` for a coupon.
fn redeemed(data: &Map<String, Json>) -> Result<(String, Redeem), String> {
    let wrong = || {
        "a redemption has `data` such as {\"reward\": \"petals\", \"points\": 500}, or \"code\" in place of \"points\""
            .to_owned()
    };
    let reward = data.get("reward").and_then(Json::as_str).ok_or_else(wrong)?.to_owned();
    match (data.get("points"), data.get("code")) {
        (Some(points), None) => Ok((reward, Redeem::Points(points.as_i64().ok_or_else(wrong)?))),
        (None, Some(code)) => Ok((reward, Redeem::Coupon(code.as_str().ok_or_else(wrong)?.to_owned()))),
        _ => Err(wrong()),
    }
}

fn kind(text: &str, context: &Context) -> Result<String, String> {
    let name = text.to_lowercase();
    let shown = || text.chars().take(40).collect::<String>();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.len() > 100 || !name.chars().all(fits) {
        return Err(format!("`{}` is no kind of event: letters, digits, `_`, `-` and `.`", shown()));
    }
    match Kind::of(&name) {
        Kind::Order => {
            Err(format!("an order comes in by {}, or a purchase would have no amount", context.door.orders()))
        }
        kind if !kind.may_be_reported() => {
            Err(format!("`{}` is what Dangol observes itself; others cannot report it", shown()))
        }
        _ => match context.door.redemptions().filter(|_| name == reward::EVENT) {
            Some(route) => Err(format!("a redemption comes in by {route}, with a token of the scope `rewards`")),
            None => Ok(name),
        },
    }
}
