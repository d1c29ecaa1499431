//! The way of a request: let in, read, claimed, done, answered. What is done goes on when the client hangs up, so that a
//! batch is never left half done, and its answer waits under its key.

use super::super::state::State;
use super::answer::Answer;
use super::body::{self, Format};
use super::redeem::Redemption;
use super::refusal::Refusal;
use super::{Resource, bearer};
use crate::access::{Claim, Claimed, LONGEST_KEY};
use crate::import::kinds::Landed;
use axum::extract::{Request, State as With};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value as Json;
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;

/// Below what the guard of all routes allows, so that the answer is ours.
const PATIENCE: Duration = Duration::from_secs(8);
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(super) async fn take(
    With(state): With<Arc<State>>,
    request: Request,
    resource: Resource,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let bearer = bearer::admit(&state, &parts.headers, resource).await?;
    let create = create(parts.uri.query().unwrap_or_default(), resource)?;
    let key = key(&parts.headers)?;
    let format = Format::of(&parts.headers)?;
    let limits = state.settings.get().api;
    let bytes = body::read(&parts.headers, body, limits.largest_body).await?;
    let rows = body::rows(format, &bytes, limits.largest_batch)?;
    let hash = hash(resource, create, &bytes);
    drop(bytes);
    let job = Job { state, resource, create, rows, token: bearer.id, name: name()? };
    let work = tokio::spawn(async move {
        match key {
            Some(key) => job.once(&key, &hash).await,
            None => job.run().await.map(|(status, text)| answered(status, text)),
        }
    });
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(done)) => done,
        Ok(Err(why)) => {
            tracing::error!(token = bearer.id, error = %why, "a request of the API broke off");
            let message = "something is wrong inside, and the log says what; the same request may be sent again";
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message))
        }
        Err(_) => Err(Refusal::unavailable(
            "this is still being worked on: send the same request again later, and what landed will be `unchanged`",
        )),
    }
}

/// A request that is to be done.
struct Job {
    state: Arc<State>,
    resource: Resource,
    create: bool,
    rows: Vec<Result<Json, String>>,
    token: i64,
    /// A word that no other request has.
    name: String,
}

impl Job {
    /// Does it under its key, or gives the answer that was given.
    async fn once(self, key: &str, hash: &str) -> Result<Response, Refusal> {
        let state = self.state.clone();
        let now = state.clock.now();
        let claim = match Claim::take(&state.db, self.token, key, hash, &self.name, now).await {
            Ok(Claimed::Ours(claim)) => claim,
            Ok(Claimed::Answered(status, text)) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                let mut response = answered(status, text);
                response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
                return Ok(response);
            }
            Ok(Claimed::AtWork) => {
                let message = "a request under this Idempotency-Key is at work right now: send it again in a moment";
                return Err(Refusal::new(StatusCode::CONFLICT, "in_progress", message).retry_after(1));
            }
            Ok(Claimed::Another) => {
                let message =
                    "this Idempotency-Key was used for another request within 24 hours: a new request needs a new key";
                return Err(Refusal::new(StatusCode::CONFLICT, "key_reused", message));
            }
            Err(why) => return Err(not_now(&why)),
        };
        match self.run().await {
            Ok((status, text)) => {
                if let Err(why) = claim.answer(&state.db, status.as_u16(), &text).await {
                    // the rows have landed: to repeat them changes nothing
                    tracing::warn!(error = %why, "an answer of the API cannot be kept");
                }
                Ok(answered(status, text))
            }
            Err(refusal) => {
                if let Err(why) = claim.release(&state.db).await {
                    tracing::warn!(error = %why, "a key of the API cannot be given back; it is free in two minutes");
                }
                Err(refusal)
            }
        }
    }

    async fn run(self) -> Result<(StatusCode, String), Refusal> {
        let Job { state, resource, create, rows, token, name } = self;
        let landed = match resource {
            Resource::Rows(kind) => state.api.door.rows(kind, rows, create, &name).await,
            Resource::Redeem => redeem(&state, rows).await,
        };
        let answer = Answer::of(landed.map_err(|why| not_now(&why))?);
        for (outcome, rows) in answer.counts() {
            let route = resource.path();
            metrics::counter!("dangol_api_rows_total", "route" => format!("/api{route}"), "outcome" => outcome)
                .increment(rows.into());
        }
        let status = answer.status();
        let text = serde_json::to_string(&answer).map_err(|why| not_now(&why))?;
        tracing::debug!(token, route = resource.path(), status = status.as_u16(), "a request of the API was done");
        Ok((status, text))
    }
}

async fn redeem(state: &State, rows: Vec<Result<Json, String>>) -> anyhow::Result<Vec<Landed>> {
    let mut landed = Vec::with_capacity(rows.len());
    for row in rows {
        landed.push(match row.and_then(|row| Redemption::read(row, state.clock.now())) {
            Ok(r) => state.api.door.redeem(&r.customer, &r.reward, r.points, r.code, &r.key, r.at).await?,
            Err(reason) => Landed::Rejected(reason),
        });
    }
    Ok(landed)
}

fn not_now(why: &impl std::fmt::Display) -> Refusal {
    tracing::error!(error = %why, "rows of the API cannot be taken in");
    Refusal::unavailable(
        "the rows cannot be taken in right now: send the same request again; what has landed will be `unchanged`",
    )
}

fn answered(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// `?create=true`, where it says something; anything else is a slip that is told.
fn create(query: &str, resource: Resource) -> Result<bool, Refusal> {
    let mut create = false;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        create = match (&*name, &*value) {
            ("create", "true") if resource.creates() => true,
            ("create", "false") if resource.creates() => false,
            ("create", _) if resource.creates() => {
                return Err(Refusal::bad("invalid_query", "`create` is `true` or `false`"));
            }
            _ => {
                let shown: String = name.chars().take(60).collect();
                let message = format!("this address takes no `{shown}`; orders and events take `create`");
                return Err(Refusal::bad("invalid_query", message));
            }
        };
    }
    Ok(create)
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut all = headers.get_all(KEY).iter();
    let (first, second) = (all.next(), all.next());
    let Some(value) = first else { return Ok(None) };
    let visible = |text: &&str| text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    let text = value.to_str().ok().map(str::trim).filter(visible);
    let text = text.filter(|text| !text.is_empty() && text.len() <= LONGEST_KEY);
    match (text, second) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        _ => {
            let message = format!("Idempotency-Key is one text of 1 to {LONGEST_KEY} visible ASCII characters");
            Err(Refusal::bad("invalid_idempotency_key", message))
        }
    }
}

/// What makes two requests the same.
fn hash(resource: Resource, create: bool, body: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(resource.path().as_bytes());
    hasher.update(&[0, u8::from(create)]);
    hasher.update(body);
    hasher.finalize().to_hex().to_string()
}

fn name() -> Result<String, Refusal> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|why| not_now(&why))?;
    Ok(format!("{:032x}", u128::from_be_bytes(random)))
}
