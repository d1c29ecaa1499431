//! Scene 1: files as they come out of Excel and of a shop's other programs.

use super::Say;
use crate::customer::ErasureKey;
use crate::engine::demo::stage::Stage;
use crate::engine::demo::summary::Outcome;
use crate::engine::demo::{Lang, counts, files, words};
use crate::import::{self, Input, Kind, Options, Report};
use anyhow::Context as _;
use serde_json::json;
use std::path::Path;

/// Reasons that are shown of a file.
const SHOWN: usize = 4;

pub(super) async fn play(stage: &Stage, say: Say<'_>) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let files = &stage.files;
    let all = [
        (Kind::Customers, &files.customers, files::WRONG_CUSTOMERS),
        (Kind::Customers, &files.app_customers, 0),
        (Kind::Orders, &files.orders, files::WRONG_ORDERS),
        (Kind::Consents, &files.consents, 0),
    ];
    let mut reports = Vec::new();
    let mut customers = 0;
    for (kind, file, wrong) in all {
        let map = stage.lang == Lang::Ko && file == &files.customers;
        let report = run(stage, kind, file, map).await?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (landed, rejected) = (report.inserted.cast_signed(), report.rejected.cast_signed());
        say(&words::imported(stage.lang, &name, report.encoding, landed, rejected));
        for refused in report.reasons.iter().take(SHOWN) {
            say(&format!("  {}: {}", words::line(stage.lang, refused.line), refused.reason));
        }
        if kind == Kind::Customers {
            customers += landed;
        }
        outcome.promise(report.rejected == wrong as u64, || {
            format!("{wrong} rows of {name} are wrong on purpose, and {rejected} were rejected")
        });
        outcome.promise(kept_apart(&report)? == report.rejected, || {
            format!("the file of rejected rows of {name} does not hold them all")
        });
        reports.push(json!({
            "file": name, "encoding": report.encoding, "rows": report.rows, "inserted": report.inserted,
            "updated": report.updated, "unchanged": report.unchanged, "rejected": report.rejected,
        }));
    }
    let again = run(stage, Kind::Customers, &files.customers, stage.lang == Lang::Ko).await?;
    outcome.promise(again.inserted + again.updated == 0, || {
        format!("the same file again brought {} and changed {} customers", again.inserted, again.updated)
    });
    say(&words::again(stage.lang, (again.inserted + again.updated).cast_signed()));
    outcome.promise(customers == counts::CUSTOMERS as i64, || {
        format!("the shop has {} customers, and {customers} landed", counts::CUSTOMERS)
    });
    stage.work(false).await?;
    outcome.figure("customers", customers);
    outcome.figure("rejected_customers", files::WRONG_CUSTOMERS);
    outcome.figure("files", reports);
    Ok(outcome)
}

/// Imports one file, with the headings of the Korean one explained.
pub(in crate::engine::demo) async fn run(stage: &Stage, kind: Kind, file: &Path, map: bool) -> anyhow::Result<Report> {
    let app = &stage.app;
    let settings = app.settings();
    let mut options = Options::new(&settings, ErasureKey::new(app.secret.erasure_key()));
    if map {
        options.map = files::MAP_KO.iter().map(|(theirs, ours)| ((*theirs).to_owned(), (*ours).to_owned())).collect();
    }
    let input = Input::Path(file.to_owned());
    let report = import::run(&app.db, kind, input, &options, &mut |_| {}, app.clock.now()).await;
    report.with_context(|| format!("{} was not imported to its end", file.display()))
}

/// How many rows the file of rejected ones holds.
fn kept_apart(report: &Report) -> anyhow::Result<u64> {
    let Some(file) = &report.rejected_file else { return Ok(0) };
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
    Ok(rows.records().try_fold(0, |n, row| row.map(|_| n + 1))?)
}
