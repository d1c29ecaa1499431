//! `preview` and `send-test`

use super::{app, plan, who};
use crate::campaign::preview as previews;
use crate::cli::arguments::Global;
use crate::cli::output;
use crate::deliver::Content;
use crate::deliver::direct::send_one;
use crate::engine::relays;
use crate::types::Email;
use anyhow::{Context as _, anyhow};
use serde_json::json;
use std::path::PathBuf;

pub async fn preview(
    global: &Global,
    campaign: &str,
    step: Option<&str>,
    customer: &str,
    out: Option<PathBuf>,
) -> anyhow::Result<()> {
    let app = app(global).await?;
    let customer = who(&app, customer).await?;
    let (_, _, live) = plan::of(&app, campaign).await?;
    let (_, made) = previews::preview(&app.db, &app.composer, &live, step, customer.id, None, app.clock.now()).await?;
    let Some(dir) = out else {
        let eml = String::from_utf8_lossy(&made.bytes);
        if !global.json {
            output::print(&eml);
            return Ok(());
        }
        let (subject, html, text) = (&made.rendered.subject, &made.rendered.html, &made.rendered.text);
        let whole = json!({ "subject": subject, "eml": eml, "html": html, "text": text });
        return output::show(true, &whole, String::new);
    };
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut files = Vec::new();
    let parts =
        [("eml", made.bytes), ("html", made.rendered.html.into_bytes()), ("txt", made.rendered.text.into_bytes())];
    for (ending, bytes) in parts {
        let file = dir.join(format!("{campaign}.{ending}"));
        std::fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
        files.push(file.display().to_string());
    }
    output::show(global.json, &json!({ "files": files, "subject": made.rendered.subject }), || files.join("\n"))
}

pub async fn send_test(
    global: &Global,
    campaign: &str,
    step: Option<&str>,
    customer: &str,
    to: Email,
) -> anyhow::Result<()> {
    let app = app(global).await?;
    let customer = who(&app, customer).await?;
    let (_, _, live) = plan::of(&app, campaign).await?;
    let (to, made) =
        previews::preview(&app.db, &app.composer, &live, step, customer.id, Some(&to), app.clock.now()).await?;
    let made_relays = relays::of(&app).await?;
    let relay = made_relays.routes.relays.first().context("there is no relay")?;
    let reply = send_one(relay, &app.composer.envelope(&live, 0), &to, &Content::new(made.bytes))
        .await
        .map_err(|e| anyhow!(e))?;
    let caught = made_relays.catcher.is_some();
    output::show(global.json, &json!({ "to": to.as_str(), "relay": relay.name, "reply": reply }), || {
        let note = if caught { "\n(the relay is catch://, so it went no further)" } else { "" };
        format!("sent to {to} through {}: {reply}{note}", relay.name)
    })
}
