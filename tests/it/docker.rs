//! What `docker/` names is there: no engine runs in the suite, so each command is put to the binary, and each variable,
//! file and version to what it means.

use assert_cmd::Command;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// All Rust files.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

fn source() -> String {
    sources(&root().join("src")).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// That the binary knows the words: `--help` comes last, so whatever it does not know comes first.
fn known(arguments: &[String], place: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_dangol")).env_clear().args(arguments).arg("--help").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{place}: dangol {}\n{said}", arguments.join(" "));
}

/// The words of a line as a shell takes it apart, without what follows a comment, a pipe or a redirection.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars().chain([' ']) {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    let end = words.iter().position(|word| ["#", "|", ">", "<", "&&", "\\"].contains(&word.as_str()));
    words.truncate(end.unwrap_or(words.len()));
    words
}

/// The list of words of a Dockerfile's or compose file's `["…", "…"]`.
fn list(text: &str) -> Vec<String> {
    let from = text.find('[').unwrap();
    serde_json::from_str(&text[from..=from + text[from..].find(']').unwrap()]).unwrap()
}

#[test]
fn the_commands_of_the_image_and_of_the_unit_are_commands() {
    let image = file("docker/Dockerfile");
    let of = |word: &str| {
        let line = image.lines().map(str::trim_start).find(|line| line.starts_with(word));
        list(line.unwrap_or_else(|| panic!("no {word} in the Dockerfile")))
    };
    let check = image.lines().map(str::trim_start).find(|line| line.starts_with("CMD") && line.contains("healthcheck"));
    let check = list(check.expect("the image has a health check"));
    assert_eq!(check[0], of("ENTRYPOINT")[0], "the health check runs the binary");
    known(&check[1..], "HEALTHCHECK");
    let cmd = image.lines().rfind(|line| line.starts_with("CMD")).unwrap();
    known(&list(cmd), "CMD");
    assert!(image.contains(&format!("install -D target/release/dangol /out{}", of("ENTRYPOINT")[0])));

    let unit = file("docker/dangol.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    known(&words(start)[1..], "ExecStart");
}

#[test]
fn the_commands_that_the_page_tells_to_type_are_commands() {
    let mut seen = 0;
    let mut inside = false;
    for line in file("docker/README.md").lines() {
        if line.starts_with("```") {
            inside = !inside && line == "```";
            continue;
        }
        let words = words(line);
        // `dangol` on this machine or in a container, and not the name of the container before it
        let at = words.iter().rposition(|word| word == "dangol");
        let runs =
            ["docker run", "docker exec", "docker compose exec dangol", "docker compose run", "sudo -u dangol dangol"];
        if let (true, Some(at)) = (inside && runs.iter().any(|run| line.starts_with(run)), at) {
            let arguments = &words[at + 1..];
            if !arguments.is_empty() {
                seen += 1;
                known(arguments, "docker/README.md");
            }
        }
    }
    assert!(seen >= 9, "{seen} commands were found");
}

#[test]
fn every_variable_is_one_that_is_read() {
    let source = source();
    let example = file("docker/.env.example");
    let own: BTreeSet<&str> = example.lines().filter_map(|line| line.split_once('=').map(|(name, _)| name)).collect();
    assert!(own.contains("DANGOL_UID"));
    let mut seen = 0;
    for path in
        ["docker/Dockerfile", "docker/compose.yaml", "docker/dangol.service", "docker/prepare.sh", "docker/README.md"]
    {
        let text = file(path);
        for name in text.split(|c: char| !c.is_ascii_uppercase() && c != '_').filter(|word| word.starts_with("DANGOL_"))
        {
            let plain = name.strip_suffix("_FILE").unwrap_or(name);
            let relay = plain.starts_with("DANGOL_RELAY_") && plain.ends_with("_PASSWORD");
            seen += 1;
            assert!(relay || own.contains(name) || source.contains(&format!("\"{plain}\"")), "{path}: {name}");
        }
    }
    assert!(seen > 10);
}

#[test]
fn every_secret_of_the_compose_file_is_made_and_has_no_default() {
    let (compose, prepare) = (file("docker/compose.yaml"), file("docker/prepare.sh"));
    let mut names = BTreeSet::new();
    for rest in compose.split("/run/secrets/").skip(1) {
        names.insert(rest.split_whitespace().next().unwrap());
    }
    assert_eq!(names.len(), 3, "{names:?}");
    for name in names {
        assert!(compose.contains(&format!("\n  {name}:\n    file: ./secrets/{name}\n")), "{name} is not declared");
        assert!(prepare.contains(&format!("\nmake {name} ")), "prepare.sh does not make {name}");
    }
    for line in compose.lines().filter(|line| line.contains("PASSWORD") || line.contains("SECRET")) {
        assert!(line.contains("_FILE: /run/secrets/"), "a secret in the file itself: {line}");
    }
    // Git and the image's context keep what prepare.sh makes out
    let ignored = file("docker/.gitignore");
    assert!([".env", "secrets/", "shop/"].iter().all(|name| ignored.lines().any(|line| line == *name)));
}

#[test]
fn the_image_is_built_from_all_that_the_build_reads() {
    let ignore = file(".dockerignore");
    let kept: BTreeSet<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignore.lines().any(|line| line == "*"), "what is not named stays out");
    let source = source();
    let mut folders = BTreeSet::from(["src", "benches", "tests/it/main.rs", "Cargo.toml", "Cargo.lock"]);
    for (start, end) in [("../../", '/'), ("$CARGO_MANIFEST_DIR/", '/')] {
        for rest in source.split("include_").skip(1) {
            let line = rest.lines().next().unwrap();
            folders.extend(line.split_once(start).and_then(|(_, path)| path.split(end).next()));
        }
    }
    assert!(folders.contains("templates") && folders.contains("migrations"), "{folders:?}");
    let missing: Vec<_> = folders.difference(&kept).collect();
    assert!(missing.is_empty(), ".dockerignore keeps {missing:?} out");

    let version = file("Cargo.toml").lines().find_map(|line| line.strip_prefix("rust-version = ").map(str::to_owned));
    let builder = format!("FROM rust:{}-", version.unwrap().trim_matches('"'));
    assert!(file("docker/Dockerfile").contains(&builder), "the builder is not {builder}");
}
