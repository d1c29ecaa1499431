//! When a campaign that is sent once goes out: for the campaign as a whole, and for each reader.

use crate::config::model::{At, Schedule};
use crate::types::{Period, Timestamp};
use jiff::tz::{Offset, TimeZone};

/// When enrolment begins: at launch, at the moment, or when the day's first reader's clock shows the time (UTC+14).
pub fn begins(at: At, launched: Timestamp) -> Timestamp {
    let scheduled = match at {
        At::Now => launched,
        At::Moment(moment) => moment,
        At::Local(local) => first(local).unwrap_or(launched),
    };
    scheduled.max(launched)
}

/// When it falls due for a reader of `zone`.
pub fn due(at: At, begins: Timestamp, zone: &TimeZone) -> Timestamp {
    match at {
        At::Now | At::Moment(_) => begins,
        // a time that a clock set forward skips is the moment after it
        At::Local(local) => zone.to_timestamp(local).unwrap_or(begins),
    }
}

/// Why a schedule cannot be launched any more, if so: its last reader's time passed longer ago than `stale`.
pub fn too_late(schedule: &Schedule, now: Timestamp) -> Option<String> {
    let last = match schedule.at {
        At::Now => return None,
        At::Moment(moment) => moment,
        At::Local(local) => TimeZone::fixed(Offset::constant(-12)).to_timestamp(local).ok()?,
    };
    (stale(last, schedule.stale, now))
        .then(|| format!("its time, {last}, has passed: give [schedule] at a time to come, or \"now\""))
}

/// Whether something due at `due` was found too late.
pub fn stale(due: Timestamp, limit: Period, now: Timestamp) -> bool {
    now > limit.after(due, &TimeZone::UTC)
}

fn first(local: jiff::civil::DateTime) -> Option<Timestamp> {
    TimeZone::fixed(Offset::constant(14)).to_timestamp(local).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_is_each_readers_own() {
        let at = At::parse("2027-03-03T09:30:00").unwrap();
        let launched: Timestamp = "2027-03-01T00:00:00Z".parse().unwrap();
        let begins = begins(at, launched);
        assert_eq!(begins.to_string(), "2027-03-02T19:30:00Z");
        let due = |zone: &str| due(at, begins, &TimeZone::get(zone).unwrap()).to_string();
        assert_eq!(due("Asia/Seoul"), "2027-03-03T00:30:00Z");
        assert_eq!(due("America/New_York"), "2027-03-03T14:30:00Z");
        // in New York the clock jumps from 2 to 3 on 14 March
        let skipped = At::parse("2027-03-14T02:30:00").unwrap();
        let new_york = TimeZone::get("America/New_York").unwrap();
        assert_eq!(super::due(skipped, launched, &new_york).to_string(), "2027-03-14T07:30:00Z");
    }

    #[test]
    fn a_time_that_has_passed_is_not_launched() {
        let schedule = |at| Schedule { at: At::parse(at).unwrap(), stale: "6h".parse().unwrap() };
        let now: Timestamp = "2027-03-03T12:00:00Z".parse().unwrap();
        assert!(too_late(&schedule("2027-03-03T05:59:00Z"), now).is_some());
        assert!(too_late(&schedule("2027-03-03T06:01:00Z"), now).is_none());
        assert!(too_late(&schedule("2027-03-03T09:30:00"), now).is_none(), "some reader's 9:30 is still to come");
        assert!(too_late(&schedule("2027-03-02T09:30:00"), now).is_some());
        assert!(too_late(&schedule("now"), now).is_none());
    }
}
