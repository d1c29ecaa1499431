//! What a restored database does not know yet is done to it: withdrawals, suppressions and their lifting in the order of
//! the file, then erasures. Each looks first whether it is done already, so a replay can be repeated.

use super::entry::{Entry, Line, Suppression, Withdrawal, is_one_of};
use super::{file, store};
use crate::customer::{self, ErasureKey};
use crate::db::{Db, DbError, Tx};
use crate::permission::{self, NewConsent, NewSuppression, Recorded, State};
use crate::types::Timestamp;
use std::collections::HashSet;
use std::path::Path;
use tokio::sync::mpsc;

/// Lines a transaction, and customers a slice.
const SLICE: usize = 500;
/// Who did it, in the audit.
const ACTOR: &str = "restore";

/// What a replay did that the database did not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Replayed {
    /// Withdrawals of consent.
    pub withdrawals: u64,
    /// Customers who came after the backup and said no: they are known again, by name only.
    pub customers: u64,
    /// Suppressions made or lengthened.
    pub suppressions: u64,
    /// Suppressions lifted.
    pub lifted: u64,
    /// Customers forgotten.
    pub erasures: u64,
    /// Lines of the journal that cannot be read.
    pub unreadable: u64,
}

/// Somebody forgotten.
struct Erasure {
    customer: i64,
    hashes: HashSet<String>,
    at: Timestamp,
}

pub(super) async fn replay(path: &Path, key: &ErasureKey, db: &Db, now: Timestamp) -> Result<Replayed, DbError> {
    let mut done = Replayed::default();
    let (mut undone, mut erasures) = (HashSet::new(), Vec::new());
    let mut lines = slices(path, |line| matches!(line.entry, Entry::Undone | Entry::Erasure { .. }));
    while let Some(slice) = lines.recv().await {
        let (slice, _) = slice?;
        let known = store::known(&mut &*db, &slice).await?;
        for line in slice {
            match line.entry {
                Entry::Undone => _ = undone.insert(line.subject),
                Entry::Erasure { hashes } if !known.contains(&line.id) => {
                    erasures.push(Erasure {
                        customer: line.subject,
                        hashes: hashes.into_iter().collect(),
                        at: line.at,
                    });
                }
                _ => {}
            }
        }
    }
    let mut lines = slices(path, |line| matches!(line.entry, Entry::Withdrawal(_) | Entry::Suppression(_)));
    while let Some(slice) = lines.recv().await {
        let (slice, unreadable) = slice?;
        done.unreadable += unreadable;
        let known = store::known(&mut &*db, &slice).await?;
        let mut tx = db.begin().await?;
        for line in slice.iter().filter(|line| !known.contains(&line.id)) {
            match &line.entry {
                Entry::Withdrawal(it) if !undone.contains(&line.subject) => {
                    withdraw(&mut tx, it, &mut done, now).await?;
                }
                Entry::Suppression(it) => suppress(&mut tx, it, &mut done, now).await?,
                _ => {}
            }
        }
        tx.commit().await?;
    }
    done.erasures = erase(db, key, &erasures).await?;
    Ok(done)
}

/// The lines of the file that are wanted, by the slice, with the number of those that cannot be read; read on a thread
/// of its own, and never more than two slices in memory.
fn slices(
    path: &Path,
    wanted: impl Fn(&Line) -> bool + Send + 'static,
) -> mpsc::Receiver<Result<(Vec<Line>, u64), DbError>> {
    let (send, receive) = mpsc::channel(1);
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let (mut slice, mut unreadable) = (Vec::new(), 0);
        let read = file::each(&path, |_, line| {
            match line.take() {
                Some(line) if wanted(&line) => slice.push(line),
                Some(_) => {}
                None => unreadable += 1,
            }
            if slice.len() >= SLICE {
                let full = (std::mem::take(&mut slice), std::mem::take(&mut unreadable));
                // nobody listens any more after an error
                send.blocking_send(Ok(full)).map_err(|_| std::io::Error::other("the replay ended"))?;
            }
            Ok(())
        });
        let _ = send.blocking_send(read.map(|()| (slice, unreadable)));
    });
    receive
}

async fn withdraw(tx: &mut Tx, it: &Withdrawal, done: &mut Replayed, now: Timestamp) -> Result<(), DbError> {
    let Some(customer) = whose(tx, it, done, now).await? else { return Ok(()) };
    if store::has_withdrawal(tx, customer, it).await? {
        return Ok(());
    }
    let line = NewConsent {
        customer,
        topic: it.topic.clone(),
        state: State::Withdrawn,
        basis: None,
        text: it.text.clone(),
        source: it.source.clone(),
        address: it.email.clone(),
        at: it.since,
        own_act: it.own_act,
        batch: None,
    };
    let became = permission::record_consents(tx, &[line], now).await?;
    done.withdrawals += u64::from(became != [Recorded::Known]);
    Ok(())
}

