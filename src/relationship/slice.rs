//! One slice of the log, taken into the sums in memory: which customers it touches, which of their parts it moves by
//! O(1), and which have to be made anew. Reads in bulk and writes nothing; [`reader`](super::reader) does.

use super::attitude;
use super::constants::Model;
use super::engagement::{self, Mail, Seen};
use super::error::RelationshipError;
use super::rebuild::{self, Part};
use super::store;
use super::sums::{Input, Sums};
use crate::db::Db;
use crate::event::{Event, Kind};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a slice comes to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The new sums of each customer that it touches.
    pub sums: BTreeMap<i64, Sums>,
    /// The new credit of messages.
    pub credits: BTreeMap<i64, f64>,
}

/// Takes in `events`, which follow each other in the log after position `before`.
pub(super) async fn take(db: &Db, events: &[Event], before: i64, model: &Model) -> Result<Outcome, RelationshipError> {
    let Some(upto) = events.last().map(|event| event.id) else { return Ok(Outcome::default()) };
    let anew = to_make_anew(db, events).await?;
    let touched: BTreeSet<i64> = events
        .iter()
        .filter(|event| concerns_us(event))
        .filter_map(|event| event.customer)
        .chain(anew.iter().map(|(customer, _)| *customer))
        .collect();
    let touched: Vec<i64> = touched.into_iter().collect();
    let sums = store::load(&mut &*db, &touched).await?.into_iter().collect();
    let mut outcome = Outcome { sums, credits: BTreeMap::new() };
    let is_anew = |customer: i64, part: Part| anew.contains(&(customer, part));

    let plain = |part: Part| {
        let sums = &outcome.sums;
        let ours = move |event: &&Event| event.customer.is_some_and(|c| sums.contains_key(&c) && !is_anew(c, part));
        events.iter().filter(ours)
    };
    let mut inputs: Vec<(i64, Input)> = orders(db, plain(Part::Buying), model).await?;
    inputs.extend(opinions(plain(Part::Attitude)));
    let mails: Vec<&Event> = plain(Part::Engagement).collect();
    let (from_mail, credits) = mail(db, &mails, before).await?;
    inputs.extend(from_mail);
    outcome.credits = credits;
    for (customer, input) in inputs {
        if let Some(sums) = outcome.sums.get_mut(&customer) {
            sums.apply(&input, model);
        }
    }
    rebuild::parts(db, &anew, upto, model, &mut outcome).await?;
    Ok(outcome)
}

fn concerns_us(event: &Event) -> bool {
    match &event.kind {
        Kind::Visit | Kind::ServiceContact | Kind::Unsubscribe | Kind::Correction => false,
        Kind::Custom(name) => name == attitude::RESOLVED,
        _ => true,
    }
}

/// The parts that events of this slice make anew: those of which something earlier turned out otherwise.
async fn to_make_anew(db: &Db, events: &[Event]) -> Result<BTreeSet<(i64, Part)>, RelationshipError> {
    let mut anew: BTreeSet<(i64, Part)> = events
        .iter()
        .filter(|event| attitude::looks_back(event))
        .filter_map(|event| Some((event.customer?, Part::Attitude)))
        .collect();
    let corrections: HashMap<i64, Option<i64>> = events
        .iter()
        .filter(|event| event.kind == Kind::Correction)
        .filter_map(|event| Some((engagement::corrects(event)?, event.customer)))
        .collect();
    let ids: Vec<i64> = corrections.keys().copied().collect();
    for about in store::corrected(&mut &*db, &ids).await? {
        let parts: &[Part] = match Kind::of(&about.kind) {
            Kind::Order => &[Part::Buying, Part::Engagement],
            Kind::SurveyAnswer => &[Part::Engagement, Part::Attitude],
            Kind::Open | Kind::Click | Kind::Reply => &[Part::Engagement],
            Kind::Referral | Kind::Review | Kind::Complaint => &[Part::Attitude],
            Kind::Custom(name) if name == attitude::RESOLVED => &[Part::Attitude],
            _ => &[],
        };
        // an order may have been given to another customer: then both change
        let whom = [about.customer, corrections.get(&about.id).copied().flatten()];
        for customer in whom.into_iter().flatten() {
            anew.extend(parts.iter().map(|part| (customer, *part)));
        }
    }
    Ok(anew)
}

async fn orders<'e>(
    db: &Db,
    events: impl Iterator<Item = &'e Event>,
    model: &Model,
) -> Result<Vec<(i64, Input)>, RelationshipError> {
    let ids: Vec<i64> = events.filter(|event| event.kind == Kind::Order).map(|event| event.id).collect();
    let mut purchases = store::purchases(&mut &*db, &ids).await?;
    purchases.sort_by_key(|purchase| purchase.event_id);
    let days: Vec<(i64, i64, i64, i64)> = purchases
        .iter()
        .map(|purchase| {
            let (from, to) = model.day(purchase.at);
            (purchase.event_id, purchase.customer, from, to)
        })
        .collect();
    let mates: HashMap<i64, _> = store::day_mates(&mut &*db, &days).await?.into_iter().collect();
    let input = |purchase: &super::buying::Purchase| {
        let earlier = mates.get(&purchase.event_id).copied().unwrap_or_default();
        Some((purchase.customer, purchase.input(earlier, model)?))
    };
    Ok(purchases.iter().filter_map(input).collect())
}

fn opinions<'e>(events: impl Iterator<Item = &'e Event>) -> Vec<(i64, Input)> {
    events.filter_map(|event| Some((event.customer?, attitude::opinion(event)?.input()))).collect()
}

/// What mails do to the sums, and their new credits.
async fn mail(
    db: &Db,
    events: &[&Event],
    before: i64,
) -> Result<(Vec<(i64, Input)>, BTreeMap<i64, f64>), RelationshipError> {
    let found: Vec<(i64, Seen, &Event)> =
        events.iter().filter_map(|event| Some((event.customer?, engagement::seen(event, None)?, *event))).collect();
    let about: BTreeSet<(i64, i64)> = found.iter().filter_map(|(c, _, event)| Some((*c, event.message?))).collect();
    let about: Vec<(i64, i64)> = about.into_iter().collect();
    let ids: Vec<i64> = about.iter().map(|(_, message)| *message).collect();
    let mut mails: HashMap<i64, Mail> = HashMap::new();
    for (message, credit) in store::messages(&mut &*db, &ids).await? {
        mails.insert(message, Mail { credit, ..Mail::default() });
    }
    for (message, bounced, at) in store::deliveries(&mut &*db, &about, before).await? {
        let mail = mails.entry(message).or_default();
        mail.take(&if bounced { Seen::Bounced } else { Seen::Delivered }, at);
    }
    let (mut inputs, mut credits) = (Vec::new(), BTreeMap::new());
    for (customer, seen, event) in found {
        let at = event.at.as_millisecond();
        if matches!(seen, Seen::Earned { human: true, .. }) {
            inputs.push((customer, Input::Human { at }));
        }
        // a mail that is not known keeps no credit, so it could not be taken in twice alike
        let Some(mail) = event.message.and_then(|message| mails.get_mut(&message)) else { continue };
        let credit = mail.credit;
        inputs.extend(mail.take(&seen, at).map(|input| (customer, input)));
        if let Some(message) = event.message.filter(|_| mail.credit > credit) {
            credits.insert(message, mail.credit);
        }
    }
    Ok((inputs, credits))
}
