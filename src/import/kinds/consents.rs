//! Consents: lines for the ledger. The latest `at` wins; a row without one never overrides a withdrawal.

use super::{Context, Landed, Landing, Named, Rows, directory};
use crate::db::{DbError, Tx};
use crate::import::columns::{Field, Shape};
use crate::import::record::{Record, short};
use crate::permission::{NewConsent, Recorded, State, record_consents};
use crate::types::Timestamp;
use serde::Serialize;

/// Rows of consents.
#[derive(Debug, Default)]
pub struct Consents;

/// A consent as a row tells of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConsentRow {
    /// Whose.
    pub customer: Named,
    /// On what.
    pub topic: String,
    /// What they said.
    #[serde(serialize_with = "shown")]
    pub state: State,
    /// When; without it the row is no act of theirs.
    pub at: Option<Timestamp>,
    /// Who says so.
    pub source: Option<String>,
    /// On which basis.
    pub basis: Option<String>,
    /// What they agreed to.
    pub text: Option<String>,
}

fn shown<S: serde::Serializer>(state: &State, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(state)
}

const FIELDS: &[Field] = &[
    Field {
        name: "customer",
        aliases: &[
            "customerid",
            "externalid",
            "email",
            "emailaddress",
            "userid",
            "고객",
            "회원",
            "고객번호",
            "회원번호",
            "이메일",
            "이메일주소",
        ],
    },
    Field { name: "topic", aliases: &["list", "channel", "주제", "토픽"] },
    Field {
        name: "state", aliases: &["status", "consent", "상태", "동의", "수신동의", "동의여부", "수신동의여부"]
    },
    Field {
        name: "at", aliases: &["date", "time", "timestamp", "consentedat", "일시", "동의일", "동의일시", "날짜"]
    },
    Field { name: "source", aliases: &["출처", "경로"] },
    Field { name: "basis", aliases: &["legalbasis", "근거"] },
    Field { name: "text", aliases: &["textversion", "evidence", "version", "문구", "증빙"] },
];

/// How shops write yes and no.
const STATES: &[(&str, State)] = &[
    ("y", State::Granted),
    ("yes", State::Granted),
    ("true", State::Granted),
    ("subscribed", State::Granted),
    ("동의", State::Granted),
    ("n", State::Withdrawn),
    ("no", State::Withdrawn),
    ("false", State::Withdrawn),
    ("unsubscribed", State::Withdrawn),
    ("거부", State::Withdrawn),
    ("철회", State::Withdrawn),
    ("미동의", State::Withdrawn),
    ("수신거부", State::Withdrawn),
];

impl Rows for Consents {
    type Row = ConsentRow;

    const SHAPE: Shape = Shape {
        kind: "consents",
        fields: FIELDS,
        needed: &[&["customer"], &["topic"], &["state"]],
        attributes: false,
        known_attributes: &[],
    };

    fn parse(mut record: Record, context: &Context) -> Result<ConsentRow, String> {
        let customer = Named::read(record.needed(0, "customer")?);
        let topic = context.topic(&record.needed(1, "topic")?)?;
        let state = record.needed(2, "state")?;
        let lower = state.to_lowercase();
        let state = match STATES.iter().find(|(name, _)| *name == lower) {
            Some((_, state)) => *state,
            None => state.parse()?,
        };
        // a time ahead of our clock would beat what the person says in the meantime
        let at = record.text(3)?.map(|text| context.past(&text, "at")).transpose()?.map(|at| at.min(context.now));
        let source = short(record.text(4)?, "source")?;
        let basis = short(record.text(5)?, "basis")?;
        let text = short(record.text(6)?, "text")?;
        Ok(ConsentRow { customer, topic, state, at, source, basis, text })
    }

    async fn land(
        &mut self,
        tx: &mut Tx,
        rows: &[(u64, &ConsentRow)],
        context: &Context,
        batch: Option<i64>,
    ) -> Result<Landing, DbError> {
        let directory = directory(tx, rows.iter().map(|(_, row)| &row.customer), context).await?;
        let mut outcomes = Vec::with_capacity(rows.len());
        let mut lines = Vec::with_capacity(rows.len());
        for (_, row) in rows {
            match directory.named(&row.customer.text, row.customer.address.as_deref()) {
                Ok(slot) => {
                    lines.push(NewConsent {
                        customer: directory.id(slot),
                        topic: row.topic.clone(),
                        state: row.state,
                        basis: row.basis.clone(),
                        text: row.text.clone(),
                        source: row.source.clone().unwrap_or_else(|| context.door.source().into()),
                        address: directory.address(slot).map(str::to_owned),
                        at: row.at.unwrap_or(context.now),
                        own_act: row.at.is_some(),
                        batch,
                    });
                    outcomes.push(Landed::Unchanged);
                }
                Err(refusal) => outcomes.push(Landed::Rejected(refusal.to_string())),
            }
        }
        let recorded = record_consents(tx, &lines, context.now).await?;
        let mut withdrawn_kept = 0;
        let open = outcomes.iter_mut().filter(|outcome| **outcome == Landed::Unchanged);
        for ((outcome, recorded), line) in open.zip(recorded).zip(&lines) {
            if recorded != Recorded::Known {
                *outcome = Landed::Inserted;
            }
            withdrawn_kept +=
                u64::from(recorded == Recorded::Overruled && !line.own_act && line.state != State::Withdrawn);
        }
        Ok(Landing { outcomes, withdrawn_kept })
    }
}
