//! Reading all files of a workspace, whatever is wrong with some: what is good, what could be made out of the rest, and
//! all mistakes that show in a file alone.

use super::document::Document;
use super::model::{Campaign, Reward, Segment, Settings, Survey};
use super::workspace::{File, SETTINGS, Workspace, is_name};
use super::{Problem, nearest, shape};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A file larger than this is a mistake.
const MAX_FILE: u64 = 1 << 20;
/// The same for a picture.
const MAX_ASSET: u64 = 16 << 20;

/// What was read of a workspace, mistakes and all.
#[derive(Debug)]
pub struct Reading {
    /// What is good; none when `dangol.toml` itself has a mistake.
    pub workspace: Option<Workspace>,
    /// The same, with stand-ins for `dangol.toml` when that has mistakes; only for judging.
    drafted: Option<Workspace>,
    /// What could be made out of the files with mistakes.
    pub drafts: Drafts,
    /// All mistakes that show in a file alone.
    pub problems: Vec<Problem>,
}

/// What could be made out of files with mistakes. Only `check` looks at it, to tell of the rest of their mistakes in the
/// same run, and to tell of none that come only from theirs.
#[derive(Debug, Default)]
pub struct Drafts {
    /// `dangol.toml` has a mistake; a text that is missing is empty.
    pub settings: bool,
    /// It is so broken that topics, senders or relays may be missing.
    pub lost: bool,
    /// Campaigns by identity.
    pub campaigns: Vec<(String, Option<File<Campaign>>)>,
    /// Rewards by name.
    pub rewards: Vec<(String, Option<File<Reward>>)>,
    /// Surveys by name, as far as they can be read.
    pub surveys: BTreeMap<String, Option<Survey>>,
    /// Segments by name.
    pub segments: Vec<(String, Option<File<Segment>>)>,
    /// Templates that cannot be read, by path from `templates/`.
    pub templates: BTreeSet<String>,
    /// Pictures that cannot be read, by path from `assets/`.
    pub assets: BTreeSet<String>,
}

impl Reading {
    /// Reads all files under `root`.
    pub fn of(root: &Path) -> Reading {
        let mut drafts = Drafts::default();
        let mut problems = Vec::new();
        let settings = read_text(root, SETTINGS, &mut problems).map(|text| {
            let document = Document::new(SETTINGS, text);
            (shape::read::<Settings>(&document), document)
        });
        let (settings, document) = match settings {
            Some((read, document)) => {
                drafts.settings = !read.problems.is_empty();
                drafts.lost = read.lost;
                problems.extend(read.problems);
                (read.value, document)
            }
            None => {
                (drafts.settings, drafts.lost) = (true, true);
                (None, Document::new(SETTINGS, ""))
            }
        };
        let mut segments = BTreeMap::new();
        for (name, file, good) in folder(root, "segments", &mut problems) {
            match file {
                Some(file) if good => drop(segments.insert(name, file)),
                file => drafts.segments.push((name, file)),
            }
        }
        let found = folder(root, "campaigns", &mut problems);
        let campaigns = by_identity(found, &mut drafts.campaigns, &mut problems);
        let mut rewards = BTreeMap::new();
        for (name, file, good) in folder(root, "rewards", &mut problems) {
            match file {
                Some(file) if good => drop(rewards.insert(name, file)),
                file => drafts.rewards.push((name, file)),
            }
        }
        let mut surveys = BTreeMap::new();
        for (name, file, good) in folder(root, "surveys", &mut problems) {
            match file {
                Some(file) if good => drop(surveys.insert(name, file)),
                file => drop(drafts.surveys.insert(name, file.map(|file: File<Survey>| file.value))),
            }
        }
        let mut templates = BTreeMap::new();
        for path in files(root, "templates", &mut problems) {
            match read_text(root, &format!("templates/{path}"), &mut problems) {
                Some(text) => drop(templates.insert(path, text)),
                None => drop(drafts.templates.insert(path)),
            }
        }
        let mut assets = BTreeMap::new();
        for path in files(root, "assets", &mut problems) {
            match read(root, &format!("assets/{path}"), MAX_ASSET, &mut problems) {
                Some(bytes) => drop(assets.insert(path, bytes)),
                None => drop(drafts.assets.insert(path)),
            }
        }
        strangers(root, &mut problems);
        let value = settings.or_else(shape::blank::<Settings>);
        let whole = value.map(|value| Workspace {
            root: root.to_path_buf(),
            settings: File { document, value },
            segments,
            campaigns,
            rewards,
            surveys,
            templates,
            assets,
        });
        let (workspace, drafted) = if drafts.settings { (None, whole) } else { (whole, None) };
        Reading { workspace, drafted, drafts, problems }
    }

