//! `message`

use super::app;
use crate::campaign::control::launched;
use crate::cli::arguments::{Global, Message};
use crate::cli::output;
use crate::deliver::settle::{self, Fate};
use crate::deliver::{State, store};
use crate::engine::App;
use anyhow::anyhow;
use serde_json::json;

pub async fn message(global: &Global, command: Message) -> anyhow::Result<()> {
    let app = app(global).await?;
    match command {
        Message::List { state, campaign, limit } => {
            let state = state.map(|state| state.parse::<State>()).transpose().map_err(|e| anyhow!(e))?;
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
                output::table(&["id", "campaign", "to", "state", "reason", "reply"], rows)
            })
        }
        Message::Resend { ids } => settle(global, &app, &ids, Fate::Again).await,
        Message::Settle { ids } => settle(global, &app, &ids, Fate::Delivered).await,
    }
}

async fn settle(global: &Global, app: &App, ids: &[i64], fate: Fate) -> anyhow::Result<()> {
    let changed = settle::settle(&app.db, ids, fate, "command line", app.clock.now()).await?;
    let other: Vec<i64> = ids.iter().copied().filter(|id| !changed.contains(id)).collect();
    output::show(global.json, &json!({ "changed": changed, "left": other }), || {
        let what = if fate == Fate::Again { "will go out again" } else { "counted as delivered" };
        let mut text = match changed.len() {
            1 => format!("1 message {what}"),
            n => format!("{n} messages {what}"),
        };
        if !other.is_empty() {
            text += &format!("; left alone, because they are not of unknown fate: {other:?}");
        }
        text
    })
}
