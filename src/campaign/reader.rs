//! What a template knows of its reader: the tree of variables under `customer`.

use super::live::LiveStep;
use super::{Live, store};
use crate::render::Needs;
use crate::reward::Balance;
use crate::types::locale::{Locale, Zone};
use crate::types::{Currency, Timestamp};
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
    /// What is granted with this mail: `points`, `coupon`, `expires`. Templates read it as `grant`.
    pub grant: Option<Value>,
    /// What the reader has of each reward: `reward.petals.balance`, `.pending`, `.tier`, `.expires`.
    pub rewards: Map<String, Value>,
}

/// Stands for what a mail of this step would know, where there is no mail yet: a preview, a check. `event` is the reader's
/// last of the kind that begins a pass.
pub fn example(
    live: &Live,
    step: &LiveStep,
    event: Option<Value>,
    rewards: Map<String, Value>,
    now: Timestamp,
) -> More {
    let kind = live.campaign.trigger.as_ref().and_then(|trigger| trigger.event.clone());
    let grant = step.grant.as_ref().map(|grant| {
        let coupon = grant.reward.codes.as_ref().map(|_| "CODE-EXAMPLE");
        attached(grant.points.unwrap_or(1), coupon, grant.reward.expires_at(now))
    });
    let event = kind.map(|kind| event.unwrap_or_else(|| json!({ "kind": kind, "at": now.to_string() })));
    More { event, grant, rewards }
}

/// What is granted with a mail, as templates read it.
pub fn attached(points: i64, coupon: Option<&str>, expires: Option<Timestamp>) -> Value {
    let mut grant = Map::from_iter([("points".to_owned(), json!(points))]);
    grant.extend(coupon.map(|code| ("coupon".to_owned(), json!(code))));
    grant.extend(expires.map(|at| ("expires".to_owned(), json!(at.to_string()))));
    Value::Object(grant)
}

/// What a reader has of a reward, as templates read it.
pub fn balance(balance: &Balance) -> Value {
    let mut has = Map::new();
    has.insert("balance".into(), json!(balance.active));
    has.insert("pending".into(), json!(balance.pending));
    has.insert("earned".into(), json!(balance.earned));
    if let Some(tier) = &balance.tier {
        has.insert("tier".into(), json!(tier));
    }
    if let Some((at, _)) = balance.soonest {
        has.insert("expires".into(), json!(at.to_string()));
    }
    Value::Object(has)
}

/// The variables, as far as the template `needs` them. What is not known is not there, so that a strict template says so.
pub fn data(
    reader: &store::Reader,
    more: More,
    (locale, zone): (&Locale, &Zone),
    currency: Currency,
    needs: &Needs,
) -> Map<String, Value> {
    let mut customer = Map::new();
    let mut put = |name: &str, value: &dyn Fn() -> Option<Value>| {
        if let Some(value) = needs.any(name).then(value).flatten() {
            customer.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.as_ref().filter(|t| !t.is_empty()).map(|t| Value::String(t.clone()));
    put("email", &|| text(&reader.email));
    put("external_id", &|| text(&reader.external_id));
    put("name", &|| name(reader).map(Value::String));
    put("first_name", &|| text(&reader.first_name));
    put("last_name", &|| text(&reader.last_name));
    put("locale", &|| Some(json!(locale.as_str())));
    put("timezone", &|| Some(json!(zone.to_string())));
    put("birthday", &|| text(&reader.birthday));
    put("source", &|| text(&reader.source));
    put("score", &|| reader.score.map(|score| json!(score.round())));
    put("lifecycle", &|| text(&reader.lifecycle));
    put("purchases", &|| Some(json!(reader.purchases.unwrap_or(0))));
    // a number in major units, so that a template can compare it; {{money customer.revenue}} shows it
    put("revenue", &|| Some(json!(reader.revenue.unwrap_or(0) as f64 / currency.scale() as f64)));
    put("last_purchase_at", &|| reader.last_purchase_at.map(|at: Timestamp| json!(at.to_string())));
    put("attr", &|| Some(serde_json::from_str(&reader.attributes).unwrap_or_else(|_| json!({}))));
    let mut data = Map::from_iter([("customer".to_owned(), Value::Object(customer))]);
    data.extend(more.event.map(|event| ("event".to_owned(), event)));
    data.extend(more.grant.map(|grant| ("grant".to_owned(), grant)));
    if !more.rewards.is_empty() {
        data.insert("reward".into(), Value::Object(more.rewards));
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
