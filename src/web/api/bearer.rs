//! Who asks: the token in `Authorization`, its scope, its pace. Before a byte of the body is read.

use super::super::state::State;
use super::Resource;
use super::refusal::Refusal;
use crate::access::{self, Bearer, Denied};
use axum::http::{HeaderMap, StatusCode, header};
use std::time::Duration;

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(3);
const ASK: &str = "Bearer realm=\"dangol\"";
const INVALID: &str = "Bearer realm=\"dangol\", error=\"invalid_token\"";
const SCOPE: &str = "Bearer realm=\"dangol\", error=\"insufficient_scope\"";

/// Lets a request in, or says why not.
pub(super) async fn admit(state: &State, headers: &HeaderMap, resource: Resource) -> Result<Bearer, Refusal> {
    let wrong = |code, message: String| Refusal::new(StatusCode::UNAUTHORIZED, code, message).challenge(INVALID);
    let checked = tokio::time::timeout(PATIENCE, access::check(&state.db, token(headers)?, state.clock.now())).await;
    let away = || Refusal::unavailable("the database does not answer; nothing was done");
    let bearer = match checked.map_err(|_| away())? {
        Ok(bearer) => bearer,
        Err(why @ Denied::Malformed(_)) => return Err(wrong("malformed_token", why.to_string())),
        Err(why @ Denied::Unknown) => return Err(wrong("unknown_token", why.to_string())),
        Err(why @ Denied::Revoked) => return Err(wrong("revoked_token", why.to_string())),
        Err(why @ Denied::Expired) => return Err(wrong("expired_token", why.to_string())),
        Err(Denied::Db(why)) => {
            tracing::error!(error = %why, "a token cannot be looked up");
            return Err(away());
        }
    };
    // before the scope: a program that is in error should not be able to ask in a tight loop
    let rate = state.settings.get().api.rate;
    if let Err(wait) = state.api.paces.count(bearer.id, rate) {
        let seconds = wait.as_secs() + 1;
        let message = format!("this token may make {rate} requests: wait {seconds} s, or send rows in batches");
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message).retry_after(seconds));
    }
    match resource.scope() {
        Some(scope) if bearer.scopes.contains(&scope) => Ok(bearer),
        scope => {
            let missing = scope.map_or("none", |scope| scope.name());
            let message =
                format!("this token lacks the scope `{missing}`: make one that has it with `dangol token create`");
            Err(Refusal::new(StatusCode::FORBIDDEN, "missing_scope", message).challenge(SCOPE))
        }
    }
}

fn token(headers: &HeaderMap) -> Result<&str, Refusal> {
    let missing = || {
        let message = "a token is needed: `Authorization: Bearer dgl_…`; `dangol token create` makes one";
        Refusal::new(StatusCode::UNAUTHORIZED, "missing_token", message).challenge(ASK)
    };
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else { return Err(missing()) };
    let text = value.to_str().map_err(|_| missing())?;
    let (scheme, token) = text.trim().split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
}
