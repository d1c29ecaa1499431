//! Numbers and amounts as people write them: 12,000원, $1,234.50.

use crate::types::locale::Locale;
use crate::types::{Currency, Money};
use serde_json::Value as Json;

/// Digits in groups of three.
pub(crate) fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number with its thousands parted; `decimals` digits after the point, or as many as it has.
///
/// # Errors
/// When it is no number.
pub(crate) fn number(value: &Json, decimals: Option<usize>) -> Result<String, String> {
    let wrong = || format!("{value} is not a number");
    let text = match value {
        Json::Number(n) if n.is_f64() => {
            let n = n.as_f64().unwrap_or_default();
            decimals.map_or_else(|| n.to_string(), |d| format!("{n:.d$}"))
        }
        Json::Number(n) => n.to_string(),
        Json::String(s) => {
            let plain = s.trim().replace(',', "");
            plain.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(wrong)?;
            plain
        }
        _ => return Err(wrong()),
    };
    let (sign, rest) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    if !whole.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text);
    }
    let fraction = match decimals {
        Some(d) => format!("{:0<d$.d$}", fraction),
        None => fraction.to_owned(),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    Ok(format!("{sign}{}{point}{fraction}", grouped(whole)))
}

/// An amount: a number in major units, a text such as `12000 KRW`, or `{ minor, currency }`. `code` is its currency
/// when it names none.
///
/// # Errors
/// When it is no amount.
pub(crate) fn format(value: &Json, code: Currency, language: &Locale) -> Result<String, String> {
    let money = match value {
        Json::Object(map) => {
            let minor = map.get("minor").and_then(Json::as_i64);
            let currency = map.get("currency").and_then(Json::as_str).map(str::parse::<Currency>);
            match (minor, currency) {
                (Some(minor), None) => Money { minor, currency: code },
                (Some(minor), Some(Ok(currency))) => Money { minor, currency },
                _ => return Err(format!("{value} is not an amount")),
            }
        }
        Json::Number(n) => {
            let major = n.as_f64().ok_or_else(|| format!("{n} is not an amount"))?;
            let minor = match n.as_i64() {
                Some(n) => n.checked_mul(code.scale()).ok_or_else(|| format!("{n} is too large an amount"))?,
                None => (major * code.scale() as f64).round() as i64,
            };
            Money { minor, currency: code }
        }
        Json::String(text) => Money::parse(text, code)?,
        _ => return Err(format!("{value} is not an amount")),
    };
    Ok(shown(money, language))
}

fn shown(money: Money, language: &Locale) -> String {
    let major = money.major();
    let (sign, digits) = major.strip_prefix('-').map_or(("", major.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let point = if fraction.is_empty() { "" } else { "." };
    let amount = format!("{}{point}{fraction}", grouped(whole));
    match (money.currency.code(), language.language()) {
        ("KRW", "ko") => format!("{sign}{amount}원"),
        ("KRW", _) => format!("{sign}₩{amount}"),
        ("USD", _) => format!("{sign}${amount}"),
        ("EUR", _) => format!("{sign}€{amount}"),
        ("GBP", _) => format!("{sign}£{amount}"),
        ("JPY", "ko") => format!("{sign}{amount}엔"),
        ("JPY", _) => format!("{sign}¥{amount}"),
        (code, _) => format!("{sign}{amount} {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_as_people_write_them() {
        let (ko, en): (Locale, Locale) = ("ko".parse().unwrap(), "en".parse().unwrap());
        let eur: Currency = "EUR".parse().unwrap();
        for (value, code, language, expected) in [
            (json!(12000), Currency::KRW, &ko, "12,000원"),
            (json!(12000), Currency::KRW, &en, "₩12,000"),
            (json!(1234.5), Currency::USD, &ko, "$1,234.50"),
            (json!(-0.29), Currency::USD, &en, "-$0.29"),
            (json!("12000 KRW"), Currency::USD, &ko, "12,000원"),
            (json!({"minor": 123_450, "currency": "USD"}), Currency::KRW, &en, "$1,234.50"),
            (json!(1_000_000), eur, &en, "€1,000,000.00"),
            (json!(3), "CHF".parse().unwrap(), &en, "3.00 CHF"),
            (json!(0), Currency::KRW, &ko, "0원"),
        ] {
            assert_eq!(format(&value, code, language).unwrap(), expected);
        }
        assert!(format(&json!(true), Currency::KRW, &ko).is_err());
        assert!(format(&json!(i64::MAX), Currency::USD, &ko).is_err());
    }

    #[test]
    fn numbers_have_their_thousands_parted() {
        assert_eq!(number(&json!(1_234_567), None).unwrap(), "1,234,567");
        assert_eq!(number(&json!(-1234.5), None).unwrap(), "-1,234.5");
        assert_eq!(number(&json!(2.0), Some(1)).unwrap(), "2.0");
        assert_eq!(number(&json!(66.666), Some(0)).unwrap(), "67");
        assert_eq!(number(&json!("12,345"), None).unwrap(), "12,345");
        assert!(number(&json!("many"), None).is_err());
    }
}
