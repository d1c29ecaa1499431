//! The pixel and the links: evidence.

use super::{Client, State, With, pages};
use crate::track::{Hit, HitKind};
use axum::extract::Path;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// A transparent GIF of one pixel.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x21\xf9\x04\x01\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";

pub(in crate::web) async fn open(
    With(state): With<Arc<State>>,
    Path(token): Path<String>,
    method: Method,
    client: Client,
) -> Response {
    let Some(message) = state.tokens.parse_open(&token) else {
        return pages::refusal(&state, &client, StatusCode::NOT_FOUND);
    };
    if state.settings.get().tracking.opens {
        keep(&state, HitKind::Open, message, None, &method, &client).await;
    }
    let headers = [
        (header::CONTENT_TYPE, "image/gif"),
        (header::CACHE_CONTROL, "no-store, max-age=0"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, PIXEL).into_response()
}

pub(in crate::web) async fn click(
    With(state): With<Arc<State>>,
    Path(token): Path<String>,
    method: Method,
    client: Client,
) -> Response {
    let Some(click) = state.tokens.parse_click(&token) else {
        return pages::refusal(&state, &client, StatusCode::NOT_FOUND);
    };
    if state.settings.get().tracking.clicks {
        let link = Some((click.link, click.links, click.url.as_str()));
        keep(&state, HitKind::Click, click.message, link, &method, &client).await;
    }
    (StatusCode::FOUND, [(header::LOCATION, click.url)]).into_response()
}

/// Keeps a hit before it is answered. Whoever follows a link gets there even when nothing can be kept.
pub(super) async fn keep(
    state: &Arc<State>,
    kind: HitKind,
    message: i64,
    link: Option<(u32, u32, &str)>,
    method: &Method,
    client: &Client,
) {
    // a preview or a test mail belongs to no message
    if message <= 0 {
        return;
    }
    let hit = Hit {
        kind,
        message,
        link: link.map(|(link, links, _)| (link, links)),
        url: link.map(|(.., url)| url.to_owned()),
        at: state.clock.now(),
        method: method.as_str().to_owned(),
        ip: client.ip,
        agent: client.agent.clone(),
        prefetch: client.prefetch,
    };
    if let Err(why) = state.hits.record(hit, state.settings.get().tracking.settle).await {
        tracing::error!(message, error = %why, "a hit is answered without being kept");
    }
}
