//! `plan`

use super::app;
use crate::campaign::content::Content;
use crate::campaign::plan::{Plan, plan as plan_one};
use crate::campaign::{CampaignError, Live, check};
use crate::cli::arguments::Global;
use crate::cli::output;
use crate::config::{Problem, Severity};
use crate::engine::App;
use serde_json::json;
use std::fmt::Write as _;
use std::process::ExitCode;

/// `plan --exit-code` found something to change.
const WOULD_CHANGE: u8 = 3;

pub async fn plan(global: &Global, campaign: Option<&str>, exit_code: bool) -> anyhow::Result<ExitCode> {
    let app = app(global).await?;
    let names: Vec<String> = match campaign {
        Some(name) => vec![name.to_owned()],
        None => app.workspace.campaigns.keys().cloned().collect(),
    };
    let mut plans = Vec::new();
    for name in &names {
        plans.push(of(&app, name).await?.0);
    }
    output::show(global.json, &json!({ "campaigns": plans }), || {
        plans.iter().map(|plan| text(plan, &app)).collect::<Vec<_>>().join("\n")
    })?;
    let changes = exit_code && plans.iter().any(Plan::would_change);
    Ok(if changes { ExitCode::from(WOULD_CHANGE) } else { ExitCode::SUCCESS })
}

/// The plan of a campaign of the files, with what it was made from.
pub async fn of(app: &App, name: &str) -> anyhow::Result<(Plan, Content, Live)> {
    app.readable(&format!("campaigns/{name}.toml"))?;
    let content = Content::of(&app.workspace, name)?;
    let mut wrong: Vec<Problem> = app.problems.clone();
    wrong.extend(check::check(&app.workspace, None));
    wrong.retain(|problem| problem.severity == Severity::Error);
    if !wrong.is_empty() {
        return Err(CampaignError::Files(wrong).into());
    }
    let settings = app.settings();
    let live = Live::compile(name, &content, &settings)?;
    let plan = plan_one(&app.db, &settings, &live, &content.hash(), app.clock.now()).await?;
    Ok((plan, content, live))
}

/// A plan as people read it.
pub fn text(plan: &Plan, app: &App) -> String {
    let zone = app.settings().site.timezone.tz().clone();
    let when = |at: crate::types::Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
    let mut text = String::new();
    // writing to a string cannot fail
    let _ = writeln!(text, "{} ({})", plan.campaign, plan.change);
    let _ = writeln!(text, "{:>10}  in the audience", plan.audience);
    let _ = writeln!(text, "{:>10}  {}", plan.mails, if plan.mails == 1 { "mail" } else { "mails" });
    if plan.holdout > 0 {
        let _ = writeln!(text, "{:>10}  held out, to compare with", plan.holdout);
    }
    for (reason, n) in &plan.skipped {
        let _ = writeln!(text, "{n:>10}  {} nothing: {reason}", if *n == 1 { "gets" } else { "get" });
    }
    if plan.collisions > 0 {
        let have = if plan.collisions == 1 { "has" } else { "have" };
        let _ = writeln!(text, "{:>10}  {have} had their cap of mail, and would wait", plan.collisions);
    }
    if let (Some(first), Some(last)) = (plan.first_at, plan.last_at) {
        let _ = writeln!(text, "first {}, last {}, {} s at the relays' rate", when(first), when(last), plan.seconds);
    }
    text
}