    /// What there is to judge.
    pub fn judged(&self) -> Option<&Workspace> {
        self.workspace.as_ref().or(self.drafted.as_ref())
    }
}

/// A file by its name's stem, as far as it can be read, and whether it has no mistakes.
type Found<T> = (String, Option<File<T>>, bool);

/// Where an id was first met, and the file's text when it is written there.
struct Seen {
    file: String,
    document: Option<Document>,
}

fn by_identity(
    files: Vec<Found<Campaign>>,
    drafts: &mut Vec<(String, Option<File<Campaign>>)>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, File<Campaign>> {
    let mut campaigns: BTreeMap<String, File<Campaign>> = BTreeMap::new();
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    for (stem, file, good) in files {
        let Some(file) = file else {
            drafts.push((stem, None));
            continue;
        };
        let own = file.value.id.clone();
        let id = own.clone().unwrap_or(stem);
        let name = file.document.file.clone();
        if !is_name(&id) && own.is_none() {
            // its file's name was told of
            drafts.push((id, Some(file)));
        } else if !is_name(&id) {
            let message = format!("`{id}` cannot be an id: it has lower-case letters, digits, - and _");
            problems.push(file.document.problem("id", "name", message).maybe_help(suggestion(&id)));
            drafts.push((id, Some(file)));
        } else if let Some(other) = seen.get(&id) {
            let message = |other: &str| format!("the campaign `{id}` stands in {other} too");
            let help = "give one of them another `id`, or another file name";
            // at the `id` that was written, in whichever file
            let problem = match (&own, &other.document) {
                (None, Some(document)) => document.problem("id", "duplicate", message(&file.document.file)),
                _ => file.document.problem("id", "duplicate", message(&other.file)),
            };
            problems.push(problem.help(help));
            drafts.push((id, Some(file)));
        } else {
            let document = own.map(|_| Document::new(name.clone(), file.document.source.clone()));
            seen.insert(id.clone(), Seen { file: name, document });
            match good {
                true => drop(campaigns.insert(id, file)),
                false => drafts.push((id, Some(file))),
            }
        }
    }
    campaigns
}

/// A name made out of a word that cannot be one.
fn suggestion(word: &str) -> Option<String> {
    let kept: String =
        word.to_lowercase().chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let name: Vec<&str> = kept.split('-').filter(|part| !part.is_empty()).collect();
    let name = name.join("-");
    is_name(&name).then(|| format!("such as `{name}`"))
}

/// Folders beside the known ones whose names look like a slip: nothing in them is read.
fn strangers(root: &Path, problems: &mut Vec<Problem>) {
    let known = ["segments", "campaigns", "rewards", "surveys", "templates", "assets"];
    let mut names: Vec<String> = std::fs::read_dir(root)
        .map(|entries| {
            entries.flatten().filter(|e| e.path().is_dir()).filter_map(|e| e.file_name().into_string().ok()).collect()
        })
        .unwrap_or_default();
    names.sort();
    for name in names.iter().filter(|name| !known.contains(&name.as_str()) && !name.starts_with('.')) {
        if let Some(help) = nearest(name, known).filter(|help| help.starts_with("did you mean")) {
            let message = "nothing in this folder is read";
            problems.push(Problem::whole(&format!("{name}/"), "unknown-file", message).help(help).warning());
        }
    }
}

fn folder<T: DeserializeOwned + JsonSchema>(root: &Path, name: &str, problems: &mut Vec<Problem>) -> Vec<Found<T>> {
    let mut found = Vec::new();
    for path in files(root, name, problems) {
        let full = format!("{name}/{path}");
        let Some(stem) = path.strip_suffix(".toml") else {
            let message = format!("only .toml files are read in {name}/");
            problems.push(Problem::whole(&full, "unknown-file", message).warning());
            continue;
        };
        let named = is_name(stem);
        if !named {
            let message = "the name of this file is its identity: lower-case letters, digits, - and _, no folders";
            problems.push(Problem::whole(&full, "name", message).maybe_help(suggestion(stem)));
        }
        let Some(text) = read_text(root, &full, problems) else {
            found.push((stem.to_owned(), None, false));
            continue;
        };
        let document = Document::new(full, text);
        let read = shape::read::<T>(&document);
        let good = named && read.problems.is_empty();
        problems.extend(read.problems);
        found.push((stem.to_owned(), read.value.map(|value| File { document, value }), good));
    }
    found
}

/// All files under `root/folder`, as paths from there with `/`, sorted; hidden ones and editors' leavings left out.
fn files(root: &Path, folder: &str, problems: &mut Vec<Problem>) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(root.join(folder), String::new(), 0)];
    while let Some((dir, prefix, depth)) = open.pop() {
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && depth == 0 => continue,
            Err(e) => {
                problems.push(Problem::whole(&format!("{folder}/{prefix}"), "file", format!("cannot be read: {e}")));
                continue;
            }
        };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                let message = format!("a file name in {folder}/{prefix} is not UTF-8");
                problems.push(Problem::whole(folder, "file", message));
                continue;
            };
            if name.starts_with('.') || name.ends_with('~') || name.ends_with(".swp") {
                continue;
            }
            // a link to a folder is not followed: it could lead round in a circle
            let kind = entry.file_type().ok();
            if kind.is_some_and(|kind| kind.is_dir()) {
                if depth < 8 {
                    open.push((entry.path(), format!("{prefix}{name}/"), depth + 1));
                }
            } else {
                found.push(format!("{prefix}{name}"));
            }
        }
    }
    found.sort();
    found
}

