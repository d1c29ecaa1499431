//! What `[[relay]]` and `[delivery]` say, beyond their shape.

use crate::config::model::{Relay, Settings};
use crate::config::reading::Drafts;
use crate::config::workspace::{SETTINGS, Workspace, is_name};
use crate::config::{Problem, document::Document};
use crate::deliver::route::MOST;
use crate::deliver::server::{Ca, Scheme};
use crate::types::Email;
use std::collections::BTreeSet;

/// The mistakes of relays and of limits for domains.
pub(super) fn problems(workspace: &Workspace, drafts: &Drafts, problems: &mut Vec<Problem>) {
    let document = &workspace.settings.document;
    let settings = &workspace.settings.value;
    domains(document, settings, problems);
    let mut seen = BTreeSet::new();
    for (i, relay) in settings.relay.iter().enumerate() {
        let (url, name) = (format!("relay[{i}].url"), format!("relay[{i}].name"));
        let stand_in = |text: &str| text.is_empty() && drafts.settings;
        if !stand_in(&relay.url)
            && let Err(why) = Scheme::parse(&relay.url)
        {
            let code = if why.contains("password") { "secret" } else { "value" };
            problems.push(document.problem(&url, code, why));
        }
        keys(workspace, i, relay, problems);
        if stand_in(&relay.name) {
            continue;
        }
        if !is_name(&relay.name) || !relay.name.is_ascii() {
            let message = format!(
                "`{}` cannot name a relay: it has the letters a to z in lower case, digits, - and _",
                relay.name
            );
            problems.push(document.problem(&name, "name", message));
        }
        if !seen.insert(&relay.name) {
            let message = format!("there are two relays `{}`", relay.name);
            problems.push(document.problem(&name, "duplicate", message).help("give one of them another name"));
        }
    }
    if settings.relay.len() > MOST {
        let message = format!("there are {} relays, and {MOST} are the most", settings.relay.len());
        problems.push(document.problem("relay", "value", message));
    }
    if settings.relay.is_empty() && !drafts.lost {
        let problem = Problem::whole(SETTINGS, "missing-key", "there is no [[relay]], so no mail can go out");
        problems.push(
            problem.help("write [[relay]] with name = \"primary\" and url = \"catch://\" to try without sending"),
        );
    }
}

/// What one relay says of itself.
fn keys(workspace: &Workspace, i: usize, relay: &Relay, problems: &mut Vec<Problem>) {
    let document = &workspace.settings.document;
    let settings = &workspace.settings.value;
    if let Some(file) = &relay.ca {
        let read = std::fs::read(workspace.root.join(file)).map_err(|e| e.to_string());
        if let Err(why) = read.and_then(|pem| Ca::parse(&pem).map(|_| ())) {
            problems.push(document.problem(&format!("relay[{i}].ca"), "file", format!("`{file}`: {why}")));
        }
    }
    if relay.warmup.as_ref().is_some_and(|warmup| warmup.caps.is_empty()) {
        let message = "`caps` is empty: it says how many mails go on the first day, on the second, and so on";
        problems.push(document.problem(&format!("relay[{i}].warmup.caps"), "value", message));
    }
    for (n, only) in relay.only.iter().enumerate() {
        let known = match only.split_once(':') {
            Some(("topic", name)) => settings.topic.contains_key(name),
            Some(("sender", name)) => settings.sender.contains_key(name),
            _ => false,
        };
        if !known {
            let message = format!("`{only}` is neither a topic nor a sender of this file");
            let problem = document.problem(&format!("relay[{i}].for[{n}]"), "name", message);
            problems.push(problem.help("write \"topic:NAME\" or \"sender:NAME\""));
        }
    }
}

fn domains(document: &Document, settings: &Settings, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (i, limit) in settings.delivery.domain.iter().enumerate() {
        let at = format!("delivery.domain[{i}].name");
        match format!("x@{}", limit.name).parse::<Email>() {
            Err(_) => {
                let message = format!("`{}` is not a domain such as gmail.com", limit.name);
                problems.push(document.problem(&at, "value", message));
            }
            Ok(address) => {
                if !seen.insert(address.domain().to_owned()) {
                    let message = format!("there are two limits for `{}`", limit.name);
                    problems.push(document.problem(&at, "duplicate", message).help("write one with both"));
                }
            }
        }
        if limit.rate.is_none() && limit.connections.is_none() {
            let message = format!("nothing is said of `{}`", limit.name);
            problems.push(document.problem(&at, "value", message).help("write `rate`, `connections`, or both"));
        }
    }
}
