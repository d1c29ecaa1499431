//! `message`

use super::app;
use crate::campaign::control::launched;
use crate::cli::arguments::{Global, Message};
use crate::cli::output;
use crate::customer::audit;
use crate::deliver::{State, store};
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
        Message::Resend { ids } => settle(global, &ids, State::Queued, "sent again by hand").await,
        Message::Settle { ids } => settle(global, &ids, State::Accepted, "settled by hand").await,
    }
}

async fn settle(global: &Global, ids: &[i64], to: State, reason: &str) -> anyhow::Result<()> {
    let app = app(global).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let changed = store::settle_unknown(&mut tx, ids, to, reason, now).await?;
    for id in &changed {
        audit(&mut tx, "command line", reason, &format!("message {id}"), None, now).await?;
    }
    tx.commit().await?;
    let other: Vec<i64> = ids.iter().copied().filter(|id| !changed.contains(id)).collect();
    output::show(global.json, &json!({ "changed": changed, "left": other }), || {
        let mut text = match changed.len() {
            1 => format!("1 message is {to} now"),
            n => format!("{n} messages are {to} now"),
        };
        if !other.is_empty() {
            text += &format!("; left alone, because they are not of unknown fate: {other:?}");
        }
        text
    })
}
