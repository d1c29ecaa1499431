//! One question: a tap in the mail fills the answer in, and a POST sends it.

use super::{Client, State, With, form, language, pages};
use crate::config::model::{Survey, SurveyKind};
use crate::track::answer::{self, Answer, Recorded};
use crate::track::token::{Route, SurveyToken};
use crate::web::pages::word;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;
use url::form_urlencoded;

pub(in crate::web) async fn ask(
    With(state): With<Arc<State>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    client: Client,
) -> Response {
    let question = match Question::find(&state, &token).await {
        Ok(question) => question,
        Err(status) => return pages::refusal(&state, &client, status),
    };
    let query = query.unwrap_or_default();
    let tapped = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "answer");
    let tapped = tapped.and_then(|(_, value)| answer::accept(&question.survey, &value));
    question.render(&state, &client, StatusCode::OK, tapped.as_deref(), "", false).await
}

pub(in crate::web) async fn answer(
    With(state): With<Arc<State>>,
    Path(token): Path<String>,
    client: Client,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let question = match Question::find(&state, &token).await {
        Ok(question) => question,
        Err(status) => return pages::refusal(&state, &client, status),
    };
    let form = match form(&headers, body) {
        Ok(form) => form,
        Err(status) => return pages::refusal(&state, &client, status),
    };
    let comment = form.get("comment").unwrap_or_default();
    let Some(said) = form.get("answer").and_then(|raw| answer::accept(&question.survey, raw)) else {
        return question.render(&state, &client, StatusCode::BAD_REQUEST, None, comment, true).await;
    };
    let SurveyToken { message, customer, survey } = question.token.clone();
    let kind = question.survey.kind;
    let said = Answer { message, customer, survey, kind, answer: said, comment: answer::comment(comment) };
    match answer::record(&state.db, &said, state.clock.now()).await {
        Ok(Recorded::Nobody) if message > 0 => pages::refusal(&state, &client, StatusCode::GONE),
        Ok(_) => question.thank(&state, &client).await,
        Err(why) => {
            tracing::error!(message, error = %why, "an answer cannot be kept");
            pages::refusal(&state, &client, StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

struct Question {
    raw: String,
    token: SurveyToken,
    survey: Survey,
}

impl Question {
    async fn find(state: &Arc<State>, raw: &str) -> Result<Question, StatusCode> {
        let token = state.tokens.parse_survey(raw).ok_or(StatusCode::NOT_FOUND)?;
        match state.surveys.survey(token.message, &token.survey).await {
            Ok(Some(survey)) => Ok(Question { raw: raw.to_owned(), token, survey }),
            Ok(None) => Err(StatusCode::GONE),
            Err(why) => {
                tracing::error!(message = token.message, error = %why, "a survey cannot be read");
                Err(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }

    async fn render(
        &self,
        state: &Arc<State>,
        client: &Client,
        status: StatusCode,
        chosen: Option<&str>,
        comment: &str,
        wrong: bool,
    ) -> Response {
        let language = language(state, self.token.customer, client).await;
        let site = state.settings.get().site.locale.clone();
        let locale = language.locale().unwrap_or_else(|| site.clone());
        let label = |value: &str| match self.survey.kind {
            SurveyKind::Nps | SurveyKind::Scale => value.to_owned(),
            SurveyKind::Choice => {
                let choice = self.survey.choices.iter().find(|choice| choice.value == value);
                choice.map_or(value, |choice| choice.label.of(&locale, &site)).to_owned()
            }
        };
        let answers: Vec<_> = answer::possible(&self.survey)
            .into_iter()
            .map(|value| json!({"value": value, "label": label(&value), "chosen": chosen == Some(value.as_str())}))
            .collect();
        let data = json!({
            "action": Route::Survey.path(&self.raw),
            "question": self.survey.question.of(&locale, &site),
            "answers": answers,
            "numbers": self.survey.kind != SurveyKind::Choice,
            "nps": self.survey.kind == SurveyKind::Nps,
            "comment": comment,
            "longest": answer::LONGEST_COMMENT,
            "wrong": wrong,
        });
        let title = word(language, "survey_title", &[]);
        pages::page(state, language, status, "survey", &title, data)
    }

    async fn thank(&self, state: &Arc<State>, client: &Client) -> Response {
        let language = language(state, self.token.customer, client).await;
        let site = state.settings.get().site.locale.clone();
        let locale = language.locale().unwrap_or_else(|| site.clone());
        let own = self.survey.thanks.as_ref().map(|thanks| thanks.of(&locale, &site).to_owned());
        let text = own.unwrap_or_else(|| word(language, "thanks", &[]));
        let title = word(language, "thanks_title", &[]);
        pages::page(state, language, StatusCode::OK, "message", &title, json!({ "text": text }))
    }
}