fn read(root: &Path, file: &str, limit: u64, problems: &mut Vec<Problem>) -> Option<Vec<u8>> {
    let path = root.join(file);
    let read = || -> Result<Vec<u8>, String> {
        let cannot = |e: std::io::Error| format!("this file cannot be read: {e}");
        let meta = std::fs::metadata(&path).map_err(cannot)?;
        if !meta.is_file() {
            // a pipe would be waited for, for ever
            return Err("this is not a file".into());
        }
        if meta.len() > limit {
            let mega = |bytes: u64| bytes.div_ceil(1 << 20);
            return Err(format!("this file has {} MB, and at most {} MB are read", mega(meta.len()), mega(limit)));
        }
        std::fs::read(&path).map_err(cannot)
    };
    read().map_err(|message| problems.push(Problem::whole(file, "file", message))).ok()
}

fn read_text(root: &Path, file: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let bytes = read(root, file, MAX_FILE, problems)?;
    match String::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned)),
        Err(e) => {
            let bytes = e.as_bytes();
            let line = bytes[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
            let message = match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "this file is UTF-16, and is read as UTF-8".to_owned(),
                _ => format!("this file is not UTF-8, from line {line} on"),
            };
            let help = "save it anew as UTF-8: editors offer the encoding in \"Save as\"";
            problems.push(Problem::whole(file, "encoding", message).help(help));
            None
        }
    }
}
