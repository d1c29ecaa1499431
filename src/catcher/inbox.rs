//! The caught mails: the newest in full, bounded by number and octets, and counts of all that ever came. Readers follow it
//! by position, so that a slow one loses nothing that is still kept, and is told of what is not.

use super::reply::Reply;
use super::smtp::{Envelope, Receiver};
use crate::types::{Clock, Email, Timestamp};
use mail_parser::{Address, MessageParser};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Decides on an address, in its one spelling ([`Email`]): `None` takes it, a reply refuses it or asks to come later.
pub trait Verdict: Send + Sync + 'static {
    /// The reply of this mailbox.
    fn on(&self, address: &Email) -> Option<Reply>;
}

impl<F: Fn(&Email) -> Option<Reply> + Send + Sync + 'static> Verdict for F {
    fn on(&self, address: &Email) -> Option<Reply> {
        self(address)
    }
}

/// A verdict that takes everything.
pub fn take_all(_: &Email) -> Option<Reply> {
    None
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Mails in full.
    pub mails: usize,
    /// Their octets in all.
    pub bytes: usize,
    /// Distinct recipients that are counted each for themselves.
    pub recipients: usize,
}

impl Default for Keep {
    fn default() -> Keep {
        Keep { mails: 5_000, bytes: 256 << 20, recipients: 1_000_000 }
    }
}

/// A caught mail.
#[derive(Debug)]
pub struct Mail {
    /// Counted from 1 in the order of arrival.
    pub id: u64,
    /// When it was taken.
    pub at: Timestamp,
    /// Who sent it to whom on the wire.
    pub envelope: Envelope,
    /// The bytes, as they came, dots unstuffed.
    pub raw: Vec<u8>,
    /// The decoded subject.
    pub subject: String,
    /// The `From` that a reader sees.
    pub from: String,
    /// The `To` that a reader sees.
    pub to: String,
    /// Without angle brackets.
    pub message_id: Option<String>,
}

/// What came in all, kept or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Mails taken.
    pub mails: u64,
    /// Deliveries: a mail to two recipients is two.
    pub deliveries: u64,
    /// Deliveries of a Message-ID to a recipient who had it already.
    pub twice: u64,
    /// Refused recipients by the reply's code.
    pub refused: BTreeMap<u16, u64>,
    /// Deliveries to recipients beyond the number that is counted one by one.
    pub uncounted: u64,
}

/// The mails and their counts; clones share them.
#[derive(Clone)]
pub struct Inbox {
    shared: Arc<Shared>,
}

struct Shared {
    keep: Keep,
    clock: Clock,
    verdict: Box<dyn Verdict>,
    state: Mutex<State>,
    newest: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    mails: VecDeque<Arc<Mail>>,
    bytes: usize,
    counts: Counts,
    by_recipient: HashMap<String, u64>,
    seen: HashSet<u128>,
}

impl Inbox {
    /// An empty inbox. `clock` stamps what comes.
    pub fn new(keep: Keep, clock: Clock, verdict: impl Verdict) -> Inbox {
        let shared =
            Shared { keep, clock, verdict: Box::new(verdict), state: Mutex::default(), newest: watch::Sender::new(0) };
        Inbox { shared: Arc::new(shared) }
    }

    /// The counts of all that ever came.
    pub fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    /// Deliveries to each recipient, by address in its one spelling.
    pub fn by_recipient(&self) -> HashMap<String, u64> {
        self.state().by_recipient.clone()
    }

    /// The mail of this id, while it is kept.
    pub fn mail(&self, id: u64) -> Option<Arc<Mail>> {
        let state = self.state();
        let first = state.mails.front()?.id;
        state.mails.get(usize::try_from(id.checked_sub(first)?).ok()?).cloned()
    }

    /// Kept mails, newest first, of which a recipient, the subject or a name holds `words` (case does not matter); `skip`
    /// of them are passed over, at most `limit` are given. Beside them, how many match.
    pub fn search(&self, words: &str, skip: usize, limit: usize) -> (Vec<Arc<Mail>>, usize) {
        let words = words.trim().to_lowercase();
        // an address is found in either of its spellings
        let address = words.parse::<Email>().ok();
        let all: Vec<Arc<Mail>> = self.state().mails.iter().rev().cloned().collect();
        let has = |text: &str| text.to_lowercase().contains(&words);
        let found = all.into_iter().filter(|mail| {
            words.is_empty()
                || mail.envelope.to.iter().any(|to| has(to) || address.as_ref().is_some_and(|a| a.as_str() == to))
                || has(&mail.to)
                || has(&mail.subject)
        });
        let found: Vec<Arc<Mail>> = found.collect();
        let matching = found.len();
        (found.into_iter().skip(skip).take(limit).collect(), matching)
    }

