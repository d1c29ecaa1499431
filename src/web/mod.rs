//! The public door: what a mail's links lead to, and the API for the shop's own programs. Handlers parse, call one function of a stage, and show the answer.
//!
//! No session, no cookie, no script. GET and HEAD change nothing but evidence; what changes something is a POST. An
//! answer says nothing of the inside, and every one carries the headers of `guard.rs`.

mod api;
mod client;
mod form;
mod guard;
mod pages;
mod routes;
mod state;
mod withdraw;

pub use api::{Api, Intake};
pub use state::{Change, Deeds, Pause, Preferences, Scope, State, Surveys, TopicState, View, Withdrawal};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use routes::{health, hits, preferences, public, survey, unsubscribe};
use std::future::{Future, IntoFuture as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// No form of ours is larger.
const LARGEST_BODY: usize = 64 * 1024;
/// How long open requests may take to finish when the server stops.
const FAREWELL: Duration = Duration::from_secs(10);
/// How often withdrawals that could not be written are tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// All public routes. Wants connection info (see [`serve`]) to know where a request comes from.
pub fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/o/{token}", get(hits::open))
        .route("/c/{token}", get(hits::click))
        .route("/u/{token}", get(unsubscribe::ask).post(unsubscribe::withdraw))
        .route("/p/{token}", get(preferences::show).post(preferences::save))
        .route("/s/{token}", get(survey::ask).post(survey::answer))
        .route("/v/{token}", get(public::view))
        .route("/a/{hash}", get(public::asset))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(routes::not_found)
        .method_not_allowed_fallback(routes::method_not_allowed)
        .nest("/api", api::router())
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

/// Serves until `shutdown` comes, then lets open requests finish.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    state: Arc<State>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let stopping = CancellationToken::new();
    let stop = stopping.clone();
    let replay = tokio::spawn(replay_withdrawals(state.clone()));
    let listener = listener.tap_io(|connection| {
        // small answers should not wait for more; a connection that is gone already fails by itself
        let _ = connection.set_nodelay(true);
    });
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        shutdown.await;
        stop.cancel();
    });
    let result = tokio::select! {
        result = server.into_future() => result,
        () = async { stopping.cancelled().await; tokio::time::sleep(FAREWELL).await; } => Ok(()),
    };
    replay.abort();
    result
}

async fn replay_withdrawals(state: Arc<State>) {
    loop {
        state.replay_withdrawals().await;
        tokio::time::sleep(AGAIN).await;
    }
}
