//! `docs/states.md` has the states that the code has: those of enums by their names, those of text columns by the words
//! that the SQL of their table writes and asks for.

use dangol::deliver::State;
use dangol::reward::Kind;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The words in the first column of a section's table.
fn told(section: &str) -> BTreeSet<String> {
    let page = std::fs::read_to_string(root().join("docs/states.md")).unwrap();
    let from = page.find(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section `{section}`"));
    let rest = &page[from + 4..];
    let body = &rest[..rest.find("\n## ").unwrap_or(rest.len())];
    let first = body.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    first.map(str::to_owned).collect()
}

/// What a table's `state` may hold, as the comment at the column says.
fn column(table: &str) -> BTreeSet<String> {
    let ground = std::fs::read_to_string(root().join("migrations/sqlite/0001_ground.sql")).unwrap();
    let from = ground.find(&format!("CREATE TABLE {table} (")).unwrap_or_else(|| panic!("no table {table}"));
    let body = &ground[from..from + ground[from..].find("\n)").unwrap()];
    let line = body.lines().find(|line| line.trim_start().starts_with("state ")).unwrap();
    let (_, comment) = line.split_once("--").unwrap();
    comment.split(',').map(|word| word.trim().to_owned()).collect()
}

#[test]
fn the_states_of_a_mail_are_those_of_the_enum() {
    let names: BTreeSet<String> = State::ALL.iter().map(|state| state.name().to_owned()).collect();
    assert_eq!(told("A mail"), names);
}

#[test]
fn the_states_of_passes_occurrences_campaigns_and_lanes_are_those_of_their_columns() {
    assert_eq!(told("A pass"), column("enrolment"));
    assert_eq!(told("A campaign"), column("campaign"));
    assert_eq!(told("A lane"), column("lane"));
    // what came with triggers, and stands in no comment: a migration that was released is never changed
    let mut occurrence = column("occurrence");
    let journeys = std::fs::read_to_string(root().join("src/campaign/store/pass.rs")).unwrap();
    assert!(
        journeys.contains(
            "INSERT INTO occurrence (campaign_id, revision_id, key, due_at, state) VALUES (?, ?, ?, ?, 'open')"
        )
    );
    occurrence.insert("open".into());
    // and what came with audiences that leap
    occurrence.insert(dangol::campaign::store::Asks::Large.state().into());
    assert_eq!(told("An occurrence"), occurrence);
}

/// A new kind of line makes this fail to compile.
fn is_told_below(kind: Kind) -> bool {
    match kind {
        Kind::Grant | Kind::Activate | Kind::Spend | Kind::Expire | Kind::Reverse | Kind::Cover => true,
    }
}

#[test]
fn the_lines_of_a_grant_are_those_of_the_ledger() {
    let kinds = [Kind::Grant, Kind::Activate, Kind::Spend, Kind::Expire, Kind::Reverse, Kind::Cover];
    assert!(kinds.into_iter().all(is_told_below));
    let names: BTreeSet<String> = kinds.iter().map(|kind| kind.name().to_owned()).collect();
    assert_eq!(told("A grant"), names);
}
