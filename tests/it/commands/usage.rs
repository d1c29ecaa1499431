//! Wrong usage ends with 2 and clear words; `--help`, `--version` and completions.

use super::{Shop, dangol};

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
    shop.run(&["message", "list", "--state", "sent"]).failed("`sent` is not a state of a message: queued, deferred");
}

#[test]
fn before_the_first_launch_there_is_nothing_to_pause() {
    let shop = Shop::new();
    shop.run(&["pause", "spring"]).failed("no campaign `spring` has been launched: none has been yet");
    assert!(shop.run(&["pause", "--all"]).done().contains("no campaign for which that would change anything"));
}
