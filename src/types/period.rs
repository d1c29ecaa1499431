//! Periods as people write them: `90d`, `6h`, `39w`, `24mo`.

use super::text::Written;
use jiff::{SignedDuration, Span, Timestamp, ToSpan, tz::TimeZone};
use std::fmt;
use std::str::FromStr;

/// A length of time. Months and years keep their meaning on the calendar.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    months: i32,
    millis: i64,
}

const DAY: i64 = 86_400_000;
/// A mean Gregorian month, for estimates.
const MONTH: i64 = 2_629_746_000;

impl Period {
    /// So many days of 24 hours.
    pub const fn days(n: i64) -> Period {
        Period { months: 0, millis: n * DAY }
    }
    /// So many milliseconds.
    pub const fn millis(n: i64) -> Period {
        Period { months: 0, millis: n }
    }
    /// Its length in milliseconds, a month taken as the mean one.
    pub fn as_millis(self) -> i64 {
        i64::from(self.months) * MONTH + self.millis
    }
    /// Its length in days.
    pub fn as_days(self) -> f64 {
        self.as_millis() as f64 / DAY as f64
    }
    /// Its length in weeks.
    pub fn as_weeks(self) -> f64 {
        self.as_days() / 7.0
    }
    /// The moment this long after `at`: on the calendar of `tz` as to months, by the clock as to the rest.
    pub fn after(self, at: Timestamp, tz: &TimeZone) -> Timestamp {
        self.moved(at, tz, 1)
    }
    /// The moment this long before `at`.
    pub fn before(self, at: Timestamp, tz: &TimeZone) -> Timestamp {
        self.moved(at, tz, -1)
    }

    fn moved(self, at: Timestamp, tz: &TimeZone, sign: i32) -> Timestamp {
        let calendar: Span = (self.months * sign).months();
        let moved = at.to_zoned(tz.clone()).saturating_add(calendar).timestamp();
        moved.checked_add(SignedDuration::from_millis(self.millis * i64::from(sign))).unwrap_or(if sign > 0 {
            Timestamp::MAX
        } else {
            Timestamp::MIN
        })
    }
}

impl PartialEq for Period {
    fn eq(&self, other: &Period) -> bool {
        (self.months, self.millis) == (other.months, other.millis)
    }
}

impl FromStr for Period {
    type Err = String;
    fn from_str(text: &str) -> Result<Period, String> {
        let wrong = || format!("`{}` is not {}", text.trim().chars().take(40).collect::<String>(), Self::EXPECTED);
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let mut rest = compact.as_str();
        let mut period = Period { months: 0, millis: 0 };
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let unit_at = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let n: i64 = rest[..unit_at].parse().map_err(|_| wrong())?;
            rest = &rest[unit_at..];
            let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let (unit, next) = rest.split_at(end);
            rest = next;
            let millis = match unit {
                "ms" => 1,
                "s" | "sec" => 1_000,
                "m" | "min" => 60_000,
                "h" | "hour" | "hours" => 3_600_000,
                "d" | "day" | "days" => DAY,
                "w" | "week" | "weeks" => 7 * DAY,
                "mo" | "month" | "months" | "y" | "year" | "years" => {
                    let months = n * if unit.starts_with('y') { 12 } else { 1 };
                    period.months += i32::try_from(months).ok().filter(|m| *m <= 12_000).ok_or_else(wrong)?;
                    continue;
                }
                _ => return Err(wrong()),
            };
            // a thousand years are enough, and overflow nothing
            let millis = n.checked_mul(millis).filter(|m| *m <= 365_250 * DAY).ok_or_else(wrong)?;
            period.millis += millis;
        }
        Ok(period)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.months != 0 {
            write!(f, "{}mo", self.months)?;
        }
        let units = [("w", 7 * DAY), ("d", DAY), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
        match units.into_iter().find(|(_, size)| self.millis % size == 0) {
            Some((unit, size)) if self.millis != 0 => write!(f, "{}{unit}", self.millis / size),
            _ if self.months == 0 => f.write_str("0s"),
            _ => Ok(()),
        }
    }
}

impl Written for Period {
    const FORMAT: &'static str = "period";
    const EXPECTED: &'static str = "a period such as `90d`, `6h`, `39w` or `24mo`";
}
crate::written!(Period);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read() {
        for text in ["90d", "6h", "39w", "24mo", "15m", "30s", "0s", "1mo3d"] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
        }
        for text in ["", "7", "d", "7x", "-1d", "99999999999999999999d", "1000000000000y"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn months_are_the_calendars() {
        let seoul = TimeZone::get("Asia/Seoul").unwrap();
        let at: Timestamp = "2027-01-31T00:00:00Z".parse().unwrap();
        let later = "1mo".parse::<Period>().unwrap().after(at, &seoul);
        assert_eq!(later.to_string(), "2027-02-28T00:00:00Z");
    }
}
