//! An audience that leaps: it is suddenly ten times as large as that of the last mail on its topic. Somebody wrote the
//! wrong segment, or an import went wrong. [`plan`](super::plan) says so beforehand, and [`enrol`](super::enrol) asks
//! before anybody is taken in. A trigger has no audience as a whole, so nothing of it leaps.

use super::{CampaignError, Live, store};
use crate::config::model::Settings;
use crate::db::Db;
use crate::types::Timestamp;
use crate::types::number::grouped;
use serde::Serialize;
use std::fmt;

/// So many times what went before is a leap.
const TIMES: i64 = 10;
/// Fewer people than this are below notice.
const NOTICE: i64 = 500;

/// A leap, with the numbers that somebody has to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leap {
    /// How many may get the mail: in the segment, not excluded, and with permission; who is held out is among them.
    pub people: i64,
    /// How many it was with the last mail on the topic.
    pub last: i64,
    /// How many somebody agreed to when it was launched, where those were more.
    pub agreed: Option<i64>,
}

impl Leap {
    /// Whether `people` is a leap after `last`, or after what somebody has `agreed` to if that is more.
    pub fn of(people: i64, last: i64, agreed: Option<i64>) -> Option<Leap> {
        let agreed = agreed.filter(|agreed| *agreed > last);
        let leap = Leap { people, last, agreed };
        let leaps = leap.before() > 0 && people >= NOTICE && people / TIMES >= leap.before();
        leaps.then_some(leap)
    }

    fn before(&self) -> i64 {
        self.agreed.unwrap_or(self.last)
    }
}

impl fmt::Display for Leap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.before();
        let whose = if self.agreed.is_some() { "that its launch agreed to" } else { "of the last mail on this topic" };
        let (people, times) = (grouped(self.people), grouped(self.people / before.max(1)));
        write!(f, "{people} people, {times} times the {} {whose}", grouped(before))
    }
}

/// The leap of a launched campaign's audience, if it is one. People are counted, which takes a while, only where there
/// can be so many.
///
/// # Errors
/// What the database says; when a segment is gone or too large.
pub async fn found(
    db: &Db,
    settings: &Settings,
    live: &Live,
    (campaign, agreed): (i64, Option<i64>),
    now: Timestamp,
) -> Result<Option<Leap>, CampaignError> {
    let mut reader = db;
    let topic = &live.campaign.topic;
    let Some(last) = store::last_audience(&mut reader, topic, campaign).await? else { return Ok(None) };
    // nobody has an id above the last one's: there are at most so many people
    let most = store::last_customer(&mut reader).await?;
    if Leap::of(most, last, agreed).is_none() {
        return Ok(None);
    }
    let (audience, rule) = (live.audience(&reader, settings, now)?, live.rule(settings, now)?);
    let people = store::eligible(&mut reader, &audience, &rule).await?;
    Ok(Leap::of(people, last, agreed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_times_the_last_is_a_leap_from_five_hundred_people_on() {
        assert!(Leap::of(600, 60, None).is_some());
        assert!(Leap::of(599, 60, None).is_none());
        assert!(Leap::of(500, 50, None).is_some());
        assert!(Leap::of(499, 1, None).is_none(), "small lists are below notice");
        assert!(Leap::of(10_000, 0, None).is_none(), "an empty one is nothing to compare with");
        assert!(Leap::of(i64::MAX, i64::MAX / 2, None).is_none());
    }

    #[test]
    fn what_somebody_agreed_to_stands_until_it_is_ten_times_that() {
        assert!(Leap::of(12_000, 400, Some(12_000)).is_none());
        assert!(Leap::of(119_999, 400, Some(12_000)).is_none());
        let again = Leap::of(120_000, 400, Some(12_000)).unwrap();
        assert_eq!(again.to_string(), "120,000 people, 10 times the 12,000 that its launch agreed to");
        // meanwhile a larger one has gone out
        assert!(Leap::of(120_000, 20_000, Some(12_000)).is_none());
    }

    #[test]
    fn it_is_told_with_both_numbers() {
        let told = Leap::of(12_399, 400, None).unwrap().to_string();
        assert_eq!(told, "12,399 people, 30 times the 400 of the last mail on this topic");
    }
}
