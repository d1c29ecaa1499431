//! The kinds of events.

use std::fmt;

/// What happened. Anything else that a shop reports is [`Kind::Custom`], under its own name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each name is the event")]
pub enum Kind {
    Order,
    Visit,
    ServiceContact,
    SurveyAnswer,
    Referral,
    Review,
    /// A mail was accepted by the next server.
    Delivered,
    Open,
    Click,
    Reply,
    Bounce,
    Complaint,
    Unsubscribe,
    /// An earlier event turned out otherwise; `data` names it.
    Correction,
    Custom(String),
}

const NAMES: &[(&str, Kind)] = &[
    ("order", Kind::Order),
    ("visit", Kind::Visit),
    ("service_contact", Kind::ServiceContact),
    ("survey_answer", Kind::SurveyAnswer),
    ("referral", Kind::Referral),
    ("review", Kind::Review),
    ("delivered", Kind::Delivered),
    ("open", Kind::Open),
    ("click", Kind::Click),
    ("reply", Kind::Reply),
    ("bounce", Kind::Bounce),
    ("complaint", Kind::Complaint),
    ("unsubscribe", Kind::Unsubscribe),
    ("correction", Kind::Correction),
];

impl Kind {
    /// Its name in the database, in files and in `count('…')`.
    pub fn name(&self) -> &str {
        match self {
            Kind::Custom(name) => name,
            kind => NAMES.iter().find(|(_, k)| k == kind).map_or("", |(name, _)| name),
        }
    }

    /// The kind of a name; an unknown name is a custom kind.
    pub fn of(name: &str) -> Kind {
        NAMES.iter().find(|(n, _)| *n == name).map_or_else(|| Kind::Custom(name.to_owned()), |(_, kind)| kind.clone())
    }

    /// The names that are not custom.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Whether others may report it: opens, clicks, deliveries and corrections are Dangol's own observations.
    pub fn may_be_reported(&self) -> bool {
        !matches!(
            self,
            Kind::Delivered
                | Kind::Open
                | Kind::Click
                | Kind::Bounce
                | Kind::Unsubscribe
                | Kind::Correction
                | Kind::Order
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
