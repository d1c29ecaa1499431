//! `doctor`

use super::app;
use crate::cli::arguments::Global;
use crate::cli::output::{self, counted};
use crate::engine::doctor::{self, Finding, Level, Options};
use crate::render::dkim::record;
use serde_json::json;
use std::process::ExitCode;

pub async fn doctor(global: &Global, options: Options) -> anyhow::Result<ExitCode> {
    let app = app(global).await?;
    let findings = doctor::run(&app, &options).await?;
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let (ok, warn, fail) = (count(Level::Ok), count(Level::Warn), count(Level::Fail));
    output::show(global.json, &json!({ "findings": findings, "ok": ok, "warn": warn, "fail": fail }), || {
        let mut text: String = findings.iter().map(line).collect();
        text += &format!("\n{ok} ok, {} worth a look, {} to mend", counted(warn, "thing"), counted(fail, "thing"));
        text
    })?;
    Ok(if fail == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(finding: &Finding) -> String {
    let word = match finding.level {
        Level::Ok => "ok",
        Level::Warn => "warn",
        Level::Fail => "fail",
    };
    let mut text = format!("{word:<5} {:<12} {}: {}\n", finding.area, finding.subject, finding.found);
    if let Some(advice) = &finding.advice {
        text += &format!("      → {advice}\n");
    }
    if let Some(wanted) = &finding.record {
        text += &format!("        {}  {}  {}\n", wanted.name, wanted.kind, wanted.value);
        let line = record::zone(&wanted.name, &wanted.value);
        if line.contains("\" \"") {
            text += &format!("        in a zone file: {line}\n");
        }
    }
    text
}
