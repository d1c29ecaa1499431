//! The rows as types, for the OpenAPI document: their schemas and examples are made from these. `import` judges rows by
//! its own tables of members; a test holds the two together.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

/// A name or number by which the shop knows somebody or something.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Id {
    /// As a text.
    Text(&'static str),
    /// As a whole number.
    Number(i64),
}

/// An amount in major units, without separators of thousands: `12000`, or as a text `"12.50"`.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Amount {
    /// As a text, which keeps every digit.
    Text(&'static str),
    /// As a number.
    Number(f64),
}

/// A customer. Known by `external_id`, else by `email`; one of them is needed. What is absent or null leaves what is known.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("patternProperties" = {"^attr\\..+": {}}))]
pub(super) struct Customer {
    /// Their address.
    pub(super) email: Option<&'static str>,
    /// The shop's own number or name of them.
    pub(super) external_id: Option<Id>,
    /// As they are called.
    pub(super) name: Option<&'static str>,
    /// Given name.
    pub(super) first_name: Option<&'static str>,
    /// Family name.
    pub(super) last_name: Option<&'static str>,
    /// Their language, such as `ko` or `en-GB`.
    pub(super) locale: Option<&'static str>,
    /// Their time zone, such as `Asia/Seoul`.
    pub(super) timezone: Option<&'static str>,
    /// Their birthday: `1990-05-17`.
    pub(super) birthday: Option<&'static str>,
    /// Where they came from.
    pub(super) source: Option<&'static str>,
    /// When they became a customer: RFC 3339, or a date or local time of the site.
    pub(super) created_at: Option<&'static str>,
    /// Anything else about them, by name. A member `attr.NAME` beside the others says the same.
    pub(super) attributes: Option<Map<String, Json>>,
}

/// An order as it stands now. The same `order_id` again with other values is a change of the order: a refund, a status.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// Whose: `external_id` or address.
    pub(super) customer: Id,
    /// The shop's own number of it: the same one is the same order.
    pub(super) order_id: Id,
    /// When it was placed: RFC 3339, or a date or local time of the site.
    pub(super) at: &'static str,
    /// What was to be paid. Not below zero: what was paid back belongs in `refunded`.
    pub(super) amount: Amount,
    /// ISO 4217; by default the site's.
    pub(super) currency: Option<&'static str>,
    /// What it earned.
    pub(super) margin: Option<Amount>,
    /// What was taken off.
    pub(super) discount: Option<Amount>,
    /// What became of it.
    pub(super) status: Option<OrderStatus>,
    /// What was paid back.
    pub(super) refunded: Option<Amount>,
    /// What was bought.
    pub(super) items: Option<Vec<OrderItem>>,
}

/// What became of an order; at first it is `paid`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema names them all, the examples one")]
pub(super) enum OrderStatus {
    Paid,
    Shipped,
    Delivered,
    Confirmed,
    Cancelled,
    Returned,
}

/// A thing that was bought.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderItem {
    /// The shop's number of the thing.
    pub(super) sku: Option<Id>,
    /// What it is called.
    pub(super) name: Option<&'static str>,
    /// What kind of thing it is, as `bought('category', …)` asks.
    pub(super) category: Option<&'static str>,
    /// How many; by default 1.
    pub(super) quantity: Option<f64>,
    /// What all of them cost, in the order's currency.
    pub(super) amount: Option<Amount>,
}

/// Something that happened: a visit, a service contact, a review, or a kind of the shop's own.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    /// Whose: `external_id` or address.
    pub(super) customer: Id,
    /// Its kind: letters, digits, `_`, `-` and `.`. What Dangol observes itself, nobody reports to it.
    pub(super) kind: &'static str,
    /// When: RFC 3339, or a date or local time of the site.
    pub(super) at: &'static str,
    /// The shop's own key: the same key is the same event. Without one, the same content is.
    pub(super) key: Option<Id>,
    /// Anything else about it.
    pub(super) data: Option<Map<String, Json>>,
    /// An amount with `currency` beside it, or another whole number.
    pub(super) value: Option<Amount>,
    /// ISO 4217, when `value` is money.
    pub(super) currency: Option<&'static str>,
}

