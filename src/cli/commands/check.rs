//! `check`

use super::open;
use crate::campaign::check;
use crate::cli::arguments::Global;
use crate::cli::output::{self, counted};
use crate::config::reading::Reading;
use crate::config::workspace::SETTINGS;
use crate::config::{Problem, Severity};
use crate::customer;
use crate::engine::{Open, relays};
use crate::render::dkim;
use crate::types::Timestamp;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// So many customers of each audience are tried.
const EACH: i64 = 100;

pub async fn check(global: &Global, offline: bool, online: bool) -> anyhow::Result<ExitCode> {
    let open = open(global);
    let root = open.root()?;
    let read = Reading::of(&root);
    let tried = read.judged().map_or((0, 0), |workspace| (workspace.campaigns.len(), workspace.segments.len()));
    let now = open.clock.now();
    // without good settings it is not known which database to ask
    let problems = match read.workspace {
        Some(_) if !offline => with_database(&open, read, &root, online).await?,
        _ => offline_problems(&read, now).await?,
    };
    let (errors, warnings): (Vec<&Problem>, Vec<&Problem>) =
        problems.iter().partition(|problem| problem.severity == Severity::Error);
    output::show(global.json, &json!({ "errors": errors, "warnings": warnings }), || {
        let mut text: String = problems.iter().map(|problem| problem.render() + "\n").collect();
        text += &match (errors.len(), warnings.len()) {
            (0, 0) => format!("{} and {}, no mistakes", counted(tried.0, "campaign"), counted(tried.1, "segment")),
            (0, n) => format!("no mistakes, {n} worth a look"),
            (n, 0) => counted(n, "mistake"),
            (n, m) => format!("{}, {m} worth a look", counted(n, "mistake")),
        };
        text
    })?;
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The mistakes that show without a database.
async fn offline_problems(read: &Reading, now: Timestamp) -> anyhow::Result<Vec<Problem>> {
    let mut problems = check::reading(read, None);
    if let Some(workspace) = read.judged() {
        problems.extend(check::times(workspace, &read.drafts, now));
        // keys are not in Git, so where only files are checked there are none
        problems.extend(dkim::problems(workspace, Severity::Warning));
        problems.extend(check::against_orders(workspace, None).await?);
    }
    Ok(check::sorted(problems))
}

/// The mistakes that the customers show too.
async fn with_database(open: &Open, mut read: Reading, root: &Path, online: bool) -> anyhow::Result<Vec<Problem>> {
    let Some(workspace) = read.workspace.take() else { return Ok(read.problems) };
    let app = match open.app_of(workspace, Vec::new()).await {
        Ok(app) => app,
        Err(e) => {
            // mistakes in files are told even where the database cannot be opened
            let mut problems = offline_problems(&Reading::of(root), open.clock.now()).await?;
            let problem = Problem::whole(SETTINGS, "database", e.to_string());
            problems.push(problem.help("`dangol check --offline` needs no database"));
            return Ok(check::sorted(problems));
        }
    };
    let attributes = customer::attribute_names(&mut &app.db).await?;
    let mut problems = read.problems;
    problems.extend(check::judge(&app.workspace, &read.drafts, Some(&attributes)));
    problems.extend(check::against_customers(&app.workspace, &app.db, &app.composer, EACH, app.clock.now()).await?);
    problems.extend(check::against_orders(&app.workspace, Some(&app.db)).await?);
    problems.extend(check::vanished(&app.workspace, &read.drafts, &app.db).await?);
    problems.extend(check::against_history(&app.workspace, &read.drafts, &app.db).await?);
    problems.extend(check::times(&app.workspace, &read.drafts, app.clock.now()));
    problems.extend(dkim::problems(&app.workspace, Severity::Error));
    if online {
        problems.extend(relays::try_all(&app).await);
    }
    Ok(check::sorted(problems))
}
