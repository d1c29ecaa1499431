//! Money: integer minor units beside an ISO 4217 code. In files and CSV it is written in major units.

use super::text::Written;
use std::fmt;
use std::str::FromStr;

/// An ISO 4217 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The Korean won.
    pub const KRW: Currency = Currency(*b"KRW");
    /// The US dollar.
    pub const USD: Currency = Currency(*b"USD");

    /// `KRW`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many digits follow the point (ISO 4217, amendment 176): none for won, three for the Kuwaiti dinar.
    pub fn digits(self) -> u32 {
        match &self.0 {
            b"KRW" | b"JPY" | b"VND" | b"CLP" | b"ISK" | b"PYG" | b"UGX" | b"XAF" | b"XOF" | b"XPF" | b"RWF"
            | b"KMF" | b"GNF" | b"DJF" | b"BIF" | b"VUV" => 0,
            b"KWD" | b"BHD" | b"OMR" | b"JOD" | b"TND" | b"IQD" | b"LYD" => 3,
            _ => 2,
        }
    }

    /// Minor units in a major one.
    pub fn scale(self) -> i64 {
        10_i64.pow(self.digits())
    }
}

/// The codes in use, with some that old orders are in (ISO 4217, list one; HRK, SLL, VEF and ZWL of list three).
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD \
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD \
    HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD \
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON \
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH \
    UGX USD UYU UZS VED VEF VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL";

