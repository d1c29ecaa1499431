//! `schema`

use super::open;
use crate::cli::arguments::Global;
use crate::cli::output;
use crate::config::{shape, workspace};
use anyhow::Context as _;
use serde_json::json;
use std::path::PathBuf;

pub fn schema(global: &Global, out: Option<PathBuf>) -> anyhow::Result<()> {
    let dir = match out {
        Some(dir) => dir,
        None => open(global).root()?.join(workspace::SCHEMAS),
    };
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut files = Vec::new();
    for (name, schema) in shape::all() {
        let file = dir.join(name);
        std::fs::write(&file, schema).with_context(|| format!("cannot write {}", file.display()))?;
        files.push(file.display().to_string());
    }
    output::show(global.json, &json!({ "files": files }), || files.join("\n"))
}
