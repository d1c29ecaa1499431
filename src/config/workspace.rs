//! A workspace: its folder, and what its files say.

use super::Problem;
use super::document::Document;
use super::model::{Campaign, Reward, Segment, Settings, Survey};
use super::reading::Reading;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that makes a folder a workspace.
pub const SETTINGS: &str = "dangol.toml";
/// Where `dangol schema` writes what editors read.
pub const SCHEMAS: &str = ".schema";

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
    /// `rewards/*.toml`, by name.
    pub rewards: BTreeMap<String, File<Reward>>,
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
        let read = Reading::of(root);
        (read.workspace, read.problems)
    }
}

/// Whether a word can name a file's thing: lower-case letters of any script, digits, `-` and `_`.
pub fn is_name(word: &str) -> bool {
    (1..=80).contains(&word.chars().count())
        && word.chars().all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || c == '-' || c == '_')
}
