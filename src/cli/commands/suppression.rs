//! `suppression`

use super::app;
use crate::cli::arguments::{Global, Moment, Suppression};
use crate::cli::output;
use crate::permission::{self, Filter, NewSuppression};
use serde_json::json;

const ACTOR: &str = "command line";

pub async fn suppression(global: &Global, command: Suppression) -> anyhow::Result<()> {
    let app = app(global).await?;
    let now = app.clock.now();
    let zone = app.settings().site.timezone.tz().clone();
    let at = |moment: Option<Moment>| moment.map(|moment| moment.at(&zone)).transpose();
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
            let new = NewSuppression {
                address: address.to_string(),
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
            output::show(global.json, &json!({ "address": address.as_str(), "added": added }), || {
                if added {
                    format!("{address} gets nothing any more")
                } else {
                    format!("{address} was suppressed already")
                }
            })
        }
        Suppression::Lift { address, domain, since, until } => {
            let addresses = match address {
                Some(address) => vec![address.to_string()],
                None => {
                    let filter = Filter { domain, since: at(since)?, until: at(until)?, ..Filter::default() };
                    permission::list(&mut &app.db, &filter, now).await?.into_iter().map(|s| s.address).collect()
                }
            };
            let mut lifted = 0;
            for address in addresses {
                let mut tx = app.db.begin().await?;
                lifted += permission::lift(&mut tx, &address, ACTOR, now).await?;
                tx.commit().await?;
            }
            app.journal.keep(&app.db).await?;
            output::show(global.json, &json!({ "lifted": lifted }), || {
                format!("{} lifted", output::counted(lifted, "suppression"))
            })
        }
    }
}
