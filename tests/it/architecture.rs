//! The house stands as ARCHITECTURE.md says: floors whose dependencies point down, SQL in the stores, one clock, rooms of
//! a size to be understood. Reads the source text, so that a mistake is told by file and line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The floors, the highest first. A stage may use those below it and, without a circle, its neighbours on the same floor.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["engine"],
    &["web", "report"],
    &["campaign"],
    &["deliver"],
    &["render"],
    &["relationship", "track"],
    &["import"],
    &["reward"],
    &["segment"],
    &["event"],
    &["customer", "permission", "access"],
    &["config"],
    &["db"],
    &["catcher"],
    &["types"],
];

/// A file is one concept; past this it is two.
const LONGEST: usize = 400;

/// A source file of `src/`, as far as it is compiled into the program: what is for tests, and comments, are blank.
struct Source {
    /// From the root of the repository, with `/`.
    path: String,
    lines: Vec<String>,
    /// As it stands.
    length: usize,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut open = vec![root().join("src")];
    let mut found = Vec::new();
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let shown = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(Source { path: shown, length: text.lines().count(), lines: program(&text) });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 100, "only {} files were found: the test looks in the wrong place", found.len());
    found
}

/// The lines of a file with comments and `#[cfg(test)]` modules blanked. rustfmt lays the file out, so an item that
/// begins at the margin ends with a `}` at the margin.
fn program(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(without_comment).collect();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].trim() == "#[cfg(test)]" && lines.get(at + 1).is_some_and(|next| next.starts_with("mod ")) {
            let inline = lines[at + 1].ends_with('{');
            let end = (at + 1..lines.len()).find(|i| !inline || lines[*i] == "}").unwrap_or(lines.len() - 1);
            lines[at..=end].iter_mut().for_each(String::clear);
            at = end;
        }
        at += 1;
    }
    lines
}

fn without_comment(line: &str) -> String {
    // a `//` after a colon is the middle of a URL in a text
    let start = line.match_indices("//").map(|(at, _)| at).find(|at| !line[..*at].ends_with(':'));
    start.map_or(line, |at| &line[..at]).trim_end().to_owned()
}

/// The stage that a file belongs to: the folder in `src/`, or the file itself.
fn stage_of(path: &str) -> &str {
    path.trim_start_matches("src/").split(['/', '.']).next().unwrap()
}

/// How many modules deep a file stands: 1 for `src/deliver/mod.rs`, 2 for `src/deliver/judge.rs`.
fn depth_of(path: &str) -> usize {
    let parts = path.trim_start_matches("src/").split('/').count();
    if path.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// The stages that a file names, with the line, by `crate::x`, `crate::{x, y}`, `dangol::x`, or enough of `super::`.
fn uses(source: &Source) -> Vec<(String, usize)> {
    let text = source.lines.join("\n");
    let mut found = Vec::new();
    let above = "super::".repeat(depth_of(&source.path));
    for start in ["crate::", "dangol::", &above] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            let part_of_a_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
            // the library has no module of its own name; only the binary speaks of it
            if part_of_a_word || (start == "dangol::" && source.path != "src/main.rs") {
                continue;
            }
            for (name, offset) in names(&text[at + start.len()..]) {
                let line = text[..at + start.len() + offset].matches('\n').count() + 1;
                let name = match name.as_str() {
                    // two macros are exported at the root
                    "args" => "db".to_owned(),
                    "written" => "types".to_owned(),
                    _ => name,
                };
                found.push((name, line));
            }
        }
    }
    found
}

/// The first words of what follows a `crate::`: one, or each of a group in braces.
fn names(rest: &str) -> Vec<(String, usize)> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    if !rest.starts_with('{') {
        return vec![(word(rest), 0)];
    }
    let (mut depth, mut first, mut found) = (0, false, Vec::new());
    for (at, c) in rest.char_indices() {
        match c {
            '{' => {
                depth += 1;
                first = depth == 1;
            }
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' => first = depth == 1,
            c if first && !c.is_whitespace() => {
                found.push((word(&rest[at..]), at));
                first = false;
            }
            _ => {}
        }
    }
    found
}

