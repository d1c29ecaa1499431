//! A row of orders, parsed: every amount in the order's one currency.

use super::super::{Context, Named};
use crate::config::nearest;
use crate::event::purchase::{Item, Status};
use crate::import::record::{Cell, Record, short};
use crate::types::{Currency, Money, Timestamp};
use serde::Serialize;
use serde_json::Value as Json;

/// An order as a row tells of it; what is absent was not said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OrderRow {
    /// Whose.
    pub customer: Named,
    /// The shop's number of it.
    pub order_id: Option<String>,
    /// When it was placed.
    pub at: Timestamp,
    /// In minor units, as are the other amounts.
    pub amount: i64,
    /// Of all amounts.
    pub currency: Currency,
    /// What it earned.
    pub margin: Option<i64>,
    /// What was taken off.
    pub discount: Option<i64>,
    /// What became of it.
    pub status: Option<Status>,
    /// What was paid back.
    pub refunded: Option<i64>,
    /// What was bought.
    pub items: Option<Vec<Item>>,
}

/// How shops write a status.
const STATUS: &[(&str, Status)] = &[
    ("canceled", Status::Cancelled),
    ("refunded", Status::Returned),
    ("결제완료", Status::Paid),
    ("입금완료", Status::Paid),
    ("배송중", Status::Shipped),
    ("배송완료", Status::Delivered),
    ("구매확정", Status::Confirmed),
    ("취소", Status::Cancelled),
    ("취소완료", Status::Cancelled),
    ("주문취소", Status::Cancelled),
    ("반품", Status::Returned),
    ("반품완료", Status::Returned),
    ("환불완료", Status::Returned),
];

const MOST_ITEMS: usize = 1_000;

pub(super) fn parse(mut record: Record, context: &Context) -> Result<OrderRow, String> {
    let customer = Named::read(record.needed(0, "customer")?);
    let order_id = short(record.text(1)?, "order_id")?;
    if order_id.is_none() && context.door.needs_order_id() {
        return Err("`order_id` is needed: by the shop's own number the same order sent twice is one order".into());
    }
    let at = context.past(&record.needed(2, "at")?, "at")?;
    let amount = record.needed(3, "amount")?;
    let told = record.text(4)?.map(|code| code.parse::<Currency>()).transpose()?;
    let money = Money::parse(&amount, told.unwrap_or(context.currency)).map_err(|e| format!("`amount`: {e}"))?;
    let currency = money.currency;
    if told.is_some_and(|told| told != currency) {
        return Err(format!("`amount` is in {currency}, and `currency` says otherwise"));
    }
    if money.minor < 0 {
        return Err("`amount` is below zero: what was paid back belongs in `refunded`".into());
    }
    let mut more = |field, name| -> Result<Option<i64>, String> {
        record.text(field)?.map(|text| in_currency(&text, currency, name)).transpose()
    };
    let (margin, discount, refunded) = (more(5, "margin")?, more(6, "discount")?, more(8, "refunded")?);
    if discount.is_some_and(|d| d < 0) || refunded.is_some_and(|r| r < 0) {
        return Err("`discount` and `refunded` are not below zero".into());
    }
    if refunded.is_some_and(|refunded| refunded > money.minor) {
        return Err("`refunded` is more than `amount`".into());
    }
    let status = record.text(7)?.map(|text| status(&text)).transpose()?;
    let items = items(record.take(9), currency)?;
    Ok(OrderRow { customer, order_id, at, amount: money.minor, currency, margin, discount, status, refunded, items })
}

fn in_currency(text: &str, currency: Currency, name: &str) -> Result<i64, String> {
    let money = Money::parse(text, currency).map_err(|e| format!("`{name}`: {e}"))?;
    if money.currency == currency {
        Ok(money.minor)
    } else {
        Err(format!("`{name}` is in {}, and the order in {currency}", money.currency))
    }
}

fn status(text: &str) -> Result<Status, String> {
    let name: String = text.to_lowercase().split_whitespace().collect();
    let known = Status::of(&name).or_else(|| STATUS.iter().find(|(n, _)| *n == name).map(|(_, status)| *status));
    known.ok_or_else(|| {
        let help = nearest(&name, Status::names()).unwrap_or_default();
        format!("`{}` is no status of an order; {help}", text.chars().take(40).collect::<String>())
    })
}

fn items(cell: Cell, currency: Currency) -> Result<Option<Vec<Item>>, String> {
    let list = match cell {
        Cell::Json(Json::Array(list)) => list,
        cell => match cell.into_text().map_err(|e| format!("`items`: {e}"))? {
            None => return Ok(None),
            Some(text) => match serde_json::from_str(&text) {
                Ok(Json::Array(list)) => list,
                _ => {
                    return Err(
                        "`items` is no JSON list such as [{\"sku\": \"S1\", \"quantity\": 2, \"amount\": 12000}]"
                            .into(),
                    );
                }
            },
        },
    };
    if list.len() > MOST_ITEMS {
        return Err(format!("`items` has {} entries, and {MOST_ITEMS} are the most", list.len()));
    }
    list.into_iter().map(|item| one(item, currency)).collect::<Result<_, _>>().map(Some)
}

fn one(item: Json, currency: Currency) -> Result<Item, String> {
    let Json::Object(mut object) = item else {
        return Err("`items` holds something that is no object".into());
    };
    let mut text = |name: &str| {
        let cell = object.remove(name).map_or(Cell::Empty, Cell::Json);
        short(cell.into_text().map_err(|e| format!("`items`: {e}"))?, "items")
    };
    let (sku, name, category) = (text("sku")?, text("name")?, text("category")?);
    let quantity = match text("quantity")? {
        None => 1.0,
        Some(text) => {
            text.parse::<f64>().ok().filter(|n| n.is_finite() && (0.0..1e9).contains(n)).ok_or_else(|| {
                format!("`items`: the quantity `{}` is no number", text.chars().take(20).collect::<String>())
            })?
        }
    };
    let amount = text("amount")?.map(|text| in_currency(&text, currency, "items")).transpose()?;
    if let Some(unknown) = object.keys().next() {
        return Err(format!(
            "`items` has a key `{}`, and an item has sku, name, category, quantity, amount",
            unknown.chars().take(40).collect::<String>()
        ));
    }
    Ok(Item { sku, name, category, quantity, amount })
}
