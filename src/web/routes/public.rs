//! The mail as a page, and the pictures in it.

use super::hits::keep;
use super::{Client, State, With, pages};
use crate::track::{self, HitKind};
use axum::extract::Path;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use std::sync::Arc;

/// A mail may show pictures from anywhere and be styled inline, as in a mail program; it may run nothing.
const MAIL_POLICY: &str = "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline' https:; font-src https:; \
                           form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

pub(in crate::web) async fn view(
    With(state): With<Arc<State>>,
    Path(token): Path<String>,
    method: Method,
    client: Client,
) -> Response {
    let Some(message) = state.tokens.parse_view(&token) else {
        return pages::refusal(&state, &client, StatusCode::NOT_FOUND);
    };
    if state.settings.get().tracking.opens {
        keep(&state, HitKind::View, message, None, &method, &client).await;
    }
    match state.view.view(message).await {
        Ok(Some(html)) => ([(header::CONTENT_SECURITY_POLICY, MAIL_POLICY)], Html(html)).into_response(),
        Ok(None) => pages::refusal(&state, &client, StatusCode::GONE),
        Err(why) => {
            tracing::error!(message, error = %why, "a mail cannot be shown as a page");
            pages::refusal(&state, &client, StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// `/a/HASH`, or `/a/HASH.png`: an ending is for mail programs that want one, and is not looked at.
pub(in crate::web) async fn asset(
    With(state): With<Arc<State>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    client: Client,
) -> Response {
    let hash = name.split('.').next().unwrap_or_default();
    if !(16..=128).contains(&hash.len()) || !hash.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return pages::refusal(&state, &client, StatusCode::NOT_FOUND);
    }
    let content = match track::asset(&state.db, hash).await {
        Ok(content) => content,
        Err(why) => {
            tracing::error!(error = %why, "a picture cannot be read");
            return pages::refusal(&state, &client, StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    // templates and segments lie in the same table, and are nobody's business: only what is a picture or a font goes out
    let Some((content, kind)) = content.and_then(|content| kind_of(&content).map(|kind| (content, kind))) else {
        return pages::refusal(&state, &client, StatusCode::NOT_FOUND);
    };
    let etag = format!("\"{hash}\"");
    let common = [
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::ETAG, etag.clone()),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin".to_owned()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, kind)], content).into_response()
}

/// By the first bytes. No SVG: it can hold scripts, and mail programs do not show it.
fn kind_of(content: &[u8]) -> Option<&'static str> {
    let kinds: &[(&[u8], &'static str)] = &[
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"\x00\x00\x01\x00", "image/x-icon"),
        (b"wOF2", "font/woff2"),
        (b"wOFF", "font/woff"),
        (b"%PDF-", "application/pdf"),
    ];
    let at = |from: usize, magic: &[u8]| content.get(from..).is_some_and(|rest| rest.starts_with(magic));
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Some("image/webp");
    }
    if at(4, b"ftypavif") || at(4, b"ftypavis") {
        return Some("image/avif");
    }
    kinds.iter().find(|(magic, _)| at(0, magic)).map(|(_, kind)| *kind)
}