fn floor_of(stage: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&stage))
}

/// Fails with all of them, each on a line that an editor can follow.
fn none(wrong: Vec<String>, rule: &str) {
    assert!(wrong.is_empty(), "{rule}\n  {}", wrong.join("\n  "));
}

#[test]
fn every_stage_has_a_floor() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).chain(["main"]).collect();
    let floors: BTreeSet<&str> = FLOORS.iter().flat_map(|floor| floor.iter().copied()).collect();
    assert_eq!(declared, floors, "src/lib.rs and the floors in this file name the same stages");
}

#[test]
fn dependencies_point_down() {
    let mut wrong = Vec::new();
    let mut edges = 0;
    for source in sources().iter().filter(|source| source.path != "src/lib.rs") {
        let from = stage_of(&source.path);
        for (to, line) in uses(source) {
            let (Some(above), Some(below)) = (floor_of(from), floor_of(&to)) else {
                wrong.push(format!("{}:{line}: `{to}` is no stage", source.path));
                continue;
            };
            edges += usize::from(from != to);
            if below < above {
                wrong.push(format!("{}:{line}: {from} uses {to}, which stands above it", source.path));
            }
        }
    }
    assert!(edges > 200, "only {edges} uses of other stages were found: the test no longer sees them");
    none(wrong, "dependencies point one way, down (ARCHITECTURE.md, \"Floors\"):");
}

#[test]
fn there_are_no_circles() {
    let mut graph: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for source in sources().iter().filter(|source| source.path != "src/lib.rs") {
        let from = stage_of(&source.path);
        for (to, line) in uses(source).into_iter().filter(|(to, _)| to != from) {
            graph.entry(from.to_owned()).or_default().entry(to).or_insert_with(|| format!("{}:{line}", source.path));
        }
    }
    // a stage that uses nobody is in no circle, and without it neither is one that used nobody else
    while let Some(free) =
        graph.iter().find(|(_, to)| !to.keys().any(|to| graph.contains_key(to))).map(|(k, _)| k.clone())
    {
        graph.remove(&free);
    }
    let left = graph.iter().flat_map(|(from, to)| to.iter().map(move |(to, place)| (from, to, place)));
    let left = left.filter(|(_, to, _)| graph.contains_key(*to));
    none(
        left.map(|(from, to, place)| format!("{place}: {from} uses {to}")).collect(),
        "these stages go round in a circle:",
    );
}

#[test]
fn sql_stands_in_the_stores() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for source in sources() {
        let store = source.path.ends_with("/store.rs") || source.path.contains("/store/");
        for (i, line) in source.lines.iter().enumerate() {
            let sql = ["SELECT ", "INSERT INTO ", "DELETE FROM "].iter().any(|word| line.contains(word))
                || (line.contains("UPDATE ") && line.contains(" SET "));
            seen += usize::from(sql && store);
            if sql && !store && stage_of(&source.path) != "db" {
                wrong.push(format!("{}:{}: {}", source.path, i + 1, line.trim()));
            }
            if line.contains("sqlx::") && stage_of(&source.path) != "db" {
                wrong.push(format!("{}:{}: only db/ knows which database is underneath", source.path, i + 1));
            }
        }
    }
    assert!(seen > 100, "only {seen} statements were found: the test no longer sees them");
    none(wrong, "SQL stands in the store of its stage:");
}

