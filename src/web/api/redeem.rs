//! A row of redemptions, parsed. What it is worth is judged by the stage behind the door.

use crate::config::nearest;
use crate::types::Timestamp;
use serde_json::{Map, Value as Json};

/// The members of a redemption.
pub(super) const MEMBERS: [&str; 6] = ["customer", "reward", "points", "code", "key", "at"];
/// No name, code or key is longer.
const LONGEST: usize = 500;

/// A redemption as a row tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redemption {
    pub(super) customer: String,
    pub(super) reward: String,
    pub(super) points: Option<i64>,
    pub(super) code: Option<String>,
    pub(super) key: String,
    pub(super) at: Option<Timestamp>,
}

impl Redemption {
    /// Reads a row.
    pub(super) fn read(row: Json, now: Timestamp) -> Result<Redemption, String> {
        let Json::Object(mut row) = row else {
            return Err("this row is no JSON object such as {\"customer\": \"7\"}".into());
        };
        if let Some(unknown) = row.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            let help = nearest(unknown, MEMBERS).unwrap_or_default();
            let shown: String = unknown.chars().take(60).collect();
            return Err(format!("redemptions have no member `{shown}`; {help}"));
        }
        let needed = |text: Option<String>, name| text.ok_or_else(|| format!("`{name}` is empty"));
        let customer = needed(text(&mut row, "customer")?, "customer")?;
        let reward = needed(text(&mut row, "reward")?, "reward")?;
        let key = text(&mut row, "key")?.ok_or("`key` is needed: by it the same redemption sent twice is one")?;
        let code = text(&mut row, "code")?;
        let points = match row.remove("points") {
            None | Some(Json::Null) => None,
            Some(points) => match points.as_i64().filter(|points| *points > 0) {
                Some(points) => Some(points),
                None => return Err("`points` is no whole number above 0".into()),
            },
        };
        let at = text(&mut row, "at")?.map(|text| moment(&text, now)).transpose()?;
        Ok(Redemption { customer, reward, points, code, key, at })
    }
}

/// A text, or a number that stands for one; `None` when it is absent or empty.
fn text(row: &mut Map<String, Json>, name: &str) -> Result<Option<String>, String> {
    let text = match row.remove(name) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) => text,
        Some(Json::Number(number)) => number.to_string(),
        Some(_) => return Err(format!("`{name}` is no text")),
    };
    let text = text.trim();
    if text.chars().any(|c| c.is_control() || c == '\u{fffd}') {
        return Err(format!("`{name}` holds a control or unreadable character"));
    }
    if text.chars().count() > LONGEST {
        return Err(format!("`{name}` is longer than {LONGEST} characters"));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A day of grace for clocks, as for other rows.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let shown: String = text.chars().take(40).collect();
    let at: Timestamp =
        text.parse().map_err(|_| format!("`at`: `{shown}` is no moment such as 2027-03-01T09:00:00Z"))?;
    if at.as_millisecond() > now.as_millisecond() + 86_400_000 {
        return Err(format!("`at` lies in the future: {at}"));
    }
    // the database keeps milliseconds
    Ok(Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wrong_is_told_by_its_member() {
        let now: Timestamp = "2027-03-02T03:00:00Z".parse().unwrap();
        let good =
            json!({"customer": 7, "reward": " 꽃잎 ", "points": 500, "key": "K-1", "at": "2027-03-01T09:00:00+09:00"});
        let read = Redemption::read(good.clone(), now).unwrap();
        assert_eq!((read.customer.as_str(), read.reward.as_str(), read.points), ("7", "꽃잎", Some(500)));
        assert_eq!(read.at.unwrap().to_string(), "2027-03-01T00:00:00Z");
        for (member, value, words) in [
            ("points", json!(0), "`points`"),
            ("points", json!(-5), "`points`"),
            ("points", json!(1.5), "`points`"),
            ("points", json!("500"), "`points`"),
            ("points", json!(u64::MAX), "`points`"),
            ("key", json!(""), "`key` is needed"),
            ("key", json!("a\u{0}b"), "`key` holds"),
            ("customer", json!([1]), "`customer` is no text"),
            ("customer", json!(null), "`customer` is empty"),
            ("code", json!("x".repeat(501)), "`code` is longer"),
            ("at", json!("tomorrow"), "`at`: `tomorrow`"),
            ("at", json!("2028-01-01T00:00:00Z"), "future"),
            ("rewrad", json!("x"), "did you mean `reward`?"),
        ] {
            let mut row = good.clone();
            row[member] = value;
            let e = Redemption::read(row, now).unwrap_err();
            assert!(e.contains(words), "{member}: {e}");
        }
    }
}
