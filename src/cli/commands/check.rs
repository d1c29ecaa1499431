//! `check`

use super::open;
use crate::campaign::check;
use crate::cli::arguments::Global;
use crate::cli::output;
use crate::config::{Problem, Severity, Workspace};
use crate::customer;
use crate::engine::{AppError, relays};
use serde_json::json;
use std::process::ExitCode;

/// So many customers of each audience are tried.
const EACH: i64 = 100;

pub async fn check(global: &Global, offline: bool, online: bool) -> anyhow::Result<ExitCode> {
    let open = open(global);
    let root = open.root()?;
    let (workspace, mut problems) = Workspace::load(&root);
    let mut tried = 0;
    if let Some(workspace) = workspace {
        let names = (workspace.campaigns.len(), workspace.segments.len());
        tried = names.0 + names.1;
        if offline {
            problems.extend(check::check(&workspace, None));
        } else {
            // mistakes in files are told even where the database cannot be opened
            let known = problems.clone();
            match open.app_of(workspace, known).await {
                Ok(app) => {
                    let attributes = customer::attribute_names(&mut &app.db).await?;
                    problems.extend(check::check(&app.workspace, Some(&attributes)));
                    let now = app.clock.now();
                    problems.extend(check::against_customers(&app.workspace, &app.db, &app.composer, EACH, now).await?);
                    if online {
                        problems.extend(relays::try_all(&app).await);
                    }
                }
                Err(AppError::Files(more)) => problems.extend(more),
                Err(e) => {
                    let (workspace, _) = Workspace::load(&root);
                    problems.extend(workspace.iter().flat_map(|workspace| check::check(workspace, None)));
                    let problem = Problem::whole(crate::config::workspace::SETTINGS, "database", e.to_string());
                    problems.push(problem.help("`dangol check --offline` needs no database"));
                }
            }
        }
    }
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    problems.dedup();
    let (errors, warnings): (Vec<&Problem>, Vec<&Problem>) =
        problems.iter().partition(|problem| problem.severity == Severity::Error);
    output::show(global.json, &json!({ "errors": errors, "warnings": warnings }), || {
        let mut text: String = problems.iter().map(|problem| problem.render() + "\n").collect();
        text += &match (errors.len(), warnings.len()) {
            (0, 0) => format!("{tried} campaigns and segments, no mistakes"),
            (0, n) => format!("no mistakes, {n} worth a look"),
            (n, 0) => format!("{n} mistakes"),
            (n, m) => format!("{n} mistakes, {m} worth a look"),
        };
        text
    })?;
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
