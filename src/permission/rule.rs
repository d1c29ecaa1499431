//! Whether a topic's mail may go to a customer: one rule, said here for one, and in SQL for many (`store/reason.rs`).

use super::State;
use crate::config::model::{Consent, Profile, Settings, TopicKind};
use crate::types::{Email, Period, Timestamp};
use std::fmt;

/// The basis of consent that is a purchase and not a yes: it counts only for topics of `soft-opt-in`, and only as long
/// as the law says.
pub const SOFT: &str = "soft-opt-in";

/// Why a mail may not go, as it is stored with a skipped message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The person was forgotten.
    Erased,
    /// There is no address.
    NoAddress,
    /// The address is suppressed.
    Suppressed,
    /// No consent for the topic.
    NoConsent,
    /// They asked for a pause.
    Paused,
}

impl Reason {
    /// All, in the order in which they are told.
    pub const ALL: [Reason; 5] =
        [Reason::Erased, Reason::NoAddress, Reason::Suppressed, Reason::NoConsent, Reason::Paused];

    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Erased => "erased",
            Reason::NoAddress => "no address",
            Reason::Suppressed => "suppressed",
            Reason::NoConsent => "no consent",
            Reason::Paused => "paused",
        }
    }

    /// The reason of a name.
    pub fn of(name: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A topic's rule at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub(super) topic: String,
    pub(super) service: bool,
    /// Purchases from then on make an own customer; `None` when purchases count for nothing.
    pub(super) own_since: Option<Timestamp>,
    pub(super) now: Timestamp,
}

/// What the rule looks at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// They were forgotten.
    pub erased: bool,
    /// The address.
    pub address: Option<Email>,
    /// A suppression of the address stands.
    pub suppressed: bool,
    /// Where they stand on the topic, and on which basis.
    pub consent: Option<(State, Option<String>)>,
    /// The last purchase that was neither cancelled nor returned.
    pub last_purchase: Option<Timestamp>,
    /// The end of a pause.
    pub paused_until: Option<Timestamp>,
}

impl Rule {
    /// The rule of a topic; `None` when the settings do not know the topic.
    ///
    /// Soft opt-in lasts six months from the last purchase under Korean law (Network Act art. 50 (1) 1 and its decree
    /// art. 61); the ePrivacy directive, art. 13 (2), names no time.
    pub fn of(topic: &str, settings: &Settings, now: Timestamp) -> Option<Rule> {
        let set = settings.topic.get(topic)?;
        let own_since = (set.consent == Consent::SoftOptIn).then(|| match settings.law.profile {
            Profile::Kr => six_months().before(now, settings.site.timezone.tz()),
            Profile::Eu | Profile::Us => Timestamp::UNIX_EPOCH,
        });
        Some(Rule { topic: topic.to_owned(), service: set.kind == TopicKind::Service, own_since, now })
    }

    /// Why the topic's mail may not go, or `None` when it may.
    pub fn judge(&self, facts: &Facts) -> Option<Reason> {
        if facts.erased {
            Some(Reason::Erased)
        } else if facts.address.is_none() {
            Some(Reason::NoAddress)
        } else if facts.suppressed {
            Some(Reason::Suppressed)
        } else if self.service {
            None
        } else if !self.consents(facts) {
            Some(Reason::NoConsent)
        } else if facts.paused_until.is_some_and(|until| until > self.now) {
            Some(Reason::Paused)
        } else {
            None
        }
    }

    /// Whether they stand for the topic: by their own word, or, where that counts, by a purchase.
    pub fn consents(&self, facts: &Facts) -> bool {
        let said = facts.consent.as_ref().map(|(state, basis)| (*state, basis.as_deref()));
        if let Some((State::Granted, basis)) = said
            && basis != Some(SOFT)
        {
            return true;
        }
        let bought = self.own_since.is_some_and(|since| facts.last_purchase.is_some_and(|at| at >= since));
        bought && !matches!(said, Some((State::Withdrawn, _)))
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The moment of the judgement.
    pub fn now(&self) -> Timestamp {
        self.now
    }
}

fn six_months() -> Period {
    "6mo".parse().unwrap_or(Period::days(182))
}
