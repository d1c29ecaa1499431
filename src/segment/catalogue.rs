//! What a condition may speak of: the fields, with their types and columns, and the names that other files define.

use std::collections::{BTreeMap, BTreeSet};

/// What a field's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A number, whole or not.
    Number,
    /// An amount: minor units of the site's currency in the database, major units in a condition.
    Money,
    /// A moment, in milliseconds.
    Date,
    /// A day of the calendar, kept as the text YYYY-MM-DD.
    Day,
    /// True or false, kept as 1 or 0; a condition by itself.
    Bool,
}

/// A field that conditions may read.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in a condition, in lower case.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// How it is read: constant SQL over `c` (customer) and `r` (the customer's relationship, which may be missing),
    /// good for both databases, without parameters.
    pub sql: &'static str,
    /// The texts that it can be; none: any.
    pub values: &'static [&'static str],
    /// What it is, in a sentence.
    pub doc: &'static str,
}

/// The fields and functions that conditions may use.
#[derive(Clone, Debug)]
pub struct Catalogue {
    fields: BTreeMap<&'static str, Field>,
}

/// A function, as `dangol` tells of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) usage: &'static str,
    pub(super) doc: &'static str,
}

macro_rules! functions {
    ($($name:literal, $usage:literal, $doc:literal;)*) => {
        &[$(Function { name: $name, usage: $usage, doc: $doc }),*]
    };
}

/// All functions.
pub(super) const FUNCTIONS: &[Function] = functions! {
    "consents", "consents('newsletter')", "has consented to the topic, as it stands now";
    "withdrew", "withdrew('newsletter')", "has withdrawn consent to the topic";
    "suppressed", "suppressed()", "the address is suppressed now";
    "count", "count('order', '90d')", "how many events of the kind, in the period or ever; orders that are not cancelled or returned; opens and clicks of people, not machines";
    "sum", "sum('order.value', '365d')", "the sum of an amount: order.value (paid less refunded), order.margin, or KIND.value; 0 over nothing; orders in the site's currency";
    "avg", "avg('order.value')", "the mean of an amount";
    "min", "min('order.value')", "the least of an amount";
    "max", "max('order.value')", "the greatest of an amount";
    "days_since", "days_since('order')", "whole days since the last event of the kind";
    "first", "first('order')", "the moment of the first event of the kind";
    "last", "last('order')", "the moment of the last event of the kind";
    "opened", "opened('spring', '30d')", "a person opened or clicked a mail of the campaign";
    "clicked", "clicked('spring', '30d')", "a person clicked in a mail of the campaign";
    "received", "received('spring', '30d')", "a mail of the campaign was accepted";
    "answered", "answered('nps', 10)", "answered the survey, or answered it so";
    "bought", "bought('category', 'seeds', '365d')", "bought such an article: category, sku or name";
    "reward_unused", "reward_unused('petals')", "has a grant of the reward that is usable and of which nothing was spent";
    "reward_balance", "reward_balance('petals')", "how many points of the reward are usable now; negative after a refund of points that were spent";
    "reward_tier", "reward_tier('petals')", "the tier that the customer is in; absent without one";
    "reward_earned", "reward_earned('petals', '365d')", "how many points were earned, in the period or ever, without those that are pending or were taken back";
    "in_segment", "in_segment('regulars')", "is in the other segment";
    "birthday_in", "birthday_in('7d')", "the birthday is today or within so many days, on the site's calendar";
    "now", "now()", "this moment";
    "today", "today()", "the beginning of today, on the site's calendar";
    "ago", "ago('90d')", "the moment so long ago";
};

impl Default for Catalogue {
    fn default() -> Catalogue {
        Catalogue::new()
    }
}

impl Catalogue {
    /// The fields of the customer. `attr.NAME` is always there beside them, a number where it is compared with a number.
    pub fn new() -> Catalogue {
        let mut catalogue = Catalogue { fields: BTreeMap::new() };
        // the language of a tag such as en-US or fil: the text before the hyphen, in words that both databases have
        let language =
            "CASE WHEN substr(c.locale, 3, 1) IN ('', '-') THEN substr(c.locale, 1, 2) ELSE substr(c.locale, 1, 3) END";
        for (name, kind, sql, doc) in [
            ("email", Kind::Text, "c.email", "the address, normalised: lower case, the domain as xn--…"),
            ("email_domain", Kind::Text, "c.email_domain", "what stands behind the @"),
            ("name", Kind::Text, "c.name", "the whole name"),
            ("first_name", Kind::Text, "c.first_name", "the given name"),
            ("last_name", Kind::Text, "c.last_name", "the family name"),
            ("locale", Kind::Text, "c.locale", "the whole language tag, such as ko or en-US; see language"),
            ("language", Kind::Text, language, "the language of the locale: en of en-US"),
            ("timezone", Kind::Text, "c.timezone", "the IANA time zone, such as Asia/Seoul"),
            ("birthday", Kind::Day, "c.birthday", "the day of birth; see birthday_in"),
            ("source", Kind::Text, "c.source", "where the customer came from"),
            ("external_id", Kind::Text, "c.external_id", "the shop's own number of the customer"),
            ("created_at", Kind::Date, "c.created_at", "when the customer came"),
        ] {
            catalogue.register(Field { name, kind, sql, values: &[], doc });
        }
        catalogue
    }

    /// Adds a field of a stage above, or replaces one.
    ///
    /// # Panics
    /// When the SQL holds a parameter: a mistake of the programmer.
    pub fn register(&mut self, field: Field) {
        assert!(!field.sql.contains('?'), "the SQL of the field {} takes no parameter", field.name);
        self.fields.insert(field.name, field);
    }

    /// A field by its name, in any case.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name.to_lowercase().as_str())
    }

    /// All fields, by name.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.values()
    }

    /// All functions: how each is written, and what it gives.
    pub fn functions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        FUNCTIONS.iter().map(|function| (function.usage, function.doc))
    }
}

/// The names that the workspace defines. `None`: not known here, so any name passes.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Topics of `dangol.toml`.
    pub topics: Option<BTreeSet<String>>,
    /// Segments.
    pub segments: Option<BTreeSet<String>>,
    /// Campaigns, by id.
    pub campaigns: Option<BTreeSet<String>>,
    /// Rewards.
    pub rewards: Option<BTreeSet<String>>,
    /// Surveys.
    pub surveys: Option<BTreeSet<String>>,
    /// Kinds of events beside Dangol's own.
    pub kinds: Option<BTreeSet<String>>,
}
