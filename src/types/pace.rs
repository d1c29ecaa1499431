//! How much and when: rates, caps, quiet hours, shares.

use super::{Period, text::Written};
use jiff::civil::Time;
use std::fmt;
use std::str::FromStr;

fn shown(text: &str) -> String {
    text.trim().chars().take(40).collect()
}

/// The whole number, from 1 up, that `text` counts with; none when it has another form.
fn whole(count: &str, text: &str) -> Result<Option<u32>, String> {
    match count.trim().parse::<i128>() {
        Ok(n) => match u32::try_from(n) {
            Ok(n) if n > 0 => Ok(Some(n)),
            _ => Err(format!("`{}` is out of range: the number is 1 to {}", shown(text), u32::MAX)),
        },
        Err(_) => Ok(None),
    }
}

/// So many in a second, minute or hour: `200/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how many seconds: 1, 60, 3600.
    pub seconds: u32,
}

impl Rate {
    /// How many in a second.
    pub fn per_second(self) -> f64 {
        f64::from(self.count) / f64::from(self.seconds)
    }
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Rate, String> {
        let wrong = || format!("`{}` is not {}", shown(text), Self::EXPECTED);
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        let count = whole(&count.replace(['_', ','], ""), text)?.ok_or_else(wrong)?;
        let seconds = match unit.trim() {
            "s" | "sec" => 1,
            "m" | "min" => 60,
            "h" | "hour" => 3_600,
            _ => return Err(wrong()),
        };
        Ok(Rate { count, seconds })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.seconds {
            1 => "s",
            60 => "m",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

impl Written for Rate {
    const FORMAT: &'static str = "rate";
    const EXPECTED: &'static str = "a rate such as `200/s`, `600/m` or `5000/h`";
}
crate::written!(Rate);

/// At most so many mails to one person in a period: `3 per 7d`, or `off`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cap {
    /// No cap.
    Off,
    /// At most `count` in `period`.
    Per {
        /// How many.
        count: u32,
        /// In which time.
        period: Period,
    },
}

impl FromStr for Cap {
    type Err = String;
    fn from_str(text: &str) -> Result<Cap, String> {
        let wrong = || format!("`{}` is not {}", shown(text), Self::EXPECTED);
        if text.trim() == "off" {
            return Ok(Cap::Off);
        }
        let (count, period) = text.split_once(" per ").ok_or_else(wrong)?;
        let count = whole(count, text)?.ok_or_else(wrong)?;
        let period: Period = period.parse().map_err(|_| wrong())?;
        if period.as_millis() == 0 {
            return Err(format!("`{}` is out of range: the time is longer than nothing", shown(text)));
        }
        Ok(Cap::Per { count, period })
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cap::Off => f.write_str("off"),
            Cap::Per { count, period } => write!(f, "{count} per {period}"),
        }
    }
}

impl Written for Cap {
    const FORMAT: &'static str = "cap";
    const EXPECTED: &'static str = "a cap such as `3 per 7d`, or `off`";
}
crate::written!(Cap);

/// Whether somebody may come into a campaign again: `365d` after the last time, `always`, or `never`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Reenter {
    /// Once and never again.
    #[default]
    Never,
    /// Every time.
    Always,
    /// When so much time has passed since they last came in.
    After(Period),
}

impl FromStr for Reenter {
    type Err = String;
    fn from_str(text: &str) -> Result<Reenter, String> {
        let wrong = || format!("`{}` is not {}", shown(text), Self::EXPECTED);
        match text.trim() {
            "never" => Ok(Reenter::Never),
            "always" => Ok(Reenter::Always),
            period => {
                let period: Period = period.parse().map_err(|_| wrong())?;
                if period.as_millis() == 0 { Err(wrong()) } else { Ok(Reenter::After(period)) }
            }
        }
    }
}

impl fmt::Display for Reenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reenter::Never => f.write_str("never"),
            Reenter::Always => f.write_str("always"),
            Reenter::After(period) => write!(f, "{period}"),
        }
    }
}

