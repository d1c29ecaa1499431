//! What a template knows of its reader: the tree of variables under `customer`.

use super::live::LiveStep;
use super::{Live, store};
use crate::types::Timestamp;
use crate::types::locale::{Locale, Zone};
use serde_json::{Map, Value, json};

/// The language of a reader: their own, else the site's.
pub fn locale(reader: &store::Reader, site: &Locale) -> Locale {
    reader.locale.as_deref().and_then(|text| text.parse().ok()).unwrap_or_else(|| site.clone())
}

/// The clock of a reader: their own, else the site's.
pub fn zone(reader: &store::Reader, site: &Zone) -> Zone {
    reader.timezone.as_deref().and_then(|text| text.parse().ok()).unwrap_or_else(|| site.clone())
}

/// What is known of one mail beside its reader.
#[derive(Clone, Debug, Default)]
pub struct More {
    /// The event that began the pass: its `data`, with `kind`, `at`, `amount` and `currency`. Templates read it as `event`.
    pub event: Option<Value>,
}

/// Stands for what a mail of this step would know, where there is no mail yet: a preview, a check.
pub fn example(live: &Live, step: &LiveStep) -> More {
    let _ = step;
    let event = live.campaign.trigger.as_ref().and_then(|trigger| trigger.event.clone());
    More { event: event.map(|kind| json!({ "kind": kind })) }
}

/// The variables. What is not known is not there, so that a strict template says so.
pub fn data(reader: &store::Reader, more: More, site: &crate::config::model::Site) -> Map<String, Value> {
    let mut customer = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            customer.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.as_ref().filter(|t| !t.is_empty()).map(|t| Value::String(t.clone()));
    put("email", text(&reader.email));
    put("external_id", text(&reader.external_id));
    put("name", name(reader).map(Value::String));
    put("first_name", text(&reader.first_name));
    put("last_name", text(&reader.last_name));
    put("locale", Some(json!(locale(reader, &site.locale).as_str())));
    put("timezone", Some(json!(zone(reader, &site.timezone).to_string())));
    put("birthday", text(&reader.birthday));
    put("source", text(&reader.source));
    put("score", reader.score.map(|score| json!(score.round())));
    put("lifecycle", text(&reader.lifecycle));
    put("purchases", Some(json!(reader.purchases.unwrap_or(0))));
    // a number in major units, so that a template can compare it; {{money customer.revenue}} shows it
    let revenue = reader.revenue.unwrap_or(0) as f64 / site.currency.scale() as f64;
    put("revenue", Some(json!(revenue)));
    put("last_purchase_at", reader.last_purchase_at.map(|at: Timestamp| json!(at.to_string())));
    let attributes = serde_json::from_str(&reader.attributes).unwrap_or_else(|_| json!({}));
    put("attr", Some(attributes));
    let mut data = Map::from_iter([("customer".to_owned(), Value::Object(customer))]);
    if let Some(event) = more.event {
        data.insert("event".into(), event);
    }
    data
}

/// The whole name, of its parts where it is not known as a whole.
pub fn name(reader: &store::Reader) -> Option<String> {
    reader.name.clone().filter(|name| !name.is_empty()).or_else(|| whole_name(reader))
}

/// A name made of its parts, in the order of its script: 김 민지 is 김민지, Ada Lovelace stays in that order.
fn whole_name(reader: &store::Reader) -> Option<String> {
    let (first, last) = (reader.first_name.as_deref()?, reader.last_name.as_deref()?);
    let hangul = |text: &str| text.chars().all(|c| ('가'..='힣').contains(&c));
    Some(if hangul(first) && hangul(last) { format!("{last}{first}") } else { format!("{first} {last}") })
}
