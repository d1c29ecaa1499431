//! A customer's part made anew from their own evidence: after corrections, and for `why`, which trusts no sums.

use super::buying::{self, Purchase};
use super::constants::Model;
use super::error::RelationshipError;
use super::slice::Outcome;
use super::store;
use super::sums::{Input, Sums};
use super::{attitude, engagement};
use crate::db::Db;
use crate::event::Event;
use std::collections::{BTreeMap, BTreeSet};

/// A part of the sums that is made anew by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Orders.
    Buying,
    /// Mails.
    Engagement,
    /// What was said.
    Attitude,
}

/// Counts orders anew.
pub(super) fn buying(sums: &mut Sums, purchases: &[Purchase], model: &Model) {
    sums.reset_buying();
    buying::inputs(purchases, model).iter().for_each(|input| sums.apply(input, model));
}

/// Counts mails anew, from the events of one customer in the order of the log; gives each mail's credit.
pub(super) fn engagement(sums: &mut Sums, events: &[Event], model: &Model) -> BTreeMap<i64, engagement::Mail> {
    sums.reset_engagement();
    let (mails, human_at) = engagement::mails(events);
    sums.last_human_at = human_at;
    for mail in mails.values().filter(|mail| !mail.bounced) {
        if let Some(at) = mail.delivered_at {
            sums.apply(&Input::Trial { at, credit: mail.credit }, model);
        }
    }
    mails
}

/// Counts opinions anew, from the events of one customer in the order of the log.
pub(super) fn attitude(sums: &mut Sums, events: &[Event], model: &Model) -> Vec<attitude::Opinion> {
    sums.reset_attitude();
    let opinions = attitude::opinions(events);
    opinions.iter().for_each(|opinion| sums.apply(&opinion.input(), model));
    opinions
}

/// Makes the parts in `anew` from the log up to `upto`.
pub(super) async fn parts(
    db: &Db,
    anew: &BTreeSet<(i64, Part)>,
    upto: i64,
    model: &Model,
    outcome: &mut Outcome,
) -> Result<(), RelationshipError> {
    let known = |part: Part| -> Vec<i64> {
        let of_part = anew.iter().filter(|(customer, p)| *p == part && outcome.sums.contains_key(customer));
        of_part.map(|(customer, _)| *customer).collect()
    };
    let (buyers, readers, speakers) = (known(Part::Buying), known(Part::Engagement), known(Part::Attitude));

    let mut orders = by_customer(store::purchases_of(&mut &*db, &buyers, upto).await?, |p| Some(p.customer));
    for customer in &buyers {
        if let Some(sums) = outcome.sums.get_mut(customer) {
            buying(sums, &orders.remove(customer).unwrap_or_default(), model);
        }
    }
    let mut events =
        by_customer(store::events_of(&mut &*db, &readers, engagement::KINDS, upto).await?, |event| event.customer);
    for customer in &readers {
        if let Some(sums) = outcome.sums.get_mut(customer) {
            let mails = engagement(sums, &events.remove(customer).unwrap_or_default(), model);
            outcome.credits.extend(mails.iter().map(|(message, mail)| (*message, mail.credit)));
        }
    }
    let mut events =
        by_customer(store::events_of(&mut &*db, &speakers, attitude::KINDS, upto).await?, |event| event.customer);
    for customer in &speakers {
        if let Some(sums) = outcome.sums.get_mut(customer) {
            attitude(sums, &events.remove(customer).unwrap_or_default(), model);
        }
    }
    Ok(())
}

fn by_customer<T>(rows: Vec<T>, customer: impl Fn(&T) -> Option<i64>) -> BTreeMap<i64, Vec<T>> {
    let mut found: BTreeMap<i64, Vec<T>> = BTreeMap::new();
    for row in rows {
        if let Some(customer) = customer(&row) {
            found.entry(customer).or_default().push(row);
        }
    }
    found
}
