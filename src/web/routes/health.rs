//! Whether we live, whether we can work, and numbers.

use super::{Client, State, With, pages};
use crate::track;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use std::time::Duration;

/// A database that takes longer is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

pub(in crate::web) async fn alive() -> &'static str {
    "alive\n"
}

pub(in crate::web) async fn ready(With(state): With<Arc<State>>) -> Response {
    match tokio::time::timeout(PATIENCE, track::ping(&state.db)).await {
        Ok(Ok(())) => "ready\n".into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

pub(in crate::web) async fn metrics(With(state): With<Arc<State>>, client: Client) -> Response {
    match &state.metrics {
        Some(metrics) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
        }
        None => pages::refusal(&state, &client, StatusCode::NOT_FOUND),
    }
}
