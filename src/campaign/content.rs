//! What a revision pins: the campaign's file, its segments, templates, surveys and pictures, by content.

use super::CampaignError;
use crate::config::Workspace;
use crate::config::document::Document;
use crate::config::model::{Campaign, Segment, Survey};
use crate::render::Library;
use std::collections::BTreeMap;

/// The files of one campaign, by path in the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Path to bytes.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Which of them is the campaign.
    pub campaign: String,
}

/// The hash under which a content is kept and served: 128 bits of blake3, in hex.
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}

impl Content {
    /// What campaign `id` of a workspace is made of. Templates: those of its name, and all layouts and partials.
    ///
    /// # Errors
    /// When there is no such campaign.
    pub fn of(workspace: &Workspace, id: &str) -> Result<Content, CampaignError> {
        let Some(file) = workspace.campaigns.get(id) else {
            let help = crate::config::nearest(id, workspace.campaigns.keys().map(String::as_str));
            return Err(CampaignError::Unknown { name: id.to_owned(), help });
        };
        let mut files = BTreeMap::new();
        let document = |document: &Document| (document.file.clone(), document.source.clone().into_bytes());
        files.extend([document(&file.document)]);
        files.extend(workspace.segments.values().map(|segment| document(&segment.document)));
        files.extend(workspace.surveys.values().map(|survey| document(&survey.document)));
        let sends: Vec<String> = file.value.steps().into_iter().filter_map(|(_, step)| step.send).collect();
        for (path, text) in &workspace.templates {
            let shared = path.starts_with("layouts/") || path.starts_with("partials/");
            let own =
                sends.iter().any(|send| path.strip_prefix(send.as_str()).is_some_and(|rest| rest.starts_with('.')));
            if shared || own {
                files.insert(format!("templates/{path}"), text.clone().into_bytes());
            }
        }
        for (path, bytes) in &workspace.assets {
            files.insert(format!("assets/{path}"), bytes.clone());
        }
        Ok(Content { files, campaign: file.document.file.clone() })
    }

    /// Path to hash, as JSON: the same text for the same content.
    pub fn manifest(&self) -> String {
        let hashes: BTreeMap<&str, String> =
            self.files.iter().map(|(path, bytes)| (path.as_str(), hash(bytes))).collect();
        serde_json::json!({ "campaign": self.campaign, "files": hashes }).to_string()
    }

    /// The hash of the manifest.
    pub fn hash(&self) -> String {
        hash(self.manifest().as_bytes())
    }

    /// The campaign's file.
    ///
    /// # Errors
    /// When it does not read as one.
    pub fn campaign(&self) -> Result<Campaign, CampaignError> {
        self.document(&self.campaign).read().map_err(|problem| CampaignError::Files(vec![problem]))
    }

    /// A file as a document.
    pub fn document(&self, path: &str) -> Document {
        let bytes = self.files.get(path).map_or(&[][..], Vec::as_slice);
        Document::new(path, String::from_utf8_lossy(bytes))
    }

    /// The segments, by name.
    pub fn segments(&self) -> Vec<(String, Document, Segment)> {
        self.typed("segments/")
    }

    /// The surveys, by name.
    pub fn surveys(&self) -> BTreeMap<String, Survey> {
        self.typed("surveys/").into_iter().map(|(name, _, survey)| (name, survey)).collect()
    }

    /// Templates and pictures.
    pub fn library(&self) -> Library {
        let under = |folder: &'static str| {
            self.files.iter().filter_map(move |(path, bytes)| Some((path.strip_prefix(folder)?.to_owned(), bytes)))
        };
        Library {
            templates: under("templates/")
                .map(|(path, text)| (path, String::from_utf8_lossy(text).into_owned()))
                .collect(),
            assets: under("assets/").map(|(path, bytes)| (path, hash(bytes))).collect(),
        }
    }

    fn typed<T: serde::de::DeserializeOwned>(&self, folder: &str) -> Vec<(String, Document, T)> {
        self.files
            .keys()
            .filter_map(|path| {
                let name = path.strip_prefix(folder)?.strip_suffix(".toml")?.to_owned();
                let document = self.document(path);
                // a file that does not read was told of by check; whoever needs it will miss it by name
                let value = document.read().ok()?;
                Some((name, document, value))
            })
            .collect()
    }
}
