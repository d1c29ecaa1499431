//! A workspace in a temporary folder, and the binary that works in it.

use dangol::config::init;
use dangol::db::Db;
use dangol::db::location::Location;
use dangol::engine::{App, Open};
use dangol::types::Timestamp;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The example workspace; its database is SQLite, or where `url` says.
pub struct Shop {
    pub dir: TempDir,
    url: Option<String>,
}

/// What the binary answered.
pub struct Answer {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Answer {
    #[track_caller]
    pub fn fine(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }
    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.fine()).unwrap()
    }
    /// It failed, and said so in these words.
    #[track_caller]
    pub fn failed(self, words: &[&str]) {
        assert_eq!(self.code, 1, "{}{}", self.out, self.err);
        words.iter().for_each(|word| assert!(self.err.contains(word), "{word} is missing in: {}", self.err));
    }
}

impl Shop {
    pub fn new() -> Shop {
        Shop::at(None)
    }

    pub fn on(location: &Location) -> Shop {
        match location {
            Location::Postgres(url) => Shop::at(Some(url.clone())),
            Location::Sqlite(path) => Shop::at(Some(format!("sqlite://{}", path.display()))),
        }
    }

    fn at(url: Option<String>) -> Shop {
        let dir = tempfile::tempdir().unwrap();
        init::write(dir.path()).unwrap();
        // whatever hour it is on this clock, mail goes
        let file = dir.path().join("dangol.toml");
        let settings = std::fs::read_to_string(&file).unwrap();
        assert!(settings.contains("quiet = \"21:00-08:00\""));
        std::fs::write(file, settings.replace("quiet = \"21:00-08:00\"", "quiet = \"off\"")).unwrap();
        Shop { dir, url }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn dangol(&self, arguments: &[&str]) -> Answer {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_dangol"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DANGOL_")) {
            command.env_remove(name);
        }
        if let Some(url) = &self.url {
            command.env("DANGOL_DATABASE_URL", url);
        }
        let done = command.current_dir(self.dir.path()).args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
    }

    pub fn open(&self) -> Open {
        let url = self.url.iter().map(|url| ("DANGOL_DATABASE_URL".to_owned(), url.clone())).collect();
        let environment = dangol::engine::Environment::Of(std::sync::Arc::new(url));
        Open { workspace: Some(self.dir.path().to_path_buf()), environment, ..Open::default() }
    }

    pub async fn app(&self) -> App {
        self.open().app().await.unwrap()
    }

    pub fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(".journal.ndjson")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Customers of the newsletter, by their addresses.
    pub fn import(&self, emails: &[&str]) {
        let rows: String = emails.iter().map(|email| format!("{email},홍길동\n")).collect();
        std::fs::write(self.path("c.csv"), format!("email,name\n{rows}")).unwrap();
        let evidence = ["--consent", "newsletter", "--evidence", "form"];
        self.dangol(&[&["import", "customers", "c.csv"][..], &evidence].concat()).fine();
    }
}

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

/// The name of the file that a restore has kept.
pub fn kept(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.contains(".before-") || name.contains("restoring")).collect();
    names.sort();
    names
}

/// A database file, opened beside the binary.
pub async fn file(path: PathBuf) -> Db {
    Db::open(&Location::Sqlite(path)).await.unwrap()
}

pub fn run<F: Future<Output = ()>>(behaviour: F) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(behaviour);
}
