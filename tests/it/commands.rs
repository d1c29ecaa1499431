//! The commands as a user drives them: the binary itself, in a workspace of the test's own, for people and with `--json`
//! for machines. Nothing of the caller's environment reaches it.

mod audience;
mod campaigns;
mod checking;
mod dkim;
mod doctor;
mod examples;
mod health;
mod leaps;
mod messages;
mod people;
mod rewards;
mod sending;
mod tokens;
mod usage;
mod workspaces;

use assert_cmd::Command;
use dangol::config::init;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// How many customers a shop has.
const CUSTOMERS: usize = 20;

/// A workspace with customers: what `init` writes, without quiet hours, so that the hour of the day does not matter.
struct Shop {
    dir: TempDir,
}

/// What a command said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn dangol(dir: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dangol"));
    let output = command.env_clear().current_dir(dir).args(arguments).write_stdin("").output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Said {
    /// That it was done.
    #[track_caller]
    fn done(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// That it failed, saying this on standard error, and nothing on standard output.
    #[track_caller]
    fn failed(self, words: &str) -> String {
        assert_eq!(self.code, 1, "{}{}", self.out, self.err);
        assert!(self.err.contains(words), "{words:?} is not in {}", self.err);
        assert_eq!(self.out, "", "a failure has nothing for standard output");
        self.err
    }

    /// That it was used wrongly, saying this.
    #[track_caller]
    fn misused(self, words: &str) {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        assert!(self.err.contains(words), "{words:?} is not in {}", self.err);
        assert_eq!(self.out, "");
    }
}

impl Shop {
    /// Without customers.
    fn empty() -> Shop {
        let dir = tempfile::tempdir().unwrap();
        init::write(dir.path()).unwrap();
        let shop = Shop { dir };
        shop.edit("dangol.toml", "\"21:00-08:00\"", "\"off\"");
        shop
    }

    /// With twenty customers, of whom nineteen agreed to letters; two share an address, and one has none.
    fn new() -> Shop {
        static READY: OnceLock<Shop> = OnceLock::new();
        READY
            .get_or_init(|| {
                let shop = Shop::empty();
                shop.write("customers.csv", customers(0..CUSTOMERS - 1));
                shop.write("other.csv", customers(CUSTOMERS - 1..CUSTOMERS));
                let consent = ["--consent", "newsletter", "--evidence", "sign-up form"];
                shop.run(
                    &[&["import", "customers", "customers.csv", "--map", "city=attr.city"][..], &consent[..]].concat(),
                )
                .done();
                shop.run(&["import", "customers", "other.csv", "--map", "city=attr.city"]).done();
                shop
            })
            .copy()
    }

    /// The same, and the spring letter has gone out.
    fn sent() -> Shop {
        static READY: OnceLock<Shop> = OnceLock::new();
        READY
            .get_or_init(|| {
                let shop = Shop::new();
                shop.run(&["launch", "spring", "--yes"]).done();
                shop.run(&["run", "--until-idle"]).done();
                shop
            })
            .copy()
    }

    fn copy(&self) -> Shop {
        let dir = tempfile::tempdir().unwrap();
        copy(self.dir.path(), dir.path());
        Shop { dir }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(file), text).unwrap();
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {file}");
        self.write(file, text.replace(from, to));
    }

    fn run(&self, arguments: &[&str]) -> Said {
        dangol(self.dir.path(), arguments)
    }

    /// The answer to a machine.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Json {
        let said = self.run(&[arguments, &["--json"]].concat()).done();
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"))
    }

    /// Changes the database behind the commands' back.
    fn sql(&self, sql: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let db =
                dangol::db::Db::open(&dangol::db::location::Location::Sqlite(self.path("dangol.db"))).await.unwrap();
            db.execute(sql, vec![]).await.unwrap();
            db.close().await;
        });
    }
}

/// The keys of an object: the contract.
#[track_caller]
fn keys(value: &Json) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// K-0 to K-19: 홍길동 with a Korean domain, مرحبا, a flower; K-6 and K-7 share an address, K-8 has none.
fn customers(which: std::ops::Range<usize>) -> String {
    let mut csv = "external_id,email,name,locale,city\n".to_owned();
    for n in which {
        let email = match n {
            0 => "hong@예시.한국".to_owned(),
            7 => "k6@haru.example".to_owned(),
            8 => String::new(),
            n => format!("k{n}@haru.example"),
        };
        let name = match n {
            0 => "홍길동",
            1 => "مرحبا",
            2 => "Kim 🌷",
            3 => "\"O'Neil, \"\"Pat\"\"\"",
            _ => "Someone",
        };
        let locale = if n % 2 == 0 { "ko" } else { "en" };
        csv += &format!("K-{n},{email},{name},{locale},서울\n");
    }
    csv
}
