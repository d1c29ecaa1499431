//! A moment on the command line: RFC 3339, or a date on the site's calendar, whose zone is known only when the workspace
//! is open.

use crate::types::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::str::FromStr;

/// `2027-03-01T09:00:00Z`, `2027-03-01T09:00` or `2027-03-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The same everywhere.
    At(Timestamp),
    /// On the site's clock.
    Local(DateTime),
}

impl Moment {
    /// The moment, for a site in `zone`.
    pub fn at(self, zone: &TimeZone) -> anyhow::Result<Timestamp> {
        match self {
            Moment::At(at) => Ok(at),
            Moment::Local(local) => Ok(local.to_zoned(zone.clone())?.timestamp()),
        }
    }
}

impl FromStr for Moment {
    type Err = String;
    fn from_str(text: &str) -> Result<Moment, String> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Moment::At(at));
        }
        match text.parse::<DateTime>() {
            // an offset that was cut off is no local time
            Ok(local) if text.contains(':') || text.len() <= 10 => Ok(Moment::Local(local)),
            _ => Err("it is not a moment such as 2027-03-01 or 2027-03-01T09:00:00Z".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_one_of_the_sites_calendar() {
        let seoul = TimeZone::get("Asia/Seoul").unwrap();
        for (text, at) in [
            ("2027-03-01", "2027-02-28T15:00:00Z"),
            ("2027-03-01T09:00", "2027-03-01T00:00:00Z"),
            ("2027-03-01T09:00:00Z", "2027-03-01T09:00:00Z"),
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().at(&seoul).unwrap(), at.parse::<Timestamp>().unwrap(), "{text}");
        }
        for text in ["tomorrow", "", "03/01/2027", "2027-13-01", "9:00"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
