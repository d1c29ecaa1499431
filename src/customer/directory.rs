//! Who a row means: a slice of customers held in memory, so that rows that follow each other see each other, and read
//! and written with a handful of statements.

use super::hash::ErasureKey;
use super::profile::Profile;
use super::store::directory as store;
use crate::db::{DbError, Tx};
use crate::types::{Email, Timestamp};
use std::collections::{HashMap, HashSet};

/// A known customer, and what happened to the row in this slice.
#[derive(Debug)]
pub(super) struct Entry {
    /// 0 until the row is written.
    pub(super) id: i64,
    pub(super) profile: Profile,
    pub(super) state: Entered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entered {
    Known,
    Changed,
    New,
}

/// What became of a row about a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A new customer.
    Inserted,
    /// Something was new about a known one.
    Updated,
    /// All was known.
    Unchanged,
}

/// Why a row means nobody, in words for the rejected file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The person was erased.
    #[error("erased: this person asked to be forgotten, and only their own sign-up brings them back")]
    Erased,
    /// Two customers fit.
    #[error("ambiguous: {0}")]
    Ambiguous(String),
    /// Nobody fits.
    #[error("no customer is known as `{0}`")]
    Unknown(String),
    /// Nothing in the row names anybody.
    #[error("the row names nobody: an address or an external_id is needed")]
    Nameless,
}

/// Most addresses belong to one customer, so the common case needs no list.
#[derive(Debug)]
enum Slots {
    One(usize),
    Many(Vec<usize>),
}

impl Slots {
    fn as_slice(&self) -> &[usize] {
        match self {
            Slots::One(one) => std::slice::from_ref(one),
            Slots::Many(many) => many,
        }
    }
    fn add(&mut self, slot: usize) {
        let mut all = self.as_slice().to_vec();
        if !all.contains(&slot) {
            all.push(slot);
            *self = Slots::Many(all);
        }
    }
    fn remove(&mut self, slot: usize) {
        *self = Slots::Many(self.as_slice().iter().copied().filter(|s| *s != slot).collect());
    }
}

/// The customers that a slice of rows names.
#[derive(Debug)]
pub struct Directory {
    pub(super) entries: Vec<Entry>,
    by_external: HashMap<String, usize>,
    by_address: HashMap<String, Slots>,
    erased: HashSet<String>,
    key: ErasureKey,
}

impl Directory {
    /// Reads everybody who goes by one of these external ids or normalised addresses.
    ///
    /// # Errors
    /// What the database says.
    pub async fn gather(
        tx: &mut Tx,
        externals: Vec<&str>,
        addresses: Vec<&str>,
        key: &ErasureKey,
    ) -> Result<Directory, DbError> {
        let erased = store::erased(tx, &externals, &addresses, key).await?;
        let known = store::known(tx, &externals, &addresses).await?;
        let mut directory = Directory {
            entries: Vec::with_capacity(externals.len().max(addresses.len())),
            by_external: HashMap::with_capacity(externals.len()),
            by_address: HashMap::with_capacity(addresses.len()),
            erased,
            key: key.clone(),
        };
        for (id, profile) in known {
            directory.enter(Entry { id, profile, state: Entered::Known });
        }
        Ok(directory)
    }

    /// Takes in what a row tells of a customer, making one when nobody is meant yet. Gives the customer's slot.
    ///
    /// # Errors
    /// Why the row means nobody; then nothing was changed.
    pub fn upsert(&mut self, told: Profile) -> Result<(usize, Outcome), Refusal> {
        let found = match (told.external_id.as_deref(), told.email.as_deref()) {
            (None, None) => return Err(Refusal::Nameless),
            (Some(external), email) => self.by_key(external, email)?,
            (None, Some(email)) => self.by_address_alone(email)?,
        };
        let Some(slot) = found else {
            self.refuse_erased(told.external_id.as_deref(), told.email.as_deref())?;
            let entry = Entry { id: 0, profile: told, state: Entered::New };
            return Ok((self.enter(entry), Outcome::Inserted));
        };
        Ok((slot, if self.change(slot, told) { Outcome::Updated } else { Outcome::Unchanged }))
    }

    /// The customer whom a word in a column `customer` means: an external id or an address.
    ///
    /// # Errors
    /// Why it means nobody.
    pub fn named(&self, text: &str, email: Option<&str>) -> Result<usize, Refusal> {
        let mut found: Vec<usize> = self.by_external.get(text).copied().into_iter().collect();
        for slot in email.and_then(|email| self.by_address.get(email)).map_or(&[][..], Slots::as_slice) {
            if !found.contains(slot) {
                found.push(*slot);
            }
        }
        match found.as_slice() {
            [one] => Ok(*one),
            [] => {
                self.refuse_erased(Some(text), email)?;
                Err(Refusal::Unknown(text.chars().take(80).collect()))
            }
            many => Err(Refusal::Ambiguous(format!(
                "{} customers go by `{}`; name the one that is meant by its external_id",
                many.len(),
                text.chars().take(80).collect::<String>()
            ))),
        }
    }

