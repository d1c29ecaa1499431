//! Why a request was not done, in JSON: `{"error": {"code": …, "message": …}}`. The code is for programs, and a contract.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// Why a request was not done, or, with a 5xx, not to its end.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(super) struct Refusal {
    /// What is wrong.
    error: Wrong,
    #[serde(skip)]
    status: StatusCode,
    #[serde(skip)]
    retry_after: Option<u64>,
    #[serde(skip)]
    challenge: Option<&'static str>,
}

/// What is wrong.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ErrorDetail")]
struct Wrong {
    /// For programs, such as `missing_scope`.
    code: &'static str,
    /// For people: what was found, and what to do.
    message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
        let error = Wrong { code, message: message.into() };
        Refusal { error, status, retry_after: None, challenge: None }
    }

    pub(super) fn bad(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Not now: nothing was done, or a part of what was asked, or it is not known.
    pub(super) fn unavailable(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).retry_after(5)
    }

    /// After so many seconds it may go.
    pub(super) fn retry_after(self, seconds: u64) -> Refusal {
        Refusal { retry_after: Some(seconds), ..self }
    }

    /// What `WWW-Authenticate` says.
    pub(super) fn challenge(self, challenge: &'static str) -> Refusal {
        Refusal { challenge: Some(challenge), ..self }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (retry_after, challenge) = (self.retry_after, self.challenge);
        let mut response = (self.status, Json(self)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}
