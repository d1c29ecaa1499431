//! Why a score is what it is: every point with its evidence, made from the log itself and not from the sums, as of now.

use super::attitude::{self, Opinion};
use super::calibration::Calibration;
use super::constants::Model;
use super::decay;
use super::engagement::{self, Corrections, Mail};
use super::error::RelationshipError;
use super::figures::Figures;
use super::lifecycle::Lifecycle;
use super::sums::Sums;
use super::{buying::Purchase, rebuild, store};
use crate::config::model::Settings;
use crate::db::Db;
use crate::event::{Event, Kind};
use crate::types::{Currency, Money};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// So many pieces of evidence are shown under a part; of the rest, the count.
pub const SHOWN: usize = 12;

/// A score, taken apart. As JSON: the contract of `why`.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Whose.
    pub customer: i64,
    /// As of when.
    pub as_of: Timestamp,
    /// 0–100. The points of the contributions add up to it.
    pub score: f64,
    /// Where in their life with the shop they stand.
    pub lifecycle: &'static str,
    /// The base first, then buying, engagement, attitude.
    pub contributions: Vec<Contribution>,
    /// The gate: no points, and no mail without it.
    pub permission: Vec<Permission>,
    /// The site's zone, for the text.
    #[serde(skip)]
    pub zone: TimeZone,
}

/// What one part adds.
#[derive(Clone, Debug, Serialize)]
pub struct Contribution {
    /// `base`, `buying`, `engagement` or `attitude`.
    pub component: &'static str,
    /// What it adds to the score.
    pub points: f64,
    /// What it rests on, weightiest first.
    pub evidence: Vec<Evidence>,
    /// How many pieces of evidence are not shown.
    pub more: usize,
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// What it is: `purchase`, `first_purchase`, `delivered`, `unsure_open`, `open`, `click`, `reply`, `survey_answer`, `order`,
    /// `referral`, `review`, `complaint`, `complaint_resolved`, `calibration`.
    pub what: &'static str,
    /// When.
    pub at: Timestamp,
    /// What is left of it now: 1 fresh, 0.5 after a half-life. A complaint starts at 2.
    pub weight: f64,
    /// What it says, 0 bad or nothing ..= 1 good; none for purchases.
    pub value: Option<f64>,
    /// More of it: an amount, a campaign, an answer.
    pub detail: String,
}

/// Consent to a topic, or what stands against any mail at all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Permission {
    /// The topic; none when all mail to the address is stopped.
    pub topic: Option<String>,
    /// `granted`, `pending`, `withdrawn`, or why the address is suppressed.
    pub state: String,
    /// Since when.
    pub since: Timestamp,
}

/// Explains the score of `customer` as of `now`, from all that the log holds.
///
/// # Errors
/// When there is no such customer, or what the database says.
pub async fn explain(
    db: &Db,
    settings: &Settings,
    customer: i64,
    now: Timestamp,
) -> Result<Explanation, RelationshipError> {
    let (model, mut read) = (Model::new(settings), db);
    if store::load(&mut read, &[customer]).await?.is_empty() {
        return Err(RelationshipError::NoCustomer(customer));
    }
    let calibration = store::calibration(&mut read).await?;
    let purchases = store::purchases_of(&mut read, &[customer], i64::MAX).await?;
    let about_mail = store::events_of(&mut read, &[customer], engagement::KINDS, i64::MAX).await?;
    let said = store::events_of(&mut read, &[customer], attitude::KINDS, i64::MAX).await?;

    let mut sums = Sums::default();
    rebuild::buying(&mut sums, &purchases, &model);
    let mails = rebuild::engagement(&mut sums, &about_mail, &model);
    let opinions = rebuild::attitude(&mut sums, &said, &model);
    let figures = Figures::at(&sums, &calibration, &model, now.as_millisecond());

    let messages: Vec<i64> = mails.keys().copied().collect();
    let campaigns = store::campaigns(&mut read, &messages).await?;
    let campaigns: HashMap<i64, String> =
        campaigns.into_iter().map(|(id, name, step)| (id, format!("{name}, {step}"))).collect();
    let view = View { model: &model, now: now.as_millisecond() };
    let parts = [
        ("base", figures.base, vec![view.base(&calibration, now)]),
        ("buying", figures.points[0], view.purchases(&purchases, &sums)),
        ("engagement", figures.points[1], view.mails(&mails, &about_mail, &campaigns)),
        ("attitude", figures.points[2], view.opinions(&opinions, &said)),
    ];
    let mut permission: Vec<Permission> = store::permissions(&mut read, customer)
        .await?
        .into_iter()
        .map(|(topic, state, since)| Permission { topic: Some(topic), state, since })
        .collect();
    let stopped = store::suppressions(&mut read, customer, now).await?;
    permission.extend(stopped.into_iter().map(|(state, since)| Permission { topic: None, state, since }));
    Ok(Explanation {
        customer,
        as_of: now,
        score: figures.score,
        lifecycle: Lifecycle::name(figures.lifecycle),
        contributions: parts.into_iter().map(|(component, points, all)| shown(component, points, all)).collect(),
        permission,
        zone: model.zone.clone(),
    })
}

