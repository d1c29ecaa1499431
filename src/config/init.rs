//! `init`: a complete example workspace, written from what the binary carries.

use super::secret::{SecretError, SiteSecret};
use super::shape;
use super::workspace::{self, SCHEMAS, SETTINGS};
use include_dir::{Dir, DirEntry, include_dir};
use std::path::{Path, PathBuf};

static EXAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/workspace");

/// What keeps a workspace from being written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Something is there already.
    #[error("{0} is not empty: give a folder that does not exist yet, or an empty one")]
    NotEmpty(String),
    /// It would stand in another workspace, whose commands would then mean this one.
    #[error("{dir} is inside the workspace {outer}: give a folder outside of it, such as {elsewhere}")]
    Inside {
        /// The folder.
        dir: String,
        /// The workspace that it is in.
        outer: String,
        /// A folder beside that.
        elsewhere: String,
    },
    /// The disk.
    #[error("cannot write {path}: {source}")]
    File {
        /// Which file.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The key.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// The workspace that `dir` would stand in.
fn around(dir: &Path) -> Option<PathBuf> {
    let dir = std::path::absolute(dir).ok()?;
    // as the system understands it: `first/../second` is not in `first`
    let above = dir.ancestors().skip(1).find_map(|above| above.canonicalize().ok())?;
    workspace::find(&above)
}

/// Writes the example workspace into `dir`, with schemas for editors, a key of its own, and what Git is to leave out.
/// Gives the files.
///
/// # Errors
/// When the folder holds something, is in another workspace, or cannot be written.
pub fn write(dir: &Path) -> Result<Vec<String>, InitError> {
    let full = std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if full || dir.is_file() {
        return Err(InitError::NotEmpty(dir.display().to_string()));
    }
    if let Some(outer) = around(dir) {
        let name = dir.file_name().map_or_else(|| "shop".into(), |name| name.to_string_lossy());
        let beside = outer.with_file_name(&*name);
        let beside = if beside == outer { outer.with_file_name(format!("{name}-2")) } else { beside };
        return Err(InitError::Inside {
            dir: dir.display().to_string(),
            outer: outer.display().to_string(),
            elsewhere: beside.display().to_string(),
        });
    }
    let mut files = Vec::new();
    let mut put = |path: PathBuf, bytes: &[u8]| -> Result<(), InitError> {
        let full = dir.join(&path);
        let failed = |source| InitError::File { path: full.display().to_string(), source };
        if let Some(parent) = full.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        std::fs::write(&full, bytes).map_err(failed)?;
        files.push(path.display().to_string());
        Ok(())
    };
    let mut open = vec![&EXAMPLE];
    while let Some(folder) = open.pop() {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(inner) => open.push(inner),
                DirEntry::File(file) => put(file.path().to_path_buf(), file.contents())?,
            }
        }
    }
    for (name, schema) in shape::all() {
        put(Path::new(SCHEMAS).join(name), schema.as_bytes())?;
    }
    put(
        ".gitignore".into(),
        b".secret/\n.spool-*\n.journal.ndjson*\n*.db\n*.db-*\n*.db.*\n*.rejected.csv\n*.rejected.ndjson\n",
    )?;
    SiteSecret::create(dir)?;
    files.push(".secret/site.key".into());
    files.sort();
    debug_assert!(files.iter().any(|file| file == SETTINGS));
    Ok(files)
}
