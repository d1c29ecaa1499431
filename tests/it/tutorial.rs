//! The tutorial is run: every `sh` block of `docs/tutorial.md` as it stands there, in one shell, and the `text` block below
//! it is what is answered. It needs `bash` and `curl`, as its readers do.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// Stands for what was left out: a whole line for any number of lines, in a line for any number of words.
const LEFT_OUT: &str = "…";

/// A command block, and what it is to answer; `None` where the page says nothing of it.
struct Block {
    line: usize,
    commands: String,
    answer: Option<String>,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else { continue };
        let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        match kind {
            "sh" => blocks.push(Block { line: at + 1, commands: body.join("\n"), answer: None }),
            "text" => {
                let last = blocks.last_mut().unwrap();
                assert!(last.answer.is_none(), "line {}: a second answer to one block", at + 1);
                last.answer = Some(body.join("\n"));
            }
            other => panic!("line {}: a block of `{other}`, which nobody runs", at + 1),
        }
    }
    blocks
}

/// Whether the words are the same; of moments only the form, and of figures that decay with the hours only the size.
fn same_word(told: &str, found: &str) -> bool {
    if let Some((head, tail)) = told.split_once(LEFT_OUT) {
        return found.len() >= head.len() + tail.len() && found.starts_with(head) && found.ends_with(tail);
    }
    let moment = |word: &str| -> Option<String> {
        let form: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        ["0000-00-00", "00:00"].contains(&form.as_str()).then_some(form)
    };
    let figure = |word: &str| word.contains('.').then(|| word.parse::<f64>().ok()).flatten();
    match (moment(told), moment(found), figure(told), figure(found)) {
        (Some(told), Some(found), ..) => told == found,
        (.., Some(told), Some(found)) => (told - found).abs() < 3.0,
        _ => told == found,
    }
}

fn same_words(told: &[&str], found: &[&str]) -> bool {
    match told.split_first() {
        None => found.is_empty(),
        Some((&LEFT_OUT, rest)) => (0..=found.len()).any(|n| same_words(rest, &found[n..])),
        Some((word, rest)) => {
            found.split_first().is_some_and(|(first, others)| same_word(word, first) && same_words(rest, others))
        }
    }
}

fn same_lines(told: &[&str], found: &[&str]) -> bool {
    match told.split_first() {
        None => found.is_empty(),
        Some((line, rest)) if line.trim() == LEFT_OUT => (0..=found.len()).any(|n| same_lines(rest, &found[n..])),
        Some((line, rest)) => found.split_first().is_some_and(|(first, others)| {
            let (told, found): (Vec<&str>, Vec<&str>) =
                (line.split_whitespace().collect(), first.split_whitespace().collect());
            same_words(&told, &found) && same_lines(rest, others)
        }),
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim().is_empty()).collect()
}

/// What a shell answers to the blocks, one after another.
fn answers(blocks: &[Block]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut script = String::from("exec 2>&1\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n");
    for block in blocks {
        let commands = block.commands.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));
        script.push_str(&format!("echo '@@'\n{commands}\n"));
    }
    let ours = Path::new(env!("CARGO_BIN_EXE_dangol")).parent().unwrap();
    let theirs = std::env::var("PATH").unwrap();
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(dir.path())
        .env_clear()
        .env("PATH", format!("{}:{theirs}", ours.display()))
        .env("HOME", dir.path())
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .expect("the tutorial needs bash");
    let said = String::from_utf8(output.stdout).unwrap();
    said.split("@@\n").skip(1).map(str::to_owned).collect()
}

#[test]
fn every_command_of_the_tutorial_answers_what_the_tutorial_says() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md")).unwrap();
    let blocks = blocks(&page);
    assert!(blocks.len() > 10 && blocks.iter().filter(|block| block.answer.is_some()).count() > 10);
    let answers = answers(&blocks);
    assert_eq!(answers.len(), blocks.len());
    for (block, found) in blocks.iter().zip(&answers) {
        let Some(told) = &block.answer else { continue };
        assert!(
            same_lines(&lines(told), &lines(found)),
            "docs/tutorial.md, line {}: it tells\n\n{told}\n\nand the commands answer\n\n{found}",
            block.line
        );
    }
}

#[test]
fn what_was_left_out_hides_no_difference() {
    let same = |told: &str, found: &str| same_lines(&lines(told), &lines(found));
    assert!(same("a\n…\nd 2026-11-22 15:20 97.0 …", "a\nb\nc\nd 2031-01-02 03:04 96.1 #7 x"));
    assert!(!same("a\n…\nd", "a\nb\nc"));
    assert!(!same("5 accepted", "4 accepted"));
    assert!(!same("score 97.0 of 100", "score 47.0 of 100"));
    assert!(!same("a", "a\nb"), "a line more than was told");
    assert!(!same("on 2026-11-22", "on Monday"));
}