fn shown(component: &'static str, points: f64, mut evidence: Vec<Evidence>) -> Contribution {
    evidence.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(b.at.cmp(&a.at)));
    let more = evidence.len().saturating_sub(SHOWN);
    evidence.truncate(SHOWN);
    Contribution { component, points, evidence, more }
}

fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// How evidence looks from a moment.
struct View<'m> {
    model: &'m Model,
    now: i64,
}

impl View<'_> {
    fn base(&self, calibration: &Calibration, now: Timestamp) -> Evidence {
        let detail = match calibration.as_of {
            Some(_) => format!("so that the median of {} active customers is at 50", calibration.active),
            None => "default: too few customers to compare with".to_owned(),
        };
        Evidence { what: "calibration", at: calibration.as_of.unwrap_or(now), weight: 1.0, value: None, detail }
    }

    /// Orders that count: the first of each day has the day's weight, the first of all starts the clock and has none.
    fn purchases(&self, purchases: &[Purchase], sums: &Sums) -> Vec<Evidence> {
        let first_day = sums.first_purchase_at.map(|at| self.model.day(at).0);
        let mut days = HashSet::new();
        let mut standing: Vec<&Purchase> = purchases.iter().filter(|purchase| purchase.counts()).collect();
        standing.sort_by_key(|purchase| (purchase.at, purchase.event_id));
        let evidence = |purchase: &&Purchase| {
            let day = self.model.day(purchase.at).0;
            let first = Some(day) == first_day;
            let repeats = days.insert(day) && !first;
            let weight = if repeats { decay::weight(day, self.now, self.model.half_life) } else { 0.0 };
            let amount = match purchase.currency.parse::<Currency>() {
                Ok(currency) => format!("{} {currency}", Money { minor: purchase.net(), currency }.major()),
                Err(_) => format!("{} {}", purchase.net(), purchase.currency),
            };
            Evidence {
                what: if first { "first_purchase" } else { "purchase" },
                at: moment(purchase.at),
                weight,
                value: None,
                detail: amount,
            }
        };
        standing.iter().map(evidence).collect()
    }

    /// Mails delivered, each with the best that came of it.
    fn mails(&self, mails: &BTreeMap<i64, Mail>, events: &[Event], campaigns: &HashMap<i64, String>) -> Vec<Evidence> {
        let corrections = Corrections::of(events.iter());
        let mut best: HashMap<i64, (f64, &'static str)> = HashMap::new();
        for event in events {
            let Some(class) = corrections.class(event.id) else { continue };
            let (Some(message), Some(engagement::Seen::Earned { credit, .. })) =
                (event.message, engagement::seen(event, class))
            else {
                continue;
            };
            let what = match event.kind {
                Kind::Open if credit > engagement::UNSURE_OPEN => "open",
                Kind::Open => "unsure_open",
                Kind::Click => "click",
                Kind::Reply => "reply",
                Kind::Order => "order",
                _ => "survey_answer",
            };
            let entry = best.entry(message).or_insert((credit, what));
            if credit > entry.0 {
                *entry = (credit, what);
            }
        }
        let standing = mails.iter().filter(|(_, mail)| !mail.bounced);
        standing
            .filter_map(|(message, mail)| {
                let at = mail.delivered_at?;
                Some(Evidence {
                    what: best.get(message).map_or("delivered", |(_, what)| what),
                    at: moment(at),
                    weight: decay::weight(at, self.now, self.model.engagement_half_life),
                    value: Some(mail.credit),
                    detail: campaigns.get(message).cloned().unwrap_or_default(),
                })
            })
            .collect()
    }

    fn opinions(&self, opinions: &[Opinion], events: &[Event]) -> Vec<Evidence> {
        let by_id: HashMap<i64, &Event> = events.iter().map(|event| (event.id, event)).collect();
        let evidence = |opinion: &Opinion| {
            let event = by_id.get(&opinion.event)?;
            let (what, detail) = match event.kind {
                Kind::Referral => ("referral", String::new()),
                Kind::Review => {
                    ("review", attitude::stars(event).map_or_else(String::new, |stars| format!("{stars}/5")))
                }
                Kind::Complaint if opinion.weight < attitude::COMPLAINT => ("complaint_resolved", String::new()),
                Kind::Complaint => ("complaint", String::new()),
                _ => ("survey_answer", attitude::nps(event).map_or_else(String::new, |answer| format!("{answer}/10"))),
            };
            let weight = opinion.weight * decay::weight(opinion.at, self.now, self.model.attitude_half_life);
            Some(Evidence { what, at: moment(opinion.at), weight, value: Some(opinion.value), detail })
        };
        opinions.iter().filter_map(evidence).collect()
    }
}
