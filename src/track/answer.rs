//! Answers to a question in a mail: a tap fills the answer in, a POST sends it, and a second POST corrects it.
//!
//! In the log, each answer is a `survey_answer` under `survey:MESSAGE:NAME:N`; one that takes the place of another names
//! it as `previous` in its data, and of the answers of one mail to one survey the last counts.

use super::store;
use crate::config::model::{Survey, SurveyKind};
use crate::db::{Db, DbError};
use crate::event::{self, Kind, NewEvent};
use jiff::Timestamp;
use serde_json::json;

/// A comment is cut to so many characters.
pub const LONGEST_COMMENT: usize = 2_000;

/// A survey has one question as yet; the table knows several.
const QUESTION: &str = "main";

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The message that asked.
    pub message: i64,
    /// Who answers.
    pub customer: i64,
    /// The survey's name.
    pub survey: String,
    /// What kind of question it is.
    pub kind: SurveyKind,
    /// One of those that [`accept`] lets pass.
    pub answer: String,
    /// In their own words; cleaned by [`comment`].
    pub comment: Option<String>,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is the first.
    First,
    /// It took the place of an earlier one.
    Corrected,
    /// It was there already.
    Same,
    /// The message is none of this customer's, or the customer was erased: nothing was kept.
    Nobody,
}

/// The name of a kind, as in `surveys/*.toml`.
pub fn kind_name(kind: SurveyKind) -> &'static str {
    match kind {
        SurveyKind::Nps => "nps",
        SurveyKind::Scale => "scale",
        SurveyKind::Choice => "choice",
    }
}

/// The answers that a survey takes, as they are kept.
pub fn possible(survey: &Survey) -> Vec<String> {
    match survey.kind {
        SurveyKind::Nps | SurveyKind::Scale => (0..=10).map(|n| n.to_string()).collect(),
        SurveyKind::Choice => survey.choices.iter().map(|choice| choice.value.clone()).collect(),
    }
}

/// `raw` as it is kept, when the survey takes it.
pub fn accept(survey: &Survey, raw: &str) -> Option<String> {
    possible(survey).into_iter().find(|answer| answer == raw.trim())
}

/// A comment as it is kept: line breaks as `\n`, no other control character, not too long; `None` when nothing is left.
pub fn comment(raw: &str) -> Option<String> {
    let clean: String = raw.replace("\r\n", "\n").chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    let cut: String = clean.trim().chars().take(LONGEST_COMMENT).collect();
    (!cut.is_empty()).then_some(cut)
}

/// Keeps an answer and appends it to the log. The same answer twice is one.
///
/// # Errors
/// What the database says.
pub async fn record(db: &Db, answer: &Answer, now: Timestamp) -> Result<Recorded, DbError> {
    let Answer { message, customer, survey, .. } = answer;
    let said = (answer.answer.as_str(), answer.comment.as_deref());
    let mut tx = db.begin().await?;
    let Some(campaign) = store::answerable(&mut tx, *message, *customer).await? else {
        return Ok(Recorded::Nobody);
    };
    let mut data = json!({
        "survey": survey, "kind": kind_name(answer.kind), "answer": answer.answer, "comment": answer.comment,
    });
    let prefix = format!("survey:{message}:{survey}:");
    let first = store::insert_answer(&mut tx, (*message, *customer), (survey, QUESTION), said, now).await?;
    let (recorded, n) = if first {
        (Recorded::First, 1)
    } else {
        let (was, was_comment) = store::answer_for_update(&mut tx, *message, (survey, QUESTION)).await?;
        if (was.as_str(), was_comment.as_deref()) == said {
            return Ok(Recorded::Same);
        }
        store::update_answer(&mut tx, *message, (survey, QUESTION), said, now).await?;
        data["previous"] = json!(was);
        (Recorded::Corrected, 1 + store::keys_with_prefix(&mut tx, &prefix).await?)
    };
    let mut event = NewEvent::new(Kind::SurveyAnswer, *customer, now, "survey", format!("{prefix}{n}"));
    event.campaign = Some(campaign);
    event.message = Some(*message);
    event.data = data;
    event::append(tx, &[event], now).await?;
    Ok(recorded)
}
