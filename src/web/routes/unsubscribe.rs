//! Unsubscribe: a GET shows a form and changes nothing, because scanners follow every link; a POST always counts.

use super::{Client, State, With, form, language, pages};
use crate::config::model::Settings;
use crate::track::token::{Route, UnsubscribeToken};
use crate::web::pages::{Language, word};
use crate::web::state::{Scope, Withdrawal};
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

pub(in crate::web) async fn ask(With(state): With<Arc<State>>, Path(token): Path<String>, client: Client) -> Response {
    let Some(parsed) = state.tokens.parse_unsubscribe(&token) else {
        return pages::refusal(&state, &client, StatusCode::NOT_FOUND);
    };
    show(&state, &client, &token, &parsed, None, StatusCode::OK).await
}

pub(in crate::web) async fn withdraw(
    With(state): With<Arc<State>>,
    Path(token): Path<String>,
    client: Client,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(parsed) = state.tokens.parse_unsubscribe(&token) else {
        return pages::refusal(&state, &client, StatusCode::NOT_FOUND);
    };
    let form = match form(&headers, body) {
        Ok(form) => form,
        Err(status) => return pages::refusal(&state, &client, status),
    };
    let topic = || parsed.topic.clone().map_or(Scope::All, Scope::Topic);
    let one_click = form.get("List-Unsubscribe").is_some_and(|value| value.trim() == "One-Click");
    let (scope, source) = match form.get("stop") {
        Some("all") => (Scope::All, "page"),
        Some("topic") => (topic(), "page"),
        _ if one_click => (topic(), "one-click"),
        _ => return show(&state, &client, &token, &parsed, None, StatusCode::BAD_REQUEST).await,
    };
    let withdrawal = Withdrawal {
        customer: parsed.customer,
        message: (parsed.message > 0).then_some(parsed.message),
        scope,
        at: state.clock.now(),
        source: source.into(),
    };
    if state.withdraw(&withdrawal).await.is_err() {
        return pages::refusal(&state, &client, StatusCode::SERVICE_UNAVAILABLE);
    }
    show(&state, &client, &token, &parsed, Some(&withdrawal.scope), StatusCode::OK).await
}

async fn show(
    state: &Arc<State>,
    client: &Client,
    token: &str,
    parsed: &UnsubscribeToken,
    done: Option<&Scope>,
    status: StatusCode,
) -> Response {
    let settings = state.settings.get();
    let language = language(state, parsed.customer, client).await;
    let shop = settings.site.name.as_str();
    let topic = parsed.topic.as_deref().map(|topic| topic_title(&settings, topic, language));
    let fill = [("shop", shop), ("topic", topic.as_deref().unwrap_or_default())];
    let key = match (done, &topic) {
        (Some(Scope::Topic(_)), Some(_)) => "unsubscribed_topic",
        (Some(_), _) => "unsubscribed_all",
        (None, Some(_)) => "unsubscribe_topic",
        (None, None) => "unsubscribe_all",
    };
    let text = word(language, key, &fill);
    let title = word(language, if done.is_some() { "unsubscribed_title" } else { "unsubscribe_title" }, &fill);
    let data = json!({
        "text": text,
        "action": Route::Unsubscribe.path(token),
        "offer_topic": done.is_none() && topic.is_some(),
        "offer_all": done != Some(&Scope::All) && !(done.is_some() && topic.is_none()),
        "preferences": Route::Preferences.path(&state.tokens.preferences(parsed.customer)),
    });
    pages::page(state, language, status, "unsubscribe", &title, data)
}

/// A topic as people know it: its title in dangol.toml, or its name.
pub(super) fn topic_title(settings: &Settings, topic: &str, language: Language) -> String {
    let title = settings.topic.get(topic).and_then(|topic| topic.title.as_ref());
    let locale = language.locale().unwrap_or_else(|| settings.site.locale.clone());
    title.map_or(topic, |title| title.of(&locale, &settings.site.locale)).to_owned()
}
