//! `launch`, `pause`, `resume`, `close`, `cancel`

use super::{app, plan};
use crate::campaign::control::{self, Action};
use crate::campaign::launch::{self, How, Launched, launch as launch_campaign};
use crate::cli::arguments::{Global, Inside};
use crate::cli::output;
use std::process::ExitCode;

pub async fn launch(global: &Global, campaign: &str, yes: bool, inside: Inside) -> anyhow::Result<ExitCode> {
    let app = app(global).await?;
    let (planned, content, live) = plan::of(&app, campaign).await?;
    let mut agreed = None;
    if !yes {
        output::tell(&plan::text(&planned, &app));
        let to = planned.leap.map(|leap| format!(" to {leap}")).unwrap_or_default();
        if !output::confirm(&format!("launch {campaign}{to}?")) {
            anyhow::bail!("nothing was launched; --yes does it without asking");
        }
        agreed = planned.leap.map(|leap| leap.people);
    }
    let inside = match inside {
        Inside::Stay => launch::Inside::Stay,
        Inside::Move => launch::Inside::Move,
    };
    let how = How { inside, agreed };
    let launched = launch_campaign(&app.db, campaign, &content, &live, &app.settings(), how, app.clock.now()).await?;
    let asks = planned
        .leap
        .filter(|_| agreed.is_none())
        .map(|leap| format!("{leap}: it asks before anybody gets it, and `dangol resume {campaign}` is the yes"));
    output::show(global.json, &Told { launched: &launched, asks: asks.as_deref() }, || {
        let revision = if launched.changed { "a new revision" } else { "the same revision" };
        let resumed = if launched.resumed { "; it was paused, and goes on" } else { "" };
        let moved = if launched.moved > 0 {
            format!("; {} moved to it", output::counted(launched.moved, "mail or pass"))
        } else {
            String::new()
        };
        let zone = app.settings().site.timezone.tz().clone();
        // what the plan foresaw: enrolment itself begins earlier, for readers whose day does
        let first = match planned.first_at {
            Some(at) => format!("first mail {}", at.to_zoned(zone).strftime("%Y-%m-%d %H:%M %Z")),
            None => "nobody new gets a mail".into(),
        };
        let asks = asks.as_ref().map_or_else(String::new, |asks| format!("\n{asks}"));
        format!(
            "launched {campaign}, {revision} ({}){resumed}{moved}\n{first}; `dangol run` or `dangol serve` sends, `dangol status` shows how it goes{asks}",
            launched.revision
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a launch tells machines.
#[derive(serde::Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    launched: &'a Launched,
    /// What the letter will ask before anybody gets it, when nobody has been asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<&'a str>,
}

pub async fn control(global: &Global, campaign: Option<String>, action: Action) -> anyhow::Result<()> {
    let app = app(global).await?;
    let done = control::control(&app.db, campaign.as_deref(), action, app.clock.now()).await?;
    output::show(global.json, &done, || {
        if done.is_empty() {
            return "there is no campaign for which that would change anything".into();
        }
        let line = |done: &control::Done| match done.cancelled {
            _ if done.state == control::ASKS => {
                let name = &done.campaign;
                format!("{name} asks, as `dangol status` says: `dangol resume {name}` is the yes")
            }
            0 => format!("{} is {}", done.campaign, done.state),
            n => format!("{} is {}; {} will not be sent", done.campaign, done.state, output::counted(n, "mail")),
        };
        done.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
