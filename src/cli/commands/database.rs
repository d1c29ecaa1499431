//! `db`

use super::{app, open};
use crate::cli::arguments::{Db, Global};
use crate::cli::output;
use crate::db::migrate;
use serde_json::json;

pub async fn database(global: &Global, command: Db) -> anyhow::Result<()> {
    match command {
        Db::Migrate => {
            let open = open(global);
            let (workspace, _) = open.files()?;
            let location = open.location(&workspace.root, &workspace.settings.value)?;
            let db = crate::db::Db::open(&location).await?;
            let applied = migrate::apply(&db, &location, true).await?;
            db.close().await;
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
        Db::Backup { file } => {
            let app = app(global).await?;
            migrate::snapshot(&app.db, &file).await?;
            let shown = file.display().to_string();
            output::show(global.json, &json!({ "file": shown }), || {
                format!("the database is in {shown}. The site's key is not: keep .secret/ apart from it")
            })
        }
        Db::Restore { .. } | Db::Copy { .. } => anyhow::bail!("soon"),
    }
}
