//! Customers: who they are, and everything else as attributes.

use super::{Context, Landed, Landing, Rows, distinct};
use crate::customer::{Directory, Outcome, Profile};
use crate::db::{DbError, Tx};
use crate::import::columns::{Field, Shape};
use crate::import::record::{Cell, Record, short};
use crate::permission::{NewConsent, Recorded, State, record_consents};
use crate::types::Email;
use crate::types::locale::{Locale, Zone};
use serde_json::{Map, Value as Json};

/// Rows of customers.
#[derive(Debug, Default)]
pub struct Customers;

const FIELDS: &[Field] = &[
    Field {
        name: "email",
        aliases: &[
            "emailaddress",
            "mail",
            "mailaddress",
            "이메일",
            "이메일주소",
            "메일",
            "메일주소",
            "전자우편",
            "e메일",
        ],
    },
    Field {
        name: "external_id",
        aliases: &[
            "id",
            "customerid",
            "customerno",
            "customernumber",
            "memberid",
            "memberno",
            "userid",
            "회원번호",
            "고객번호",
            "회원id",
            "고객id",
            "회원아이디",
            "아이디",
        ],
    },
    Field {
        name: "name",
        aliases: &[
            "fullname",
            "customername",
            "displayname",
            "이름",
            "성명",
            "고객명",
            "회원명",
            "고객이름",
            "회원이름",
            "성함",
        ],
    },
    Field { name: "first_name", aliases: &["givenname", "forename", "vorname"] },
    Field { name: "last_name", aliases: &["surname", "familyname", "성", "nachname"] },
    Field { name: "locale", aliases: &["language", "lang", "언어"] },
    Field { name: "timezone", aliases: &["tz", "시간대"] },
    Field { name: "birthday", aliases: &["birthdate", "dateofbirth", "dob", "생일", "생년월일"] },
    Field { name: "source", aliases: &["가입경로", "유입경로", "출처"] },
    Field {
        name: "created_at",
        aliases: &[
            "created",
            "joined",
            "joinedat",
            "joindate",
            "signupdate",
            "signedupat",
            "registeredat",
            "가입일",
            "가입일시",
            "가입일자",
            "등록일",
            "등록일시",
        ],
    },
];

const PHONE: &[Field] = &[Field {
    name: "phone",
    aliases: &[
        "phone",
        "phonenumber",
        "mobile",
        "mobilephone",
        "telephone",
        "전화",
        "전화번호",
        "휴대폰",
        "휴대폰번호",
        "휴대전화",
        "핸드폰",
        "연락처",
    ],
}];

impl Rows for Customers {
    type Row = Profile;

    const SHAPE: Shape = Shape {
        kind: "customers",
        fields: FIELDS,
        needed: &[&["email", "external_id"]],
        attributes: true,
        known_attributes: PHONE,
    };

    fn parse(mut record: Record, context: &Context) -> Result<Profile, String> {
        let email = match record.take(0).into_text()? {
            Some(text) => Some(text.parse::<Email>()?.to_string()),
            None => None,
        };
        let external_id = short(record.text(1)?, "external_id")?;
        if email.is_none() && external_id.is_none() {
            return Err("the row names nobody: an address or an external_id is needed".into());
        }
        let [name, first_name, last_name] = [(2, "name"), (3, "first_name"), (4, "last_name")]
            .map(|(field, name)| record.text(field).and_then(|text| short(text, name)));
        let locale = record.text(5)?.map(|text| text.parse::<Locale>()).transpose()?;
        let timezone = record.text(6)?.map(|text| text.parse::<Zone>()).transpose()?;
        let birthday = record.text(7)?.map(|text| context.dates.day(&text)).transpose();
        let birthday = birthday.map_err(|e| format!("`birthday`: {e}"))?;
        let source = short(record.text(8)?, "source")?;
        let created_at = record.text(9)?.map(|text| context.past(&text, "created_at")).transpose()?;
        Ok(Profile {
            external_id,
            email,
            name: name?,
            first_name: first_name?,
            last_name: last_name?,
            locale: locale.map(|locale| locale.to_string()),
            timezone: timezone.map(|zone| zone.to_string()),
            birthday: birthday.map(|day| day.to_string()),
            source,
            attributes: attributes(record)?,
            created_at,
        })
    }

