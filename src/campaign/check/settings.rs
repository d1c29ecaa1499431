//! What `dangol.toml` says, beyond its shape.

use super::relays;
use crate::config::model::Settings;
use crate::config::reading::Drafts;
use crate::config::workspace::{Workspace, is_name};
use crate::config::{Problem, document::Document};

/// The mistakes of the settings.
pub(super) fn problems(workspace: &Workspace, drafts: &Drafts) -> Vec<Problem> {
    let document = &workspace.settings.document;
    let settings = &workspace.settings.value;
    let mut problems = Vec::new();
    site(document, settings, drafts, &mut problems);
    periods(document, settings, &mut problems);
    database(workspace, &mut problems);
    if settings.web.listen.parse::<std::net::SocketAddr>().is_err() {
        let message = format!("`{}` is not an address and port such as 127.0.0.1:8080", settings.web.listen);
        problems.push(document.problem("web.listen", "value", message));
    }
    relays::problems(workspace, drafts, &mut problems);
    for name in settings.topic.keys().filter(|name| !is_name(name) || !name.is_ascii()) {
        let message = format!("`{name}` cannot name a topic: it has the letters a to z in lower case, digits, - and _");
        problems.push(document.problem(&format!("topic.{name}"), "name", message));
    }
    problems
}

/// The settings to judge the other files by: with mistakes in them, nothing is missing that was only miswritten.
pub(super) fn judged(workspace: &Workspace, drafts: &Drafts) -> Settings {
    let (document, mut settings) = (&workspace.settings.document, workspace.settings.value.clone());
    if drafts.settings {
        let unread = |key: &str| drafts.lost || !document.has("site") || document.has(&format!("site.{key}"));
        let stand_in = |key: &str| unread(key).then(|| "…".to_owned());
        settings.site.address = settings.site.address.or_else(|| stand_in("address"));
        settings.site.phone = settings.site.phone.or_else(|| stand_in("phone"));
    }
    settings
}

fn site(document: &Document, settings: &Settings, drafts: &Drafts, problems: &mut Vec<Problem>) {
    let written = &settings.site.url;
    match url::Url::parse(written) {
        // a stand-in: it is missing or no text, and that was told of
        _ if written.is_empty() && drafts.settings => {}
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {
            let loopback = url.host_str().is_some_and(|h| h == "localhost" || h.starts_with("127.") || h == "[::1]");
            if url.scheme() == "http" && !loopback {
                let message =
                    "`url` is http: links in mails are then readable on the way, and mail programs distrust them";
                problems.push(document.problem("site.url", "insecure", message).help("use https://").warning());
            }
            if url.query().is_some() || url.fragment().is_some() {
                let message = "`url` has a ? or a #, and every link in every mail is made by adding to its end";
                problems
                    .push(document.problem("site.url", "value", message).help("write https://mail.your-shop.example"));
            }
        }
        _ => {
            let message = format!("`{written}` is not the address of a site");
            problems.push(document.problem("site.url", "value", message).help("write https://mail.your-shop.example"));
        }
    }
}

/// Periods that mean nothing when they are nothing.
fn periods(document: &Document, settings: &Settings, problems: &mut Vec<Problem>) {
    let scoring = &settings.scoring;
    for (path, period) in [
        ("scoring.horizon", scoring.horizon),
        ("scoring.half_life", scoring.half_life),
        ("scoring.engagement_half_life", scoring.engagement_half_life),
        ("scoring.attitude_half_life", scoring.attitude_half_life),
        ("delivery.expires", settings.delivery.expires),
    ] {
        if period.as_millis() == 0 {
            let name = path.rsplit('.').next().unwrap_or(path);
            problems.push(document.problem(path, "value", format!("`{name}` is longer than nothing")));
        }
    }
}

fn database(workspace: &Workspace, problems: &mut Vec<Problem>) {
    let (document, url) = (&workspace.settings.document, &workspace.settings.value.database.url);
    if let Err(e) = crate::db::location::Location::parse(url, &workspace.root) {
        let problem = document.problem("database.url", "value", e.to_string());
        problems.push(problem.help("write sqlite://dangol.db, or postgres://user@host/database"));
    }
    if url::Url::parse(url).is_ok_and(|url| url.password().is_some()) {
        let message = "a password stands in the file, and the file goes into Git";
        let help = "take it out, and set DANGOL_DATABASE_URL, or DANGOL_DATABASE_URL_FILE, to the whole URL";
        problems.push(document.problem("database.url", "secret", message).help(help));
    }
}
