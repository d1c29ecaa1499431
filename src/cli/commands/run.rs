//! `run`

use super::open;
use crate::cli::arguments::Global;
use crate::cli::output;
use crate::engine::{Ended, Open, Roles, Running, signals};
use crate::report::status::{self, CampaignStatus};
use crate::types::{Clock, Timestamp};
use std::process::ExitCode;

pub async fn run(global: &Global, until_idle: bool, clock_from: Option<Timestamp>) -> anyhow::Result<ExitCode> {
    let clock = clock_from.map_or_else(Clock::system, Clock::running_from);
    let app = Open { clock, ..open(global) }.app().await?;
    let mut running = Running::start(app.clone(), Roles::ALL).await?;
    signals::handle(&app, running.stopping());
    if let Some(catcher) = running.catcher() {
        let page = catcher.http_addr.map(|page| format!("; see it on http://{page}")).unwrap_or_default();
        tracing::info!("mail to catch:// goes to the built-in catcher, to nobody else{page}");
    }
    if until_idle {
        let worked = running.until_idle().await;
        running.stop().await?;
        worked?;
        let now = status::status(&app.db, &app.settings(), app.clock.now()).await?;
        output::show(global.json, &now, || {
            let states: Vec<String> =
                now.queue.iter().filter(|(_, n)| **n > 0).map(|(state, n)| format!("{n} {state}")).collect();
            let waiting: String = now.campaigns.iter().filter_map(waits).collect();
            format!("nothing is due; {}{waiting}", if states.is_empty() { "no mail".into() } else { states.join(", ") })
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    running.schedule();
    running.stopping().cancelled().await;
    tracing::info!("stopping: finishing what is in flight");
    Ok(match running.stop().await? {
        Ended::Stopped => ExitCode::SUCCESS,
        Ended::LostLock => ExitCode::FAILURE,
    })
}

/// What a running campaign asks before anybody gets it, or why it is held.
fn waits(campaign: &CampaignStatus) -> Option<String> {
    let held = campaign.held.as_ref().filter(|_| campaign.state == "running")?;
    let asks = matches!(campaign.audience.as_deref(), Some("stale" | "large"));
    let what = if asks { "asks" } else { "is held" };
    Some(format!("\n{} {what}: {held}", campaign.campaign))
}
