//! What a reward's file says, beyond its shape; the reward stage judges, here it gets its place.

use super::settings;
use crate::config::Problem;
use crate::config::model::Reward;
use crate::config::reading::Drafts;
use crate::config::workspace::{File, Workspace};
use crate::db::{Db, DbError};
use crate::reward;

/// The mistakes of all rewards, as far as they show without a database.
pub(super) fn problems(workspace: &Workspace, drafts: &Drafts) -> Vec<Problem> {
    let settings = settings::judged(workspace, drafts);
    // without the settings nobody knows the currency
    let files = workspace.rewards.values().filter(|_| !drafts.settings);
    files
        .flat_map(|File { document, value }| {
            reward::judge(value, &settings).into_iter().map(|finding| {
                document
                    .problem(&finding.path, finding.code, finding.message)
                    .maybe_help(finding.help.map(str::to_owned))
            })
        })
        .collect()
}

/// What only the orders show: a ceiling on margins where no order says what it brought lets nothing pass. `db`: none when
/// it is not to be asked, and then this cannot be known.
///
/// # Errors
/// When the database is away.
pub async fn against_orders(workspace: &Workspace, db: Option<&Db>) -> Result<Vec<Problem>, DbError> {
    let with: Vec<&File<Reward>> = workspace.rewards.values().filter(|file| file.value.ceiling.is_some()).collect();
    if with.is_empty() {
        return Ok(Vec::new());
    }
    let known = match db {
        Some(mut db) => Some(reward::margins_known(&mut db).await?),
        None => None,
    };
    let message = match known {
        Some(true) => return Ok(Vec::new()),
        Some(false) => "no order in the database has a margin, so this ceiling lets nobody have the reward",
        None => "a ceiling is a share of margins, and whether orders have any cannot be known without the database",
    };
    let help = "import orders with a `margin` column, or take `ceiling` out";
    let place = |file: &File<Reward>| file.document.problem("ceiling", "no-margins", message).help(help).warning();
    Ok(with.into_iter().map(place).collect())
}
