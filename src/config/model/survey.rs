//! `surveys/*.toml`: what we ask.

use super::Words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One question that a mail can ask, answered by a tap.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// `nps` (0 to 10, "how likely are you to recommend us"), `scale` (0 to 10), or `choice`.
    pub kind: SurveyKind,
    /// The question.
    pub question: Words,
    /// The answers of a `choice`, two to twelve.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// What the page says after the answer.
    pub thanks: Option<Words>,
}

/// What sort of question it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SurveyKind {
    /// 0 to 10; counts as attitude: 9–10 promoters, 7–8 passives, 0–6 detractors.
    Nps,
    /// 0 to 10, of anything.
    Scale,
    /// One of several.
    Choice,
}

/// One answer of a choice.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// How it is kept: letters, digits, `-` and `_`.
    pub value: String,
    /// What the reader sees.
    pub label: Words,
}
