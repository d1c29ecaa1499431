//! Wrong usage ends with 2 and clear words; `--help`, `--version` and completions.

use super::{Shop, dangol};
use serde_json::{Value as Json, json};

#[test]
fn wrong_usage_ends_with_two() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = |arguments: &[&str], words: &str| dangol(dir.path(), arguments).misused(words);
    wrong(&["frobnicate"], "unrecognized subcommand 'frobnicate'");
    wrong(&["chek"], "some similar subcommands exist: 'schema', 'check'");
    wrong(&["status", "--jsn"], "a similar argument exists: '--json'");
    wrong(&["segment"], "Usage: dangol segment");
    wrong(&["init"], "<DIR>");
    wrong(&["launch"], "<CAMPAIGN>");
    wrong(&["preview", "spring"], "--customer <CUSTOMER>");
    wrong(&["send-test", "spring", "--customer", "K-1"], "--to <TO>");
    wrong(&["pause"], "<CAMPAIGN|--all>");
    wrong(&["cancel", "--all", "spring"], "cannot be used with");
    wrong(&["check", "--offline", "--online"], "cannot be used with");
    wrong(&["launch", "spring", "--inside", "out"], "[possible values: stay, move]");
    wrong(&["message", "settle", "x"], "invalid value 'x'");
    wrong(&["message", "resend"], "<IDS>...");
    wrong(&["import", "customer", "x.csv"], "a similar value exists: 'customers'");
    wrong(&["import", "customers", "x.csv", "--consent", "newsletter"], "--evidence <TEXT>");
    wrong(&["completions", "powerfish"], "possible values");
    wrong(&["message", "list", "--state", "bogus"], "`bogus` is not a state of a message: queued, deferred");
    wrong(&["message", "list", "--limit", "0"], "0 is not in 1..");
    wrong(&["score", "refresh", "--at", "tomorrow"], "not a moment such as 2027-03-01");
    wrong(&["suppression", "list", "--since", "last week"], "not a moment such as 2027-03-01");
    wrong(&["suppression", "lift"], "<ADDRESS|--domain <DOMAIN>|--since <MOMENT>|--until <MOMENT>>");
    wrong(&["suppression", "lift", "a@haru.example", "--domain", "haru.example"], "cannot be used with");
    wrong(&["suppression", "add", "nobody"], "`nobody` is not an e-mail address");
    wrong(&["send-test", "spring", "--customer", "K-1", "--to", "me"], "`me` is not an e-mail address");
    wrong(&["import", "orders", "x.csv", "--currency", "WON"], "`WON` is not");
    wrong(&["import", "orders", "x.csv", "--map", "Kunde"], "write theirs=ours");
    wrong(&["import", "orders"], "from which file");
    wrong(&["serve", "--listen", "bogus"], "such as 127.0.0.1:8080");
    dangol(dir.path(), &[]).misused("Usage: dangol");
}

#[test]
fn help_and_version_are_answers() {
    let dir = tempfile::tempdir().unwrap();
    let said = dangol(dir.path(), &["--help"]).done();
    for command in
        ["init", "check", "import", "segment", "plan", "preview", "launch", "run", "serve", "why", "completions"]
    {
        assert!(said.lines().any(|line| line.trim_start().starts_with(command)), "{command}");
    }
    let said = dangol(dir.path(), &["--version"]).done();
    assert_eq!(said.trim(), format!("dangol {}", env!("CARGO_PKG_VERSION")));
    assert!(dangol(dir.path(), &["launch", "--help"]).done().contains("--inside"));
}

#[test]
fn completions_for_every_shell() {
    let dir = tempfile::tempdir().unwrap();
    for (shell, word) in [
        ("bash", "complete -F _dangol"),
        ("zsh", "#compdef dangol"),
        ("fish", "complete -c dangol"),
        ("elvish", "edit:completion"),
    ] {
        let said = dangol(dir.path(), &["completions", shell]).done();
        assert!(said.contains(word) && said.contains("send-test"), "{shell}");
    }
}

