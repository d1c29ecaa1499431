//! Dates and times as people, shops and Excel write them. A time without a zone is the site's.
//!
//! Year first is read whatever stands between. Where the year comes last, dots mean day first; slashes mean month first
//! for a site in American English, day first for other Western sites, and are refused where nobody can tell.

use crate::types::Timestamp;
use crate::types::locale::Locale;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, ToSpan};

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
            return self.from_number(text, number);
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

    fn from_number(&self, text: &str, number: Number) -> Result<Timestamp, String> {
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Long {
    First,
    Last,
}

/// A text taken apart, nothing judged yet.
struct Parts {
    date: [u32; 3],
    long: Long,
    mark: char,
    clock: [u32; 3],
    millis: u32,
    /// 0 or 12, where 오전/오후 or AM/PM stands.
    half: Option<u32>,
    offset: Option<i32>,
}

impl Parts {
    fn read(text: &str) -> Option<Parts> {
        if text.len() > 60 {
            return None;
        }
        let mut rest = Rest(text);
        let (a, digits) = rest.digits()?;
        let mark = rest.between()?;
        let (b, _) = rest.digits()?;
        rest.between()?;
        let (c, last) = rest.digits()?;
        let long = match (digits, last) {
            (4, 1 | 2) => Long::First,
            (1 | 2, 4) => Long::Last,
            _ => return None,
        };
        let mut parts = Parts { date: [a, b, c], long, mark, clock: [0; 3], millis: 0, half: None, offset: None };
        // "2026. 3. 3." and "2026년 3월 3일" end with a mark; T or blanks or a day's name in brackets come before the time
        rest.skip(|c| matches!(c, '.' | '일' | '日') || c.is_whitespace());
        rest.weekday()?;
        rest.skip(|c| c == 'T' || c == 't' || c == ',' || c.is_whitespace());
        parts.half = rest.half();
        if rest.0.is_empty() {
            return parts.half.is_none().then_some(parts);
        }
        parts.read_clock(&mut rest)?;
        rest.skip(char::is_whitespace);
        parts.half = parts.half.or_else(|| rest.half());
        rest.skip(char::is_whitespace);
        parts.offset = rest.offset()?;
        rest.0.trim().is_empty().then_some(parts)
    }

    fn read_clock(&mut self, rest: &mut Rest<'_>) -> Option<()> {
        let (hour, digits) = rest.digits()?;
        (digits <= 2).then_some(())?;
        self.clock[0] = hour;
        for place in 1..3 {
            let before = rest.0;
            rest.skip(|c| matches!(c, ':' | '시' | '분' | '時') || c.is_whitespace());
            if before.len() == rest.0.len() || !rest.0.starts_with(|c: char| c.is_ascii_digit()) {
                // nothing more of the clock: what was skipped may stand before an offset or AM
                break;
            }
            let (n, digits) = rest.digits()?;
            (digits <= 2).then_some(())?;
            self.clock[place] = n;
        }
        if let Some(fraction) = rest.0.strip_prefix(['.', ',']) {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            let digits = &fraction[..end];
            (!digits.is_empty() && digits.len() <= 9).then_some(())?;
            self.millis = format!("{digits:0<3}")[..3].parse().ok()?;
            rest.0 = &fraction[end..];
        }
        rest.skip(|c| c == '초');
        Some(())
    }

    fn time(&self, text: &str) -> Result<Time, String> {
        let [hour, minute, second] = self.clock;
        let hour = match self.half {
            None => hour,
            Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
            // 오후 14:10 says the same twice
            Some(12) if (13..24).contains(&hour) => hour,
            Some(_) => return Err(wrong(text)),
        };
        let small = |n: u32| i8::try_from(n).map_err(|_| wrong(text));
        let nanos = i32::try_from(self.millis * 1_000_000).map_err(|_| wrong(text))?;
        // a leap second is the second before it
        let second = if second == 60 { 59 } else { second };
        Time::new(small(hour)?, small(minute)?, small(second)?, nanos).map_err(|_| wrong(text))
    }
}

struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn skip(&mut self, what: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(what);
    }

    fn digits(&mut self) -> Option<(u32, usize)> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        if end == 0 || end > 4 {
            return None;
        }
        let n = self.0[..end].parse().ok()?;
        self.0 = &self.0[end..];
        Some((n, end))
    }

    /// What stands between the parts of a date.
    fn between(&mut self) -> Option<char> {
        let mark = self.0.chars().find(|c| !c.is_whitespace())?;
        self.skip(char::is_whitespace);
        if !matches!(mark, '-' | '/' | '.' | '년' | '월' | '年' | '月') {
            return None;
        }
        self.0 = &self.0[mark.len_utf8()..];
        self.skip(char::is_whitespace);
        Some(mark)
    }

    /// `(화)` or `화요일`, passed over; `None` when a bracket does not close.
    fn weekday(&mut self) -> Option<()> {
        if let Some(inside) = self.0.strip_prefix('(') {
            self.0 = &inside[inside.find(')')? + 1..];
        } else if let Some(at) = self.0.find("요일").filter(|at| *at <= 3) {
            self.0 = &self.0[at + "요일".len()..];
        }
        Some(())
    }

    fn half(&mut self) -> Option<u32> {
        for (word, half) in [("오전", 0), ("오후", 12), ("AM", 0), ("PM", 12), ("a.m.", 0), ("p.m.", 12)] {
            if self.0.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) {
                self.0 = self.0[word.len()..].trim_start();
                return Some(half);
            }
        }
        None
    }

    /// `Z`, `+09:00`, `+0900`, `UTC`, `GMT`, `KST`; outer `None` when it is none of these.
    fn offset(&mut self) -> Option<Option<i32>> {
        let text = std::mem::take(&mut self.0).trim();
        // RFC 9557's zone in brackets repeats the offset
        let text = text.split('[').next().unwrap_or_default();
        match text {
            "" => return Some(None),
            "Z" | "z" | "UTC" | "GMT" => return Some(Some(0)),
            "KST" => return Some(Some(9 * 3600)),
            _ => {}
        }
        let sign = match text.chars().next()? {
            '+' => 1,
            '-' | '−' => -1,
            _ => return None,
        };
        let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
        if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 2 | 4) {
            return None;
        }
        let hours: i32 = digits[..2].parse().ok()?;
        let minutes: i32 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
        (hours <= 18 && minutes < 60).then_some(Some(sign * (hours * 3600 + minutes * 60)))
    }
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
