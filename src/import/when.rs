//! Dates and times as people, shops and Excel write them. A time without a zone is the site's.
//!
//! Year first is read whatever stands between. Where the year comes last, dots mean day first; slashes mean month first
//! for a site in American English, day first for other Western sites, and are refused where nobody can tell.

mod parts;

use crate::types::Timestamp;
use crate::types::locale::Locale;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, ToSpan};
use parts::{Long, Parts};

/// How this site reads dates.
#[derive(Clone, Debug)]
pub struct Dates {
    zone: TimeZone,
    slashes: Slashes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slashes {
    MonthFirst,
    DayFirst,
    Unknown,
}

const EXPECTED: &str = "a date such as `2026-03-03` or `2026-03-03 14:10`";

fn wrong(text: &str) -> String {
    format!("`{}` is not {EXPECTED}", text.trim().chars().take(40).collect::<String>())
}

impl Dates {
    /// Of a site in this zone, in this language.
    pub fn new(zone: TimeZone, locale: &Locale) -> Dates {
        let slashes = match (locale.as_str(), locale.language()) {
            ("en-US", _) => Slashes::MonthFirst,
            ("en", _) | (_, "ko" | "ja" | "zh") => Slashes::Unknown,
            _ => Slashes::DayFirst,
        };
        Dates { zone, slashes }
    }

    /// Reads a moment; a date alone is its first moment on the site's clock.
    ///
    /// # Errors
    /// What was found and what is expected.
    pub fn moment(&self, text: &str) -> Result<Timestamp, String> {
        let text = text.trim();
        if let Some(number) = number(text) {
            return self.numbered(text, number);
        }
        let parts = Parts::read(text).ok_or_else(|| wrong(text))?;
        let date = self.date_of(&parts, text)?;
        let time = parts.time(text)?;
        let civil = DateTime::from_parts(date, time);
        let at = match parts.offset {
            Some(seconds) => {
                let offset = Offset::from_seconds(seconds).map_err(|_| wrong(text))?;
                offset.to_timestamp(civil).map_err(|_| wrong(text))?
            }
            // a time that summer time skips or repeats is read as the calendar of most people does
            None => self.zone.to_ambiguous_timestamp(civil).compatible().map_err(|_| wrong(text))?,
        };
        Timestamp::from_millisecond(at.as_millisecond()).map_err(|_| wrong(text))
    }

    /// Reads a day; a time behind it is passed over.
    ///
    /// # Errors
    /// What was found and what is expected.
    pub fn day(&self, text: &str) -> Result<Date, String> {
        let text = text.trim();
        if let Some(n) = number(text) {
            return match n {
                Number::Compact(date, _) => Ok(date),
                Number::Excel(days) => excel(days).map(|at| at.date()).ok_or_else(|| wrong(text)),
                Number::Epoch(_) => Err(wrong(text)),
            };
        }
        let parts = Parts::read(text).ok_or_else(|| wrong(text))?;
        self.date_of(&parts, text)
    }

    fn numbered(&self, text: &str, number: Number) -> Result<Timestamp, String> {
        let civil = match number {
            Number::Compact(date, time) => date.to_datetime(time),
            Number::Excel(days) => excel(days).ok_or_else(|| wrong(text))?,
            Number::Epoch(millis) => return Timestamp::from_millisecond(millis).map_err(|_| wrong(text)),
        };
        self.zone.to_ambiguous_timestamp(civil).compatible().map_err(|_| wrong(text))
    }

    fn date_of(&self, parts: &Parts, text: &str) -> Result<Date, String> {
        let [a, b, c] = parts.date;
        let date = |y: u32, m: u32, d: u32| {
            let (y, m, d) = (i16::try_from(y).ok()?, i8::try_from(m).ok()?, i8::try_from(d).ok()?);
            Date::new(y, m, d).ok().filter(|date| (1000..=9999).contains(&date.year()))
        };
        let read = match (parts.long, parts.mark) {
            (Long::First, _) => date(a, b, c),
            (Long::Last, '.') => date(c, b, a),
            (Long::Last, _) => match self.slashes {
                Slashes::MonthFirst => date(c, a, b),
                Slashes::DayFirst => date(c, b, a),
                Slashes::Unknown => {
                    return Err(format!(
                        "`{}` does not tell day from month: write the year first, as in `2026-03-03`",
                        text.chars().take(40).collect::<String>()
                    ));
                }
            },
        };
        read.ok_or_else(|| wrong(text))
    }
}

enum Number {
    Compact(Date, Time),
    Excel(f64),
    Epoch(i64),
}

/// A bare number: `20260303`, `20260303141000`, seconds or milliseconds since 1970, or Excel's days since 1900.
fn number(text: &str) -> Option<Number> {
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') || text.bytes().filter(|b| *b == b'.').count() > 1 {
        return None;
    }
    match (text.len(), text.contains('.')) {
        (8, false) => Date::strptime("%Y%m%d", text).ok().map(|date| Number::Compact(date, Time::midnight())),
        (14, false) => {
            let (date, time) = (Date::strptime("%Y%m%d", &text[..8]).ok()?, Time::strptime("%H%M%S", &text[8..]).ok()?);
            Some(Number::Compact(date, time))
        }
        (10, false) => text.parse::<i64>().ok().map(|seconds| Number::Epoch(seconds * 1_000)),
        (13, false) => text.parse().ok().map(Number::Epoch),
        // 1954 to 2119
        _ => text.parse::<f64>().ok().filter(|days| (20_000.0..80_000.0).contains(days)).map(Number::Excel),
    }
}