    /// Follows what is caught from now on.
    pub fn subscribe(&self) -> Subscription {
        Subscription {
            inbox: self.clone(),
            newest: self.shared.newest.subscribe(),
            next: self.counts().mails + 1,
            missed: 0,
        }
    }

    /// Follows from the first mail that is still kept.
    pub fn from_start(&self) -> Subscription {
        Subscription { next: 1, ..self.subscribe() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // counts and mails are whole after every statement, so a panic elsewhere has broken nothing
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, envelope: Envelope, raw: Vec<u8>) {
        let mail = Mail::read(self.shared.clock.now(), envelope, raw);
        let keep = self.shared.keep;
        let mut guard = self.state();
        let state = &mut *guard;
        state.counts.mails += 1;
        for to in &mail.envelope.to {
            state.counts.deliveries += 1;
            let room = state.by_recipient.len() < keep.recipients;
            match state.by_recipient.get_mut(to) {
                Some(count) => *count += 1,
                None if room => {
                    state.by_recipient.insert(to.clone(), 1);
                }
                None => state.counts.uncounted += 1,
            }
            let Some(id) = &mail.message_id else { continue };
            let key = fingerprint(id, to);
            if state.seen.contains(&key) {
                state.counts.twice += 1;
            } else if state.seen.len() < keep.recipients {
                state.seen.insert(key);
            }
        }
        let id = state.counts.mails;
        state.bytes += mail.raw.len();
        state.mails.push_back(Arc::new(Mail { id, ..mail }));
        while state.mails.len() > keep.mails || (state.bytes > keep.bytes && state.mails.len() > 1) {
            if let Some(gone) = state.mails.pop_front() {
                state.bytes -= gone.raw.len();
            }
        }
        drop(guard);
        self.shared.newest.send_modify(|newest| *newest = (*newest).max(id));
    }
}

/// Of a mail to a recipient: enough of a hash that two never meet by chance.
fn fingerprint(message_id: &str, to: &str) -> u128 {
    let hash = blake3::hash(format!("{message_id}\n{to}").as_bytes());
    u128::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}

impl Mail {
    fn read(at: Timestamp, envelope: Envelope, raw: Vec<u8>) -> Mail {
        let parsed = MessageParser::new().parse_headers(&raw[..]);
        let head = parsed.as_ref();
        let subject = head.and_then(|m| m.subject()).unwrap_or_default().to_owned();
        let from = shown(head.and_then(|m| m.from()));
        let to = shown(head.and_then(|m| m.to()));
        let message_id = head.and_then(|m| m.message_id()).map(str::to_owned);
        Mail { id: 0, at, envelope, raw, subject, from, to, message_id }
    }
}

fn shown(address: Option<&Address<'_>>) -> String {
    let Some(address) = address else { return String::new() };
    let each = address.iter().map(|one| match (one.name(), one.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => address.or(name).unwrap_or_default().to_owned(),
    });
    each.collect::<Vec<_>>().join(", ")
}

impl Receiver for Inbox {
    async fn recipient(&self, _: &Envelope, to: &str) -> Reply {
        let reply = match to.parse::<Email>() {
            Ok(address) => self.shared.verdict.on(&address),
            Err(_) if to == "postmaster" => None,
            Err(_) => Some(Reply::new(553, "5.1.3", "that is no address")),
        };
        match reply {
            Some(reply) if !reply.is_positive() => {
                *self.state().counts.refused.entry(reply.code()).or_default() += 1;
                reply
            }
            Some(reply) => reply,
            None => Reply::new(250, "2.1.5", "recipient taken"),
        }
    }

    async fn message(&self, mut envelope: Envelope, raw: Vec<u8>) -> Reply {
        for to in &mut envelope.to {
            if let Ok(address) = to.parse::<Email>() {
                *to = address.to_string();
            }
        }
        self.take(envelope, raw);
        Reply::new(250, "2.0.0", "caught; it goes no further")
    }
}

/// A reader's place in the inbox.
pub struct Subscription {
    inbox: Inbox,
    newest: watch::Receiver<u64>,
    next: u64,
    missed: u64,
}

impl Subscription {
    /// The next mail, when there is one.
    pub async fn recv(&mut self) -> Arc<Mail> {
        loop {
            if let Some(mail) = self.try_recv() {
                return mail;
            }
            let next = self.next;
            if self.newest.wait_for(|newest| *newest >= next).await.is_err() {
                // not to be: the inbox that this reader holds owns the sender
                std::future::pending::<()>().await;
            }
        }
    }

    /// The next mail, if it is there already.
    pub fn try_recv(&mut self) -> Option<Arc<Mail>> {
        let first = self.inbox.state().mails.front()?.id;
        if first > self.next {
            self.missed += first - self.next;
            self.next = first;
        }
        let mail = self.inbox.mail(self.next)?;
        self.next += 1;
        Some(mail)
    }

    /// How many mails had gone before this reader came to them.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}
