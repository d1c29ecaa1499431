//! What a campaign names: topic, sender, segments, relay, template, the campaign that it was; and the templates, each
//! judged once, those that no campaign sends among them.

use super::settings;
use crate::config::model::{Campaign, RewardKind, Sender, Settings, Step, Survey, SurveyKind, TopicKind, Words};
use crate::config::reading::Drafts;
use crate::config::workspace::{File, SETTINGS, Workspace};
use crate::config::{Problem, nearest, shape};
use crate::render::{self, CompileOptions, Known, Library};
use crate::reward::Reward;
use crate::segment::Segments;
use std::collections::{BTreeMap, BTreeSet};

/// All that campaigns can name, and the mistakes found so far.
pub(super) struct Names<'a> {
    workspace: &'a Workspace,
    drafts: &'a Drafts,
    settings: Settings,
    attributes: Option<&'a BTreeSet<String>>,
    library: Library,
    surveys: BTreeMap<String, Survey>,
    segments: BTreeSet<&'a str>,
    /// The file of each campaign, by id.
    pub campaigns: BTreeMap<&'a str, Option<&'a File<Campaign>>>,
    /// Who claims to have been which campaign.
    was: BTreeMap<&'a str, &'a str>,
    /// Templates judged, each with the topic, sender and variables that it was judged by.
    judged: BTreeSet<(String, String, String, BTreeSet<String>)>,
    /// Their mistakes.
    pub problems: Vec<Problem>,
}

