//! Where secrets come from: a variable, the file that a variable names, a file that only its owner can read.

use super::{SHORTEST, SecretError};
use secrecy::SecretString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Looks up a variable of the environment.
pub type Env<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The environment of this process.
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `NAME`, or what the file that `NAME_FILE` names holds, without the line break at its end: how containers hand over
/// `DANGOL_DATABASE_URL` and the passwords of relays. An empty variable counts as none.
///
/// # Errors
/// When both are set, or the file cannot be read.
pub fn env_or_file(env: &Env<'_>, name: &str) -> Result<Option<SecretString>, SecretError> {
    let set = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    match (set(name), set(&format!("{name}_FILE"))) {
        (Some(_), Some(_)) => Err(SecretError::Both(name.to_owned())),
        (Some(value), None) => Ok(Some(value.trim().to_owned().into())),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file.trim()).map_err(|source| SecretError::File {
                what: format!("cannot read {}, which {name}_FILE names", file.trim()),
                source,
            })?;
            Ok(Some(text.trim_start_matches('\u{feff}').trim().to_owned().into()))
        }
        (None, None) => Ok(None),
    }
}

/// The variable that holds a relay's password: `DANGOL_RELAY_PRIMARY_PASSWORD`. What is no ASCII letter or digit in the
/// relay's name becomes `_`.
pub fn relay_password_variable(relay: &str) -> String {
    let name: String =
        relay.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("DANGOL_RELAY_{name}_PASSWORD")
}

/// One secret a line; empty lines and those that begin with `#` are none.
pub(super) fn lines(text: &str, from: &str) -> Result<Vec<SecretString>, SecretError> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| match line.chars().count() {
            found if found < SHORTEST => Err(SecretError::Short { from: from.to_owned(), found }),
            _ => Ok(line.to_owned().into()),
        })
        .collect()
}

/// The secrets of a file that nobody but its owner may read.
pub(super) fn private_file(path: &Path) -> Result<Vec<SecretString>, SecretError> {
    let shown = path.display().to_string();
    let cannot = |source| SecretError::File { what: format!("cannot read {shown}"), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map_err(cannot)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretError::Open { path: shown, mode });
        }
    }
    lines(&std::fs::read_to_string(path).map_err(cannot)?, &shown)
}

/// The files of secrets that no longer sign, by name; none when there is no such folder.
pub(super) fn old_files(dir: &Path) -> Result<Vec<PathBuf>, SecretError> {
    let cannot = |source| SecretError::File { what: format!("cannot list {}", dir.display()), source };
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(cannot(e)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|ending| ending == "key") {
            files.push(path);
        }
    }
    // newest first when they are named by date, so that the oldest is the last
    files.sort_unstable_by(|a, b| b.cmp(a));
    Ok(files)
}

/// Writes `secret` to a new file with mode 0600 in a folder with mode 0700.
///
/// # Errors
/// When there is one already, or it cannot be written.
pub fn write_private(path: &Path, secret: &str) -> Result<(), SecretError> {
    let shown = path.display().to_string();
    let cannot = |source| SecretError::File { what: format!("cannot write {shown}"), source };
    let mut folder = DirBuilder::new();
    folder.recursive(true);
    let mut file = OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        folder.mode(0o700);
        file.mode(0o600);
    }
    if let Some(parent) = path.parent() {
        folder.create(parent).map_err(cannot)?;
    }
    let mut file = match file.open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => return Err(SecretError::Exists(shown)),
        Err(e) => return Err(cannot(e)),
    };
    file.write_all(format!("{secret}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(cannot)
}
