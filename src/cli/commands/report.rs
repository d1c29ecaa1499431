//! `report` and `status`

use super::app;
use crate::campaign::control::launched;
use crate::cli::arguments::Global;
use crate::cli::output;
use crate::report::goal::Arm;
use crate::report::{campaign as reports, status as statuses};
use std::fmt::Write as _;
use std::time::Duration;

pub async fn report(global: &Global, campaign: &str) -> anyhow::Result<()> {
    let app = app(global).await?;
    launched(&app.db, campaign).await?;
    let settings = app.settings();
    let report = reports::report(&app.db, &app.cache, &settings, campaign, app.clock.now()).await?;
    output::show(global.json, &report, || {
        let mut text = format!("{}\n", report.campaign);
        let mut line = |n: i64, what: &str| {
            // writing to a string cannot fail
            let _ = writeln!(text, "{n:>10}  {what}");
        };
        line(report.assigned.treated, if report.assigned.treated == 1 { "was to get it" } else { "were to get it" });
        if report.assigned.holdout > 0 {
            line(report.assigned.holdout, "held out");
        }
        for (state, n) in report.messages.iter().filter(|(state, n)| **n > 0 && *state != "skipped") {
            line(*n, state);
        }
        for (reason, n) in &report.skipped {
            line(*n, &format!("not sent: {reason}"));
        }
        for (what, classes) in [("opened", &report.opens), ("clicked", &report.clicks)] {
            line(classes.human, &format!("{what} by people"));
            for (n, who) in [
                (classes.proxy, "by mail programs' proxies"),
                (classes.machine, "by scanners"),
                (classes.unknown, "by nobody knows whom"),
                (classes.unsettled, "not judged yet"),
            ] {
                if n > 0 {
                    line(n, &format!("{what} {who}"));
                }
            }
        }
        line(report.unsubscribes, "unsubscribed");
        if report.complaints > 0 {
            line(report.complaints, "called it spam");
        }
        for (survey, answers) in &report.answers {
            for (answer, n) in answers {
                line(*n, &format!("answered {survey}: {answer}"));
            }
        }
        if report.steps.len() > 1 {
            for (state, n) in &report.passes {
                line(*n, &format!("passes {state}"));
            }
        }
        if let Some(rewards) = &report.rewards {
            line(rewards.grants, "rewards granted");
            text += &format!(
                "            {} points, {} of them spent; {} {} granted, {} spent\n",
                rewards.points, rewards.spent, rewards.cost, settings.site.currency, rewards.spent_cost
            );
        }
        if let Some(goal) = &report.goal {
            let mut worthy = String::new();
            let arm = |name: &str, arm: &Arm| {
                format!(
                    "  {name:<9} {} of {} reached the goal, {} {}\n",
                    arm.converted, arm.n, arm.value, settings.site.currency
                )
            };
            if let Some(worth) = &goal.worth {
                worthy = format!(
                    "  worth {} {} more than without it, between {} and {} (95 %)\n",
                    worth.value, settings.site.currency, worth.low, worth.high
                );
            }
            text += &format!(
                "goal\n{}{}  {}\n{worthy}",
                arm("treated", &goal.treated),
                arm("held out", &goal.holdout),
                goal.verdict
            );
        }
        text
    })
}

pub async fn status(global: &Global, watch: bool) -> anyhow::Result<()> {
    let app = app(global).await?;
    loop {
        let settings = app.settings();
        let now = statuses::status(&app.db, &settings, app.clock.now()).await?;
        let read = output::show_while_read(global.json, &now, || {
            let count = |state: &str, messages: &std::collections::BTreeMap<String, i64>| {
                // what a process has taken in hand and not begun would else be in no column
                let taken = if state == "queued" { messages.get("claimed").copied().unwrap_or(0) } else { 0 };
                (messages.get(state).copied().unwrap_or(0) + taken).to_string()
            };
            let states = ["queued", "deferred", "transmitting", "accepted", "refused", "unknown", "skipped"];
            let mut head = vec!["campaign", "state", "audience"];
            head.extend(states);
            let rows = now.campaigns.iter().map(|campaign| {
                let state = match &campaign.held {
                    // that the lane of a paused campaign is held goes without saying
                    Some(reason) if campaign.state != "paused" && campaign.state != "cancelled" => {
                        format!("{}, held: {reason}", campaign.state)
                    }
                    _ => campaign.state.clone(),
                };
                let state = match &campaign.trouble {
                    Some(trouble) => format!("{state}; {trouble}"),
                    None => state,
                };
                let mut row = vec![campaign.campaign.clone(), state, campaign.audience.clone().unwrap_or_default()];
                row.extend(states.iter().map(|state| count(state, &campaign.messages)));
                row
            });
            let mut text = output::table(&head, rows);
            let relays = now.relays.iter().map(|relay| {
                let daily = relay.daily.map_or_else(|| "-".into(), |n| n.to_string());
                vec![relay.name.clone(), relay.rate.clone(), relay.sent_today.to_string(), daily]
            });
            text += &format!("\n\n{}", output::table(&["relay", "rate", "sent today", "daily"], relays));
            for relay in &now.relays {
                if let Some(trouble) = &relay.trouble {
                    text += &format!("\n\nrelay `{}`: {trouble}", relay.name);
                }
            }
            if let Some(due) = now.next_due {
                let due = due.to_zoned(settings.site.timezone.tz().clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
                text += &format!("\n\nnext mail due {due}");
            }
            if now.unsettled_hits > 0 {
                let wait = if now.unsettled_hits == 1 { "waits" } else { "wait" };
                text += &format!("\n{} {wait} to be judged", output::counted(now.unsettled_hits, "hit"));
            }
            text
        })?;
        if !watch || !read {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
