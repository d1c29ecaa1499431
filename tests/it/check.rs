//! `check` on a gallery of broken workspaces: each is what `init` writes, with something broken, and what is told of it
//! is a snapshot. Read them as a marketer: can the file be mended from the message alone?

mod campaigns;
mod files;
mod journeys;
mod rewards;
mod segments;
mod settings;
mod surveys;
mod syntax;
mod templates;
mod together;

use dangol::campaign::check;
use dangol::config::reading::Reading;
use dangol::config::{Problem, init};
use std::path::PathBuf;
use tempfile::TempDir;

/// A workspace as `init` writes it, to be broken.
struct Shop {
    dir: TempDir,
}

impl Shop {
    fn new() -> Shop {
        let dir = tempfile::tempdir().unwrap();
        init::write(dir.path()).unwrap();
        Shop { dir }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    }

    fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        std::fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        std::fs::write(self.path(file), bytes).unwrap();
    }

    /// Puts one text in another's place.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {file}");
        self.write(file, text.replace(from, to));
    }

    fn append(&self, file: &str, text: &str) {
        self.write(file, self.read(file) + text);
    }

    fn remove(&self, file: &str) {
        std::fs::remove_file(self.path(file)).unwrap();
    }

    /// All that `check --offline` finds.
    fn problems(&self) -> Vec<Problem> {
        check::reading(&Reading::of(self.dir.path()), None)
    }
}

/// What is broken, and how.
type Case<'a> = (&'a str, &'a dyn Fn(&Shop));

/// Breaks a workspace in one way after the other, and gives what is told of each, under what was done.
fn gallery(cases: &[Case<'_>]) -> String {
    let mut told = String::new();
    for (done, break_it) in cases {
        let shop = Shop::new();
        break_it(&shop);
        let problems = shop.problems();
        assert!(!problems.is_empty(), "nothing is told of: {done}");
        told += &format!("━━ {done}\n\n");
        told += &problems.iter().map(|problem| problem.render() + "\n").collect::<String>();
    }
    told
}

/// The gallery as a snapshot under `snapshots/`.
fn shown(name: &str, cases: &[Case<'_>]) {
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(name, gallery(cases)) });
}

#[test]
fn what_init_writes_has_no_mistakes() {
    assert_eq!(Shop::new().problems(), []);
}
