//! `plan`

use super::app;
use crate::campaign::content::Content;
use crate::campaign::plan::{Plan, plan as plan_one};
use crate::campaign::{CampaignError, Live, check};
use crate::cli::arguments::Global;
use crate::cli::output;
use crate::config::{Problem, Severity};
use crate::engine::App;
use crate::types::Money;
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
    let _ = match &plan.trigger {
        None => writeln!(text, "{:>10}  in the audience", plan.audience),
        Some(trigger) => {
            writeln!(text, "{:>10}  could be in it today; what brings people in: {trigger}", plan.audience)
        }
    };
    let _ = writeln!(
        text,
        "{:>10}  mails{}",
        plan.mails,
        if plan.trigger.is_some() { " by this launch itself" } else { "" }
    );
    if plan.inside > 0 {
        let _ = writeln!(text, "{:>10}  are on their way through its steps", plan.inside);
    }
    if plan.holdout > 0 {
        let _ = writeln!(text, "{:>10}  held out, to compare with", plan.holdout);
    }
    for (reason, n) in &plan.skipped {
        let _ = writeln!(text, "{n:>10}  get nothing: {reason}");
    }
    if plan.collisions > 0 {
        let _ = writeln!(text, "{:>10}  have had their cap of mail, and would wait", plan.collisions);
    }
    let currency = app.settings().site.currency;
    let money = |minor: i64| Money { minor, currency }.to_string();
    if plan.steps.len() > 1 || plan.steps.iter().any(|step| step.grant.is_some()) {
        for step in &plan.steps {
            let wait = if step.wait.as_millis() == 0 { String::new() } else { format!("after {}, ", step.wait) };
            let when = step.when.as_ref().map(|when| format!("when {when}, ")).unwrap_or_default();
            let grant = step.grant.as_ref().map(|reward| format!(" with {reward} ({} each)", money(step.cost)));
            let send = step.send.as_deref().unwrap_or("nothing");
            let _ = writeln!(text, "step {}: {wait}{when}sends {send}{}", step.step, grant.unwrap_or_default());
            if let Some(left) = step.budget_left {
                let _ = writeln!(text, "      of the budget {} are left in this period", money(left));
            }
        }
    }
    if plan.reward_liability > 0 {
        let _ = writeln!(text, "rewards open, with this launch: {}", money(plan.reward_liability));
    }
    if let (Some(first), Some(last)) = (plan.first_at, plan.last_at) {
        let _ = writeln!(text, "first {}, last {}, {} s at the relays' rate", when(first), when(last), plan.seconds);
    }
    if let Some(lift) = plan.smallest_lift {
        let by = plan.verdict_at.map(|at| format!(", on {}", when(at))).unwrap_or_default();
        let _ = writeln!(text, "the holdout can show a difference of {:.1} in 100 customers or more{by}", lift * 100.0);
    }
    if let Some(leap) = &plan.leap {
        let _ = writeln!(text, "{leap}: launched with --yes, it asks before anybody gets it");
    }
    text
}
