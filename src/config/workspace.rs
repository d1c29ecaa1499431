//! Finding a workspace and reading all its files.

use super::document::Document;
use super::model::{Campaign, Segment, Settings, Survey};
use super::{Problem, shape};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that makes a folder a workspace.
pub const SETTINGS: &str = "dangol.toml";
/// Where `dangol schema` writes what editors read.
pub const SCHEMAS: &str = ".schema";
/// A file larger than this is a mistake.
const MAX_FILE: u64 = 1 << 20;
/// The same for a picture.
const MAX_ASSET: u64 = 16 << 20;

/// A file, and what it says.
#[derive(Debug)]
pub struct File<T> {
    /// Its text with places.
    pub document: Document,
    /// What it says.
    pub value: T,
}

/// All that a marketer wrote.
#[derive(Debug)]
pub struct Workspace {
    /// The folder.
    pub root: PathBuf,
    /// `dangol.toml`.
    pub settings: File<Settings>,
    /// `segments/*.toml`, by name.
    pub segments: BTreeMap<String, File<Segment>>,
    /// `campaigns/*.toml`, by identity.
    pub campaigns: BTreeMap<String, File<Campaign>>,
    /// `surveys/*.toml`, by name.
    pub surveys: BTreeMap<String, File<Survey>>,
    /// `templates/**`, by path from `templates/`.
    pub templates: BTreeMap<String, String>,
    /// `assets/**`, by path from `assets/`.
    pub assets: BTreeMap<String, Vec<u8>>,
}

/// The workspace that `start` is in: the nearest folder upwards with a `dangol.toml`.
pub fn find(start: &Path) -> Option<PathBuf> {
    let start = std::path::absolute(start).ok()?;
    start.ancestors().find(|dir| dir.join(SETTINGS).is_file()).map(Path::to_path_buf)
}

impl Workspace {
    /// Reads all files under `root`. There is no workspace when `dangol.toml` itself is wrong; other files that are
    /// wrong are left out, and told of.
    pub fn load(root: &Path) -> (Option<Workspace>, Vec<Problem>) {
        let mut problems = Vec::new();
        let settings = read_text(root, SETTINGS, &mut problems)
            .and_then(|text| typed::<Settings>(Document::new(SETTINGS, text), &mut problems));
        let segments = folder(root, "segments", &mut problems);
        let campaigns = by_identity(folder(root, "campaigns", &mut problems), &mut problems);
        let surveys = folder(root, "surveys", &mut problems);
        let mut templates = BTreeMap::new();
        for path in files(root, "templates", &mut problems) {
            if let Some(text) = read_text(root, &format!("templates/{path}"), &mut problems) {
                templates.insert(path, text);
            }
        }
        let mut assets = BTreeMap::new();
        for path in files(root, "assets", &mut problems) {
            if let Some(bytes) = read(root, &format!("assets/{path}"), MAX_ASSET, &mut problems) {
                assets.insert(path, bytes);
            }
        }
        let root = root.to_path_buf();
        let workspace =
            settings.map(|settings| Workspace { root, settings, segments, campaigns, surveys, templates, assets });
        (workspace, problems)
    }
}

fn by_identity(
    files: BTreeMap<String, File<Campaign>>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, File<Campaign>> {
    let mut campaigns: BTreeMap<String, File<Campaign>> = BTreeMap::new();
    for (stem, file) in files {
        let id = file.value.id.clone().unwrap_or(stem);
        if let Some(other) = campaigns.get(&id) {
            let message = format!("the campaign `{id}` stands in {} too", other.document.file);
            let help = "give one of them another `id`, or another file name";
            problems.push(file.document.problem("id", "duplicate", message).help(help));
        } else if !is_name(&id) {
            let message = format!("`{id}` cannot be an id: it has lower-case letters, digits, - and _");
            problems.push(file.document.problem("id", "name", message));
        } else {
            campaigns.insert(id, file);
        }
    }
    campaigns
}

/// Whether a word can name a file's thing: lower-case letters of any script, digits, `-` and `_`.
pub fn is_name(word: &str) -> bool {
    (1..=80).contains(&word.chars().count())
        && word.chars().all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || c == '-' || c == '_')
}

fn folder<T: DeserializeOwned + JsonSchema>(
    root: &Path,
    name: &str,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, File<T>> {
    let mut found = BTreeMap::new();
    for path in files(root, name, problems) {
        let full = format!("{name}/{path}");
        let Some(stem) = path.strip_suffix(".toml") else {
            let message = format!("only .toml files are read in {name}/");
            problems.push(Problem::whole(&full, "unknown-file", message).warning());
            continue;
        };
        if !is_name(stem) {
            let message = "the name of this file is its identity: lower-case letters, digits, - and _, no folders";
            problems.push(Problem::whole(&full, "name", message));
            continue;
        }
        let Some(text) = read_text(root, &full, problems) else { continue };
        if let Some(file) = typed(Document::new(full, text), problems) {
            found.insert(stem.to_owned(), file);
        }
    }
    found
}

fn typed<T: DeserializeOwned + JsonSchema>(document: Document, problems: &mut Vec<Problem>) -> Option<File<T>> {
    let wrong = shape::check::<T>(&document);
    if !wrong.is_empty() {
        problems.extend(wrong);
        return None;
    }
    match document.read() {
        Ok(value) => Some(File { document, value }),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
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
    let wrong = |message: String| Problem::whole(file, "file", message);
    match std::fs::metadata(&path) {
        Ok(meta) if meta.len() > limit => {
            let message = format!("has {} bytes, and at most {limit} are read", meta.len());
            problems.push(wrong(message));
            None
        }
        Ok(_) => std::fs::read(&path).map_err(|e| problems.push(wrong(format!("cannot be read: {e}")))).ok(),
        Err(e) => {
            problems.push(wrong(format!("cannot be read: {e}")));
            None
        }
    }
}

fn read_text(root: &Path, file: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let bytes = read(root, file, MAX_FILE, problems)?;
    match String::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned)),
        Err(e) => {
            let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
            let message = format!("is not UTF-8 (from line {line} on): save it as UTF-8");
            problems.push(Problem::whole(file, "encoding", message));
            None
        }
    }
}
