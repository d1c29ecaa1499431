//! What customers say about the shop, as evidence: answers to "would you recommend us", referrals, reviews, complaints.
//!
//! A plain answer, referral or review moves the sums in O(1). What depends on other events (an answer changed, a
//! complaint and its resolution, a correction) makes this part anew from the customer's own few events.

use super::constants::RESOLVED_WITHIN;
use super::engagement::Corrections;
use super::sums::Input;
use crate::event::{Event, Kind};
use serde_json::Value;

/// A shop's word that a complaint was dealt with; `data.resolves` may name the complaint's event, else it is the last
/// one before.
pub const RESOLVED: &str = "complaint_resolved";

/// The kinds of events that this part reads.
pub const KINDS: &str = "'survey_answer', 'referral', 'review', 'complaint', 'complaint_resolved'";

/// How much a complaint counts; half of it when it was resolved in time.
pub const COMPLAINT: f64 = 2.0;

/// One thing said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opinion {
    /// The event that says it.
    pub event: i64,
    /// When.
    pub at: i64,
    /// How much it counts.
    pub weight: f64,
    /// 0 bad ..= 1 good.
    pub value: f64,
}

impl Opinion {
    /// What it does to the sums.
    pub fn input(self) -> Input {
        Input::Opinion { at: self.at, weight: self.weight, value: self.value }
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The answer of a survey that counts as attitude: NPS only; a `scale` may be about anything.
pub fn nps(event: &Event) -> Option<f64> {
    let nps = event.data.get("kind").and_then(Value::as_str) == Some("nps");
    event.data.get("answer").filter(|_| nps).and_then(number).filter(|n| (0.0..=10.0).contains(n))
}

/// What an event says by itself; none when it says nothing about attitude.
pub fn opinion(event: &Event) -> Option<Opinion> {
    let (weight, value) = match &event.kind {
        Kind::SurveyAnswer => match nps(event)? {
            9.0.. => (1.0, 1.0),
            7.0.. => (1.0, 0.6),
            _ => (1.0, 0.0),
        },
        Kind::Referral => (1.0, 1.0),
        // of stars; fewer than four say too little to tell annoyance from indifference
        Kind::Review if stars(event)? >= 4.0 => (1.0, 1.0),
        Kind::Complaint => (COMPLAINT, 0.0),
        _ => return None,
    };
    Some(Opinion { event: event.id, at: event.at.as_millisecond(), weight, value })
}

/// The stars of a review: the event's value, or `data.value`, `data.rating`.
pub fn stars(event: &Event) -> Option<f64> {
    let data = || event.data.get("value").or_else(|| event.data.get("rating")).and_then(number);
    event.value.map(|value| value as f64).or_else(data)
}

/// Whether an event may change what an earlier one counted for, so that this part is made anew.
pub fn looks_back(event: &Event) -> bool {
    match &event.kind {
        Kind::SurveyAnswer => event.data.get("previous").is_some_and(|previous| !previous.is_null()),
        Kind::Complaint => true,
        Kind::Custom(name) => name == RESOLVED,
        _ => false,
    }
}

/// What a customer's events say together, in the order of the log, corrections among them: of answers to the same
/// question of the same mail the last counts, and a complaint resolved within seven days counts half.
pub fn opinions(events: &[Event]) -> Vec<Opinion> {
    let corrections = Corrections::of(events.iter());
    let standing: Vec<&Event> = events.iter().filter(|event| corrections.class(event.id).is_some()).collect();
    let mut found: Vec<(Option<(i64, String)>, Opinion)> = Vec::new();
    for event in &standing {
        let question = question(event);
        if question.is_some() {
            found.retain(|(key, _)| *key != question);
        }
        if let Some(opinion) = opinion(event) {
            found.push((question, opinion));
        }
    }
    for event in &standing {
        if event.kind != Kind::Custom(RESOLVED.into()) {
            continue;
        }
        let at = event.at.as_millisecond();
        let named = event.data.get("resolves").and_then(Value::as_i64);
        let complaint = found
            .iter_mut()
            .map(|(_, opinion)| opinion)
            .filter(|o| o.value == 0.0 && o.weight == COMPLAINT)
            .filter(|o| named.map_or((0..=RESOLVED_WITHIN).contains(&(at - o.at)), |id| o.event == id))
            .max_by_key(|o| (o.at, o.event));
        if let Some(complaint) = complaint.filter(|o| (0..=RESOLVED_WITHIN).contains(&(at - o.at))) {
            complaint.weight = COMPLAINT / 2.0;
        }
    }
    found.into_iter().map(|(_, opinion)| opinion).collect()
}

/// Answers under the same key replace each other.
fn question(event: &Event) -> Option<(i64, String)> {
    if event.kind != Kind::SurveyAnswer {
        return None;
    }
    let part = |name| event.data.get(name).and_then(Value::as_str).unwrap_or_default();
    event.message.map(|message| (message, format!("{}\n{}", part("survey"), part("question"))))
}
