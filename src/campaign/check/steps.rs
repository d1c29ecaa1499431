//! What brings customers into a campaign and what happens to them there, beyond the shape of the file.

use crate::config::Problem;
use crate::config::document::Document;
use crate::config::model::{Campaign, RewardKind, StepReward, Trigger};
use crate::config::workspace::is_name;
use crate::event::Kind;
use crate::reward::Reward;
use crate::types::Period;
use crate::types::pace::Reenter;
use std::collections::BTreeSet;
use toml::de::DeValue;

/// The longest that a step may wait.
const LONGEST: Period = Period::days(5 * 366);

/// The mistakes in a campaign's way: a launch refuses them too.
pub fn problems(campaign: &Campaign, document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    begins(campaign, document, &mut problems);
    if let Some(trigger) = &campaign.trigger {
        of_trigger(campaign, trigger, document, &mut problems);
    }
    match (&campaign.send, campaign.step.is_empty()) {
        (None, true) if !document.has("send") && !document.has("step") => {
            let problem =
                whole(document, "missing-key", "this campaign sends nothing: it has neither `send` nor [[step]]");
            problems.push(problem.help("write send = \"letters/NAME\", or [[step]] with send = \"…\" for each mail"));
        }
        (Some(_), false) => {
            let message = "`send` and [[step]] stand side by side: one says one mail, the other several";
            problems.push(document.problem("send", "value", message).help("move `send` into the first [[step]]"));
        }
        _ => {}
    }
    steps(campaign, document, &mut problems);
    problems
}

/// Whether a step grants what the reward is.
///
/// # Errors
/// What is wrong, and what to write.
pub fn grant(reward: &Reward, wanted: &StepReward) -> Result<(), String> {
    match (reward.kind, wanted.points) {
        (RewardKind::Points, None) => {
            Err(format!("`{}` is points: say how many, as in {{ grant = \"{0}\", points = 500 }}", wanted.grant))
        }
        (RewardKind::Coupon | RewardKind::Perk, Some(_)) => {
            Err(format!("`{}` is no points: take `points` out", wanted.grant))
        }
        _ => Ok(()),
    }
}

fn whole(document: &Document, code: &'static str, message: &str) -> Problem {
    Problem::whole(&document.file, code, message)
}

/// How it begins: at a time with an audience, or by a trigger.
fn begins(campaign: &Campaign, document: &Document, problems: &mut Vec<Problem>) {
    let unsaid = campaign.audience.segment.is_none() && !document.has("audience.segment");
    if !document.has("trigger") && unsaid && !misspelt(document) {
        let (path, message) = if document.has("audience") {
            ("audience", "[audience] lacks `segment`")
        } else {
            ("", "this file lacks [audience]")
        };
        let help = "write [audience] with segment = \"…\": who gets it; or [trigger] with enters = \"…\"";
        let problem = if path.is_empty() {
            whole(document, "missing-key", message)
        } else {
            document.problem(path, "missing-key", message)
        };
        problems.push(problem.help(help));
    }
    if campaign.trigger.is_some() && document.has("schedule") {
        let message = "[schedule] and [trigger] stand side by side: one says when, the other who comes when";
        problems.push(document.problem("schedule", "value", message).help("remove one of them"));
    }
}

/// Whether [audience] is there, and what it says may be `segment` in other words, which was told of.
fn misspelt(document: &Document) -> bool {
    let (table, _) = document.parse();
    let Some(audience) = table.get_ref().get("audience") else { return false };
    match audience.get_ref() {
        DeValue::Table(audience) => audience.keys().any(|key| key.get_ref() != "exclude"),
        _ => true,
    }
}

fn of_trigger(campaign: &Campaign, trigger: &Trigger, document: &Document, problems: &mut Vec<Problem>) {
    let named = [("enters", &trigger.enters), ("leaves", &trigger.leaves), ("event", &trigger.event)];
    let named: Vec<&str> = named.into_iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key).collect();
    if named.len() != 1 {
        let message = match named.as_slice() {
            [] => "[trigger] does not say what it waits for".to_owned(),
            _ => format!("[trigger] waits for one thing, and this names {}", named.join(" and ")),
        };
        let help = "write one of enters = \"SEGMENT\", leaves = \"SEGMENT\", event = \"order\"";
        problems.push(document.problem("trigger", "value", message).help(help));
    }
    if trigger.present && trigger.enters.is_none() {
        let message = "`present` lets in who is in a segment already, and there is no `enters`";
        problems.push(document.problem("trigger.present", "value", message).help("remove it"));
    }
    if let Some(i) = campaign.audience.exclude.iter().position(|name| Some(name) == trigger.enters.as_ref()) {
        let message = format!(
            "`{}` is what brings people in, and is excluded: nobody would get this",
            campaign.audience.exclude[i]
        );
        let path = format!("audience.exclude[{i}]");
        problems.push(document.problem(&path, "value", message).help("take it out of `exclude`"));
    }
    let inside: i64 = campaign.steps().iter().filter_map(|(_, step)| step.wait).map(Period::as_millis).sum();
    match trigger.reenter {
        Reenter::After(period) if period.as_millis() <= inside && inside <= LONGEST.as_millis() => {
            let message = format!(
                "this can never be left: its steps take {} days, and `reenter` lets people in again after {}",
                inside / 86_400_000,
                period
            );
            let help = "write a longer time than all waits together";
            problems.push(document.problem("trigger.reenter", "value", message).help(help));
        }
        Reenter::Always
            if trigger.event.as_deref().is_some_and(|event| !Kind::of(event).may_be_reported() && event != "order") =>
        {
            let message = "this can never be left: its own mail would bring its readers in again and again";
            let help = "write a time such as reenter = \"90d\"; \"always\" is for what happens in the shop";
            problems.push(document.problem("trigger.reenter", "value", message).help(help));
        }
        Reenter::Always if trigger.event.is_none() => {
            let message =
                "this can never be left: with `always`, whoever goes out of the segment and in again is in it twice";
            let help =
                "write a time such as reenter = \"90d\"; \"always\" is for `event`, each of which is a pass of its own";
            problems.push(document.problem("trigger.reenter", "value", message).help(help));
        }
        _ => {}
    }
}

fn steps(campaign: &Campaign, document: &Document, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (i, step) in campaign.step.iter().enumerate() {
        let at = |key: &str| format!("step[{i}].{key}");
        let name = step.name(i + 1);
        if !is_name(&name) {
            let message = format!("`{name}` cannot name a step: it has letters in lower case, digits, - and _");
            problems.push(document.problem(&at("id"), "name", message));
        }
        if !seen.insert(name.clone()) {
            let message = format!("there are two steps `{name}`");
            problems.push(document.problem(&at("id"), "duplicate", message).help("give one of them another `id`"));
        }
        if step.send.is_none() && step.reward.is_none() {
            let message = format!("step `{name}` does nothing: it neither sends nor grants");
            let problem = document.problem(&format!("step[{i}]"), "missing-key", message);
            problems.push(problem.help("write send = \"…\", or take the step out"));
        }
        if step.wait.is_some_and(|wait| wait.as_millis() > LONGEST.as_millis()) {
            let message = format!("step `{name}` waits for more than five years: this can never be left");
            problems.push(document.problem(&at("wait"), "value", message).help("write a wait such as \"14d\""));
        }
    }
    let exit = campaign.goal.as_ref().is_some_and(|goal| goal.exit);
    if exit && campaign.steps().len() == 1 {
        let message =
            "`exit` takes whoever reaches the goal out of the steps that are left, and there is only one step";
        problems.push(document.problem("goal.exit", "value", message).help("remove it").warning());
    }
}
