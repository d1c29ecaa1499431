//! What holds for every request: it ends in time, and its answer carries the headers that keep a page from being
//! framed, sniffed, scripted or cached.

use super::client::Client;
use super::pages;
use super::state::State;
use axum::extract::{Request, State as With};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;

/// No request of ours takes longer.
const LONGEST: Duration = Duration::from_secs(20);

pub(super) async fn guard(With(state): With<Arc<State>>, request: Request, next: Next) -> Response {
    let client = Client::speaking(request.headers());
    let answer = tokio::time::timeout(LONGEST, next.run(request));
    let mut response = match answer.await {
        Ok(response) => response,
        Err(_) => pages::refusal(&state, &client, StatusCode::SERVICE_UNAVAILABLE),
    };
    let headers = response.headers_mut();
    for (name, value) in DEFAULTS {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    if state.settings.get().site.url.starts_with("https://") {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

/// A handler's own value wins.
const DEFAULTS: &[(&str, &str)] = &[
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("x-robots-tag", "noindex, nofollow"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
];
