//! The demo itself, as its binary plays it: the promises are held against the figures that it prints.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

const MAILED: i64 = 1_848;
const REACHED: i64 = 1_812;
const CONNECTIONS: i64 = 8;

/// `dangol demo` in a temporary folder of its own, with a database in the environment that is none of its business.
fn demo(arguments: &[&str], place: &std::path::Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_dangol"))
        .arg("demo")
        .args(arguments)
        .env("TMPDIR", place)
        .env("DANGOL_DATABASE_URL", "postgres://nobody@127.0.0.1:1/not-this-one")
        .env("DANGOL_SECRET", "not this one")
        .env("http_proxy", "http://127.0.0.1:1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn figures(summary: &Value, number: u64) -> &Value {
    let scenes = summary["scenes"].as_array().unwrap();
    &scenes.iter().find(|scene| scene["number"] == number).unwrap()["figures"]
}

fn int(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_else(|| panic!("{name} in {value}"))
}

fn promises(summary: &Value, lang: &str) {
    assert_eq!((&summary["broken"], &summary["kept"]), (&Value::Array(vec![]), &Value::Bool(true)));
    assert_eq!(summary["lang"], lang);
    let numbers: Vec<u64> =
        summary["scenes"].as_array().unwrap().iter().filter_map(|scene| scene["number"].as_u64()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9]);

    let import = figures(summary, 1);
    assert_eq!(int(import, "customers"), 2_000);
    let encoding = if lang == "ko" { "CP949" } else { "UTF-8 with BOM" };
    assert_eq!((&import["files"][0]["encoding"], int(&import["files"][0], "rejected")), (&encoding.into(), 12));
    assert_eq!(
        (int(&import["files"][2], "inserted"), int(&import["files"][2], "rejected")),
        (int(summary, "orders"), 4)
    );

    let typo = figures(summary, 2);
    let error = &typo["errors"][0];
    assert_eq!((&error["file"], int(error, "line"), int(error, "column")), (&"campaigns/spring.toml".into(), 9, 11));
    assert_eq!((&error["help"], int(typo, "errors_after")), (&"did you mean `everyone`?".into(), 0));

    let plan = figures(summary, 3);
    assert_eq!((int(plan, "audience"), int(plan, "mails")), (2_000, MAILED));
    let skipped = serde_json::json!({"no address": 40, "no consent": 82, "same address": 30});
    assert_eq!(plan["skipped"], skipped);

    let sent = figures(summary, 4);
    let [killed_at, sink, ours, unknown, arrived] =
        ["killed_at", "sink", "ours", "unknown", "unknown_arrived"].map(|name| int(sent, name));
    assert!((MAILED / 2..REACHED).contains(&killed_at), "{sent}");
    assert_eq!((int(sent, "twice"), int(sent, "lost")), (0, 0));
    assert!((0..=CONNECTIONS).contains(&unknown) && arrived <= unknown, "{sent}");
    assert_eq!(sink, ours + arrived, "the server and we counted the same");
    assert_eq!(ours + unknown + int(sent, "refused"), MAILED, "nobody was missed");
    assert!((REACHED - unknown..=REACHED).contains(&sink), "{sent}");
    assert_eq!(sent["skipped"], skipped, "the plan told the truth");

    let scan = figures(summary, 5);
    assert_eq!((scan["score_change"].as_f64(), int(scan, "unsubscribed")), (Some(0.0), 0));
    assert!(int(scan, "scanned") >= 60 - unknown && int(scan, "requests") >= 8 * int(scan, "scanned"), "{scan}");
    assert_eq!(int(scan, "machine_clicks"), int(scan, "scanned"));
    assert!((24 - unknown..=24).contains(&int(scan, "people_unsubscribed")), "{scan}");
    assert!(int(scan, "people_opened") > 300 && int(scan, "people_clicked") > 100 && int(scan, "orders_after") > 0);

    let answer = figures(summary, 6);
    for moment in [&answer["before"], &answer["after"]] {
        let points: f64 = moment["points"].as_object().unwrap().values().map(|p| p.as_f64().unwrap()).sum();
        assert!((points - moment["score"].as_f64().unwrap()).abs() < 1e-9, "{answer}");
    }
    let points = |moment: &str, part: &str| answer[moment]["points"][part].as_f64().unwrap();
    assert_eq!(points("before", "attitude"), 0.0, "asked for the first time");
    assert!(points("after", "attitude") > 0.0 && points("after", "engagement") > points("before", "engagement"));
    assert_eq!(points("after", "base"), points("before", "base"));
    assert!((2..int(answer, "mails")).contains(&int(answer, "answers")), "{answer}");

    reward(figures(summary, 7));

    let nothing = figures(summary, 8);
    let message = &nothing["messages"][0];
    assert_eq!((&message["state"], &message["reason"]), (&"skipped".into(), &"no consent".into()));
    assert_eq!(int(nothing, "caught"), 0);

    let [works, idle] = ["works", "idle"].map(|name| &figures(summary, 9)[name]);
    let [planted, low, high] = ["planted", "low", "high"].map(|name| int(works, name));
    assert!(0 < low && low <= planted && planted <= high, "{works}");
    assert!(works["verdict"].as_str().unwrap().starts_with("it brought more to the goal"), "{works}");
    assert!(int(idle, "low") <= 0 && int(idle, "planted") == 0 && 0 <= int(idle, "high"), "{idle}");
    assert!(idle["verdict"].as_str().unwrap().starts_with("not enough evidence"), "{idle}");
    for half in [works, idle] {
        assert!(int(half, "treated") > 800 && int(half, "holdout") > 800, "{half}");
        assert!(int(half, "ordered") > 0 && int(half, "holdout_ordered") > 0, "{half}");
    }
}