impl FromStr for Currency {
    type Err = String;
    fn from_str(text: &str) -> Result<Currency, String> {
        let upper = text.trim().to_ascii_uppercase();
        match <[u8; 3]>::try_from(upper.as_bytes()) {
            Ok(code) if CODES.split(' ').any(|known| known.as_bytes() == code) => Ok(Currency(code)),
            _ => Err(format!("`{}` is not {}", text.chars().take(20).collect::<String>(), Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Written for Currency {
    const FORMAT: &'static str = "currency";
    const EXPECTED: &'static str = "an ISO 4217 currency such as `KRW`";
}
crate::written!(Currency);

/// An amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// In minor units: cents, or won.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

impl Money {
    /// The most that one amount may be, in minor units: thousands of them still add up to what the databases can hold.
    pub const LARGEST: i64 = 1_000_000_000_000_000;

    /// Reads an amount in major units as people and Excel write it: `12,000`, `12,000원`, `₩12,000`, `$1,234.50`,
    /// `1.234,50 €`, `-5`, `12000 KRW`. The currency is a sign in the text or else `default`.
    ///
    /// # Errors
    /// When it is no number, has more digits after the point than the currency, or is too large.
    pub fn parse(text: &str, default: Currency) -> Result<Money, String> {
        let shown = || text.trim().chars().take(40).collect::<String>();
        let mut currency = default;
        let mut number = String::new();
        let mut letters = String::new();
        for c in text.trim().chars() {
            match c {
                '0'..='9' | '.' | ',' => number.push(c),
                '-' | '−' if number.is_empty() => number.push('-'),
                '원' | '₩' | '￦' => currency = Currency::KRW,
                '€' => currency = Currency(*b"EUR"),
                '£' => currency = Currency(*b"GBP"),
                '$' if default.digits() == 0 => currency = Currency::USD,
                '$' | ' ' | '\u{a0}' | '\u{202f}' | '\'' | '+' => {}
                c if c.is_ascii_alphabetic() => letters.push(c),
                _ => return Err(format!("`{}` is not an amount such as `12,000` or `1234.50`", shown())),
            }
        }
        if !letters.is_empty() {
            currency = letters.parse()?;
        }
        let not_one = || format!("`{}` is not an amount such as `12,000` or `1234.50`", shown());
        let (whole, fraction) = split(&number, currency.digits()).ok_or_else(not_one)?;
        let digits = currency.digits() as usize;
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > digits {
            return Err(match digits {
                0 => format!("`{}` has decimals, and {currency} has none", shown()),
                n => format!("`{}` has more than the {n} decimals of {currency}", shown()),
            });
        }
        let joined = format!("{whole}{fraction:0<digits$}");
        let minor: i64 = joined.parse().map_err(|_| not_one())?;
        if minor.abs() > Self::LARGEST {
            return Err(format!("`{}` is more than any amount that is kept", shown()));
        }
        Ok(Money { minor, currency })
    }

    /// In major units without signs or separators, as files and CSV have it: `1234.50`.
    pub fn major(self) -> String {
        let (scale, digits) = (self.currency.scale().cast_unsigned(), self.currency.digits() as usize);
        let (sign, n) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        match digits {
            0 => format!("{sign}{n}"),
            _ => format!("{sign}{}.{:0digits$}", n / scale, n % scale),
        }
    }
}

/// Whole part and fraction of a number with separators of either custom.
fn split(number: &str, digits: u32) -> Option<(String, String)> {
    let last = number.rfind(['.', ',']);
    let point = match last {
        None => None,
        Some(at) => {
            let mark = number.as_bytes()[at];
            let after = number.len() - at - 1;
            let kinds = usize::from(number.contains('.')) + usize::from(number.contains(','));
            let repeated = number.bytes().filter(|b| *b == mark).count() > 1;
            // three digits behind a lone mark are thousands: 12,000; but 12.000 in dinars and 1234.500 are not
            let thousands = after == 3 && kinds == 1 && (mark == b',' || (repeated && digits != 3));
            if (repeated && kinds == 1) || thousands { None } else { Some(at) }
        }
    };
    let (whole, fraction) = match point {
        Some(at) => (&number[..at], &number[at + 1..]),
        None => (number, ""),
    };
    if !groups_of_three(whole) || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: String = whole.chars().filter(|c| *c != ',' && *c != '.').collect();
    whole.bytes().any(|b| b.is_ascii_digit()).then(|| (whole, fraction.to_owned()))
}

fn groups_of_three(whole: &str) -> bool {
    let mut parts = whole.trim_start_matches('-').split([',', '.']);
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    rest.is_empty() || ((1..=3).contains(&first.len()) && rest.iter().all(|part| part.len() == 3))
}

impl FromStr for Money {
    type Err = String;
    fn from_str(text: &str) -> Result<Money, String> {
        if !text.chars().any(|c| c.is_ascii_alphabetic() || "원₩￦€£".contains(c)) {
            return Err(format!("`{}` names no currency: expected {}", text.trim(), Self::EXPECTED));
        }
        Money::parse(text, Currency::KRW)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.major(), self.currency)
    }
}

impl Written for Money {
    const FORMAT: &'static str = "money";
    const EXPECTED: &'static str = "an amount with its currency such as `3000000 KRW`";
}
crate::written!(Money);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_as_people_write_them() {
        let eur: Currency = "EUR".parse().unwrap();
        for (text, default, minor, code) in [
            ("12,000원", Currency::USD, 12_000, "KRW"),
            ("₩12,000", Currency::KRW, 12_000, "KRW"),
            ("12000.00", Currency::KRW, 12_000, "KRW"),
            ("$1,234.50", Currency::USD, 123_450, "USD"),
            ("1.234,50 €", Currency::KRW, 123_450, "EUR"),
            ("1,5", eur, 150, "EUR"),
            ("29.33", Currency::USD, 2_933, "USD"),
            ("-5", Currency::USD, -500, "USD"),
            ("0", Currency::USD, 0, "USD"),
            ("1,234,567", Currency::KRW, 1_234_567, "KRW"),
            ("3000000 KRW", Currency::USD, 3_000_000, "KRW"),
        ] {
            let money = Money::parse(text, default).unwrap();
            assert_eq!((money.minor, money.currency.code()), (minor, code), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for (text, default) in [
            ("12.5", Currency::KRW),
            ("1.005", Currency::USD),
            ("", Currency::USD),
            ("abc", Currency::USD),
            ("12,34,56", Currency::KRW),
            ("1-2", Currency::USD),
            ("99999999999999999999", Currency::KRW),
            ("1000000000000001", Currency::KRW),
            ("-10000000000001", Currency::USD),
            ("-", Currency::USD),
        ] {
            assert!(Money::parse(text, default).is_err(), "{text}");
        }
        assert!("3000000".parse::<Money>().is_err(), "a file names the currency");
    }

    #[test]
    fn major_units_come_back() {
        for minor in [-123_450, -5, 0, 7, 2_933] {
            let money = Money { minor, currency: Currency::USD };
            assert_eq!(Money::parse(&money.major(), Currency::USD).unwrap(), money);
        }
    }
}
