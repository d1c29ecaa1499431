//! What delivery asks of whoever knows the campaigns: the bytes of a claimed message, and the rules it goes under.

use super::content::Content;
use crate::permission::Rule;
use crate::types::locale::Zone;
use crate::types::pace::{Cap, Quiet};
use crate::types::{Email, Timestamp};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A message that this node holds.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the message")]
pub struct Claimed {
    pub id: i64,
    /// Of the claim: whoever does not hold it changes nothing.
    pub token: i64,
    pub campaign: i64,
    pub revision: i64,
    pub occurrence: i64,
    pub step: String,
    pub customer: i64,
    pub address: String,
    pub topic: String,
    pub service: bool,
    pub variant: Option<String>,
    pub attempts: i64,
    pub due_at: Timestamp,
    pub expires_at: Timestamp,
    pub next_at: Timestamp,
    /// Whether a grant hangs on it.
    pub rewarded: bool,
}

impl Claimed {
    /// Whether it was put off before, for whatever reason.
    pub fn again(&self) -> bool {
        self.next_at != self.due_at
    }
}

/// The rules under which a message goes, judged when its turn has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What permission its topic needs.
    pub rule: Rule,
    /// At most so many to one person.
    pub cap: Cap,
    /// Hours without it, on the reader's clock.
    pub quiet: Quiet,
    /// The reader's clock.
    pub zone: Zone,
}

/// A mail ready to go.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What it was made from.
    pub claimed: Arc<Claimed>,
    /// The rules.
    pub policy: Arc<Policy>,
    /// The envelope's sender.
    pub from: Email,
    /// The envelope's recipient.
    pub to: Email,
    /// Headers and body.
    pub content: Content,
    /// The relay that it must go through, if it must.
    pub relay: Option<String>,
}

/// Why a mail could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The message.
    pub id: i64,
    /// Its claim.
    pub token: i64,
    /// The message is not at fault, and its lane is held: it goes back to the queue.
    pub give_back: bool,
    /// In a word or two, such as `render: …`; kept as the reason of the skip.
    pub reason: String,
}

/// A future in a box.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes mails of claimed messages.
pub trait Compose: Send + Sync {
    /// The mails, or why not, in any order; every message comes out once. An error means that none could be made now,
    /// because the database is away, and that they are to be tried again.
    fn compose(
        &self,
        claimed: Vec<Claimed>,
        now: Timestamp,
    ) -> Boxed<'_, Result<Vec<Result<Outgoing, Refusal>>, crate::db::DbError>>;
}
