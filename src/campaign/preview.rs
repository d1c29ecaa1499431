//! A mail to look at: the very bytes that would go to a customer, made from the files as they are.

use super::compose::{Composer, Made, Wanted};
use super::live::LiveStep;
use super::{CampaignError, Live, reader, store};
use crate::db::Db;
use crate::types::{Email, Timestamp};

/// The mail of a step of `live`, without `step` the first that sends one, for customer `customer`, addressed to `to`, or to
/// the customer's own address.
///
/// # Errors
/// When the customer has no address, or the mail cannot be made.
pub async fn preview(
    db: &Db,
    composer: &Composer,
    live: &Live,
    step: Option<&str>,
    customer: i64,
    to: Option<&Email>,
    now: Timestamp,
) -> Result<(Email, Made), CampaignError> {
    let people = store::readers(&mut &*db, &[customer]).await?;
    let person = people.into_iter().next().ok_or_else(|| CampaignError::State("there is no such customer".into()))?;
    let own = person.email.as_deref().and_then(|email| email.parse::<Email>().ok());
    let to = to.cloned().or(own).ok_or_else(|| CampaignError::State("this customer has no address".into()))?;
    let step = chosen(live, step)?;
    let rewards = composer.rewards(live, &[customer], now).await?.remove(&customer).unwrap_or_default();
    let event = composer.latest_events(live, &[customer]).await?.remove(&customer);
    let more = reader::example(live, step, event, rewards, now);
    let mut made = composer
        .make(Wanted { live, step, person: &person, more, to: &to }, 0, now)
        .map_err(|e| CampaignError::State(e.to_string()))?;
    composer.sign(live, &mut made.bytes, now).map_err(|e| CampaignError::State(e.to_string()))?;
    Ok((to, made))
}

fn chosen<'a>(live: &'a Live, step: Option<&str>) -> Result<&'a LiveStep, CampaignError> {
    let mails = || live.steps.iter().filter(|step| step.compiled.is_some());
    let found = match step {
        Some(id) => mails().find(|step| step.id == id),
        None => mails().next(),
    };
    found.ok_or_else(|| {
        let known: Vec<&str> = mails().map(|step| step.id.as_str()).collect();
        let asked = step.map_or_else(|| "no step".to_owned(), |id| format!("no step `{id}`"));
        CampaignError::State(format!(
            "`{}` has {asked} that sends a mail; those that do: {}",
            live.name,
            known.join(", ")
        ))
    })
}
