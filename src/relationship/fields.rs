//! The fields that this stage offers to segments, guards and triggers: columns of `relationship`, under the alias `r`.

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text; often one of a few words.
    Text,
    /// A number.
    Number,
    /// A moment, in milliseconds.
    Date,
    /// Yes or no.
    Bool,
}

/// A field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldDef {
    /// Its name in `where`.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Its SQL over the alias `r` of `relationship`; null where it is absent.
    pub sql: &'static str,
    /// What it means, for a marketer.
    pub doc: &'static str,
    /// The words that it can hold; empty when any.
    pub values: &'static [&'static str],
    /// Whether it is an amount in minor units, to be compared with major ones.
    pub money: bool,
}

const fn field(name: &'static str, kind: FieldKind, sql: &'static str, doc: &'static str) -> FieldDef {
    FieldDef { name, kind, sql, doc, values: &[], money: false }
}

const fn money(name: &'static str, sql: &'static str, doc: &'static str) -> FieldDef {
    FieldDef { name, kind: FieldKind::Number, sql, doc, values: &[], money: true }
}

/// All fields of this stage.
pub const FIELDS: &[FieldDef] = &[
    field("score", FieldKind::Number, "r.score", "the relationship score, 0–100; the median active customer is at 50"),
    field(
        "buying_rank",
        FieldKind::Number,
        "r.buying_rank",
        "0–1: the share of buyers who buy less often; absent for who never bought",
    ),
    field(
        "engagement",
        FieldKind::Number,
        "r.engagement",
        "0–1: what comes of the mail they get, by people only; absent before the first mail",
    ),
    field(
        "attitude",
        FieldKind::Number,
        "r.attitude",
        "0–1: what they say of the shop, .5 is neutral; absent before they said anything",
    ),
    field("buying_points", FieldKind::Number, "r.buying_points", "what buying adds to the score"),
    field("engagement_points", FieldKind::Number, "r.engagement_points", "what engagement adds to the score"),
    field("attitude_points", FieldKind::Number, "r.attitude_points", "what attitude adds to the score"),
    FieldDef {
        name: "lifecycle",
        kind: FieldKind::Text,
        sql: "r.lifecycle",
        doc: "where they stand in their life with the shop, by the time since the last purchase",
        values: super::lifecycle::Lifecycle::NAMES,
        money: false,
    },
    field("purchases", FieldKind::Number, "r.purchases", "days with a purchase that stands"),
    field("discounted", FieldKind::Number, "r.discounted", "days with a purchase at a discount"),
    money("revenue", "r.revenue", "paid less refunded, in the site's currency"),
    money("margin", "r.margin", "its margin, as far as the orders say it"),
    field("first_purchase_at", FieldKind::Date, "r.first_purchase_at", "the first purchase"),
    field(
        "previous_purchase_at",
        FieldKind::Date,
        "r.previous_purchase_at",
        "the last purchase on a day before that of the last one",
    ),
    field("last_purchase_at", FieldKind::Date, "r.last_purchase_at", "the last purchase"),
    field("mails_delivered", FieldKind::Number, "r.delivered", "mails delivered and not bounced"),
    field(
        "last_engaged_at",
        FieldKind::Date,
        "r.last_human_at",
        "when a person was last seen behind an open, a click, a reply or an answer",
    ),
];
