//! `suppression`

use super::{app, moment};
use crate::cli::arguments::{Global, Suppression};
use crate::cli::output;
use crate::permission::{self, Filter, NewSuppression};
use crate::types::Email;
use anyhow::{anyhow, bail};
use serde_json::json;

const ACTOR: &str = "command line";

pub async fn suppression(global: &Global, command: Suppression) -> anyhow::Result<()> {
    let app = app(global).await?;
    let now = app.clock.now();
    let zone = app.settings().site.timezone.tz().clone();
    let at = |text: Option<String>| text.map(|text| moment(&text, &zone)).transpose();
    match command {
        Suppression::List { domain, since, until, lifted } => {
            let filter = Filter { domain, since: at(since)?, until: at(until)?, all: lifted, ..Filter::default() };
            let found = permission::list(&mut &app.db, &filter, now).await?;
            let listed: Vec<_> = found
                .iter()
                .map(|s| {
                    json!({
                        "address": s.address, "reason": s.reason, "source": s.source, "created_at": s.created_at,
                        "until": s.until, "lifted_at": s.lifted_at, "lifted_by": s.lifted_by, "note": s.note,
                    })
                })
                .collect();
            output::show(global.json, &json!({ "suppressions": listed }), || {
                let rows = found.iter().map(|s| {
                    let until = s.until.map_or_else(|| "for good".to_owned(), |until| until.to_string());
                    vec![s.address.clone(), s.reason.clone(), s.source.clone(), s.created_at.to_string(), until]
                });
                output::table(&["address", "reason", "source", "since", "until"], rows)
            })
        }
        Suppression::Add { address, note, until } => {
            let email: Email = address.parse().map_err(|e: String| anyhow!(e))?;
            let new = NewSuppression {
                address: email.to_string(),
                reason: "manual".into(),
                source: ACTOR.into(),
                message: None,
                batch: None,
                until: at(until)?,
                note,
            };
            let mut tx = app.db.begin().await?;
            let added = permission::suppress(&mut tx, &new, ACTOR, now).await?;
            tx.commit().await?;
            app.journal.keep(&app.db).await?;
            output::show(global.json, &json!({ "address": email.as_str(), "added": added }), || {
                if added { format!("{email} gets nothing any more") } else { format!("{email} was suppressed already") }
            })
        }
        Suppression::Lift { address, domain, since, until } => {
            let addresses = match (address, domain.is_some() || since.is_some() || until.is_some()) {
                (Some(address), false) => vec![address.parse::<Email>().map_err(|e| anyhow!(e))?.to_string()],
                (None, true) => {
                    let filter = Filter { domain, since: at(since)?, until: at(until)?, ..Filter::default() };
                    permission::list(&mut &app.db, &filter, now).await?.into_iter().map(|s| s.address).collect()
                }
                _ => bail!("name an address, or --domain, --since, --until for all that match"),
            };
            let mut lifted = 0;
            for address in addresses {
                let mut tx = app.db.begin().await?;
                lifted += permission::lift(&mut tx, &address, ACTOR, now).await?;
                tx.commit().await?;
            }
            app.journal.keep(&app.db).await?;
            output::show(global.json, &json!({ "lifted": lifted }), || match lifted {
                1 => "1 suppression lifted".into(),
                n => format!("{n} suppressions lifted"),
            })
        }
    }
}
