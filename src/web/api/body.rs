//! What a request carries: read up to the limit and no further, then taken apart into rows.

use super::json;
use super::refusal::Refusal;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt as _;
use serde_json::Value as Json;
use std::time::Duration;

/// A body that takes longer to arrive is given up.
const PATIENCE: Duration = Duration::from_secs(8);

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// An object, or a list of them.
    Json,
    /// An object a line.
    Lines,
}

impl Format {
    /// By `Content-Type`, `Content-Encoding`.
    pub(super) fn of(headers: &HeaderMap) -> Result<Format, Refusal> {
        let wrong = |message| Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message);
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let encoding = text(header::CONTENT_ENCODING).trim();
        if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
            return Err(wrong("send the body as it is, without Content-Encoding"));
        }
        let mut parts = text(header::CONTENT_TYPE).split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let charset =
            parts.find_map(|part| part.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("charset")));
        if charset.is_some_and(|(_, charset)| !charset.trim_matches('"').eq_ignore_ascii_case("utf-8")) {
            return Err(wrong("the body has to be UTF-8"));
        }
        match kind.as_str() {
            "application/json" => Ok(Format::Json),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Format::Lines),
            _ => Err(wrong(
                "Content-Type has to be application/json (an object, or a list of them) or application/x-ndjson (an object a line)",
            )),
        }
    }
}

/// Reads a body of at most `most` bytes.
pub(super) async fn read(headers: &HeaderMap, body: Body, most: u32) -> Result<Vec<u8>, Refusal> {
    let largest = usize::try_from(most).unwrap_or(usize::MAX);
    let too_large = || {
        let message =
            format!("a body has at most {most} bytes ([api] largest_body): send the rows in several requests");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    };
    let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|told| told > u64::from(most)) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let mut stream = body.into_data_stream();
    let all = async {
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|_| Refusal::bad("broken_body", "the body broke off; nothing was done"))?;
            if bytes.len() + piece.len() > largest {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(())
    };
    match tokio::time::timeout(PATIENCE, all).await {
        Ok(read) => read.map(|()| bytes),
        Err(_) => {
            let message = format!("the body did not arrive within {} s; nothing was done", PATIENCE.as_secs());
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "slow_body", message))
        }
    }
}

/// The rows of a body: objects (whether they are is judged with them), or why a line is none.
pub(super) fn rows(format: Format, bytes: &[u8], most: u32) -> Result<Vec<Result<Json, String>>, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let before = &bytes[..e.valid_up_to()];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        Refusal::bad("invalid_utf8", format!("the body is no UTF-8 at line {line} column {column}"))
    })?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(Refusal::bad("empty_body", "the body is empty: send an object, or a list of them"));
    }
    let largest = usize::try_from(most).unwrap_or(usize::MAX);
    let rows: Vec<Result<Json, String>> = match format {
        Format::Json => match json::read(text) {
            Ok(Json::Array(list)) => list.into_iter().map(Ok).collect(),
            Ok(object @ Json::Object(_)) => vec![Ok(object)],
            Ok(_) => return Err(Refusal::bad("invalid_json", "the body is neither an object nor a list of objects")),
            Err(e) => {
                let lines = e.to_string().starts_with("trailing characters") && text.trim_start().starts_with('{');
                let help = if lines { "; for an object a line, say Content-Type: application/x-ndjson" } else { "" };
                let place = format!("at line {} column {}", e.line(), e.column());
                let message = format!("the body is no JSON: {} {place}{help}; nothing was done", json::words(&e));
                return Err(Refusal::bad("invalid_json", message));
            }
        },
        Format::Lines => {
            let lines = text.split('\n').map(str::trim).filter(|line| !line.is_empty());
            // one more than allowed is enough to know
            let lines = lines.take(largest.saturating_add(1));
            lines
                .map(|line| {
                    json::read(line)
                        .map_err(|e| format!("this line is no JSON: {} at column {}", json::words(&e), e.column()))
                })
                .collect()
        }
    };
    if rows.len() > largest {
        let message = format!("a request has at most {most} rows ([api] largest_batch): send them in several");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_rows", message));
    }
    Ok(rows)
}
