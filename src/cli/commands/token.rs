//! `token`

use super::app;
use crate::access::{self, Created};
use crate::cli::arguments::{Global, Token};
use crate::cli::output;
use crate::types::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

const ACTOR: &str = "command line";

pub async fn token(global: &Global, command: Token) -> anyhow::Result<()> {
    let app = app(global).await?;
    let now = app.clock.now();
    let zone = app.settings().site.timezone.tz().clone();
    let day = |at: Timestamp, zone: &TimeZone| at.to_zoned(zone.clone()).date().to_string();
    match command {
        Token::Create { name, scope, expires } => {
            let until = expires.map(|period| period.after(now, &zone));
            let Created { token, secret } = access::create(&app.db, &name, &scope, until, ACTOR, now).await?;
            let mut shown = serde_json::to_value(&token)?;
            shown["secret"] = json!(secret.reveal());
            output::show(global.json, &shown, || {
                let until =
                    until.map_or_else(|| "until it is revoked".into(), |at| format!("until {}", day(at, &zone)));
                format!(
                    "{}\ntoken {} (#{}) for {}, {until}\nThe line that begins with dgl_ is shown this once: give it to \
                     the program as Authorization: Bearer, and keep it out of Git",
                    secret.reveal(),
                    token.name,
                    token.id,
                    token.scopes.join(", ")
                )
            })
        }
        Token::List => {
            let tokens = access::list(&app.db).await?;
            output::show(global.json, &json!({ "tokens": tokens }), || {
                let rows = tokens.iter().map(|token| {
                    let state = match (token.revoked_at, token.expires_at) {
                        (Some(at), _) => format!("revoked {}", day(at, &zone)),
                        (None, Some(at)) if at <= now => format!("expired {}", day(at, &zone)),
                        (None, Some(at)) => format!("until {}", day(at, &zone)),
                        (None, None) => "good".to_owned(),
                    };
                    // the day of use is one of UTC
                    let used = token.used_on.map_or_else(|| "never".to_owned(), |at| day(at, &TimeZone::UTC));
                    let made = day(token.created_at, &zone);
                    vec![format!("#{}", token.id), token.name.clone(), token.scopes.join(","), made, used, state]
                });
                output::table(&["id", "name", "scopes", "made", "last used", "state"], rows)
            })
        }
        Token::Revoke { token } => {
            let (token, revoked) = access::revoke(&app.db, &token, ACTOR, now).await?;
            let shown =
                json!({ "id": token.id, "name": token.name, "revoked": revoked, "revoked_at": token.revoked_at });
            output::show(global.json, &shown, || match revoked {
                true => format!("token {} (#{}) opens nothing any more", token.name, token.id),
                false => format!("token {} (#{}) was revoked already", token.name, token.id),
            })
        }
    }
}
