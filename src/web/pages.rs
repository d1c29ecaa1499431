//! The pages that people see: templates and words of `templates/pages/`, in Korean and English.

use super::client::Client;
use super::state::State;
use crate::types::locale::Locale;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use handlebars::Handlebars;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// The languages that the pages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Ko,
    En,
}

impl Language {
    /// The reader's, when it is known and we have it; else what the browser asks for; else the site's; else English.
    pub(super) fn choose(reader: Option<&Locale>, accept_language: &str, site: &Locale) -> Language {
        let of = |tag: &str| match tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "ko" => Some(Language::Ko),
            "en" => Some(Language::En),
            _ => None,
        };
        // browsers list languages in order of preference, so their weights need not be read
        let asked = accept_language.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
        reader
            .and_then(|locale| of(locale.as_str()))
            .or_else(|| asked.into_iter().find_map(of))
            .or_else(|| of(site.as_str()))
            .unwrap_or(Language::En)
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Language::Ko => "ko",
            Language::En => "en",
        }
    }

    /// As a locale, for texts of the workspace.
    pub(super) fn locale(self) -> Option<Locale> {
        self.code().parse().ok()
    }
}

static WORDS: LazyLock<BTreeMap<String, BTreeMap<String, String>>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../templates/pages/words.toml")).expect("the words are built in, and tested")
});

static TEMPLATES: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    for (name, text) in SOURCES {
        templates.register_template_string(name, text).expect("the templates are built in, and tested");
    }
    templates
});

const SOURCES: &[(&str, &str)] = &[
    ("layout", include_str!("../../templates/pages/layout.hbs")),
    ("message", include_str!("../../templates/pages/message.hbs")),
    ("unsubscribe", include_str!("../../templates/pages/unsubscribe.hbs")),
    ("preferences", include_str!("../../templates/pages/preferences.hbs")),
    ("survey", include_str!("../../templates/pages/survey.hbs")),
];

/// A text in `language`, with `{name}` filled in.
pub(super) fn word(language: Language, key: &str, fill: &[(&str, &str)]) -> String {
    let text = WORDS.get(language.code()).and_then(|words| words.get(key)).map_or(key, String::as_str);
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    // one pass, so that what is filled in is never taken for a place to fill
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) => {
                out.push_str(fill.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| value));
                rest = tail;
            }
            None => rest = "",
        }
    }
    out + rest
}

/// A page. `data` holds what its template names; title, language, words (`t`) and the shop's name are added.
pub(super) fn page(
    state: &Arc<State>,
    language: Language,
    status: StatusCode,
    template: &str,
    title: &str,
    data: Value,
) -> Response {
    let mut nonce = [0_u8; 16];
    let nonce = match getrandom::fill(&mut nonce) {
        Ok(()) => URL_SAFE_NO_PAD.encode(nonce),
        // the page comes without its style
        Err(_) => String::new(),
    };
    let mut all = json!({
        "lang": language.code(),
        "shop": state.settings.get().site.name,
        "title": title,
        "nonce": nonce,
        "t": WORDS.get(language.code()),
    });
    if let (Some(all), Value::Object(data)) = (all.as_object_mut(), data) {
        all.extend(data);
    }
    match TEMPLATES.render(template, &all) {
        Ok(html) => {
            let mut response = (status, Html(html)).into_response();
            let policy = format!(
                "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
            );
            if let Ok(policy) = HeaderValue::from_str(&policy) {
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            }
            response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.code()));
            response
        }
        Err(why) => {
            tracing::error!(template, error = %why, "a page cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that says why not, and nothing of the inside.
pub(super) fn refusal(state: &Arc<State>, client: &Client, status: StatusCode) -> Response {
    let key = match status {
        StatusCode::GONE => "gone",
        StatusCode::METHOD_NOT_ALLOWED => "method",
        StatusCode::PAYLOAD_TOO_LARGE => "large",
        StatusCode::BAD_REQUEST => "bad",
        StatusCode::NOT_FOUND => "missing",
        _ => "later",
    };
    let language = Language::choose(None, &client.accept_language, &state.settings.get().site.locale);
    let title = word(language, &format!("{key}_title"), &[]);
    let text = word(language, key, &[]);
    page(state, language, status, "message", &title, json!({ "text": text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_all_words() {
        let keys = |code: &str| WORDS[code].keys().collect::<Vec<_>>();
        assert_eq!(keys("ko"), keys("en"));
        for (name, _) in SOURCES {
            assert!(TEMPLATES.has_template(name));
        }
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        assert_eq!(word(Language::En, "{shop} / {x}", &[("shop", "{x}"), ("x", "y")]), "{x} / y");
    }

    #[test]
    fn the_language_is_the_readers() {
        let (ko, en, ar): (Locale, Locale, Locale) =
            ("ko".parse().unwrap(), "en-US".parse().unwrap(), "ar".parse().unwrap());
        assert_eq!(Language::choose(Some(&ko), "en", &en), Language::Ko);
        assert_eq!(Language::choose(Some(&ar), "fr;q=0.9, ko-KR;q=0.8", &en), Language::Ko);
        assert_eq!(Language::choose(None, "fr", &ko), Language::Ko);
        assert_eq!(Language::choose(None, "", &ar), Language::En);
    }
}
