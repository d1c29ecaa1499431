//! What becomes of a grant when its mail's fate is known. Delivery calls this in the transaction that writes the mail's
//! state; where nothing hangs on the mails it is one look into an index.

use super::book::Book;
use super::error::RewardError;
use super::lot::Lot;
use super::store;
use crate::db::Tx;
use crate::types::Timestamp;
use std::collections::{BTreeSet, HashSet};

/// What was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Grants that became usable.
    pub activated: u64,
    /// Grants that were taken back.
    pub reversed: u64,
}

/// Hangs grants on mails that were not there yet when they were made: pairs of lot and message. A grant that hangs on a
/// mail already stays there.
///
/// # Errors
/// What the database says.
pub async fn attach(tx: &mut Tx, pairs: &[(i64, i64)]) -> Result<u64, RewardError> {
    Ok(store::attach(tx, pairs).await?)
}

/// Makes usable what hangs on mails that were accepted, and takes back what hangs on mails that were skipped, refused or
/// bounced, as far as nobody has used it: the budget gets it back, and the pool its code. May be called again.
///
/// # Errors
/// What the database says.
pub async fn settle(tx: &mut Tx, accepted: &[i64], fallen: &[i64], now: Timestamp) -> Result<Settled, RewardError> {
    let messages: Vec<i64> = accepted.iter().chain(fallen).copied().collect();
    let found = store::lots_of_messages(tx, &messages).await?;
    let fallen: HashSet<i64> = fallen.iter().copied().collect();
    let moves = |lot: &&Lot| {
        let a = &lot.amounts;
        a.pending > 0 || (lot.message.is_some_and(|message| fallen.contains(&message)) && a.active > 0)
    };
    let found: Vec<Lot> = found.into_iter().filter(|lot| moves(&lot)).collect();
    if found.is_empty() {
        return Ok(Settled::default());
    }
    let accounts: BTreeSet<_> = found.iter().map(|lot| (lot.customer, lot.reward.clone())).collect();
    let mut book = Book::load(tx, &accounts).await?;
    let mut settled = Settled::default();
    let mut freed = Vec::new();
    for Lot { id, message, .. } in found {
        if message.is_some_and(|message| fallen.contains(&message)) {
            settled.reversed += u64::from(book.write(id, Lot::reverse_unused));
            freed.extend(
                book.lots
                    .get_mut(&id)
                    .filter(|lot| lot.amounts.standing() == 0)
                    .and_then(|lot| lot.coupon.take().map(|_| id)),
            );
        } else {
            settled.activated += u64::from(book.write(id, Lot::activate));
        }
    }
    book.save(tx, now).await?;
    store::free_again(tx, &freed).await?;
    Ok(settled)
}
