//! What a person does about consent by their own hand: says yes, follows the confirming link, withdraws.

use super::standing::State;
use super::store::consent::{NewConsent, evidence, hold, record_consents, state};
use crate::config::model::{Consent, Topic};
use crate::db::{DbError, Tx};
use crate::types::Timestamp;
use std::collections::HashMap;

/// Withdraws from `topics`; for "all", name all topics of the settings, those without a line too, because a purchase
/// may stand for consent. Idempotent.
///
/// # Errors
/// What the database says.
pub async fn withdraw(
    tx: &mut Tx,
    customer: i64,
    topics: &[&str],
    source: &str,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), DbError> {
    let standings: HashMap<String, State> =
        state(tx, customer).await?.into_iter().map(|standing| (standing.topic, standing.state)).collect();
    let line = |topic: &&str| NewConsent {
        customer,
        topic: (*topic).to_owned(),
        state: State::Withdrawn,
        basis: None,
        text: None,
        source: source.to_owned(),
        address: None,
        at,
        own_act: true,
        batch: None,
    };
    let open = topics.iter().filter(|topic| standings.get(**topic) != Some(&State::Withdrawn));
    let lines: Vec<NewConsent> = open.map(line).collect();
    record_consents(tx, &lines, now).await?;
    Ok(())
}

/// A person's own yes: granted at once, or pending where the topic wants it confirmed by a link; then the caller sends
/// that link. `new` says who, what, where and when; its state is set here. Gives where the person then stands.
///
/// # Errors
/// What the database says.
pub async fn request(tx: &mut Tx, topic: &Topic, new: NewConsent, now: Timestamp) -> Result<State, DbError> {
    let wanted = match topic.consent {
        Consent::DoubleOptIn => State::Pending,
        Consent::OptIn | Consent::SoftOptIn => State::Granted,
    };
    let (customer, name) = (new.customer, new.topic.clone());
    let line = NewConsent { state: wanted, own_act: true, ..new };
    record_consents(tx, &[line], now).await?;
    let standing = state(tx, customer).await?.into_iter().find(|standing| standing.topic == name);
    Ok(standing.map_or(wanted, |standing| standing.state))
}

/// What following the confirming link did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// Pending became granted.
    Granted,
    /// It was granted already.
    Already,
    /// Nothing was pending: never asked for, or withdrawn since.
    NotPending,
}

/// Takes the confirming link: what is pending becomes granted.
///
/// # Errors
/// What the database says.
pub async fn confirm(
    tx: &mut Tx,
    customer: i64,
    topic: &str,
    source: &str,
    now: Timestamp,
) -> Result<Confirmed, DbError> {
    hold(tx).await?;
    let standing = state(tx, customer).await?.into_iter().find(|standing| standing.topic == topic);
    let pending = match standing {
        Some(standing) if standing.state == State::Pending => standing,
        Some(standing) if standing.state == State::Granted => return Ok(Confirmed::Already),
        _ => return Ok(Confirmed::NotPending),
    };
    let (text, address) = evidence(tx, pending.consent).await?;
    let line = NewConsent {
        customer,
        topic: topic.to_owned(),
        state: State::Granted,
        basis: pending.basis,
        text,
        source: source.to_owned(),
        address,
        at: now,
        own_act: true,
        batch: None,
    };
    record_consents(tx, &[line], now).await?;
    Ok(Confirmed::Granted)
}
