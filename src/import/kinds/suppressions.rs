//! Suppressions: addresses that get no mail. An import adds, and never lifts.

use super::{Context, Landed, Landing, Rows};
use crate::config::nearest;
use crate::customer::Directory;
use crate::db::{DbError, Tx};
use crate::import::columns::{Field, Shape};
use crate::import::record::{Record, short};
use crate::permission::{NewSuppression, suppress_many};
use crate::types::{Email, Timestamp};
use serde::Serialize;

/// Rows of suppressions.
#[derive(Debug, Default)]
pub struct Suppressions;

/// A suppression as a row tells of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SuppressionRow {
    /// The normalised address.
    pub email: String,
    /// Why.
    pub reason: String,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// A word for people.
    pub note: Option<String>,
}

const FIELDS: &[Field] = &[
    Field {
        name: "email",
        aliases: &["address", "emailaddress", "customer", "recipient", "이메일", "이메일주소", "메일", "메일주소"],
    },
    Field { name: "reason", aliases: &["type", "사유", "이유"] },
    Field { name: "until", aliases: &["expires", "expiresat", "기한"] },
    Field { name: "note", aliases: &["comment", "description", "비고", "메모"] },
];

const REASONS: [&str; 5] = ["hard-bounce", "soft-bounce", "complaint", "manual", "import"];

impl Rows for Suppressions {
    type Row = SuppressionRow;

    const SHAPE: Shape =
        Shape { kind: "suppressions", fields: FIELDS, needed: &[&["email"]], attributes: false, known_attributes: &[] };

    fn parse(mut record: Record, context: &Context) -> Result<SuppressionRow, String> {
        let email = record.take(0).into_text()?.ok_or("`email` is empty")?.parse::<Email>()?.to_string();
        let reason = match record.text(1)? {
            None => "import".to_owned(),
            Some(text) => {
                let name = text.to_lowercase().replace(['_', ' '], "-");
                if !REASONS.contains(&name.as_str()) {
                    let help = nearest(&name, REASONS).unwrap_or_default();
                    let shown: String = text.chars().take(40).collect();
                    return Err(format!("`{shown}` is no reason of a suppression; {help}"));
                }
                name
            }
        };
        let until = record.text(2)?.map(|text| context.dates.moment(&text)).transpose();
        let until = until.map_err(|e| format!("`until`: {e}"))?;
        if until.is_some_and(|until| until <= context.now) {
            return Err("`until` is past: this suppression has ended already".into());
        }
        let note = short(record.text(3)?, "note")?;
        Ok(SuppressionRow { email, reason, until, note })
    }

    async fn land(
        &mut self,
        tx: &mut Tx,
        rows: &[(u64, &SuppressionRow)],
        context: &Context,
        batch: Option<i64>,
    ) -> Result<Landing, DbError> {
        let addresses = super::distinct(rows.iter().map(|(_, row)| row.email.as_str()).collect());
        let directory = Directory::gather(tx, Vec::new(), addresses, &context.key).await?;
        let mut new = Vec::with_capacity(rows.len());
        let mut outcomes = Vec::with_capacity(rows.len());
        for (_, row) in rows {
            if directory.is_erased(&row.email) {
                outcomes.push(Landed::Rejected(crate::customer::Refusal::Erased.to_string()));
                continue;
            }
            outcomes.push(Landed::Unchanged);
            new.push(NewSuppression {
                address: row.email.clone(),
                reason: row.reason.clone(),
                source: "import".into(),
                message: None,
                batch,
                until: row.until,
                note: row.note.clone(),
            });
        }
        let changed = suppress_many(tx, &new, context.now).await?;
        let open = outcomes.iter_mut().filter(|outcome| **outcome == Landed::Unchanged);
        for (outcome, changed) in open.zip(changed) {
            if changed {
                *outcome = Landed::Inserted;
            }
        }
        Ok(Landing { outcomes, withdrawn_kept: 0 })
    }
}
