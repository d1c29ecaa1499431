//! How the worth and the bounds of a reward are written: `3000000 KRW per month`, `30% of margin`, `5000 KRW` or `10%`.

use super::Money;
use super::pace::Percent;
use super::text::Written;
use std::fmt;
use std::str::FromStr;

fn shown(text: &str) -> String {
    text.trim().chars().take(40).collect()
}

/// A stretch of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calendar {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday, as ISO 8601 numbers them.
    Week,
    /// A month.
    Month,
    /// Three months.
    Quarter,
    /// A year.
    Year,
}

const CALENDAR: [(&str, Calendar); 5] = [
    ("day", Calendar::Day),
    ("week", Calendar::Week),
    ("month", Calendar::Month),
    ("quarter", Calendar::Quarter),
    ("year", Calendar::Year),
];

impl Calendar {
    /// Its word.
    pub fn name(self) -> &'static str {
        CALENDAR.iter().find(|(_, c)| *c == self).map_or("", |(name, _)| name)
    }

    /// The name of the stretch that `day` lies in: `2027-03-01`, `2027-W09`, `2027-03`, `2027-Q1`, `2027`.
    pub fn of(self, day: jiff::civil::Date) -> String {
        let year = day.year();
        match self {
            Calendar::Day => day.to_string(),
            Calendar::Week => {
                let week = day.iso_week_date();
                format!("{}-W{:02}", week.year(), week.week())
            }
            Calendar::Month => format!("{year}-{:02}", day.month()),
            Calendar::Quarter => format!("{year}-Q{}", (day.month() - 1) / 3 + 1),
            Calendar::Year => year.to_string(),
        }
    }
}

/// What a reward may cost: in all, or in each stretch of the site's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How much.
    pub amount: Money,
    /// In which stretch; none: in all.
    pub per: Option<Calendar>,
}

impl FromStr for Budget {
    type Err = String;
    fn from_str(text: &str) -> Result<Budget, String> {
        let wrong = || format!("`{}` is not {}", shown(text), Self::EXPECTED);
        let (amount, per) = match text.split_once(" per ") {
            None => (text, None),
            Some((amount, word)) => {
                let found = CALENDAR.iter().find(|(name, _)| *name == word.trim());
                (amount, Some(found.ok_or_else(wrong)?.1))
            }
        };
        Ok(Budget { amount: amount.parse().map_err(|_| wrong())?, per })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.amount)?;
        self.per.map_or(Ok(()), |per| write!(f, " per {}", per.name()))
    }
}

impl Written for Budget {
    const FORMAT: &'static str = "budget";
    const EXPECTED: &'static str = "a budget such as `3000000 KRW per month` (or day, week, quarter, year), or an amount in all such as `500000 KRW`";
}
crate::written!(Budget);

/// A share of what a customer's orders bring: `30% of margin`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceiling(pub Percent);

impl FromStr for Ceiling {
    type Err = String;
    fn from_str(text: &str) -> Result<Ceiling, String> {
        let wrong = || format!("`{}` is not {}", shown(text), Self::EXPECTED);
        let share = text.trim().strip_suffix("of margin").ok_or_else(wrong)?;
        Ok(Ceiling(share.parse().map_err(|_| wrong())?))
    }
}

impl fmt::Display for Ceiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of margin", self.0)
    }
}

impl Written for Ceiling {
    const FORMAT: &'static str = "ceiling";
    const EXPECTED: &'static str = "a share of the customer's margin such as `30% of margin`";
}
crate::written!(Ceiling);

/// What a coupon is worth to its reader: an amount, or a share of what they buy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Worth {
    /// So much off.
    Amount(Money),
    /// Such a share off.
    Share(Percent),
}

impl FromStr for Worth {
    type Err = String;
    fn from_str(text: &str) -> Result<Worth, String> {
        let wrong = |_| format!("`{}` is not {}", shown(text), Self::EXPECTED);
        if text.trim().ends_with('%') {
            return Ok(Worth::Share(text.parse().map_err(wrong)?));
        }
        Ok(Worth::Amount(text.parse().map_err(wrong)?))
    }
}

impl fmt::Display for Worth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Worth::Amount(money) => write!(f, "{money}"),
            Worth::Share(share) => write!(f, "{share}"),
        }
    }
}

impl Written for Worth {
    const FORMAT: &'static str = "worth";
    const EXPECTED: &'static str = "an amount such as `5000 KRW`, or a share such as `10%`";
}
crate::written!(Worth);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_in_the_files() {
        for text in ["3000000 KRW per month", "12.50 USD per quarter", "500000 KRW"] {
            assert_eq!(text.parse::<Budget>().unwrap().to_string(), text);
        }
        assert_eq!("30% of margin".parse::<Ceiling>().unwrap().to_string(), "30% of margin");
        assert_eq!("10%".parse::<Worth>().unwrap().to_string(), "10%");
        assert_eq!("5,000원".parse::<Worth>().unwrap().to_string(), "5000 KRW");
        for wrong in ["3000000", "1 KRW per fortnight", "1 KRW per ", ""] {
            assert!(wrong.parse::<Budget>().is_err(), "{wrong}");
        }
        assert!("30%".parse::<Ceiling>().is_err() && "130% of margin".parse::<Ceiling>().is_err());
        assert!("ten".parse::<Worth>().is_err());
    }

    #[test]
    fn days_have_their_stretch_of_the_calendar() {
        let day = jiff::civil::date(2027, 1, 3);
        let all = [Calendar::Day, Calendar::Week, Calendar::Month, Calendar::Quarter, Calendar::Year];
        // a Sunday, whose week began in the old year
        assert_eq!(all.map(|c| c.of(day)), ["2027-01-03", "2026-W53", "2027-01", "2027-Q1", "2027"]);
    }
}
