//! The five kinds of rows: how each is parsed, and how a slice of them lands in one transaction.

mod consents;
mod customers;
mod events;
pub(super) mod orders;
mod suppressions;

pub use consents::{ConsentRow, Consents};
pub use customers::Customers;
pub use events::{EventRow, Events};
pub use orders::{OrderRow, Orders};
pub use suppressions::{SuppressionRow, Suppressions};

use super::columns::Shape;
use super::door::Door;
use super::record::Record;
use super::{Dates, ImportError, Options};
use crate::config::nearest;
use crate::customer::{Directory, ErasureKey, Outcome, Profile, Refusal, address_of};
use crate::db::{DbError, Tx};
use crate::types::{Currency, Timestamp};
use serde::Serialize;
use std::collections::HashMap;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What parsers and landing need of the site and of the command.
#[derive(Clone, Debug)]
pub struct Context {
    /// How dates are read.
    pub dates: Dates,
    /// Of amounts that name none.
    pub currency: Currency,
    /// The moment of the import.
    pub now: Timestamp,
    /// The topics that there are.
    pub topics: Vec<String>,
    /// The key of the erasure hash.
    pub key: ErasureKey,
    /// Whether orders and events make unknown customers.
    pub create: bool,
    /// The topic and the evidence of consent for every customer.
    pub consent: Option<(String, String)>,
    pub(super) map: Vec<(String, String)>,
    pub(super) door: Door,
}

impl Context {
    /// Of the settings and options.
    ///
    /// # Errors
    /// When an option names a topic that there is none of.
    pub fn new(options: &Options<'_>, now: Timestamp) -> Result<Context, ImportError> {
        let site = &options.settings.site;
        let context = Context {
            dates: Dates::new(site.timezone.tz().clone(), &site.locale),
            currency: options.currency.unwrap_or(site.currency),
            now,
            topics: options.settings.topic.keys().cloned().collect(),
            key: options.erasure_key.clone(),
            create: options.create,
            consent: options.consent.clone(),
            map: options.map.clone(),
            door: Door::File,
        };
        if let Some((topic, evidence)) = &context.consent {
            context.topic(topic).map_err(|e| ImportError::Option(format!("--consent: {e}")))?;
            if evidence.trim().is_empty() {
                return Err(ImportError::Option(
                    "--consent needs --evidence: where and how these people said yes, such as \"checkout form, 2026-01\"".into(),
                ));
            }
        }
        Ok(context)
    }

    /// The topic of a name.
    fn topic(&self, name: &str) -> Result<String, String> {
        if self.topics.iter().any(|topic| topic == name) {
            return Ok(name.to_owned());
        }
        let help = nearest(name, self.topics.iter().map(String::as_str)).unwrap_or_default();
        Err(format!("there is no topic `{}`; {help}", name.chars().take(60).collect::<String>()))
    }

    /// A moment that may not lie in the future: a day of grace for clocks and zones.
    fn past(&self, text: &str, name: &str) -> Result<Timestamp, String> {
        let at = self.dates.moment(text).map_err(|e| format!("`{name}`: {e}"))?;
        if at.as_millisecond() > self.now.as_millisecond() + 86_400_000 {
            return Err(format!("`{name}` lies in the future: {at}"));
        }
        Ok(at)
    }
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landed {
    /// It was new.
    Inserted,
    /// It changed something known.
    Updated,
    /// It said nothing new.
    Unchanged,
    /// It means nobody, or something that cannot be.
    Rejected(String),
}

/// What became of a slice.
#[derive(Debug, Default)]
pub struct Landing {
    /// In the order of the rows.
    pub outcomes: Vec<Landed>,
    /// Grants that were recorded and do not stand.
    pub withdrawn_kept: u64,
}

/// A kind of rows.
pub trait Rows: Default + Send {
    /// A row, parsed.
    type Row: Send + Sync + Serialize + 'static;

    /// Its columns.
    const SHAPE: Shape;

    /// Parses a row.
    ///
    /// # Errors
    /// Why it is refused, in words for whoever has to mend it.
    fn parse(record: Record, context: &Context) -> Result<Self::Row, String>;

    /// Takes a slice of rows, each with its line, into `tx`. Appending events is the last thing that it does.
    fn land(
        &mut self,
        tx: &mut Tx,
        rows: &[(u64, &Self::Row)],
        context: &Context,
        batch: Option<i64>,
    ) -> impl Future<Output = Result<Landing, DbError>> + Send;

    /// The slice is durable, or was undone and comes again.
    fn settle(&mut self, durable: bool) {
        let _ = durable;
    }
}

/// Whom a row names in its column `customer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// As it was written.
    pub text: String,
    /// The address that it is, if it is one.
    #[serde(skip)]
    pub address: Option<String>,
}

impl Named {
    fn read(text: String) -> Named {
        let address = address_of(&text);
        Named { text, address }
    }
}

/// Everybody whom these rows name.
async fn directory<'a>(
    tx: &mut Tx,
    named: impl Iterator<Item = &'a Named> + Clone + Send,
    context: &Context,
) -> Result<Directory, DbError> {
    let externals: Vec<&str> = named.clone().map(|named| named.text.as_str()).collect();
    let addresses: Vec<&str> = named.filter_map(|named| named.address.as_deref()).collect();
    Directory::gather(tx, distinct(externals), distinct(addresses), &context.key).await
}

impl Named {
    /// The slot of whom this names. A stranger is taken in when the context says so; `at` and `source` then say since
    /// when and by what they are known.
    fn slot(&self, directory: &mut Directory, context: &Context, at: Timestamp, source: &str) -> Result<usize, String> {
        let found = match directory.named(&self.text, self.address.as_deref()) {
            Err(Refusal::Unknown(_)) if context.create => {
                let profile = match &self.address {
                    Some(email) => Profile { email: Some(email.clone()), ..Profile::default() },
                    None => Profile { external_id: Some(self.text.clone()), ..Profile::default() },
                };
                let profile = Profile { source: Some(source.into()), created_at: Some(at), ..profile };
                directory.upsert(profile).map(|(slot, _): (usize, Outcome)| slot)
            }
            found => found,
        };
        found.map_err(|refusal| match refusal {
            Refusal::Unknown(_) => format!("{refusal}{}", context.door.stranger()),
            _ => refusal.to_string(),
        })
    }
}

fn distinct(mut texts: Vec<&str>) -> Vec<&str> {
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// Counts how many rows of the same content came before, over the slices of a file: 12 bytes a row that has no key of
/// its own.
#[derive(Debug, Default)]
struct Nth {
    durable: HashMap<u64, u32>,
    open: HashMap<u64, u32>,
}

impl Nth {
    fn next(&mut self, content: impl Hash) -> u32 {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let hash = hasher.finish();
        let before = self.open.get(&hash).or_else(|| self.durable.get(&hash)).copied().unwrap_or(0);
        self.open.insert(hash, before + 1);
        before
    }

    fn settle(&mut self, durable: bool) {
        if durable {
            self.durable.extend(self.open.drain());
        } else {
            self.open.clear();
        }
    }
}
