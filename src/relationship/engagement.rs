//! Mail as evidence: each delivered mail is a trial, and its credit is the best that came of it.
//!
//! The credit is kept on the message, so that a hit is O(1): the state moves by the difference. The trial is discounted
//! by the time of the delivery, not of the hit. A bounce takes the trial back. What is surely a machine's earns nothing;
//! a proxy's open, behind which a person may be, earns a little.

use super::sums::Input;
use crate::event::{Event, Kind};
use std::collections::{BTreeMap, HashMap};

/// An open by a proxy, or by nobody knows whom.
pub const UNSURE_OPEN: f64 = 0.05;
/// An open by a person.
pub const HUMAN_OPEN: f64 = 0.3;
/// A click by a person.
pub const HUMAN_CLICK: f64 = 0.8;
/// A reply, an answer, a purchase.
pub const ANSWER: f64 = 1.0;

/// The kinds of events that this part reads.
pub const KINDS: &str = "'delivered', 'bounce', 'open', 'click', 'reply', 'survey_answer', 'order'";

/// What an event says about one mail.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// It was delivered.
    Delivered,
    /// It bounced after all.
    Bounced,
    /// Something came of it.
    Earned {
        /// 0..=1.
        credit: f64,
        /// Whether a person did it.
        human: bool,
    },
}

/// What `event` says; `class` is the present class of an open or click, which a correction may have changed.
/// None for what says nothing about mail.
pub fn seen(event: &Event, class: Option<&str>) -> Option<Seen> {
    let class = class.or_else(|| event.data.get("class").and_then(|class| class.as_str()));
    let human = class == Some("human");
    Some(match event.kind {
        Kind::Delivered => Seen::Delivered,
        Kind::Bounce => Seen::Bounced,
        Kind::Open if class == Some("machine") => return None,
        Kind::Open => Seen::Earned { credit: if human { HUMAN_OPEN } else { UNSURE_OPEN }, human },
        Kind::Click if human => Seen::Earned { credit: HUMAN_CLICK, human },
        Kind::Reply | Kind::SurveyAnswer => Seen::Earned { credit: ANSWER, human: true },
        // an order counts when it names the mail that it came from; it is no sign of reading by itself
        Kind::Order if event.message.is_some() => Seen::Earned { credit: ANSWER, human: false },
        _ => return None,
    })
}

/// Where one mail stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mail {
    /// When it was delivered.
    pub delivered_at: Option<i64>,
    /// Whether it bounced.
    pub bounced: bool,
    /// The best that came of it.
    pub credit: f64,
}

impl Mail {
    /// Takes in what was seen at `at`; gives what that does to the sums. In any order.
    pub fn take(&mut self, seen: &Seen, at: i64) -> Option<Input> {
        match *seen {
            Seen::Delivered if self.delivered_at.is_none() => {
                self.delivered_at = Some(at);
                (!self.bounced).then_some(Input::Trial { at, credit: self.credit })
            }
            Seen::Bounced if !self.bounced => {
                self.bounced = true;
                self.delivered_at.map(|at| Input::TakeBack { at, credit: self.credit })
            }
            Seen::Earned { credit, .. } if credit > self.credit => {
                let more = credit - self.credit;
                self.credit = credit;
                self.delivered_at.filter(|_| !self.bounced).map(|at| Input::Credit { at, more })
            }
            _ => None,
        }
    }
}

/// What later corrections say about earlier events.
#[derive(Clone, Debug, Default)]
pub struct Corrections(HashMap<i64, Option<String>>);

impl Corrections {
    /// Collects the corrections among `events`: `{"corrects": id, "class": "machine"}` gives a hit another class,
    /// without a class the event did not happen. The last one holds. One with `changes` tells other values of an order,
    /// which happened all the same.
    pub fn of<'e>(events: impl Iterator<Item = &'e Event>) -> Corrections {
        let mut found = HashMap::new();
        let unsaid = |event: &&Event| event.kind == Kind::Correction && event.data.get("changes").is_none();
        for event in events.filter(unsaid) {
            if let Some(id) = corrects(event) {
                found.insert(id, event.data.get("class").and_then(|c| c.as_str()).map(str::to_owned));
            }
        }
        Corrections(found)
    }

    /// None when the event did not happen after all; else its class, if that changed.
    pub fn class(&self, id: i64) -> Option<Option<&str>> {
        match self.0.get(&id) {
            None => Some(None),
            Some(None) => None,
            Some(Some(class)) => Some(Some(class)),
        }
    }
}

/// The id of the event that a correction corrects.
pub fn corrects(event: &Event) -> Option<i64> {
    let id = event.data.get("corrects")?;
    id.as_i64().or_else(|| id.as_str()?.parse().ok())
}

/// A customer's mails from their events, in the order of the log, corrections among them; and the last time a person
/// was seen.
pub fn mails(events: &[Event]) -> (BTreeMap<i64, Mail>, Option<i64>) {
    let corrections = Corrections::of(events.iter());
    let mut mails: BTreeMap<i64, Mail> = BTreeMap::new();
    let mut human_at = None;
    for event in events {
        // that a mail arrived or bounced is never unsaid: the reader looks these up without asking for corrections
        let fixed = matches!(event.kind, Kind::Delivered | Kind::Bounce);
        let class = if fixed { Some(None) } else { corrections.class(event.id) };
        let Some(seen) = class.and_then(|class| seen(event, class)) else { continue };
        let at = event.at.as_millisecond();
        if matches!(seen, Seen::Earned { human: true, .. }) {
            human_at = human_at.max(Some(at));
        }
        if let Some(message) = event.message {
            mails.entry(message).or_default().take(&seen, at);
        }
    }
    (mails, human_at)
}
