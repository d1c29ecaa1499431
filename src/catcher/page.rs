//! The page of caught mails: a list with a search, and each mail as HTML, text, source and file. Mails are foreign matter:
//! everything is escaped, and a mail's HTML stands in a sandbox on a route whose policy allows no script and no form.

use super::inbox::{Inbox, Mail};
use super::words::{EN, KO, PageWords};
use crate::types::locale::Locale;
use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use handlebars::Handlebars;
use mail_parser::{MessageParser, PartType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;

const PER_PAGE: usize = 50;
/// Of the page itself: nothing but its own style sheet and the framed mail.
const OWN_POLICY: &str = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Of a mail's HTML: pictures from anywhere, as a mail program loads them; links open in a window of their own.
const MAIL_POLICY: &str = "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline' http: https:; font-src http: https: data:; sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'";

#[derive(Clone)]
struct Pages {
    inbox: Inbox,
    templates: Arc<Handlebars<'static>>,
    fallback: Option<Locale>,
    loopback: bool,
}

/// The pages over `inbox`. `loopback` says that they are served to this machine alone: then a `Host` that is not this
/// machine's is refused, since it is a foreign web page that had its name point here.
pub fn router(inbox: Inbox, fallback: Option<Locale>, loopback: bool) -> Router {
    let mut templates = Handlebars::new();
    let sources = [
        ("list", include_str!("../../templates/pages/catcher.hbs")),
        ("mail", include_str!("../../templates/pages/catcher_mail.hbs")),
    ];
    for (name, source) in sources {
        templates.register_template_string(name, source).expect("the embedded templates are tested");
    }
    let pages = Pages { inbox, templates: Arc::new(templates), fallback, loopback };
    Router::new()
        .route("/", get(list))
        .route("/catcher.css", get(style))
        .route("/mail/{id}", get(mail))
        .route("/mail/{id}/html", get(html))
        .route("/mail/{id}/source", get(source))
        .route("/mail/{id}/eml", get(eml))
        .fallback(|| async { (StatusCode::NOT_FOUND, "404\n") })
        .layer(middleware::from_fn_with_state(pages.clone(), guard))
        .with_state(pages)
}

/// The headers that every answer has, and the check of `Host`.
async fn guard(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if pages.loopback && !is_local(host) {
        return (StatusCode::MISDIRECTED_REQUEST, "this page is for localhost\n").into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = HeaderName::from_static("content-security-policy");
    headers.entry(policy).or_insert(header::HeaderValue::from_static(OWN_POLICY));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        headers.insert(HeaderName::from_static(name), header::HeaderValue::from_static(value));
    }
    response
}

fn is_local(host: &str) -> bool {
    let Ok(uri) = host.parse::<axum::http::uri::Authority>() else { return false };
    let name = uri.host().trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: usize,
    lang: Option<String>,
}

#[derive(Serialize)]
struct Listed<'a> {
    id: u64,
    at: String,
    to: String,
    subject: &'a str,
    size: String,
}

async fn list(State(pages): State<Pages>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let words = pages.words(&asked, &headers);
    let skip = asked.page.saturating_mul(PER_PAGE);
    let (mails, matching) = pages.inbox.search(&asked.q, skip, PER_PAGE);
    let rows: Vec<Listed<'_>> = mails
        .iter()
        .map(|mail| Listed {
            id: mail.id,
            at: at(mail),
            to: mail.envelope.to.join(", "),
            subject: &mail.subject,
            size: size(mail),
        })
        .collect();
    let counts = pages.inbox.counts();
    let link = |page: usize| asked.link(page);
    pages.render(
        "list",
        &json!({
            "w": words, "q": asked.q, "lang": asked.lang, "keep": asked.keep(), "rows": rows, "matching": matching,
            "mails": counts.mails, "twice": counts.twice,
            "refused": counts.refused.values().sum::<u64>(),
            "codes": counts.refused.iter().map(|(code, count)| json!({"code": code, "count": count})).collect::<Vec<_>>(),
            "newer": (asked.page > 0).then(|| link(asked.page - 1)),
            "older": (matching > skip.saturating_add(PER_PAGE)).then(|| link(asked.page + 1)),
        }),
    )
}

