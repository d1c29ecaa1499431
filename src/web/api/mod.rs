//! The API for the shop's own programs: customers, orders, events, consents and redemptions come in by POST, one or many,
//! each judged by the code that judges files, each with its outcome in the answer.
//!
//! ```text
//! POST ─► bearer (token, scope, pace) ─► body (size, type, JSON) ─► claim of the key ─► Intake ─► answer, kept for a day
//! ```
//!
//! What a token may do is `access`'s, what a row means is `import`'s; here is only what HTTP needs. Neither a body nor a
//! token is ever logged.

mod answer;
mod bearer;
mod body;
mod json;
mod openapi;
mod pace;
mod redeem;
mod refusal;
mod rows;
mod take;

use super::state::State;
use crate::access::Scope;
use crate::import::Kind;
use crate::import::kinds::Landed;
use crate::types::Timestamp;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use pace::Paces;
use refusal::Refusal;
use serde_json::Value as Json;
use std::sync::Arc;

/// What the API asks of the stages. An error means "not now": what was asked is not done, or it is not known whether, and
/// the same request may come again. Of many redemptions each is asked for by itself, so those before the one that failed
/// stand, and are `unchanged` when they come again.
pub trait Intake: Send + Sync {
    /// Takes rows in, all or, on an error, none; each is an object, or why it could not be read. `create`: orders and
    /// events of unknown customers make them. `request` is a word that no other request has.
    fn rows<'a>(
        &'a self,
        kind: Kind,
        rows: Vec<Result<Json, String>>,
        create: bool,
        request: &'a str,
    ) -> BoxFuture<'a, anyhow::Result<Vec<Landed>>>;

    /// Redeems points or a code. The same `key` twice is once: [`Landed::Unchanged`]. Without `at`, now.
    fn redeem<'a>(
        &'a self,
        customer: &'a str,
        reward: &'a str,
        points: Option<i64>,
        code: Option<String>,
        key: &'a str,
        at: Option<Timestamp>,
    ) -> BoxFuture<'a, anyhow::Result<Landed>>;
}

/// What the handlers of the API need beyond what all handlers do.
pub struct Api {
    door: Arc<dyn Intake>,
    paces: Paces,
}

impl Api {
    /// Before this door.
    pub fn new(door: Arc<dyn Intake>) -> Api {
        Api { door, paces: Paces::default() }
    }
}

/// Where the description of all this is, below `/api`.
const DOCUMENT: &str = "/openapi.json";

/// What a request tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resource {
    Rows(Kind),
    Redeem,
}

impl Resource {
    const ALL: [Resource; 5] = [
        Resource::Rows(Kind::Customers),
        Resource::Rows(Kind::Orders),
        Resource::Rows(Kind::Events),
        Resource::Rows(Kind::Consents),
        Resource::Redeem,
    ];

    /// Below `/api`.
    fn path(self) -> String {
        match self {
            Resource::Rows(kind) => format!("/v1/{}", kind.name()),
            Resource::Redeem => "/v1/rewards/redeem".into(),
        }
    }

    fn scope(self) -> Option<Scope> {
        match self {
            Resource::Rows(Kind::Customers) => Some(Scope::Customers),
            Resource::Rows(Kind::Orders) => Some(Scope::Orders),
            Resource::Rows(Kind::Events) => Some(Scope::Events),
            Resource::Rows(Kind::Consents) => Some(Scope::Consents),
            // suppressions have no route
            Resource::Rows(Kind::Suppressions) => None,
            Resource::Redeem => Some(Scope::Rewards),
        }
    }

    /// Whether `?create=true` says something.
    fn creates(self) -> bool {
        matches!(self, Resource::Rows(Kind::Orders | Kind::Events))
    }
}

/// The routes below `/api`.
pub(super) fn router() -> Router<Arc<State>> {
    let mut router = Router::new().route(DOCUMENT, get(openapi::show));
    for resource in Resource::ALL {
        let handler = post(move |state, request| take::take(state, request, resource));
        router = router.route(&resource.path(), handler);
    }
    router
        .fallback(|| async { Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is nothing under this address") })
        .method_not_allowed_fallback(|| async {
            let message = "this address takes another method: rows come in by POST, and the description is read by GET";
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
        })
        .layer(from_fn(count))
}

/// `/metrics` counts requests by route and status.
async fn count(request: Request, next: Next) -> Response {
    // an address that is no route is one label: anybody can invent more
    let path = request.uri().path();
    let route = Resource::ALL.map(Resource::path).into_iter().find(|route| route == path);
    let route = route.or_else(|| (path == DOCUMENT).then(|| DOCUMENT.to_owned()));
    let route = route.map_or_else(|| "other".to_owned(), |route| format!("/api{route}"));
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("dangol_api_requests_total", "route" => route, "status" => status).increment(1);
    response
}