fn excel(days: f64) -> Option<DateTime> {
    let start = Date::new(1899, 12, 30).ok()?.to_datetime(Time::midnight());
    let whole = start.checked_add((days.floor() as i64).days()).ok()?;
    let seconds = ((days - days.floor()) * 86_400.0).round() as i64;
    whole.checked_add(SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(locale: &str) -> Dates {
        Dates::new(TimeZone::get("Asia/Seoul").unwrap(), &locale.parse().unwrap())
    }

    #[test]
    fn the_same_moment_in_many_hands() {
        let expected: Timestamp = "2026-03-03T05:10:00Z".parse().unwrap();
        for text in [
            "2026-03-03T14:10:00+09:00",
            "2026-03-03T05:10:00Z",
            "2026-03-03T05:10:00.000Z",
            "2026-03-03 14:10:00",
            "2026-03-03 14:10",
            "2026. 3. 3. 오후 2:10",
            "2026. 3. 3. 오후 2:10:00",
            "2026.03.03 14:10",
            "2026/3/3 14:10",
            "2026/3/3 2:10 PM",
            "2026년 3월 3일 14시 10분",
            "2026년 3월 3일 오후 2시 10분",
            "2026-03-03 (화) 14:10",
            "2026년 3월 3일 화요일 14:10",
            "20260303141000",
            "46084.5902777778",
            "1772514600",
            "1772514600000",
            "2026-03-03 14:10 KST",
            "2026-03-03T14:10:00+09:00[Asia/Seoul]",
            " 2026-03-03 14:10 ",
        ] {
            assert_eq!(dates("ko").moment(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_date_alone_is_the_first_moment_of_the_day_there() {
        let expected: Timestamp = "2026-03-02T15:00:00Z".parse().unwrap();
        for text in ["2026-03-03", "2026. 3. 3.", "2026. 3. 3", "2026/03/03", "20260303", "46084", "2026년 3월 3일"]
        {
            assert_eq!(dates("ko").moment(text), Ok(expected), "{text}");
            assert_eq!(dates("ko").day(text).unwrap().to_string(), "2026-03-03", "{text}");
        }
        let noon: Timestamp = "2026-03-03T03:00:00Z".parse().unwrap();
        assert_eq!(dates("ko").moment("2026-03-03 오후 12:00"), Ok(noon));
        assert_eq!(dates("ko").moment("2026-03-03 12:00 AM"), Ok(expected));
    }

    #[test]
    fn day_and_month_are_never_guessed() {
        assert!(dates("ko").moment("3/4/2026").unwrap_err().contains("year first"));
        assert_eq!(dates("en-US").day("3/4/2026").unwrap().to_string(), "2026-03-04");
        assert_eq!(dates("de").day("3/4/2026").unwrap().to_string(), "2026-04-03");
        assert_eq!(dates("ko").day("3.4.2026").unwrap().to_string(), "2026-04-03");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "soon",
            "2026-13-01",
            "2026-02-30",
            "2026-03-03 25:00",
            "2026-03-03 오후 0:10",
            "26-03-03",
            "2026-03",
            "2026-03-03 14:10 Mars",
            "12",
            "2026-03-03T14:10+99:00",
            "٢٠٢٦-٠٣-٠٣",
            "99999999999999999999999999999",
            "2026-03-03 14:10:00.",
            "오후",
            "2026-03-03 (",
        ] {
            assert!(dates("ko").moment(text).is_err(), "{text}: {:?}", dates("ko").moment(text));
        }
    }

    #[test]
    fn a_time_that_summer_time_skips_is_still_a_time() {
        let dates = Dates::new(TimeZone::get("Europe/Berlin").unwrap(), &"de".parse().unwrap());
        assert_eq!(dates.moment("2026-03-29 02:30").unwrap().to_string(), "2026-03-29T01:30:00Z");
    }
}
