//! Judging a whole workspace: every file, every name that points from one to another, every template; all mistakes at
//! once. What needs a database (attributes that customers have, templates against real customers) is asked for apart.

use super::compose::Composer;
use super::content::Content;
use super::{CampaignError, Live, store};
use crate::config::model::{Campaign, Settings, SurveyKind, TopicKind};
use crate::config::workspace::{File, SETTINGS, Workspace, is_name};
use crate::config::{Problem, nearest};
use crate::db::Db;
use crate::deliver::relay::Scheme;
use crate::relationship::fields::FieldKind;
use crate::render::{self, CompileOptions, Known};
use crate::segment::{Catalogue, Kind, Names, Segments};
use crate::types::{Email, Timestamp};
use std::collections::BTreeSet;

/// The fields that conditions may use: the customer's, and what the relationship adds.
pub fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::new();
    for field in crate::relationship::fields::FIELDS {
        let kind = match field.kind {
            _ if field.money => Kind::Money,
            FieldKind::Text => Kind::Text,
            FieldKind::Number => Kind::Number,
            FieldKind::Date => Kind::Date,
            FieldKind::Bool => Kind::Bool,
        };
        catalogue.register(crate::segment::Field {
            name: field.name,
            kind,
            sql: field.sql,
            values: field.values,
            doc: field.doc,
        });
    }
    catalogue
}

/// All mistakes of a workspace that can be found without a database. `attributes`: those that customers have, when known.
pub fn check(workspace: &Workspace, attributes: Option<&BTreeSet<String>>) -> Vec<Problem> {
    let mut problems = settings(workspace);
    for file in workspace.surveys.values() {
        survey(file, &mut problems);
    }
    let names = Names {
        segments: Some(workspace.segments.keys().cloned().collect()),
        topics: Some(workspace.settings.value.topic.keys().cloned().collect()),
        campaigns: Some(workspace.campaigns.keys().cloned().collect()),
        surveys: Some(workspace.surveys.keys().cloned().collect()),
        ..Names::default()
    };
    let list: Vec<_> =
        workspace.segments.iter().map(|(name, file)| (name.as_str(), &file.document, &file.value)).collect();
    let (_, wrong) = Segments::check(&list, &catalogue(), &names);
    problems.extend(wrong);
    let mut templates = BTreeSet::new();
    for (id, file) in &workspace.campaigns {
        campaign(workspace, id, file, attributes, &mut templates, &mut problems);
    }
    problems.sort_by(|a, b| (&a.file, a.line, a.column, a.code).cmp(&(&b.file, b.line, b.column, b.code)));
    problems.dedup();
    problems
}

fn settings(workspace: &Workspace) -> Vec<Problem> {
    let document = &workspace.settings.document;
    let settings: &Settings = &workspace.settings.value;
    let mut problems = Vec::new();
    match url::Url::parse(&settings.site.url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {
            let loopback = url.host_str().is_some_and(|h| h == "localhost" || h.starts_with("127.") || h == "[::1]");
            if url.scheme() == "http" && !loopback {
                let message =
                    "`url` is http: links in mails are then readable on the way, and mail programs distrust them";
                problems.push(document.problem("site.url", "insecure", message).help("use https://").warning());
            }
        }
        _ => {
            let message = format!("`{}` is not the address of a site", settings.site.url);
            problems.push(document.problem("site.url", "value", message).help("write https://mail.your-shop.example"));
        }
    }
    if let Err(e) = crate::db::location::Location::parse(&settings.database.url, &workspace.root) {
        problems.push(document.problem("database.url", "value", e.to_string()));
    } else if url::Url::parse(&settings.database.url).is_ok_and(|url| url.password().is_some()) {
        let message = "a password stands in the file, and the file goes into Git";
        let help = "take it out, and set DANGOL_DATABASE_URL, or DANGOL_DATABASE_URL_FILE, to the whole URL";
        problems.push(document.problem("database.url", "secret", message).help(help));
    }
    if settings.web.listen.parse::<std::net::SocketAddr>().is_err() {
        let message = format!("`{}` is not an address and port such as 127.0.0.1:8080", settings.web.listen);
        problems.push(document.problem("web.listen", "value", message));
    }
    let mut seen = BTreeSet::new();
    for (i, relay) in settings.relay.iter().enumerate() {
        if let Err(why) = Scheme::parse(&relay.url) {
            problems.push(document.problem(&format!("relay[{i}].url"), "value", why));
        }
        if !is_name(&relay.name) || !relay.name.is_ascii() {
            let message = "a relay's name has lower-case letters, digits, - and _";
            problems.push(document.problem(&format!("relay[{i}].name"), "name", message));
        }
        if !seen.insert(&relay.name) {
            let message = format!("there are two relays `{}`", relay.name);
            problems.push(document.problem(&format!("relay[{i}].name"), "duplicate", message));
        }
    }
    if settings.relay.is_empty() {
        let problem = Problem::whole(SETTINGS, "missing-key", "there is no [[relay]], so no mail can go out");
        problems
            .push(problem.help("add [[relay]] with name = \"primary\" and url = \"catch://\" to try without sending"));
    }
    for name in settings.topic.keys().filter(|name| !is_name(name) || !name.is_ascii()) {
        let message = format!("`{name}` cannot name a topic: it has lower-case letters, digits, - and _");
        problems.push(document.problem(&format!("topic.{name}"), "name", message));
    }
    problems
}