    /// Whether the address is an erased person's, and nobody living has it.
    pub fn is_erased(&self, email: &str) -> bool {
        self.by_address.get(email).is_none_or(|slots| slots.as_slice().is_empty())
            && self.refuse_erased(None, Some(email)).is_err()
    }

    /// The id of a slot; 0 for a new customer before [`save`](Directory::save).
    pub fn id(&self, slot: usize) -> i64 {
        self.entries[slot].id
    }

    /// The address of a slot.
    pub fn address(&self, slot: usize) -> Option<&str> {
        self.entries[slot].profile.email.as_deref()
    }

    /// Writes what is new and what has changed; after it every slot has an id.
    ///
    /// # Errors
    /// What the database says.
    pub async fn save(&mut self, tx: &mut Tx, batch: Option<i64>, now: Timestamp) -> Result<(), DbError> {
        store::save(tx, &mut self.entries, batch, now).await
    }

    fn by_key(&self, external: &str, email: Option<&str>) -> Result<Option<usize>, Refusal> {
        let address_only = email.and_then(|email| {
            let slots = self.by_address.get(email)?.as_slice();
            slots.iter().copied().find(|slot| self.entries[*slot].profile.external_id.is_none())
        });
        match (self.by_external.get(external).copied(), address_only) {
            (Some(slot), None) => Ok(Some(slot)),
            // it has the address already, so the other is a second customer with the same one
            (Some(slot), Some(_)) if self.address(slot) == email => Ok(Some(slot)),
            (Some(_), Some(_)) => Err(Refusal::Ambiguous(format!(
                "external_id `{}` is one customer, and the address belongs to another, known by address only",
                external.chars().take(80).collect::<String>()
            ))),
            (None, adopted) => {
                if adopted.is_some() {
                    self.refuse_erased(Some(external), None)?;
                }
                Ok(adopted)
            }
        }
    }

    fn by_address_alone(&self, email: &str) -> Result<Option<usize>, Refusal> {
        match self.by_address.get(email).map_or(&[][..], Slots::as_slice) {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            many => Err(Refusal::Ambiguous(format!(
                "{} customers have this address; name the one that is meant by its external_id",
                many.len()
            ))),
        }
    }

    fn refuse_erased(&self, external: Option<&str>, email: Option<&str>) -> Result<(), Refusal> {
        if self.erased.is_empty() {
            return Ok(());
        }
        let external = external.is_some_and(|id| self.erased.contains(&self.key.external(id)));
        let address = email.is_some_and(|email| self.erased.contains(&self.key.address(email)));
        if external || address { Err(Refusal::Erased) } else { Ok(()) }
    }

    fn enter(&mut self, entry: Entry) -> usize {
        let slot = self.entries.len();
        if let Some(external) = &entry.profile.external_id {
            self.by_external.insert(external.clone(), slot);
        }
        if let Some(email) = &entry.profile.email {
            self.join(email.clone(), slot);
        }
        self.entries.push(entry);
        slot
    }

    fn join(&mut self, email: String, slot: usize) {
        self.by_address.entry(email).and_modify(|slots| slots.add(slot)).or_insert(Slots::One(slot));
    }

    fn change(&mut self, slot: usize, told: Profile) -> bool {
        let entry = &mut self.entries[slot];
        let before = (entry.profile.external_id.is_some(), entry.profile.email.clone());
        if !entry.profile.merge(told) {
            return false;
        }
        if entry.state == Entered::Known {
            entry.state = Entered::Changed;
        }
        let (external, email) = (entry.profile.external_id.clone(), entry.profile.email.clone());
        if let (false, Some(external)) = (before.0, external) {
            self.by_external.insert(external, slot);
        }
        if before.1 != email {
            if let Some(slots) = before.1.and_then(|old| self.by_address.get_mut(&old)) {
                slots.remove(slot);
            }
            if let Some(email) = email {
                self.join(email, slot);
            }
        }
        true
    }
}

/// The normalised address that a word is, if it is one.
pub(super) fn as_address(text: &str) -> Option<String> {
    if !text.contains('@') {
        return None;
    }
    text.parse::<Email>().ok().map(|email| email.to_string())
}
