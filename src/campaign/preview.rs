//! A mail to look at: the very bytes that would go to a customer, made from the files as they are.

use super::compose::{Composer, Made};
use super::{CampaignError, Live, store};
use crate::db::Db;
use crate::types::{Email, Timestamp};

/// The mail of `live` for customer `customer`, addressed to `to`, or to the customer's own address.
///
/// # Errors
/// When the customer has no address, or the mail cannot be made.
pub async fn preview(
    db: &Db,
    composer: &Composer,
    live: &Live,
    customer: i64,
    to: Option<&Email>,
    now: Timestamp,
) -> Result<(Email, Made), CampaignError> {
    let people = store::readers(&mut &*db, &[customer]).await?;
    let person = people.into_iter().next().ok_or_else(|| CampaignError::State("there is no such customer".into()))?;
    let own = person.email.as_deref().and_then(|email| email.parse::<Email>().ok());
    let to = to.cloned().or(own).ok_or_else(|| CampaignError::State("this customer has no address".into()))?;
    let made = composer.make(live, &person, &to, 0, now).map_err(|e| CampaignError::State(e.to_string()))?;
    Ok((to, made))
}
