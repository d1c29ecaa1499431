//! The preference page: topics, a pause, tracking. Its link may have been forwarded, so the address is masked.

use super::unsubscribe::topic_title;
use super::{Client, State, With, form, pages};
use crate::config::model::TopicKind;
use crate::track::token::Route;
use crate::types::Period;
use crate::web::form::Form;
use crate::web::pages::{Language, word};
use crate::web::state::{Change, Pause, Preferences};
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;

pub(in crate::web) async fn show(With(state): With<Arc<State>>, Path(token): Path<String>, client: Client) -> Response {
    let Some(customer) = state.tokens.parse_preferences(&token) else {
        return pages::refusal(&state, &client, StatusCode::NOT_FOUND);
    };
    match read(&state, customer).await {
        Ok(preferences) => render(&state, &client, &token, &preferences, false),
        Err(status) => pages::refusal(&state, &client, status),
    }
}

pub(in crate::web) async fn save(
    With(state): With<Arc<State>>,
    Path(token): Path<String>,
    client: Client,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(customer) = state.tokens.parse_preferences(&token) else {
        return pages::refusal(&state, &client, StatusCode::NOT_FOUND);
    };
    match store(&state, customer, &headers, body).await {
        Ok(preferences) => render(&state, &client, &token, &preferences, true),
        Err(status) => pages::refusal(&state, &client, status),
    }
}

async fn store(
    state: &Arc<State>,
    customer: i64,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Preferences, StatusCode> {
    let form = form(headers, body)?;
    if form.get("save").is_none() {
        return Err(StatusCode::BAD_REQUEST);
    }
    let before = read(state, customer).await?;
    let change = changed(state, customer, &form, &before)?;
    state.deeds.change(&change).await.map_err(|why| {
        tracing::error!(customer, error = %why, "preferences cannot be saved");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    read(state, customer).await
}

/// What the form says other than what holds. Topics that it did not show are left alone.
fn changed(state: &Arc<State>, customer: i64, form: &Form, before: &Preferences) -> Result<Change, StatusCode> {
    let now = state.clock.now();
    let settings = state.settings.get();
    let granted = |topic: &str| before.topics.iter().any(|state| state.topic == topic && state.granted);
    let wanted: HashSet<&str> = form.all("topic").collect();
    let (mut grant, mut withdraw) = (Vec::new(), Vec::new());
    for topic in form.all("shown") {
        let marketing = settings.topic.get(topic).is_some_and(|topic| topic.kind == TopicKind::Marketing);
        match (marketing, wanted.contains(topic), granted(topic)) {
            (true, true, false) => grant.push(topic.to_owned()),
            (true, false, true) => withdraw.push(topic.to_owned()),
            _ => {}
        }
    }
    let until = |days| Some(Pause::Until(Period::days(days).after(now, &TimeZone::UTC)));
    let pause = match form.get("pause").unwrap_or("keep") {
        "keep" => None,
        "none" => Some(Pause::End),
        "30" => until(30),
        "90" => until(90),
        _ => return Err(StatusCode::BAD_REQUEST),
    };
    let tracking_off = form.get("tracking_off").is_some();
    Ok(Change { customer, at: now, grant, withdraw, pause, tracking_off })
}

async fn read(state: &Arc<State>, customer: i64) -> Result<Preferences, StatusCode> {
    match state.deeds.preferences(customer).await {
        Ok(Some(preferences)) => Ok(preferences),
        Ok(None) => Err(StatusCode::GONE),
        Err(why) => {
            tracing::error!(customer, error = %why, "preferences cannot be read");
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

fn render(state: &Arc<State>, client: &Client, token: &str, preferences: &Preferences, saved: bool) -> Response {
    let settings = state.settings.get();
    let language = Language::choose(preferences.locale.as_ref(), &client.accept_language, &settings.site.locale);
    let topics: Vec<_> = settings
        .topic
        .iter()
        .filter(|(_, topic)| topic.kind == TopicKind::Marketing)
        .map(|(name, _)| {
            json!({
                "name": name,
                "title": topic_title(&settings, name, language),
                "granted": preferences.topics.iter().any(|state| state.topic == *name && state.granted),
            })
        })
        .collect();
    let paused = preferences.paused_until.filter(|until| *until > state.clock.now());
    let until = paused.map(|until| date(until, settings.site.timezone.tz(), language)).unwrap_or_default();
    let title = word(language, "preferences_title", &[]);
    let data = json!({
        "action": Route::Preferences.path(token),
        "saved": saved,
        "address": preferences.email.as_ref().map(|email| email.masked()).unwrap_or_default(),
        "topics": topics,
        "paused": word(language, "paused_until", &[("date", &until)]),
        "is_paused": paused.is_some(),
        "tracking_off": preferences.tracking_off,
    });
    pages::page(state, language, StatusCode::OK, "preferences", &title, data)
}

fn date(at: Timestamp, tz: &TimeZone, language: Language) -> String {
    let day = at.to_zoned(tz.clone()).date();
    match language {
        Language::Ko => format!("{}년 {}월 {}일", day.year(), day.month(), day.day()),
        Language::En => day.strftime("%-d %B %Y").to_string(),
    }
}
