//! `customer` and `why`

use super::{app, who};
use crate::campaign::control::launched;
use crate::cli::arguments::{Customer, Global};
use crate::cli::output;
use crate::customer;
use crate::report::why as reasons;
use anyhow::Context as _;
use serde_json::{Value, json};

pub async fn customer(global: &Global, command: Customer) -> anyhow::Result<()> {
    let app = app(global).await?;
    match command {
        Customer::Export { customer: word } => {
            let found = who(&app, &word).await?;
            let all = customer::export(&mut &app.db, found.id).await?.context("the customer is gone")?;
            output::show(true, &all, String::new)
        }
        Customer::Show { customer: word } => {
            let found = who(&app, &word).await?;
            let all = customer::export(&mut &app.db, found.id).await?.context("the customer is gone")?;
            let settings = app.settings();
            let why = reasons::why(&app.db, &settings, found.id, None, app.clock.now()).await.ok();
            output::show(global.json, &all, || {
                let mut text = String::new();
                for (key, value) in all["customer"].as_object().into_iter().flatten() {
                    let shown = match value {
                        Value::Null => continue,
                        Value::String(text) => text.clone(),
                        other => other.to_string(),
                    };
                    if shown != "{}" && shown != "false" {
                        text += &format!("{key:<14} {shown}\n");
                    }
                }
                for (key, what) in [("purchases", "orders"), ("events", "events"), ("messages", "messages")] {
                    if let Some(list) = all.get(key).and_then(Value::as_array) {
                        text += &format!("{what:<14} {}\n", list.len());
                    }
                }
                if let Some(why) = why {
                    text += &why.to_text(&settings.site.locale);
                }
                text
            })
        }
        Customer::Erase { customer: word, yes } => {
            let found = who(&app, &word).await?;
            if !yes && !output::confirm(&format!("forget {word} for good?")) {
                anyhow::bail!("nobody was forgotten; --yes does it without asking");
            }
            let key = crate::customer::ErasureKey::new(app.secret.erasure_key());
            let mut tx = app.db.begin().await?;
            let erased = customer::erase(&mut tx, found.id, &key, "command line", app.clock.now()).await?;
            tx.commit().await?;
            app.journal.keep(&app.db).await?;
            output::show(global.json, &json!({ "customer": found.id, "erased": erased }), || {
                if erased {
                    format!("#{} is forgotten", found.id)
                } else {
                    format!("#{} was forgotten already", found.id)
                }
            })
        }
    }
}

pub async fn why(global: &Global, word: &str, campaign: Option<&str>) -> anyhow::Result<()> {
    let app = app(global).await?;
    let found = who(&app, word).await?;
    if let Some(campaign) = campaign {
        launched(&app.db, campaign).await?;
    }
    let settings = app.settings();
    let why = reasons::why(&app.db, &settings, found.id, campaign, app.clock.now()).await?;
    output::show(global.json, &why, || why.to_text(&settings.site.locale))
}
