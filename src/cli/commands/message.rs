//! `message`

use super::app;
use crate::campaign::control::launched;
use crate::cli::arguments::{Global, Message};
use crate::cli::output;
use crate::deliver::settle::{self, Fate, Settled};
use crate::deliver::{State, store};
use crate::engine::App;
use anyhow::bail;
use serde_json::json;
use std::process::ExitCode;

pub async fn message(global: &Global, command: Message) -> anyhow::Result<ExitCode> {
    let app = app(global).await?;
    match command {
        Message::List { state, campaign, limit } => {
            if let Some(campaign) = &campaign {
                launched(&app.db, campaign).await?;
            }
            let found = store::list(&mut &app.db, state, campaign.as_deref(), limit).await?;
            output::show(global.json, &json!({ "messages": found }), || {
                let rows = found.iter().map(|m| {
                    vec![
                        m.id.to_string(),
                        m.campaign.clone(),
                        m.address.clone().unwrap_or_else(|| format!("#{}", m.customer)),
                        m.state.clone(),
                        m.reason.clone().unwrap_or_default(),
                        m.reply.clone().unwrap_or_default(),
                    ]
                });
                let table = output::table(&["id", "campaign", "to", "state", "reason", "reply"], rows);
                match i64::try_from(found.len()).is_ok_and(|shown| shown < limit) {
                    true => table,
                    false => format!("{table}\n\nthe last {limit}; `--limit` shows more"),
                }
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Message::Resend { ids } => settle(global, &app, &ids, Fate::Again).await,
        Message::Settle { ids } => settle(global, &app, &ids, Fate::Delivered).await,
    }
}

/// Those of unknown fate are settled; that others were named is an error that says why.
async fn settle(global: &Global, app: &App, ids: &[i64], fate: Fate) -> anyhow::Result<ExitCode> {
    let found = store::states(&mut &app.db, ids).await?;
    let now = app.clock.now();
    let Settled { changed, barred } = settle::settle(&app.db, &app.settings(), ids, fate, "command line", now).await?;
    let left: Vec<i64> = ids.iter().copied().filter(|id| !changed.contains(id)).collect();
    let why: Vec<String> = left
        .iter()
        .map(|id| match found.iter().find(|(found, _)| found == id) {
            _ if let Some((_, why)) = barred.iter().find(|(barred, _)| barred == id) => why.clone(),
            Some((_, state)) if state == State::Unknown.name() => format!("the customer of message {id} was forgotten"),
            Some((_, state)) => format!("message {id} is {state}, not unknown"),
            None => format!("there is no message {id}"),
        })
        .collect();
    let what = match (fate, changed.len()) {
        (Fate::Again, _) => "will go out again",
        (Fate::Delivered, 1) => "counts as delivered",
        (Fate::Delivered, _) => "count as delivered",
    };
    if left.is_empty() {
        output::show(global.json, &json!({ "changed": changed, "left": left }), || {
            format!("{} {what}", output::counted(changed.len(), "message"))
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let why = format!("{}; `dangol message list --state unknown` shows those that can be", why.join(", "));
    if changed.is_empty() {
        bail!(why);
    }
    // half was done: the answer says both
    let answer = json!({ "changed": changed, "left": left, "error": { "message": why } });
    output::show(global.json, &answer, || format!("{} {what}", output::counted(changed.len(), "message")))?;
    output::tell(&format!("error: {why}"));
    Ok(ExitCode::FAILURE)
}