impl Written for Reenter {
    const FORMAT: &'static str = "reenter";
    const EXPECTED: &'static str =
        "a time after which somebody may come in again such as `365d`, or `always`, or `never`";
}
crate::written!(Reenter);

/// Hours in which no marketing mail goes out, on the reader's own clock: `21:00-08:00`, or `off`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quiet {
    /// None.
    Off,
    /// From one time of day to another, over midnight when the first is later.
    Between(Time, Time),
}

impl Quiet {
    /// Whether `time` is quiet.
    pub fn contains(self, time: Time) -> bool {
        match self {
            Quiet::Off => false,
            Quiet::Between(from, to) if from <= to => from <= time && time < to,
            Quiet::Between(from, to) => from <= time || time < to,
        }
    }
}

impl FromStr for Quiet {
    type Err = String;
    fn from_str(text: &str) -> Result<Quiet, String> {
        let wrong = || format!("`{}` is not {}", shown(text), Self::EXPECTED);
        if text.trim() == "off" {
            return Ok(Quiet::Off);
        }
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let time = |t: &str| Time::strptime("%H:%M", t.trim()).map_err(|_| wrong());
        let (from, to) = (time(from)?, time(to)?);
        if from == to {
            return Err(format!("{}; these two are the same", wrong()));
        }
        Ok(Quiet::Between(from, to))
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quiet::Off => f.write_str("off"),
            Quiet::Between(from, to) => write!(f, "{}-{}", from.strftime("%H:%M"), to.strftime("%H:%M")),
        }
    }
}

impl Written for Quiet {
    const FORMAT: &'static str = "quiet";
    const EXPECTED: &'static str = "quiet hours such as `21:00-08:00`, or `off`";
}
crate::written!(Quiet);

/// A share: `10%`, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(f64);

impl Percent {
    /// As a fraction, 0..=1.
    pub fn fraction(self) -> f64 {
        self.0 / 100.0
    }
}

impl FromStr for Percent {
    type Err = String;
    fn from_str(text: &str) -> Result<Percent, String> {
        let number = text.trim().strip_suffix('%').and_then(|n| n.trim().parse::<f64>().ok());
        match number.filter(|n| n.is_finite()) {
            Some(n) if (0.0..=100.0).contains(&n) => Ok(Percent(n)),
            Some(_) => Err(format!("`{}` is out of range: a share is 0% to 100%", shown(text))),
            None => Err(format!("`{}` is not {}", shown(text), Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Written for Percent {
    const FORMAT: &'static str = "percent";
    const EXPECTED: &'static str = "a share such as `10%`";
}
crate::written!(Percent);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_in_the_files() {
        assert_eq!("200/s".parse::<Rate>().unwrap().to_string(), "200/s");
        assert_eq!("3 per 7d".parse::<Cap>().unwrap().to_string(), "3 per 1w");
        assert_eq!("21:00-08:00".parse::<Quiet>().unwrap().to_string(), "21:00-08:00");
        assert_eq!("10%".parse::<Percent>().unwrap().fraction(), 0.1);
        for (wrong, words) in
            [("0/s", "out of range"), ("200", "is not a rate"), ("200/d", "is not a rate"), ("-1/s", "out of range")]
        {
            let told = wrong.parse::<Rate>().unwrap_err();
            assert!(told.contains(words), "{told}");
        }
        assert!("101%".parse::<Percent>().unwrap_err().contains("out of range: a share is 0% to 100%"));
        assert!("0 per 7d".parse::<Cap>().unwrap_err().contains("out of range"));
        assert!("101%".parse::<Percent>().is_err() && "ten%".parse::<Percent>().is_err());
        assert!("0 per 7d".parse::<Cap>().is_err() && "3 per 0s".parse::<Cap>().is_err());
    }

    #[test]
    fn quiet_hours_go_over_midnight() {
        let quiet: Quiet = "21:00-08:00".parse().unwrap();
        let at = |h| Time::constant(h, 0, 0, 0);
        assert!(quiet.contains(at(21)) && quiet.contains(at(3)) && !quiet.contains(at(8)) && !quiet.contains(at(12)));
    }
}
