//! Judging a whole workspace: every file, every name that points from one to another, every template; all mistakes at
//! once, and none that only follows from another. What needs a database (attributes that customers have, templates
//! against real customers) is asked for apart.

mod names;
mod people;
mod relays;
mod reward;
mod settings;
mod steps;
mod survey;
mod worth;

pub use people::{against_customers, vanished};
pub use reward::against_orders;
pub use steps::{grant, problems as shape};
pub use worth::{against_history, times};

use crate::config::Problem;
use crate::config::document::Document;
use crate::config::model::Segment;
use crate::config::reading::{Drafts, Reading};
use crate::config::workspace::Workspace;
use crate::relationship::fields::FieldKind;
use crate::segment::{Catalogue, Kind, Names, Segments};
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

/// All mistakes of what was read, those of single files among them, that can be found without a database. `attributes`:
/// those that customers have, when known.
pub fn reading(reading: &Reading, attributes: Option<&BTreeSet<String>>) -> Vec<Problem> {
    let mut problems = reading.problems.clone();
    if let Some(workspace) = reading.judged() {
        problems.extend(judge(workspace, &reading.drafts, attributes));
    }
    sorted(problems)
}

/// All mistakes of good files between each other.
pub fn check(workspace: &Workspace, attributes: Option<&BTreeSet<String>>) -> Vec<Problem> {
    sorted(judge(workspace, &Drafts::default(), attributes))
}

/// In the order of the files, each once.
pub fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| {
        (&a.file, a.line, a.column, a.code, &a.message).cmp(&(&b.file, b.line, b.column, b.code, &b.message))
    });
    // a partial in a circle is one, however it is come by
    problems.dedup_by(|a, b| {
        a == b || (a.code == "cycle" && (&a.file, a.line, a.column, a.code) == (&b.file, b.line, b.column, b.code))
    });
    // what no reader's mail can be made with was told of as a mistake of its own
    let told: BTreeSet<(String, usize, usize)> =
        problems.iter().filter(|p| p.code != "render").map(|p| (p.file.clone(), p.line, p.column)).collect();
    problems.retain(|p| p.code != "render" || p.line == 0 || !told.contains(&(p.file.clone(), p.line, p.column)));
    problems
}

/// All mistakes of a workspace between its files, with what could be made out of those that have mistakes in themselves.
pub fn judge(workspace: &Workspace, drafts: &Drafts, attributes: Option<&BTreeSet<String>>) -> Vec<Problem> {
    let mut problems = settings::problems(workspace, drafts);
    problems.extend(reward::problems(workspace, drafts));
    for file in workspace.surveys.values() {
        problems.extend(survey::problems(file));
    }
    let mut files = names::Names::new(workspace, drafts, attributes);
    let (known, wrong) = segments(workspace, drafts, files.campaigns.keys().copied());
    problems.extend(wrong);
    let drafted = drafts.campaigns.iter().filter_map(|(id, file)| Some((id, file.as_ref()?)));
    for (id, file) in workspace.campaigns.iter().chain(drafted) {
        files.campaign(id, file);
        let watched = file.value.trigger.as_ref().and_then(|trigger| trigger.segment());
        if let Some(segment) = watched.and_then(|name| workspace.segments.get_key_value(name)) {
            let (name, file) = segment;
            problems.extend(known.never(name, &file.document, &file.value.condition, id));
        }
        problems.extend(worth::holdout(file));
    }
    files.others();
    problems.extend(files.problems);
    problems
}

fn segments<'a>(
    workspace: &Workspace,
    drafts: &Drafts,
    campaigns: impl Iterator<Item = &'a str>,
) -> (Segments, Vec<Problem>) {
    let surveys = workspace.surveys.keys().chain(drafts.surveys.keys());
    let rewards = workspace.rewards.keys().chain(drafts.rewards.iter().map(|(name, _)| name));
    let names = Names {
        topics: (!drafts.lost).then(|| workspace.settings.value.topic.keys().cloned().collect()),
        campaigns: Some(campaigns.map(str::to_owned).collect()),
        surveys: Some(surveys.cloned().collect()),
        rewards: Some(rewards.cloned().collect()),
        ..Names::default()
    };
    // a segment that cannot be read has been told of; those that name it are judged all the same
    let anybody = Segment { title: None, condition: "TRUE".into() };
    let blank = Document::new("", "where = \"TRUE\"");
    let mut list: Vec<(&str, &Document, &Segment)> =
        workspace.segments.iter().map(|(name, file)| (name.as_str(), &file.document, &file.value)).collect();
    for (name, file) in &drafts.segments {
        let file = file.as_ref().filter(|file| !file.value.condition.is_empty());
        list.push(file.map_or((name, &blank, &anybody), |file| (name, &file.document, &file.value)));
    }
    Segments::check(&list, &catalogue(), &names)
}