/// The customer whose withdrawal it is, made anew where this database has never heard of them; `None` of somebody who
/// was forgotten.
async fn whose(tx: &mut Tx, it: &Withdrawal, done: &mut Replayed, now: Timestamp) -> Result<Option<i64>, DbError> {
    let (external, email) = (it.external_id.as_deref(), it.email.as_deref());
    if external.is_none() && email.is_none() {
        // forgotten since, or never had a name: then nothing can be sent to them either, except under the same id
        let found = store::person(tx, it.customer).await?;
        return Ok(found.filter(|p| !p.erased && p.external_id.is_none() && p.email.is_none()).map(|p| p.id));
    }
    let under_id = store::person(tx, it.customer).await?;
    let same = |p: &store::Person| match (external, p.external_id.as_deref()) {
        (Some(a), Some(b)) => a == b,
        _ => email.is_some() && email == p.email.as_deref(),
    };
    let taken = under_id.is_some();
    // forgotten in this database, though the journal has not heard of it
    if under_id.as_ref().is_some_and(|found| found.erased) {
        return Ok(None);
    }
    if let Some(found) = under_id.filter(same) {
        return Ok(Some(found.id));
    }
    let mut found = match external {
        Some(external) => store::by_external(tx, external).await?,
        None => None,
    };
    if found.is_none()
        && let Some(email) = email
    {
        found = store::by_address(tx, email).await?;
    }
    if let Some(found) = found {
        return Ok(Some(found.id));
    }
    let id = match taken {
        // their own again, so that links in mail that they have go on naming them
        false => it.customer,
        true => tx.next_ids("customer", 1).await?[0],
    };
    store::revive(tx, id, it, now).await?;
    done.customers += 1;
    Ok(Some(id))
}

async fn suppress(tx: &mut Tx, it: &Suppression, done: &mut Replayed, now: Timestamp) -> Result<(), DbError> {
    match (store::same_suppression(tx, it).await?, it.lifted_at) {
        (Some((id, true)), Some(at)) => {
            store::lift(tx, id, at, it.lifted_by.as_deref(), now).await?;
            done.lifted += 1;
        }
        // lifted on both sides, or made and lifted since the backup
        (Some((_, false)), _) | (None, Some(_)) => {}
        (Some((_, true)) | None, None) => {
            let new = NewSuppression {
                address: it.address.clone(),
                reason: it.reason.clone(),
                source: it.source.clone(),
                message: None,
                batch: None,
                until: it.until,
                note: it.note.clone(),
            };
            let changed = permission::suppress_many(tx, &[new], it.created_at).await?;
            done.suppressions += u64::from(changed == [true]);
        }
    }
    Ok(())
}

/// Forgets whom the journal says were forgotten; whoever signed up again later is another customer, and stays.
async fn erase(db: &Db, key: &ErasureKey, erasures: &[Erasure]) -> Result<u64, DbError> {
    if erasures.is_empty() {
        return Ok(0);
    }
    for slice in erasures.chunks(SLICE) {
        let mut tx = db.begin().await?;
        for erasure in slice {
            let hashes: Vec<String> = erasure.hashes.iter().cloned().collect();
            store::remember(&mut tx, &hashes, erasure.at).await?;
        }
        tx.commit().await?;
    }
    let all: HashSet<String> = erasures.iter().flat_map(|erasure| erasure.hashes.iter().cloned()).collect();
    let (mut after, mut forgotten) = (0, 0);
    loop {
        let people = store::people_after(&mut &*db, after, SLICE as i64).await?;
        let Some(last) = people.last() else { return Ok(forgotten) };
        after = last.id;
        for person in people.iter().filter(|person| !person.erased) {
            let (external, email) = (person.external_id.as_deref(), person.email.as_deref());
            let has = |hashes: &HashSet<String>| {
                external.is_some_and(|id| hashes.contains(&key.external(id)))
                    || email.is_some_and(|email| hashes.contains(&key.address(email)))
            };
            if !has(&all) {
                continue;
            }
            let theirs = erasures.iter().rev().find(|erasure| {
                let named = is_one_of(&erasure.hashes, key, external, email);
                person.created_at <= erasure.at && (named || (erasure.customer == person.id && has(&erasure.hashes)))
            });
            if let Some(erasure) = theirs {
                let mut tx = db.begin().await?;
                customer::erase(&mut tx, person.id, key, ACTOR, erasure.at).await?;
                tx.commit().await?;
                forgotten += 1;
            }
        }
    }
}
