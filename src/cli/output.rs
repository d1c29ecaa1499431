//! How answers are shown: tables for people, JSON for machines.

use crate::campaign::CampaignError;
use crate::config::Problem;
use crate::engine::AppError;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::io::Write as _;

/// The command was used wrongly, in a way that only shows after its arguments were parsed. Ends with 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misuse(pub String);

/// Writes to standard output; a reader that has gone, as after `| head`, is no error. Whether one is there.
pub fn print(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).is_ok()
}

/// Writes a line to standard error; one that takes nothing, a full disk or a pipe without a reader, is no reason to stop.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A value as JSON, or, for people, as `text` says.
pub fn show<T: Serialize>(json: bool, value: &T, text: impl FnOnce() -> String) -> anyhow::Result<()> {
    show_while_read(json, value, text).map(|_| ())
}

/// The same for what is shown again and again; false when nobody reads any more.
pub fn show_while_read<T: Serialize>(json: bool, value: &T, text: impl FnOnce() -> String) -> anyhow::Result<bool> {
    if json {
        return Ok(print(&serde_json::to_string_pretty(value)?));
    }
    // what stood in a file may hold what a terminal would obey
    let plain = text().replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}");
    Ok(print(plain.trim_end()))
}

/// `1 row`, `2 rows`.
pub fn counted(n: impl std::fmt::Display, word: &str) -> String {
    let n = n.to_string();
    let many = if n == "1" { "" } else { "s" };
    format!("{n} {word}{many}")
}

/// A table with a head.
pub fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.to_vec());
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// An error with its causes, each said once: to people on standard error, and to machines on standard output too, with
/// the mistakes of files as `check` tells them.
pub fn error(json: bool, e: &anyhow::Error) {
    let said = told(e);
    // a rendered problem says for itself what it is
    if said.starts_with("error[") {
        tell(&said);
    } else {
        tell(&format!("error: {said}"));
    }
    if json {
        let mut answer = json!({ "error": { "message": said } });
        if let Some(problems) = mistakes(e) {
            let words = match problems.len() {
                1 => "the files have a mistake".into(),
                n => format!("the files have {n} mistakes"),
            };
            answer = json!({ "error": { "message": words }, "errors": problems });
        }
        print_json(&answer);
    }
}

/// Wrong usage as machines are told of it, in the shape of every other error.
pub fn misused(e: &clap::Error) {
    let text = e.to_string();
    let said = text.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let message = said.strip_prefix("error: ").unwrap_or(&said);
    print_json(&json!({ "error": { "message": message } }));
}

fn print_json(answer: &Json) {
    print(&format!("{answer:#}"));
}

/// The mistakes of files that an error is about.
fn mistakes(e: &anyhow::Error) -> Option<&[Problem]> {
    e.chain().find_map(|cause| match (cause.downcast_ref::<AppError>(), cause.downcast_ref::<CampaignError>()) {
        (Some(AppError::Files(problems) | AppError::Campaign(CampaignError::Files(problems))), _)
        | (_, Some(CampaignError::Files(problems))) => Some(problems.as_slice()),
        _ => None,
    })
}

fn told(e: &anyhow::Error) -> String {
    let mut said = e.to_string();
    for cause in e.chain().skip(1) {
        let cause = cause.to_string();
        if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

/// Asks a yes-or-no question; without a terminal the answer is no.
pub fn confirm(question: &str) -> bool {
    use std::io::{BufRead as _, IsTerminal as _};
    if !std::io::stdin().is_terminal() {
        return false;
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "ㅛ" | "네" | "예")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_all_else_are_many() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "row")), ["0 rows", "1 row", "2 rows"]);
    }
}
