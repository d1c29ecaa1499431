//! `campaigns/*.toml`: what begins a pass, and what happens in it.

use crate::types::Period;
use crate::types::pace::Reenter;
use schemars::JsonSchema;
use serde::Deserialize;

/// What brings a customer in. One of `enters`, `leaves` and `event`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Coming into this segment.
    pub enters: Option<String>,
    /// Leaving this segment.
    pub leaves: Option<String>,
    /// An event, such as `order` or `review`.
    pub event: Option<String>,
    /// Whether those who are in the segment already when the campaign is launched come in too; by default they do not,
    /// because they did not enter it.
    #[serde(default)]
    pub present: bool,
    /// Whether somebody may come in again: `"365d"` after the last time, `"always"`: for each event a pass of its own, or
    /// `"never"`.
    #[serde(default)]
    pub reenter: Reenter,
    /// An event that is told of later than this after it happened brings nobody in.
    #[serde(default = "default_stale")]
    pub stale: Period,
}

fn default_stale() -> Period {
    Period::days(7)
}

/// One step of a pass: wait, ask, send.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its identity; without it, its position: 1, 2, 3.
    pub id: Option<String>,
    /// How long after the step before it, or after coming in.
    pub wait: Option<Period>,
    /// A condition, as in a segment, that is asked when the step falls due: when it is false, this step is skipped, and
    /// the next one comes.
    pub when: Option<String>,
    /// The template, without its ending.
    pub send: Option<String>,
    /// What is granted with the mail, in one transaction.
    pub reward: Option<StepReward>,
}

/// What a step grants.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepReward {
    /// The reward, by the name of its file in `rewards/`.
    pub grant: String,
    /// How many points, of a reward that is points.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub points: Option<i64>,
}

impl Trigger {
    /// The segment that it watches, if it does.
    pub fn segment(&self) -> Option<&str> {
        self.enters.as_deref().or(self.leaves.as_deref())
    }
}

impl Step {
    /// Its identity: its `id`, or its position, which begins at 1.
    pub fn name(&self, position: usize) -> String {
        self.id.clone().unwrap_or_else(|| position.to_string())
    }
}
