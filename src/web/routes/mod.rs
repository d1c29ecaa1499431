//! The handlers, a file for each thing that a link can lead to.

pub(super) mod health;
pub(super) mod hits;
pub(super) mod preferences;
pub(super) mod public;
pub(super) mod survey;
pub(super) mod unsubscribe;

use super::client::Client;
use super::form::Form;
use super::pages::{self, Language};
use super::state::State;
use axum::body::Bytes;
use axum::extract::State as With;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn not_found(With(state): With<Arc<State>>, client: Client) -> Response {
    pages::refusal(&state, &client, StatusCode::NOT_FOUND)
}

pub(super) async fn method_not_allowed(With(state): With<Arc<State>>, client: Client) -> Response {
    pages::refusal(&state, &client, StatusCode::METHOD_NOT_ALLOWED)
}

/// The form of a POST, or the status that says why not.
fn form(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Form, StatusCode> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    })?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Ok(Form::read(content_type, &body))
}

/// The reader's language is worth this wait, and no more: pages come with the database gone, too.
const PATIENCE: Duration = Duration::from_secs(1);

/// In which language to speak to a customer.
async fn language(state: &Arc<State>, customer: i64, client: &Client) -> Language {
    let known = tokio::time::timeout(PATIENCE, state.deeds.preferences(customer)).await;
    let reader = known.ok().and_then(Result::ok).flatten();
    let locale = reader.as_ref().and_then(|reader| reader.locale.as_ref());
    Language::choose(locale, &client.accept_language, &state.settings.get().site.locale)
}
