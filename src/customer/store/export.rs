//! Everything known about one person, as they may ask for it.

use super::load;
use crate::args;
use crate::db::{DbError, FromRow, Query, Row};
use crate::types::Timestamp;
use serde_json::{Map, Value as Json, json};

/// One row as a JSON object, its columns named by the query.
struct Line(Vec<Json>);

#[derive(Clone, Copy)]
enum As {
    Int,
    Real,
    Text,
    Time,
    Flag,
    Object,
}

/// A table of the export: its name there, the columns with how they are shown, and the rest of the query.
type Part = (&'static str, &'static [(&'static str, As)], &'static str);

const PARTS: &[Part] = &[
    (
        "consents",
        &[
            ("topic", As::Text),
            ("state", As::Text),
            ("basis", As::Text),
            ("text_version", As::Text),
            ("source", As::Text),
            ("address", As::Text),
            ("at", As::Time),
            ("own_act", As::Flag),
        ],
        "FROM consent WHERE customer_id = ? ORDER BY id",
    ),
    (
        "events",
        &[
            ("kind", As::Text),
            ("at", As::Time),
            ("source", As::Text),
            ("value", As::Int),
            ("currency", As::Text),
            ("campaign_id", As::Int),
            ("data", As::Object),
        ],
        "FROM event WHERE customer_id = ? ORDER BY id",
    ),
    (
        "purchases",
        &[
            ("order_key", As::Text),
            ("at", As::Time),
            ("amount", As::Int),
            ("currency", As::Text),
            ("margin", As::Int),
            ("discount", As::Int),
            ("refunded", As::Int),
            ("status", As::Text),
        ],
        "FROM purchase WHERE customer_id = ? ORDER BY at, event_id",
    ),
    (
        "items",
        &[
            ("event_id", As::Int),
            ("sku", As::Text),
            ("name", As::Text),
            ("category", As::Text),
            ("quantity", As::Real),
            ("amount", As::Int),
        ],
        "FROM order_item WHERE event_id IN (SELECT event_id FROM purchase WHERE customer_id = ?) ORDER BY id",
    ),
    (
        "enrolments",
        &[
            ("campaign_id", As::Int),
            ("arm", As::Text),
            ("state", As::Text),
            ("reason", As::Text),
            ("step", As::Text),
            ("created_at", As::Time),
        ],
        "FROM enrolment WHERE customer_id = ? ORDER BY id",
    ),
    (
        "messages",
        &[
            ("id", As::Int),
            ("campaign_id", As::Int),
            ("step", As::Text),
            ("topic", As::Text),
            ("address", As::Text),
            ("state", As::Text),
            ("reason", As::Text),
            ("sent_at", As::Time),
            ("reply", As::Text),
        ],
        "FROM message WHERE customer_id = ? ORDER BY id",
    ),
    (
        "hits",
        &[
            ("message_id", As::Int),
            ("kind", As::Text),
            ("url", As::Text),
            ("at", As::Time),
            ("ip", As::Text),
            ("agent", As::Text),
            ("class", As::Text),
        ],
        "FROM hit WHERE message_id IN (SELECT id FROM message WHERE customer_id = ?) ORDER BY id",
    ),
    (
        "answers",
        &[("survey", As::Text), ("question", As::Text), ("answer", As::Text), ("comment", As::Text), ("at", As::Time)],
        "FROM survey_answer WHERE customer_id = ? ORDER BY id",
    ),
    (
        "rewards",
        &[
            ("reward", As::Text),
            ("kind", As::Text),
            ("rule", As::Text),
            ("granted", As::Int),
            ("pending", As::Int),
            ("active", As::Int),
            ("spent", As::Int),
            ("expired", As::Int),
            ("reversed", As::Int),
            ("coupon", As::Text),
            ("redemption", As::Text),
            ("at", As::Time),
            ("expires_at", As::Time),
        ],
        "FROM (SELECT e.id, e.reward, e.kind, l.rule, e.granted, e.pending, e.active, e.spent, e.expired, e.reversed, l.coupon, \
         r.key AS redemption, e.at, l.expires_at FROM reward_entry e JOIN reward_lot l ON l.id = e.lot_id \
         LEFT JOIN reward_redemption r ON r.id = e.redemption_id WHERE e.customer_id = ?) AS line ORDER BY id",
    ),
    (
        "relationship",
        &[
            ("score", As::Real),
            ("lifecycle", As::Text),
            ("loyalty", As::Text),
            ("value_tier", As::Text),
            ("engagement", As::Real),
            ("attitude", As::Real),
            ("churn_risk", As::Real),
            ("clv", As::Real),
        ],
        "FROM relationship WHERE customer_id = ?",
    ),
    (
        "segments",
        &[("segment", As::Text), ("since", As::Time)],
        "FROM segment_member JOIN watch ON watch.campaign_id = segment_member.campaign_id WHERE customer_id = ? ORDER BY segment",
    ),
];

/// Rows of one part are read with the types of that part: the query's first column carries its number.
impl FromRow for Line {
    fn from_row(row: &mut Row<'_>) -> Result<Line, DbError> {
        let part = usize::try_from(row.take::<i64>()?).ok().and_then(|part| PARTS.get(part));
        let columns = part.map_or(&[][..], |part| part.1);
        let mut values = Vec::with_capacity(columns.len());
        for (_, shown) in columns {
            values.push(match shown {
                As::Int => json!(row.take::<Option<i64>>()?),
                As::Real => json!(row.take::<Option<f64>>()?),
                As::Text => json!(row.take::<Option<String>>()?),
                As::Time => json!(row.take::<Option<Timestamp>>()?.map(|at| at.to_string())),
                As::Flag => json!(row.take::<bool>()?),
                As::Object => serde_json::from_str(&row.take::<String>()?).unwrap_or_default(),
            });
        }
        Ok(Line(values))
    }
}

/// All that is known about a customer, as JSON; `None` when there is no such customer. Amounts are in minor units.
///
/// # Errors
/// What the database says.
pub async fn export(db: &mut impl Query, customer: i64) -> Result<Option<Json>, DbError> {
    let Some(c) = load(db, customer).await? else { return Ok(None) };
    let mut all = Map::new();
    all.insert(
        "customer".into(),
        json!({
            "id": c.id,
            "external_id": c.external_id,
            "email": c.email,
            "name": c.name,
            "first_name": c.first_name,
            "last_name": c.last_name,
            "locale": c.locale,
            "timezone": c.timezone,
            "birthday": c.birthday,
            "source": c.source,
            "attributes": c.attributes,
            "tracking_off": c.tracking_off,
            "paused_until": c.paused_until,
            "created_at": c.created_at,
            "updated_at": c.updated_at,
            "erased_at": c.erased_at,
        }),
    );
    for (number, (name, columns, rest)) in PARTS.iter().enumerate() {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let sql = format!("SELECT CAST({number} AS BIGINT), {} {rest}", names.join(", "));
        let lines: Vec<Line> = db.all(&sql, args![customer]).await?;
        let lines = lines
            .into_iter()
            .map(|line| Json::Object(names.iter().map(|name| (*name).to_owned()).zip(line.0).collect()));
        all.insert((*name).to_owned(), lines.collect());
    }
    let suppressions: Vec<(String, Timestamp)> = match &c.email {
        Some(email) => {
            let sql = "SELECT reason, created_at FROM suppression WHERE address = ? ORDER BY id";
            db.all(sql, args![email.as_str()]).await?
        }
        None => Vec::new(),
    };
    let suppressions = suppressions.into_iter().map(|(reason, at)| json!({ "reason": reason, "at": at.to_string() }));
    all.insert("suppressions".into(), suppressions.collect());
    Ok(Some(Json::Object(all)))
}
