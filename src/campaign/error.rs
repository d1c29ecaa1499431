//! What can go wrong with a campaign.

use crate::config::Problem;
use crate::db::DbError;
use crate::reward::RewardError;

/// Why a campaign cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Rewards.
    #[error(transparent)]
    Reward(#[from] RewardError),
    /// The files have mistakes.
    #[error("{}", render(.0))]
    Files(Vec<Problem>),
    /// There is no campaign of that name; what to do.
    #[error("there is no campaign `{name}`{}", help.as_ref().map(|h| format!(": {h}")).unwrap_or_default())]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest.
        help: Option<String>,
    },
    /// It cannot be done in the state that it is in.
    #[error("{0}")]
    State(String),
}

fn render(problems: &[Problem]) -> String {
    let text: Vec<String> = problems.iter().map(Problem::render).collect();
    let mistakes = if problems.len() == 1 { "a mistake".into() } else { format!("{} mistakes", problems.len()) };
    format!("{}\nthe files have {mistakes}: see `dangol check`", text.join("\n"))
}
