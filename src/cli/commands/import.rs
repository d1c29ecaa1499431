//! `import`

use super::app;
use crate::cli::arguments::{Global, Import, ImportCommand, ImportKind};
use crate::cli::output::{self, counted};
use crate::customer::ErasureKey;
use crate::import::{self, Input, Kind, Options};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::process::ExitCode;

pub async fn import(global: &Global, arguments: Import) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Some(ImportCommand::Undo { batch }) => return undo(global, batch).await,
        Some(ImportCommand::List) => return list(global).await,
        None => {}
    }
    let (Some(kind), Some(file)) = (arguments.kind, &arguments.file) else {
        let words = "say what to import, and from which file: dangol import customers customers.csv";
        return Err(output::Misuse(words.into()).into());
    };
    let kind = match kind {
        ImportKind::Customers => Kind::Customers,
        ImportKind::Orders => Kind::Orders,
        ImportKind::Events => Kind::Events,
        ImportKind::Consents => Kind::Consents,
        ImportKind::Suppressions => Kind::Suppressions,
    };
    let app = app(global).await?;
    let settings = app.settings();
    let mut options = Options::new(&settings, ErasureKey::new(app.secret.erasure_key()));
    options.map = arguments.map;
    options.currency = arguments.currency;
    options.create = arguments.create;
    options.consent = arguments.consent.zip(arguments.evidence);
    options.dry_run = arguments.dry_run;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {bytes_per_sec}") {
        bar.set_style(style);
    }
    let mut progress = |now: import::Progress| {
        bar.set_position(now.bytes);
        bar.set_message(counted(now.rows, "row"));
    };
    let report = import::run(&app.db, kind, Input::of(file), &options, &mut progress, app.clock.now()).await;
    bar.finish_and_clear();
    let report = report.with_context(|| format!("{file} was not imported to its end"))?;
    output::show(global.json, &report, || text(&report))?;
    // a file of which nothing could be taken is a failure, for whoever imports by a timer
    let nothing = report.rows > 0 && report.rejected == report.rows;
    Ok(if nothing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn undo(global: &Global, batch: i64) -> anyhow::Result<ExitCode> {
    let app = app(global).await?;
    let undone = import::undo(&app.db, batch, "command line", app.clock.now()).await?;
    output::show(global.json, &undone, || {
        let mut text = format!(
            "taken back: {}, {}, {}, {}, {}",
            counted(undone.customers, "customer"),
            counted(undone.events, "event"),
            counted(undone.corrections, "correction"),
            counted(undone.consents, "consent"),
            counted(undone.suppressions, "suppression")
        );
        for kept in &undone.kept {
            text += &format!("\n  {kept}");
        }
        text
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn list(global: &Global) -> anyhow::Result<ExitCode> {
    let app = app(global).await?;
    let batches = import::batches(&mut &app.db, 100).await?;
    let listed: Vec<_> = batches
        .iter()
        .map(|b| json!({ "batch": b.id, "kind": b.kind, "file": b.file, "state": b.state, "at": b.started_at, "rows": b.rows, "rejected": b.rejected }))
        .collect();
    output::show(global.json, &json!({ "batches": listed }), || {
        let rows = batches.iter().map(|b| {
            vec![
                b.id.to_string(),
                b.kind.clone(),
                b.file.clone(),
                b.state.clone(),
                b.started_at.to_string(),
                b.rows.to_string(),
                b.rejected.to_string(),
            ]
        });
        output::table(&["batch", "kind", "file", "state", "at", "rows", "rejected"], rows)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A report as people read it.
fn text(report: &import::Report) -> String {
    let mut text = format!(
        "{}: {} new, {} changed, {} as before, {} refused",
        counted(report.rows, "row"),
        report.inserted,
        report.updated,
        report.unchanged,
        report.rejected
    );
    text += &format!("\nread as {}", report.encoding);
    match report.delimiter {
        Some('\t') => text += ", columns by tabs",
        Some(mark) => text += &format!(", columns by `{mark}`"),
        None => {}
    }
    let mapped: Vec<String> =
        report.mapping.iter().map(|m| format!("{} → {}", m.theirs, m.ours.as_deref().unwrap_or("left out"))).collect();
    if !mapped.is_empty() {
        text += &format!("\n{}", mapped.join(", "));
    }
    for row in &report.preview {
        text += &format!("\n  {row}");
    }
    for refused in report.reasons.iter().take(5) {
        text += &format!("\n  line {}: {}", refused.line, refused.reason);
    }
    if let Some(file) = &report.rejected_file {
        text += &format!("\nall refused rows, with reasons: {file}");
    }
    if report.withdrawn_kept > 0 {
        text += &format!("\n{} had withdrawn, and stay withdrawn", report.withdrawn_kept);
    }
    match report.batch {
        Some(batch) if report.inserted + report.updated > 0 => {
            text += &format!("\n`dangol import undo {batch}` takes it back")
        }
        None => text += "\na dry run: nothing was changed",
        _ => {}
    }
    text
}
