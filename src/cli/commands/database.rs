//! `db`

use super::open;
use crate::cli::arguments::{Db, Global};
use crate::cli::output::{self, counted};
use crate::db::location::Location;
use crate::db::lock::FileLock;
use crate::db::{Db as Database, copy, file, migrate};
use crate::engine::restore::{self, Restored};
use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

pub async fn database(global: &Global, command: Db) -> anyhow::Result<ExitCode> {
    let done = match command {
        Db::Migrate => migrate(global).await,
        Db::Backup { file } => backup(global, &file).await,
        Db::Restore { file: Some(file), yes, .. } => restore(global, &file, yes).await,
        Db::Restore { file: None, yes, .. } => external(global, yes).await,
        // not by the parser, which would repeat what may hold a password
        Db::Copy { to } if !(to.starts_with("postgres://") || to.starts_with("postgresql://")) => {
            let words = "--to wants postgres://user@host/name; for a copy in SQLite use `dangol db backup`";
            return Err(output::Misuse(words.into()).into());
        }
        Db::Copy { to } => copy_to(global, &to).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Where the workspace's database is.
fn location(global: &Global) -> anyhow::Result<Location> {
    let open = open(global);
    let (workspace, _) = open.files()?;
    Ok(open.location(&workspace.root, &workspace.settings.value)?)
}

/// Opens a database that is there already.
async fn existing(location: &Location) -> anyhow::Result<Database> {
    if let Location::Sqlite(path) = location
        && !path.exists()
    {
        bail!("there is no database at {} yet: `dangol db migrate` makes it, and so does every import", path.display());
    }
    Ok(Database::open(location).await?)
}

async fn migrate(global: &Global) -> anyhow::Result<()> {
    let location = location(global)?;
    let db = Database::open(&location).await?;
    let applied = migrate::apply(&db, &location, true).await;
    db.close().await;
    let applied = applied?;
    let backup = applied.backup.as_ref().map(|file| file.display().to_string());
    let answer = json!({ "from": applied.from, "to": applied.to, "backup": backup });
    output::show(global.json, &answer, || match (applied.from == applied.to, backup.clone()) {
        (true, _) => format!("the database is of version {}, as it should be", applied.to),
        (false, None) => format!("the database went from version {} to {}", applied.from, applied.to),
        (false, Some(file)) => {
            format!("the database went from version {} to {}; the old one is {file}", applied.from, applied.to)
        }
    })
}

async fn backup(global: &Global, to: &Path) -> anyhow::Result<()> {
    // neither its version nor the site's key matters to a copy
    let db = existing(&location(global)?).await?;
    let written = file::backup(&db, to).await;
    db.close().await;
    written?;
    let shown = to.display().to_string();
    let bytes = std::fs::metadata(to)?.len();
    output::show(global.json, &json!({ "file": shown, "bytes": bytes, "secret_inside": false }), || {
        format!(
            "the database is in {shown}. The site's secret is not inside: without .secret/ (or DANGOL_SECRET) a restored \
             database cannot be opened and no link in sent mail works. Keep a copy of it in another place"
        )
    })
}

async fn restore(global: &Global, from: &Path, yes: bool) -> anyhow::Result<()> {
    if let Location::Sqlite(database) = location(global)? {
        // a wrong file is said before anything is asked
        file::looks_like_sqlite(from)?;
        let question =
            format!("put {} in the place of {}, and pause all campaigns?", from.display(), database.display());
        if !yes && !output::confirm(&question) {
            bail!("nothing was restored; --yes does it without asking");
        }
    }
    let restored = restore::restore(&open(global), from).await?;
    tell(global, &format!("{} is the database now", from.display()), &restored)
}

async fn external(global: &Global, yes: bool) -> anyhow::Result<()> {
    let shown = location(global)?.to_string();
    let question =
        format!("{shown} was brought back from a backup: pause all campaigns, and make what is due unknown?");
    if !yes && !output::confirm(&question) {
        bail!("nothing was changed; --yes does it without asking");
    }
    let restored = restore::external(&open(global)).await?;
    tell(global, &format!("{shown} can go on"), &restored)
}

fn tell(global: &Global, what: &str, restored: &Restored) -> anyhow::Result<()> {
    output::show(global.json, restored, || {
        let mut text = format!("{what}\n");
        let mut say = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        if let Some(kept) = &restored.kept {
            say(format!("  the one before is kept: {}", kept.display()));
        }
        if let Some(why) = &restored.unreadable_database {
            say(format!("  the one before could not be read, so what is newer than the journal is lost: {why}"));
        }
        say(format!(
            "  {} paused, {} unknown: due since the backup",
            counted(restored.paused, "campaign"),
            counted(restored.unknown, "mail")
        ));
        let r = &restored.replayed;
        say(format!(
            "  from the journal: {}, {}, {} lifted, {} forgotten, {} known again",
            counted(r.withdrawals, "withdrawal"),
            counted(r.suppressions, "suppression"),
            r.lifted,
            if r.erasures == 1 { "1 person".to_owned() } else { format!("{} people", r.erasures) },
            counted(r.customers, "customer")
        ));
        if r.unreadable > 0 {
            say(format!("  left out of the journal: {} that cannot be read", counted(r.unreadable, "line")));
        }
        if restored.given_up > 0 {
            say(format!("  given up: {} due that could not be taken", counted(restored.given_up, "audience")));
        }
        if !restored.missing.is_empty() {
            let names = restored.missing.join(", ");
            say(format!(
                "  launched after the backup, and not in it: {names}. To launch them again mails everybody again"
            ));
        }
        say("next: import what came since, `dangol message list --state unknown`, then `dangol resume --all`".into());
        text
    })
}

async fn copy_to(global: &Global, to: &str) -> anyhow::Result<()> {
    let from = location(global)?;
    let to = Location::parse(to, Path::new("."))?;
    let Location::Sqlite(path) = &from else {
        bail!("this workspace uses PostgreSQL already ({from}): copy it with pg_dump and pg_restore");
    };
    let source = existing(&from).await?;
    let Some(_sender) = FileLock::take(&FileLock::path(path, "sender"))? else {
        bail!("another dangol is sending from {}: stop it first", path.display());
    };
    migrate::apply(&source, &from, true).await?;
    let bar = if global.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").unwrap_or(ProgressStyle::default_spinner()));
    let copied = copy::copy(&source, &to, &mut |table, rows| {
        bar.set_message(format!("{table}: {rows}"));
        bar.tick();
    })
    .await;
    bar.finish_and_clear();
    source.close().await;
    let copied = copied?;
    let rows: i64 = copied.values().sum();
    output::show(global.json, &json!({ "to": to.to_string(), "rows": rows, "tables": copied }), || {
        format!(
            "{} of {} are in {to}, ids and all.\nnext: set [database] url in dangol.toml (or \
             DANGOL_DATABASE_URL) to it; the secret stays the same, and so old links work.\n\
             Never send from {} again: who was mailed from one would be mailed from the other",
            counted(rows, "row"),
            counted(copied.len(), "table"),
            path.display()
        )
    })
}