/// A line for the ledger of consent. The latest `at` wins. It lifts no suppression.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Consent {
    /// Whose: `external_id` or address.
    pub(super) customer: Id,
    /// A topic of `dangol.toml`.
    pub(super) topic: &'static str,
    /// What they said.
    pub(super) state: ConsentState,
    /// When they said so. Without it the row is no act of theirs, and never overrides a withdrawal.
    pub(super) at: Option<&'static str>,
    /// Who says so: a form's name.
    pub(super) source: Option<&'static str>,
    /// On which basis.
    pub(super) basis: Option<&'static str>,
    /// What they agreed to: the text, or its version.
    pub(super) text: Option<&'static str>,
}

/// What somebody said.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema names them all, the examples one")]
pub(super) enum ConsentState {
    Granted,
    Pending,
    Withdrawn,
}

/// Points spent, or a code used.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Redemption {
    /// Whose: `external_id` or address.
    pub(super) customer: Id,
    /// The reward of the workspace's files.
    pub(super) reward: &'static str,
    /// How many points.
    #[schemars(range(min = 1))]
    pub(super) points: Option<i64>,
    /// The code that was used.
    pub(super) code: Option<&'static str>,
    /// The shop's own key: the same key is the same redemption.
    pub(super) key: Id,
    /// When: RFC 3339; by default now.
    pub(super) at: Option<&'static str>,
}

fn object(value: Json) -> Option<Map<String, Json>> {
    value.as_object().cloned()
}

pub(super) fn customer() -> Customer {
    Customer {
        email: Some("hong@customers.example"),
        external_id: Some(Id::Text("C-1")),
        name: Some("홍길동"),
        first_name: None,
        last_name: None,
        locale: Some("ko"),
        timezone: Some("Asia/Seoul"),
        birthday: Some("1990-05-17"),
        source: Some("shop"),
        created_at: Some("2026-05-01T09:30:00+09:00"),
        attributes: object(json!({ "city": "Seoul" })),
    }
}

pub(super) fn order() -> Order {
    let item = OrderItem {
        sku: Some(Id::Number(4711)),
        name: Some("수국 🌱"),
        category: Some("seeds"),
        quantity: Some(2.0),
        amount: Some(Amount::Number(24_000.0)),
    };
    Order {
        customer: Id::Text("C-1"),
        order_id: Id::Text("A-1001"),
        at: "2026-05-17T10:15:00+09:00",
        amount: Amount::Text("32000"),
        currency: Some("KRW"),
        margin: Some(Amount::Number(9_000.0)),
        discount: None,
        status: Some(OrderStatus::Paid),
        refunded: None,
        items: Some(vec![item]),
    }
}

pub(super) fn event() -> Event {
    Event {
        customer: Id::Text("hong@customers.example"),
        kind: "visit",
        at: "2026-05-18T20:00:00+09:00",
        key: Some(Id::Text("V-77")),
        data: object(json!({ "page": "/seeds" })),
        value: None,
        currency: None,
    }
}

pub(super) fn consent() -> Consent {
    Consent {
        customer: Id::Text("C-1"),
        topic: "newsletter",
        state: ConsentState::Granted,
        at: Some("2026-05-17T10:15:00+09:00"),
        source: Some("checkout"),
        basis: None,
        text: Some("checkout-2026-01"),
    }
}

pub(super) fn redemption() -> Redemption {
    Redemption {
        customer: Id::Text("C-1"),
        reward: "petals",
        points: Some(500),
        code: None,
        key: Id::Text("R-1"),
        at: Some("2026-05-19T12:00:00+09:00"),
    }
}