impl<'a> Names<'a> {
    pub fn new(workspace: &'a Workspace, drafts: &'a Drafts, attributes: Option<&'a BTreeSet<String>>) -> Names<'a> {
        let blank =
            || Survey { kind: SurveyKind::Scale, question: Words::One("…".into()), choices: vec![], thanks: None };
        let mut surveys: BTreeMap<String, Survey> =
            workspace.surveys.iter().map(|(name, file)| (name.clone(), file.value.clone())).collect();
        surveys.extend(drafts.surveys.iter().map(|(name, draft)| (name.clone(), draft.clone().unwrap_or_else(blank))));
        let mut campaigns: BTreeMap<&str, Option<&File<Campaign>>> =
            drafts.campaigns.iter().map(|(id, file)| (id.as_str(), file.as_ref())).collect();
        campaigns.extend(workspace.campaigns.iter().map(|(id, file)| (id.as_str(), Some(file))));
        Names {
            workspace,
            drafts,
            settings: settings::judged(workspace, drafts),
            attributes,
            library: library(workspace, drafts),
            surveys,
            segments: workspace
                .segments
                .keys()
                .chain(drafts.segments.iter().map(|(name, _)| name))
                .map(String::as_str)
                .collect(),
            campaigns,
            was: BTreeMap::new(),
            judged: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// Judges one campaign. An empty name is one that could not be read, and was told of.
    pub fn campaign(&mut self, id: &'a str, file: &'a File<Campaign>) {
        let (document, campaign) = (&file.document, &file.value);
        let topics = self.settings.topic.keys().map(String::as_str);
        let senders = self.settings.sender.keys().map(String::as_str);
        let relays = self.settings.relay.iter().map(|relay| relay.name.as_str());
        let relay = campaign.relay.as_deref().unwrap_or_default();
        let draft = !self.workspace.campaigns.contains_key(id);
        let mut asked = Vec::new();
        if !self.drafts.lost {
            asked.push(("topic".to_owned(), "topic", campaign.topic.as_str(), topics.collect::<Vec<_>>(), NO_TOPIC));
            asked.push(("sender".to_owned(), "sender", &campaign.sender, senders.collect(), NO_SENDER));
            asked.push(("relay".to_owned(), "relay", relay, relays.collect(), ""));
        }
        let named = super::super::live::asked(campaign);
        for (path, segment) in &named {
            asked.push((path.clone(), "segment", segment, self.segments.iter().copied().collect(), NO_SEGMENT));
        }
        let steps = campaign.steps();
        let mut sent = Vec::new();
        for (at, step) in &steps {
            let Some(send) = &step.send else { continue };
            let unread = self.drafts.templates.iter().any(|path| is_of(path, send));
            if unread {
                continue;
            }
            if self.library.has(send) {
                sent.push((send.clone(), self.variables(campaign, step)));
            } else {
                let known = self.library.names().into_iter().collect();
                asked.push((format!("{at}send"), "template", send, known, NO_TEMPLATE));
            }
        }
        for (path, what, word, known, none) in asked {
            // a stand-in for what is missing or could not be read was told of
            let stands_in = word.is_empty() && draft;
            if !document.has(&path) || stands_in || known.contains(&word) {
                continue;
            }
            let message = format!("there is no {what} `{word}`");
            let none = (known.is_empty() && !none.is_empty()).then(|| none.to_owned());
            let problem = document.problem(&path, "unknown-name", message).maybe_help(nearest(word, known).or(none));
            self.problems.push(problem);
        }
        self.own(id, file);
        for (send, variables) in sent {
            self.template(&send, id, (&campaign.topic, &campaign.sender), variables);
        }
    }

    /// What a campaign says of itself.
    fn own(&mut self, id: &'a str, file: &'a File<Campaign>) {
        let (document, campaign) = (&file.document, &file.value);
        if let Some(was) = &campaign.was {
            let other = self.campaigns.get(was.as_str()).copied();
            if was == id {
                let problem = document.problem("was", "duplicate", format!("`{was}` is what it is called now"));
                self.problems.push(problem.help("`was` is the id from before a renaming: remove it"));
            } else if let Some(other) = other {
                let place = other.map_or_else(String::new, |other| format!(" in {}", other.document.file));
                let message = format!("it cannot have been `{was}`: that campaign still stands{place}");
                self.problems
                    .push(document.problem("was", "duplicate", message).help("remove `was`, or the other file"));
            } else if let Some(first) = self.was.insert(was, id) {
                let message = format!("`{first}` says that it was `{was}`, too");
                self.problems.push(
                    document
                        .problem("was", "duplicate", message)
                        .help("only one can be the same campaign under a new name"),
                );
            }
        }
        if shape::says_what_it_means::<Campaign>(document, &["audience", "trigger", "schedule", "send", "step"]) {
            self.problems.extend(super::steps::problems(campaign, document));
            self.conditions(file);
            self.grants(file);
        }
        let service = self.settings.topic.get(&campaign.topic).is_some_and(|topic| topic.kind == TopicKind::Service);
        if service && campaign.holdout.is_some() {
            let message = format!(
                "`{}` is a topic of service mail, which has no holdout: everyone has to get it",
                campaign.topic
            );
            self.problems.push(document.problem("holdout", "value", message).help("remove `holdout`"));
        }
        let audience = &campaign.audience;
        let named = audience.segment.as_deref().unwrap_or_default();
        if let Some(i) = audience.exclude.iter().position(|name| name == named && !name.is_empty()) {
            let message = format!("`{named}` is the audience, and is excluded: nobody would get this");
            let problem = document.problem(&format!("audience.exclude[{i}]"), "value", message);
            self.problems.push(problem.help("take it out of `exclude`"));
        }
    }

    /// What the mail of a step knows beside its reader.
    fn variables(&self, campaign: &Campaign, step: &Step) -> BTreeSet<String> {
        let mut variables = BTreeSet::new();
        for reward in self.workspace.rewards.keys().chain(self.drafts.rewards.iter().map(|(name, _)| name)) {
            let of = |what: &str| format!("reward.{reward}.{what}");
            variables.extend(["balance", "pending", "earned", "tier", "expires"].map(of));
        }
        // an order is our own, and known; what another event holds is up to the shop
        let order = ["kind", "at", "amount", "currency", "order", "status"];
        match campaign.trigger.as_ref().and_then(|trigger| trigger.event.as_deref()) {
            Some("order") => variables.extend(order.map(|name| format!("event.{name}"))),
            Some(_) => drop(variables.insert("event.*".into())),
            None => {}
        }
        if step.reward.is_some() {
            variables.extend(["grant.points", "grant.coupon", "grant.expires"].map(str::to_owned));
        }
        variables
    }

    /// What its steps grant.
    fn grants(&mut self, file: &File<Campaign>) {
        let service = self.settings.topic.get(&file.value.topic).is_some_and(|topic| topic.kind == TopicKind::Service);
        for (at, step) in file.value.steps() {
            let Some(wanted) = &step.reward else { continue };
            let drafted = self.drafts.rewards.iter().any(|(name, _)| *name == wanted.grant);
            let path = format!("{at}reward");
            let Some(reward) = self.workspace.rewards.get(&wanted.grant) else {
                if !drafted {
                    let message = format!("there is no reward `{}`", wanted.grant);
                    let known: Vec<&str> = self.workspace.rewards.keys().map(String::as_str).collect();
                    let none = known.is_empty().then(|| NO_REWARD.to_owned());
                    let problem = file.document.problem(&format!("{path}.grant"), "unknown-name", message);
                    self.problems.push(problem.maybe_help(nearest(&wanted.grant, known).or(none)));
                }
                continue;
            };
            // what is wrong with the reward itself is told in its own file
            let Ok(reward) = Reward::compile(&wanted.grant, &reward.value, &self.settings) else { continue };
            // points that are no number were told of
            let told = wanted.points.is_none() && file.document.has(&format!("{path}.points"));
            if let Err(message) = super::steps::grant(&reward, wanted)
                && !told
            {
                self.problems.push(file.document.problem(&path, "value", message));
            }
            if service && reward.kind == RewardKind::Coupon {
                let message = "a coupon in service mail makes it advertising in the eyes of the law";
                let help = "send it under a topic that people agreed to";
                self.problems.push(file.document.problem(&path, "law", message).help(help).warning());
            }
        }
    }

    /// The conditions of its steps.
    fn conditions(&mut self, file: &File<Campaign>) {
        let names = crate::segment::Names {
            topics: (!self.drafts.lost).then(|| self.settings.topic.keys().cloned().collect()),
            campaigns: Some(self.campaigns.keys().map(|id| (*id).to_owned()).collect()),
            surveys: Some(self.surveys.keys().cloned().collect()),
            rewards: Some(
                self.workspace
                    .rewards
                    .keys()
                    .chain(self.drafts.rewards.iter().map(|(name, _)| name))
                    .cloned()
                    .collect(),
            ),
            segments: Some(self.segments.iter().map(|name| (*name).to_owned()).collect()),
            ..crate::segment::Names::default()
        };
        for (at, step) in file.value.steps() {
            let Some(when) = &step.when else { continue };
            let checked = Segments::condition(&file.document, &format!("{at}when"), when, &super::catalogue(), &names);
            self.problems.extend(checked.err().unwrap_or_default());
        }
    }

    /// Judges the templates that no campaign sends, as if the first sender sent them.
    pub fn others(&mut self) {
        let sent: BTreeSet<String> = self.judged.iter().map(|(name, ..)| name.clone()).collect();
        let rest: Vec<String> =
            self.library.names().into_iter().filter(|name| !sent.contains(*name)).map(str::to_owned).collect();
        for name in rest {
            if !self.drafts.templates.iter().any(|path| is_of(path, &name)) {
                let any = ["event.*", "grant.*", "reward.*"].map(str::to_owned);
                self.template(&name, "preview", ("", ""), any.into());
            }
        }
        for path in self.workspace.templates.keys().filter(|path| !Library::is_template(path)) {
            let file = format!("templates/{path}");
            let message = "only .mjml, .html and .txt files are templates";
            self.problems.push(Problem::whole(&file, "unknown-file", message).warning());
        }
    }

    fn template(&mut self, name: &str, campaign: &str, (topic, sender): (&str, &str), extra: BTreeSet<String>) {
        // the same template under the same sender and topic is judged once
        if !self.judged.insert((name.to_owned(), topic.to_owned(), sender.to_owned(), extra.clone())) {
            return;
        }
        let stand_in =
            || Some(Sender { from: "nobody@dangol.invalid".parse().ok()?, reply_to: None, dkim: None, bounce: None });
        let sender = self.settings.sender.get(sender).or_else(|| self.settings.sender.values().next()).cloned();
        let Some(sender) = sender.or_else(stand_in) else { return };
        let options = CompileOptions::new(&self.settings, campaign, &sender, topic, self.surveys.clone());
        let known = Known { attributes: self.attributes.cloned(), extra };
        let document = &self.workspace.settings.document;
        for problem in render::check(&self.library, name, &options, &known) {
            if problem.file != SETTINGS {
                self.problems.push(problem);
            } else if self.settings.topic.contains_key(topic) {
                // what the law wants of the settings
                let Problem { code, message, help, .. } = problem;
                self.problems.push(document.problem("site", code, message).maybe_help(help));
            }
        }
    }
}

const NO_TOPIC: &str = "dangol.toml has none yet: write [topic.newsletter] there";
const NO_SENDER: &str = "dangol.toml has none yet: write [sender.hello] with from = \"…\" there";
const NO_SEGMENT: &str = "there are none yet: write segments/NAME.toml with where = \"…\"";
const NO_REWARD: &str = "there are none yet: write rewards/NAME.toml with kind = \"points\"";
const NO_TEMPLATE: &str = "there are none yet: write templates/letters/NAME.mjml";

/// Whether the template file `path` is one of the template `name`, in any language.
fn is_of(path: &str, name: &str) -> bool {
    !name.is_empty() && path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
}

/// Templates and pictures, with stand-ins for what could not be read: whoever names it has made no mistake.
fn library(workspace: &Workspace, drafts: &Drafts) -> Library {
    let mut library = Library { templates: workspace.templates.clone(), ..Library::default() };
    for path in &drafts.templates {
        let text = match (path.starts_with("layouts/"), path.ends_with(".mjml")) {
            (true, true) => "<mjml><mj-body>{{{content}}}</mj-body></mjml>",
            (true, false) => "{{{content}}}",
            _ => "",
        };
        library.templates.insert(path.clone(), text.to_owned());
    }
    // the address under which a picture is served is as long as any other
    let assets = workspace.assets.keys().chain(&drafts.assets);
    library.assets = assets.map(|path| (path.clone(), "0".repeat(32))).collect();
    library
}
