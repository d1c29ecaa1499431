//! Where the database is: `sqlite://dangol.db` (a path from the workspace) or `postgres://user@host/name`.

use super::DbError;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where the database is. Its `Display` and `Debug` show no password.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A URL, with its password.
    Postgres(String),
}

impl Location {
    /// Reads a URL; a relative SQLite path is taken from `base`.
    ///
    /// # Errors
    /// When it is neither `sqlite://` nor `postgres://`; the message says what is expected, and no password.
    pub fn parse(url: &str, base: &Path) -> Result<Location, DbError> {
        if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            let path = path.split('?').next().unwrap_or_default();
            if path.is_empty() {
                return Err(DbError::Url("the database url names no file: write sqlite://dangol.db".into()));
            }
            return Ok(Location::Sqlite(base.join(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return match url::Url::parse(url) {
                Ok(_) => Ok(Location::Postgres(url.to_owned())),
                Err(e) => Err(DbError::Url(format!("the database url is not readable as one: {e}"))),
            };
        }
        let scheme: String = url.chars().take_while(|c| *c != ':' && *c != '/').take(20).collect();
        Err(DbError::Url(format!(
            "a database url begins with sqlite:// or postgres://, and this one begins with `{scheme}`"
        )))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Sqlite(path) => write!(f, "{}", path.display()),
            Location::Postgres(url) => match url::Url::parse(url) {
                Ok(mut url) => {
                    if url.password().is_some() {
                        // cannot fail: it had one
                        let _ = url.set_password(Some("…"));
                    }
                    url.set_query(None);
                    write!(f, "{}", url.as_str().replace("%E2%80%A6", "…"))
                }
                Err(_) => write!(f, "postgres://…"),
            },
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let location =
            Location::parse("postgres://dangol:s3cr3t@db.example/shop?sslmode=require", Path::new("/w")).unwrap();
        assert!(!format!("{location} {location:?}").contains("s3cr3t"));
        let wrong = Location::parse("mysql://u:s3cr3t@h/d", Path::new("/w")).unwrap_err().to_string();
        assert!(!wrong.contains("s3cr3t") && wrong.contains("sqlite://"), "{wrong}");
    }

    #[test]
    fn a_relative_file_is_in_the_workspace() {
        assert_eq!(
            Location::parse("sqlite://dangol.db", Path::new("/w")).unwrap(),
            Location::Sqlite("/w/dangol.db".into())
        );
        assert_eq!(
            Location::parse("sqlite:///var/x.db", Path::new("/w")).unwrap(),
            Location::Sqlite("/var/x.db".into())
        );
    }
}
