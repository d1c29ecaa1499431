//! Dates as people write them: 3월 3일(화) 오전 9:30; Tue, March 3, 9:30 AM.

use crate::types::locale::{Locale, Zone};
use jiff::civil::{Date, DateTime, Weekday};
use jiff::{Timestamp, Zoned};
use serde_json::Value as Json;

/// A moment, or only a day.
enum When {
    Moment(Zoned),
    Day(Date),
}

fn read(value: &Json, zone: &Zone) -> Result<When, String> {
    let wrong = || format!("{value} is not a date such as 2027-03-03 or 2027-03-03T09:30:00Z");
    if let Some(millis) = value.as_i64() {
        let at = Timestamp::from_millisecond(millis).map_err(|_| wrong())?;
        return Ok(When::Moment(at.to_zoned(zone.tz().clone())));
    }
    let text = value.as_str().ok_or_else(wrong)?.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(When::Moment(at.to_zoned(zone.tz().clone())));
    }
    if !text.contains(':') {
        return text.parse().map(When::Day).map_err(|_| wrong());
    }
    let civil: DateTime = text.parse().map_err(|_| wrong())?;
    civil.to_zoned(zone.tz().clone()).map(When::Moment).map_err(|_| wrong())
}

/// `value` for a reader of `language` in `zone`. Formats: none (day and, when there is one, time), `short`, `long`,
/// `date`, `time`, `month`, `year`, or `%Y-%m-%d` and its like.
///
/// # Errors
/// What is no date, or no format.
pub(crate) fn format(value: &Json, how: Option<&str>, language: &Locale, zone: &Zone) -> Result<String, String> {
    let when = read(value, zone)?;
    let (date, time) = match &when {
        When::Moment(zoned) => (zoned.date(), Some(zoned.time())),
        When::Day(date) => (*date, None),
    };
    let korean = language.language() == "ko";
    let (year, month, day) = (date.year(), date.month(), date.day());
    let weekday = weekday(date.weekday(), korean);
    let day_text = || match korean {
        true => format!("{month}월 {day}일({})", weekday.0),
        false => format!("{}, {} {day}", weekday.0, month_name(month)),
    };
    let clock = |time: jiff::civil::Time| {
        let (hour, minute) = (time.hour(), time.minute());
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        match (korean, hour < 12) {
            (true, true) => format!("오전 {twelve}:{minute:02}"),
            (true, false) => format!("오후 {twelve}:{minute:02}"),
            (false, true) => format!("{twelve}:{minute:02} AM"),
            (false, false) => format!("{twelve}:{minute:02} PM"),
        }
    };
    Ok(match how {
        None => match time {
            Some(time) if korean => format!("{} {}", day_text(), clock(time)),
            Some(time) => format!("{}, {}", day_text(), clock(time)),
            None => day_text(),
        },
        Some("date") => day_text(),
        Some("time") => clock(time.ok_or_else(|| format!("{value} is a day and has no time"))?),
        Some("short") if korean => format!("{year}. {month}. {day}."),
        Some("short") => format!("{} {day}, {year}", &month_name(month)[..3]),
        Some("long") if korean => format!("{year}년 {month}월 {day}일 {}", weekday.1),
        Some("long") => format!("{}, {} {day}, {year}", weekday.1, month_name(month)),
        Some("month") if korean => format!("{month}월"),
        Some("month") => month_name(month).to_owned(),
        Some("year") if korean => format!("{year}년"),
        Some("year") => year.to_string(),
        Some(pattern) if pattern.contains('%') => {
            let made = match &when {
                When::Moment(zoned) => jiff::fmt::strtime::format(pattern, zoned),
                When::Day(date) => jiff::fmt::strtime::format(pattern, *date),
            };
            made.map_err(|e| format!("`{pattern}` is not a format of dates: {e}"))?
        }
        Some(other) => {
            return Err(format!(
                "`{other}` is not a format of dates: short, long, date, time, month, year, or one with % such as %Y-%m-%d"
            ));
        }
    })
}

fn weekday(day: Weekday, korean: bool) -> (&'static str, &'static str) {
    const KOREAN: [(&str, &str); 7] = [
        ("월", "월요일"),
        ("화", "화요일"),
        ("수", "수요일"),
        ("목", "목요일"),
        ("금", "금요일"),
        ("토", "토요일"),
        ("일", "일요일"),
    ];
    const ENGLISH: [(&str, &str); 7] = [
        ("Mon", "Monday"),
        ("Tue", "Tuesday"),
        ("Wed", "Wednesday"),
        ("Thu", "Thursday"),
        ("Fri", "Friday"),
        ("Sat", "Saturday"),
        ("Sun", "Sunday"),
    ];
    let index = usize::from(day.to_monday_zero_offset().unsigned_abs());
    if korean { KOREAN[index] } else { ENGLISH[index] }
}

fn month_name(month: i8) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    NAMES[usize::from(month.unsigned_abs()).clamp(1, 12) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn on_the_readers_clock_in_the_readers_language() {
        let (seoul, new_york): (Zone, Zone) = ("Asia/Seoul".parse().unwrap(), "America/New_York".parse().unwrap());
        let (ko, en): (Locale, Locale) = ("ko".parse().unwrap(), "en-US".parse().unwrap());
        let at = json!("2026-03-03T00:30:00Z");
        let show = |how: Option<&str>, l: &Locale, z: &Zone| format(&at, how, l, z).unwrap();
        assert_eq!(show(None, &ko, &seoul), "3월 3일(화) 오전 9:30");
        assert_eq!(show(None, &en, &seoul), "Tue, March 3, 9:30 AM");
        assert_eq!(show(None, &en, &new_york), "Mon, March 2, 7:30 PM");
        assert_eq!(show(Some("short"), &ko, &seoul), "2026. 3. 3.");
        assert_eq!(show(Some("short"), &en, &seoul), "Mar 3, 2026");
        assert_eq!(show(Some("long"), &ko, &seoul), "2026년 3월 3일 화요일");
        assert_eq!(show(Some("time"), &ko, &new_york), "오후 7:30");
        assert_eq!(show(Some("%Y-%m-%d"), &ko, &seoul), "2026-03-03");
        assert_eq!(format(&json!("1990-12-31"), None, &ko, &seoul).unwrap(), "12월 31일(월)");
        assert_eq!(format(&json!("2026-03-03T00:05"), Some("time"), &en, &seoul).unwrap(), "12:05 AM");
        assert_eq!(format(&json!(0), Some("short"), &en, &seoul).unwrap(), "Jan 1, 1970");
    }

    #[test]
    fn what_is_no_date_is_an_error() {
        let (zone, ko): (Zone, Locale) = ("Asia/Seoul".parse().unwrap(), "ko".parse().unwrap());
        assert!(format(&json!("soon"), None, &ko, &zone).is_err());
        assert!(format(&json!("1990-12-31"), Some("time"), &ko, &zone).is_err());
        assert!(format(&json!("1990-12-31"), Some("fancy"), &ko, &zone).unwrap_err().contains("short, long"));
        assert!(format(&json!("1990-12-31"), Some("%!"), &ko, &zone).is_err());
    }
}