#[test]
fn only_the_clock_knows_what_time_it_is() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (i, line) in source.lines.iter().enumerate() {
            let reads = ["SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now", "Local::now"];
            if reads.iter().any(|read| line.contains(read)) && source.path != "src/types/clock.rs" {
                wrong.push(format!("{}:{}: take `now` as a parameter", source.path, i + 1));
            }
            // PostgreSQL's and SQLite's clocks are others again
            let sql = ["now()", "CURRENT_TIMESTAMP", "datetime('now'", "strftime('%s'", "unixepoch("];
            let store = source.path.ends_with("/store.rs") || source.path.contains("/store/");
            if store && sql.iter().any(|read| line.contains(read)) && !line.contains(".now()") {
                wrong.push(format!("{}:{}: no clock in SQL", source.path, i + 1));
            }
        }
    }
    none(wrong, "time is a parameter (ARCHITECTURE.md, \"Rules\"):");
}

/// The doors, the engine that wires the loops, and what stands outside of the loop hold a `Clock`; of the stages only
/// those tasks that outlive a call do.
#[test]
fn stages_are_given_the_moment() {
    const HOLD: &[&str] = &["cli", "engine", "web", "catcher", "types"];
    const TASKS: &[&str] = &[
        "src/deliver/ledger.rs",
        "src/deliver/sender.rs",
        "src/deliver/dispatch.rs",
        "src/deliver/courier.rs",
        "src/deliver/obstacles.rs",
    ];
    let mut wrong = Vec::new();
    for source in sources() {
        if HOLD.contains(&stage_of(&source.path)) || TASKS.contains(&source.path.as_str()) {
            continue;
        }
        for (i, line) in source.lines.iter().enumerate() {
            if line.contains("clock.now()") {
                wrong.push(format!("{}:{}: {}", source.path, i + 1, line.trim()));
            }
        }
    }
    none(wrong, "a stage is given `now`, and holds no clock:");
}

#[test]
fn a_file_is_one_concept() {
    let long = sources().into_iter().filter(|source| source.length > LONGEST);
    let wrong = long.map(|source| format!("{}: {} lines", source.path, source.length));
    none(wrong.collect(), "a file of more than 400 lines is two things:");
}

#[test]
fn every_file_says_what_it_is() {
    let mut wrong = Vec::new();
    for source in sources() {
        let text = std::fs::read_to_string(root().join(&source.path)).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{}:1: begins without a word on what it is and why", source.path));
        }
    }
    none(wrong, "the first lines of a module say what it is:");
}

#[test]
fn nothing_is_unsafe() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (i, line) in source.lines.iter().enumerate() {
            if ["unsafe {", "unsafe fn", "unsafe impl", "unsafe trait", "unsafe extern"]
                .iter()
                .any(|word| line.contains(word))
            {
                wrong.push(format!("{}:{}", source.path, i + 1));
            }
        }
    }
    none(wrong, "`unsafe` is forbidden:");
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""), "Cargo.toml forbids `unsafe`");
}

#[test]
fn the_reader_of_uses_sees_what_is_written() {
    let source = |path: &str, text: &str| Source { path: path.into(), lines: program(text), length: 0 };
    let seen = |path: &str, text: &str| {
        uses(&source(path, text)).into_iter().map(|(name, line)| format!("{name}:{line}")).collect::<Vec<_>>()
    };
    assert_eq!(
        seen("src/a/b.rs", "use crate::deliver::lane;\nuse crate::{args, types::{Email, Period}, web};"),
        ["deliver:1", "db:2", "types:2", "web:2"]
    );
    assert_eq!(seen("src/a/b.rs", "use crate::{\n    cli,\n    web::{self, State},\n};"), ["cli:2", "web:3"]);
    assert_eq!(seen("src/a/b/c.rs", "use super::super::super::web;\nuse super::super::x;"), ["web:1"]);
    assert_eq!(seen("src/a/mod.rs", "use super::web;"), ["web:1"]);
    assert_eq!(seen("src/main.rs", "fn main() { dangol::cli::main() }"), ["cli:1"]);
    assert_eq!(seen("src/a.rs", "//! [`crate::web`]\n// crate::cli\nlet x = 1; // crate::web"), [""; 0]);
    assert_eq!(
        seen("src/a.rs", "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::web;\n}\n\nuse crate::db;"),
        ["db:8"]
    );
}
