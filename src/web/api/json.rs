//! JSON as a program has to write it: a member stands once, and a number is kept as it was written. What the usual reader
//! lets pass in silence, the last of two amounts or a rounded customer number, is an error here.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};
use std::fmt;

/// A value, read strictly.
pub(super) struct Strict(pub(super) Json);

/// Whole numbers up to here are kept exactly by a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Strict, D::Error> {
        deserializer.deserialize_any(Read).map(Strict)
    }
}

struct Read;

impl<'de> Visitor<'de> for Read {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        match Number::from_f64(value) {
            Some(number) if value.abs() < EXACT => Ok(Json::Number(number)),
            _ => Err(E::custom("this number is too large to be kept exactly: write it as a text, in quotes")),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                let shown: String = name.chars().take(60).collect();
                return Err(A::Error::custom(format!("the member `{shown}` stands twice in one object")));
            }
            let Strict(value) = members.next_value()?;
            object.insert(name, value);
        }
        Ok(Json::Object(object))
    }
}

/// Reads one value of JSON.
///
/// # Errors
/// What is wrong and where.
pub(super) fn read(text: &str) -> Result<Json, serde_json::Error> {
    serde_json::from_str::<Strict>(text).map(|Strict(value)| value)
}

/// An error's words without its place.
pub(super) fn words(e: &serde_json::Error) -> String {
    let text = e.to_string();
    let place = format!(" at line {} column {}", e.line(), e.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_well_written_is_read_as_usual() {
        let text = r#"{"a": [1, -2, 1.5, true, null, "홍길동 \ud83c\udf31"], "b": {"a": 18446744073709551615}}"#;
        assert_eq!(read(text).unwrap(), serde_json::from_str::<Json>(text).unwrap());
    }

    #[test]
    fn what_would_be_lost_is_refused_with_its_place() {
        for (text, wrong) in [
            (r#"{"amount": 1, "amount": 2}"#, "`amount` stands twice"),
            (r#"[{"a": {"x": 1, "\u0078": 2}}]"#, "`x` stands twice"),
            (r#"{"id": 99999999999999999999}"#, "too large"),
            (r#"{"id": 1e400}"#, "out of range"),
            (r#"{"id": NaN}"#, "expected"),
            (r#"{"id": "\ud800"}"#, "hex escape"),
            (&"[".repeat(100_000), "recursion"),
        ] {
            let e = read(text).unwrap_err();
            assert!(e.to_string().contains(wrong) && e.line() == 1 && e.column() > 0, "{e}");
            assert!(!words(&e).contains(" at line "), "{e}");
        }
    }
}
