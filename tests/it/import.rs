//! Import: files as they come out of Excel and shops land row by row, twice is once, and hostile ones harm nothing.

mod again;
mod files;
mod rows;
mod undo;

use crate::support::{TestDb, on_both, sqlite};
use dangol::args;
use dangol::config::model::Settings;
use dangol::customer::{ErasureKey, erase, find};
use dangol::import::{self, ImportError, Input, Kind, Options, Report};
use dangol::permission::{self, State};
use dangol::types::Timestamp;
use proptest::prelude::*;
use std::io::Read;

fn settings() -> Settings {
    toml::from_str(
        r#"
        [site]
        name = "Haru"
        url = "https://mail.haru.example"
        timezone = "Asia/Seoul"
        locale = "ko"
        currency = "KRW"
        [law]
        profile = "kr"
        [topic.newsletter]
        [topic.offers]
        consent = "soft-opt-in"
        "#,
    )
    .unwrap()
}

fn key() -> ErasureKey {
    ErasureKey::new([7; 32])
}

fn now() -> Timestamp {
    "2026-11-22T03:00:00Z".parse().unwrap()
}

struct Door {
    t: TestDb,
    settings: Settings,
}

impl Door {
    fn new(t: TestDb) -> Door {
        Door { t, settings: settings() }
    }

    async fn with(
        &self,
        kind: Kind,
        bytes: impl AsRef<[u8]>,
        change: impl FnOnce(&mut Options<'_>),
    ) -> Result<Report, ImportError> {
        let path = self.t.dir.path().join("file.csv");
        std::fs::write(&path, bytes).unwrap();
        let mut options = Options::new(&self.settings, key());
        change(&mut options);
        import::run(&self.t.db, kind, Input::Path(path), &options, &mut |_| {}, now()).await
    }

    async fn take(&self, kind: Kind, bytes: impl AsRef<[u8]>) -> Report {
        self.with(kind, bytes, |_| {}).await.unwrap()
    }

    fn rejected(&self) -> String {
        std::fs::read_to_string(self.t.dir.path().join("file.csv.rejected.csv")).unwrap()
    }

    async fn count(&self, table: &str) -> i64 {
        self.t.db.one::<(i64,)>(&format!("SELECT count(*) FROM {table}"), args![]).await.unwrap().0
    }
}

fn counts(report: &Report) -> [u64; 5] {
    [report.rows, report.inserted, report.updated, report.unchanged, report.rejected]
}