#[test]
fn every_command_and_argument_says_what_it_is_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut open: Vec<Vec<String>> = vec![vec![]];
    let mut seen = 0;
    while let Some(command) = open.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).chain(["-h"]).collect();
        let said = dangol(dir.path(), &words).done();
        seen += 1;
        let mut section = "";
        for line in said.lines() {
            if !line.starts_with(' ') {
                section = line;
                continue;
            }
            let line = line.trim();
            match section {
                "Commands:" => {
                    let (name, about) = line.split_once(' ').unwrap_or((line, ""));
                    assert!(!about.trim().is_empty(), "{command:?} {name} says nothing");
                    if name != "help" {
                        open.push([&command[..], &[name.to_owned()]].concat());
                    }
                }
                // a long line has its text below
                "Arguments:" | "Options:" if line.starts_with(['-', '<', '[']) && line != "-h, --help" => {
                    assert!(line.contains("  "), "{command:?} has an argument without a word: {line}");
                }
                _ => {}
            }
        }
    }
    assert!(seen > 30, "{seen} commands were looked at");
}

#[test]
fn a_machine_is_told_of_errors_on_standard_output() {
    let shop = Shop::empty();
    let failed = |arguments: &[&str], code: i32| {
        let said = shop.run(&[arguments, &["--json"]].concat());
        assert_eq!(said.code, code, "{}{}", said.out, said.err);
        assert!(said.err.contains("error"), "people are told too: {}", said.err);
        serde_json::from_str::<Json>(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.out))
    };
    let told = failed(&["report", "spring"], 1);
    assert_eq!(told, json!({ "error": { "message": "no campaign `spring` has been launched: none has been yet" } }));
    let told = failed(&["message", "list", "--state", "bogus"], 2);
    let message = told["error"]["message"].as_str().unwrap();
    assert!(message.contains("`bogus` is not a state of a message") && !message.starts_with("error"), "{told}");
    assert!(failed(&["import", "orders"], 2)["error"]["message"].as_str().unwrap().contains("from which file"));
    shop.edit("segments/regulars.toml", "count(", "cuont(");
    for arguments in [&["plan"][..], &["launch", "spring", "--yes"]] {
        let told = failed(arguments, 1);
        assert_eq!(told["error"]["message"], "the files have a mistake");
        let mistake = &told["errors"][0];
        assert_eq!((&mistake["file"], &mistake["code"]), (&json!("segments/regulars.toml"), &json!("segment")));
    }
    shop.edit("dangol.toml", "timezone = ", "timezon = ");
    assert_eq!(failed(&["status"], 1)["errors"][0]["code"], "unknown-key");
}

#[test]
fn names_that_do_not_exist_are_told_with_the_nearest() {
    let shop = Shop::sent();
    for arguments in [
        &["plan", "sprng"][..],
        &["preview", "sprng", "--customer", "K-0"],
        &["send-test", "sprng", "--customer", "K-1", "--to", "me@haru.example"],
        &["launch", "sprng", "--yes"],
    ] {
        shop.run(arguments).failed("error: there is no campaign `sprng`: did you mean `spring`?");
    }
    for arguments in [
        &["pause", "sprng"][..],
        &["resume", "sprng"],
        &["close", "sprng"],
        &["cancel", "sprng"],
        &["report", "sprng"],
        &["why", "K-0", "--campaign", "sprng"],
        &["message", "list", "--campaign", "sprng"],
    ] {
        shop.run(arguments).failed("error: no campaign `sprng` has been launched: did you mean `spring`?");
    }
    shop.run(&["close", "how-are-we"]).failed("no campaign `how-are-we` has been launched: launched are: spring");
    shop.run(&["segment", "show", "subscriber"])
        .failed("there is no segment `subscriber`: did you mean `subscribers`?");
    for arguments in [
        &["customer", "show", "K-99"][..],
        &["customer", "export", "K-99"],
        &["customer", "erase", "K-99", "--yes"],
        &["why", "K-99"],
        &["preview", "spring", "--customer", "K-99"],
        &["segment", "show", "regulars", "--why", "K-99"],
    ] {
        shop.run(arguments).failed("there is no customer `K-99`: give an address, an external id, or #id");
    }
    shop.run(&["message", "list", "--state", "sent"]).misused("`sent` is not a state of a message: queued, deferred");
}

#[test]
fn before_the_first_launch_there_is_nothing_to_pause() {
    let shop = Shop::new();
    shop.run(&["pause", "spring"]).failed("no campaign `spring` has been launched: none has been yet");
    assert!(shop.run(&["pause", "--all"]).done().contains("no campaign for which that would change anything"));
}

#[test]
fn a_reader_that_has_gone_ends_a_watched_status_quietly() {
    let shop = Shop::empty();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dangol"));
    command.env_clear().current_dir(shop.dir.path()).args(["status", "--watch"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
}