fn survey(file: &File<crate::config::model::Survey>, problems: &mut Vec<Problem>) {
    let survey = &file.value;
    let document = &file.document;
    match survey.kind {
        SurveyKind::Choice if !(2..=12).contains(&survey.choices.len()) => {
            let message = format!("a choice has 2 to 12 `choices`, and this has {}", survey.choices.len());
            problems.push(document.problem("choices", "value", message));
        }
        SurveyKind::Nps | SurveyKind::Scale if !survey.choices.is_empty() => {
            let message = "`choices` belong to kind = \"choice\"; this kind is answered by 0 to 10";
            problems.push(document.problem("choices", "value", message));
        }
        _ => {}
    }
    let mut seen = BTreeSet::new();
    for (i, choice) in survey.choices.iter().enumerate() {
        let path = format!("choices[{i}].value");
        if !is_name(&choice.value) {
            let message = format!("`{}` cannot be a value: it has lower-case letters, digits, - and _", choice.value);
            problems.push(document.problem(&path, "name", message));
        }
        if !seen.insert(&choice.value) {
            problems.push(document.problem(
                &path,
                "duplicate",
                format!("two choices have the value `{}`", choice.value),
            ));
        }
    }
}

fn campaign(
    workspace: &Workspace,
    id: &str,
    file: &File<Campaign>,
    attributes: Option<&BTreeSet<String>>,
    templates: &mut BTreeSet<(String, String, String)>,
    problems: &mut Vec<Problem>,
) {
    let (document, campaign) = (&file.document, &file.value);
    let settings = &workspace.settings.value;
    let mut unknown = |path: &str, what: &str, word: &str, known: Vec<&str>| {
        let message = format!("there is no {what} `{word}`");
        problems.push(document.problem(path, "unknown-name", message).maybe_help(nearest(word, known)));
    };
    if !settings.topic.contains_key(&campaign.topic) {
        unknown("topic", "topic", &campaign.topic, settings.topic.keys().map(String::as_str).collect());
    }
    if !settings.sender.contains_key(&campaign.sender) {
        unknown("sender", "sender", &campaign.sender, settings.sender.keys().map(String::as_str).collect());
    }
    for (path, segment) in super::live::asked(campaign) {
        if !workspace.segments.contains_key(&segment) {
            unknown(&path, "segment", &segment, workspace.segments.keys().map(String::as_str).collect());
        }
    }
    if let Some(relay) = &campaign.relay
        && !settings.relay.iter().any(|r| r.name == *relay)
    {
        unknown("relay", "relay", relay, settings.relay.iter().map(|r| r.name.as_str()).collect());
    }
    let Ok(content) = Content::of(workspace, id) else { return };
    let library = render::Library { templates: workspace.templates.clone(), ..content.library() };
    if !library.has(&campaign.send) {
        unknown("send", "template", &campaign.send, library.names().into_iter().collect());
        return;
    }
    if let Some(was) = &campaign.was
        && workspace.campaigns.contains_key(was)
    {
        let message = format!("`{was}` still stands in {}", workspace.campaigns[was].document.file);
        problems.push(document.problem("was", "duplicate", message).help("remove `was`, or the other file"));
    }
    let (Some(topic), Some(sender)) = (settings.topic.get(&campaign.topic), settings.sender.get(&campaign.sender))
    else {
        return;
    };
    if topic.kind == TopicKind::Service && campaign.holdout.is_some() {
        let message = "service mail has no holdout: everyone has to get it";
        problems.push(document.problem("holdout", "value", message).help("remove `holdout`"));
    }
    // the same template under the same sender and topic is judged once
    if !templates.insert((campaign.send.clone(), campaign.topic.clone(), campaign.sender.clone())) {
        return;
    }
    let options = CompileOptions::new(settings, id, sender, &campaign.topic, content.surveys());
    let known = Known { attributes: attributes.cloned(), ..Known::default() };
    problems.extend(render::check(&library, &campaign.send, &options, &known));
}

/// Renders each campaign's mail for up to `each` customers of its audience: what fails for real people.
///
/// # Errors
/// When the database is away.
pub async fn against_customers(
    workspace: &Workspace,
    db: &Db,
    composer: &Composer,
    each: i64,
    now: Timestamp,
) -> Result<Vec<Problem>, CampaignError> {
    let mut problems = Vec::new();
    let settings = &workspace.settings.value;
    for (id, file) in &workspace.campaigns {
        let content = Content::of(workspace, id)?;
        let Ok(live) = Live::compile(id, &content, settings) else { continue };
        let audience = live.audience(&db, settings, now)?;
        let members = crate::segment::store::members(&mut &*db, &audience.include, 0, each).await?;
        let ids: Vec<i64> = members.iter().map(|member| member.id).collect();
        let people = store::readers(&mut &*db, &ids).await?;
        let (mut failed, mut first) = (0, None);
        for person in &people {
            let Some(Ok(to)) = person.email.as_deref().map(str::parse::<Email>) else { continue };
            if let Err(why) = composer.make(&live, person, &to, 0, now) {
                failed += 1;
                first.get_or_insert((person.external_id.clone().unwrap_or_else(|| format!("#{}", person.id)), why));
            }
        }
        if let Some((who, why)) = first {
            let message =
                format!("its mail fails for {failed} of {} customers tried, first for {who}: {why}", people.len());
            let help = "give the variable a fallback: {{default customer.first_name \"friend\"}}";
            problems.push(file.document.problem("send", "render", message).help(help));
        }
    }
    Ok(problems)
}
