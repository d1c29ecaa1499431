//! How answers are shown: tables for people, JSON for machines.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::Write as _;

/// Writes to standard output; a reader that has gone, as after `| head`, is no error.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}

/// A value as JSON, or, for people, as `text` says.
pub fn show<T: Serialize>(json: bool, value: &T, text: impl FnOnce() -> String) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string_pretty(value)?);
    } else {
        // what stood in a file may hold what a terminal would obey
        let plain = text().replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}");
        print(plain.trim_end());
    }
    Ok(())
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

/// An error with its causes, each said once.
pub fn error(e: &anyhow::Error) {
    let mut said = e.to_string();
    for cause in e.chain().skip(1) {
        let cause = cause.to_string();
        if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    // a rendered problem says for itself what it is
    if said.starts_with("error[") { eprintln!("{said}") } else { eprintln!("error: {said}") }
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