    async fn land(
        &mut self,
        tx: &mut Tx,
        rows: &[(u64, &Profile)],
        context: &Context,
        batch: Option<i64>,
    ) -> Result<Landing, DbError> {
        let externals = distinct(rows.iter().filter_map(|(_, p)| p.external_id.as_deref()).collect());
        let addresses = distinct(rows.iter().filter_map(|(_, p)| p.email.as_deref()).collect());
        let mut directory = Directory::gather(tx, externals, addresses, &context.key).await?;
        let mut slots = Vec::with_capacity(rows.len());
        let mut outcomes = Vec::with_capacity(rows.len());
        for (_, profile) in rows {
            match directory.upsert((*profile).clone()) {
                Ok((slot, outcome)) => {
                    slots.push(Some(slot));
                    outcomes.push(match outcome {
                        Outcome::Inserted => Landed::Inserted,
                        Outcome::Updated => Landed::Updated,
                        Outcome::Unchanged => Landed::Unchanged,
                    });
                }
                Err(refusal) => {
                    slots.push(None);
                    outcomes.push(Landed::Rejected(refusal.to_string()));
                }
            }
        }
        directory.save(tx, batch, context.now).await?;
        let mut landing = Landing { outcomes, withdrawn_kept: 0 };
        if let Some((topic, evidence)) = &context.consent {
            let there: Vec<(usize, usize)> =
                slots.iter().enumerate().filter_map(|(row, slot)| Some((row, (*slot)?))).collect();
            let lines = there.iter().map(|(_, slot)| NewConsent {
                customer: directory.id(*slot),
                topic: topic.clone(),
                state: State::Granted,
                basis: None,
                text: Some(evidence.clone()),
                source: context.door.source().into(),
                address: directory.address(*slot).map(str::to_owned),
                at: context.now,
                // whoever withdrew did so by their own act, and this is not theirs
                own_act: false,
                batch,
            });
            let lines: Vec<NewConsent> = lines.collect();
            let recorded = record_consents(tx, &lines, context.now).await?;
            for ((row, _), recorded) in there.into_iter().zip(recorded) {
                if recorded != Recorded::Known && landing.outcomes[row] == Landed::Unchanged {
                    landing.outcomes[row] = Landed::Updated;
                }
                landing.withdrawn_kept += u64::from(recorded == Recorded::Overruled);
            }
        }
        Ok(landing)
    }
}

/// The most that one customer's attributes may take.
const MOST: usize = 64 * 1024;

fn attributes(record: Record) -> Result<Map<String, Json>, String> {
    let mut attributes = Map::new();
    let mut size = 0;
    for (name, cell) in record.extra {
        let value = match cell {
            Cell::Json(value @ (Json::Number(_) | Json::Bool(_) | Json::Null | Json::Array(_) | Json::Object(_))) => {
                value
            }
            Cell::Json(text) => match Cell::Json(text).into_text()? {
                Some(text) => Json::String(text),
                None => continue,
            },
            cell => match cell.into_text()? {
                Some(text) => told(text),
                None => continue,
            },
        };
        size += name.len() + if let Json::String(text) = &value { text.len() } else { 16 };
        if size > MOST {
            return Err(format!("the attributes of this row are longer than {} KB", MOST / 1024));
        }
        attributes.insert((*name).to_owned(), value);
    }
    Ok(attributes)
}

/// CSV knows no types: what is written just as a number writes itself is one, so that `attr.age > 30` works; `0101234`,
/// `1.50` and `1e3` are not, and keep their letters.
fn told(text: String) -> Json {
    let numeric = text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    if !numeric {
        return Json::String(text);
    }
    if let Ok(n) = text.parse::<i64>()
        && n.to_string() == text
    {
        return Json::from(n);
    }
    match text.parse::<f64>() {
        Ok(n) if n.to_string() == text && text.contains('.') => Json::from(n),
        _ => Json::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_back_the_same_is_a_number() {
        for (text, is_number) in
            [("30", true), ("-3", true), ("1.5", true), ("0", true), ("010", false), ("1.50", false), ("1e3", false)]
        {
            assert_eq!(told(text.into()).is_number(), is_number, "{text}");
        }
        for text in ["06236", "서울", "-", ".", "1.2.3", "99999999999999999999", "+5", "5-3"] {
            assert!(told(text.into()).is_string(), "{text}");
        }
    }
}