async fn mail(
    State(pages): State<Pages>,
    Path(id): Path<u64>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let words = pages.words(&asked, &headers);
    let Some(mail) = pages.inbox.mail(id) else { return gone(words) };
    let parsed = MessageParser::default().parse(&mail.raw[..]);
    let text = parsed.as_ref().and_then(|parsed| parsed.text_part(0)).and_then(|part| match &part.body {
        PartType::Text(text) => Some(text.to_string()),
        _ => None,
    });
    pages.render(
        "mail",
        &json!({
            "w": words, "id": mail.id, "keep": asked.keep(), "subject": mail.subject, "from": mail.from, "to": mail.to,
            "at": at(&mail), "size": size(&mail), "envelope_from": format!("<{}>", mail.envelope.from),
            "envelope_to": mail.envelope.to, "html": html_of(&mail).is_some(), "text": text, "headers": head(&mail),
        }),
    )
}

async fn html(State(pages): State<Pages>, Path(id): Path<u64>) -> Response {
    let Some(html) = pages.inbox.mail(id).and_then(|mail| html_of(&mail)) else { return gone(&EN) };
    ([("content-security-policy", MAIL_POLICY)], Html(outward(&html))).into_response()
}

async fn source(State(pages): State<Pages>, Path(id): Path<u64>) -> Response {
    let Some(mail) = pages.inbox.mail(id) else { return gone(&EN) };
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], String::from_utf8_lossy(&mail.raw).into_owned())
        .into_response()
}

async fn eml(State(pages): State<Pages>, Path(id): Path<u64>) -> Response {
    let Some(mail) = pages.inbox.mail(id) else { return gone(&EN) };
    let name = format!("attachment; filename=\"mail-{id}.eml\"");
    let headers = [(header::CONTENT_TYPE, "message/rfc822".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, mail.raw.clone()).into_response()
}

async fn style() -> Response {
    let css = include_str!("../../templates/pages/catcher.css");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css).into_response()
}

fn gone(words: &PageWords) -> Response {
    (StatusCode::NOT_FOUND, format!("{}\n", words.gone)).into_response()
}

impl Asked {
    /// The link to another page of the same search.
    fn link(&self, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::from("/?"));
        query.append_pair("q", &self.q).append_pair("page", &page.to_string());
        if let Some(lang) = &self.lang {
            query.append_pair("lang", lang);
        }
        query.finish()
    }

    /// What goes along from page to page: the language, when it was asked for.
    fn keep(&self) -> String {
        let lang = self.lang.as_deref().filter(|lang| lang.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        lang.map_or_else(String::new, |lang| format!("?lang={lang}"))
    }
}

impl Pages {
    fn render(&self, name: &str, data: &Value) -> Response {
        match self.templates.render(name, data) {
            Ok(page) => Html(page).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page of the catcher could not be made");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// Asked for in the address, else the first that the browser wants and we have, else the site's.
    fn words(&self, asked: &Asked, headers: &HeaderMap) -> &'static PageWords {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let accepted = accepted.split(',').map(|one| one.split(';').next().unwrap_or_default().trim());
        let fallback = self.fallback.as_ref().map(Locale::as_str);
        let wanted = asked.lang.as_deref().into_iter().chain(accepted).chain(fallback);
        let known = |tag: &str| match tag.get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("ko") => Some(&KO),
            Some("en") => Some(&EN),
            _ => None,
        };
        wanted.filter_map(known).next().unwrap_or(&EN)
    }
}

fn at(mail: &Mail) -> String {
    format!("{:.0}", mail.at)
}

fn size(mail: &Mail) -> String {
    format!("{}.{} KB", mail.raw.len() / 1024, mail.raw.len() % 1024 * 10 / 1024)
}

/// The header block as it came.
fn head(mail: &Mail) -> String {
    let end = mail.raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(mail.raw.len());
    String::from_utf8_lossy(&mail.raw[..end]).into_owned()
}

fn html_of(mail: &Mail) -> Option<String> {
    let parsed = MessageParser::default().parse(&mail.raw[..])?;
    match &parsed.html_part(0)?.body {
        PartType::Html(html) => Some(html.to_string()),
        _ => None,
    }
}

/// Lets the mail's links open outside of the frame.
fn outward(html: &str) -> String {
    const BASE: &str = "<base target=\"_blank\">";
    let put = lol_html::element!("head", |head| {
        head.prepend(BASE, lol_html::html_content::ContentType::Html);
        Ok(())
    });
    let settings = lol_html::RewriteStrSettings::new().append_element_content_handler(put);
    let changed = lol_html::rewrite_str(html, settings).unwrap_or_else(|_| html.to_owned());
    if changed.len() == html.len() { format!("{BASE}{changed}") } else { changed }
}
