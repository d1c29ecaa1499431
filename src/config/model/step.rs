//! `campaigns/*.toml`: what begins a pass, and what happens in it.

use crate::types::Period;
use crate::types::pace::Reenter;
use schemars::JsonSchema;
use serde::Deserialize;

/// What brings customers in, one at a time, instead of a schedule. One of `enters`, `leaves` and `event` says what.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Coming into this segment: whoever is in it and was not when it was last looked at. After an event of theirs that is
    /// within seconds; where time alone changes it, within a quarter of an hour.
    pub enters: Option<String>,
    /// Leaving this segment: whoever was in it and is not any more.
    pub leaves: Option<String>,
    /// An event such as `order` or `review`, of those that happen after the launch. Templates read it as `event`.
    pub event: Option<String>,
    /// Whether those who are in the segment already when the campaign is launched come in too; by default they do not,
    /// because they did not enter it.
    #[serde(default)]
    pub present: bool,
    /// Whether somebody may come in again: `"365d"` after they came in last, when they are through; `"always"`: each event
    /// is a pass of its own; or `"never"`.
    #[serde(default)]
    pub reenter: Reenter,
    /// An event that is told of later than this after it happened brings nobody in.
    #[serde(default = "default_stale")]
    pub stale: Period,
}

fn default_stale() -> Period {
    Period::days(7)
}

/// What happens to whoever is inside, step by step in this order: wait, ask, grant, send.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its identity; without it, its position: 1, 2, 3. Give it one, so that steps can be put in between later.
    pub id: Option<String>,
    /// How long after the step before it was taken, or after coming in.
    pub wait: Option<Period>,
    /// A condition, as in a segment, that is asked when the step falls due: when it is false, this step is skipped, and
    /// the next one comes.
    pub when: Option<String>,
    /// The template, without its ending: `loyalty/thanks` is `templates/loyalty/thanks.mjml`. A step that only grants has
    /// none.
    pub send: Option<String>,
    /// What is granted, in the transaction that queues the mail. Templates read it as `grant`. Where the budget has no
    /// room for it, there is no mail either.
    pub reward: Option<StepReward>,
}

/// What a step grants, in the transaction that queues its mail: a reward that the budget has no room for keeps the mail back.
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