/// The ledger balances, nobody is thanked twice, and whoever was refused was refused for want of budget.
fn reward(scene: &Value) {
    let [thanked, holdout, refused] = ["thanked", "holdout", "refused"].map(|name| int(scene, name));
    assert!(thanked > 0 && holdout > 0 && refused > 0, "{scene}");
    assert_eq!((int(scene, "pending"), int(scene, "active")), (thanked, thanked), "pending until the mail is accepted");
    assert_eq!(int(scene, "twice"), 0, "told again, nothing happened again");
    let [budget, used, gift] = ["budget", "used", "gift"].map(|name| int(scene, name));
    assert!(used <= budget && budget - used < gift, "{scene}");
    assert!(int(scene, "lowest_thanked") >= int(scene, "highest_refused"), "{scene}");
    let accounts = ["granted", "pending", "active", "spent", "expired", "reversed"];
    let balance = &scene["balance"];
    let sums = accounts.map(|name| {
        let lines = scene["lines"].as_array().unwrap();
        let moved: Vec<i64> = lines.iter().map(|line| int(&line["by"], name)).collect();
        assert_eq!(moved.iter().sum::<i64>(), int(balance, name), "{name} is the sum of its lines: {scene}");
        int(balance, name)
    });
    assert_eq!(sums[0], sums[1..].iter().sum::<i64>(), "{balance}");
    assert!(sums[3] == 300 && sums[2] == 200 && sums[5] > 0, "spent, and an order taken back: {balance}");
    let kinds: Vec<&str> = scene["lines"].as_array().unwrap().iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "spend").count(), 1, "one redemption, told twice: {kinds:?}");
}

#[test]
fn the_korean_demo_keeps_its_promises_and_quits() {
    let place = tempfile::tempdir().unwrap();
    let output = demo(&["--lang", "ko", "--quit", "--json"], place.path()).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "no control codes in a pipe");
    promises(&serde_json::from_slice(&output.stdout).unwrap(), "ko");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn the_english_demo_keeps_its_promises_and_serves_until_it_is_told_to_end() {
    let place = tempfile::tempdir().unwrap();
    let mut running = demo(&["--lang", "en", "--json"], place.path());
    let mut stderr = BufReader::new(running.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("Ctrl-C") {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "it ended:\n{said}");
    }
    let after = |label: &str| said.lines().find_map(|line| line.strip_prefix(label)).unwrap().trim().to_owned();
    assert!(get(&after("Mails caught: ")).contains("<!doctype html>"));
    assert!(get(&format!("{}healthz", after("Where their links lead: "))).contains(" 200 "));
    // what it says to type next does what it says
    for line in said.lines().filter_map(|line| line.strip_prefix("  dangol ")) {
        let next = Command::new(env!("CARGO_BIN_EXE_dangol")).args(line.split(' ')).output().unwrap();
        assert!(next.status.success() && !next.stdout.is_empty(), "{line}: {}", String::from_utf8_lossy(&next.stderr));
    }
    let told = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(told.success());
    let mut summary = String::new();
    running.stdout.take().unwrap().read_to_string(&mut summary).unwrap();
    assert!(running.wait().unwrap().success());
    promises(&serde_json::from_str(&summary).unwrap(), "en");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing is left behind");
}

fn get(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let mut stream = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).unwrap();
    write!(stream, "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", url.path(), url.authority()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
