//! A mistake in a file: what, where, and what to do. `check` collects all of them; nothing stops at the first.

use serde::Serialize;
use std::fmt::Write as _;
use std::ops::Range;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// A mistake in a file of the workspace.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Problem {
    /// The file, from the workspace, with `/`.
    pub file: String,
    /// From 1; 0 when it is the whole file.
    pub line: usize,
    /// In characters, from 1; 0 when it is the whole file.
    pub column: usize,
    /// What sort, in kebab-case, such as `unknown-key`.
    pub code: &'static str,
    /// What was found and what is expected. One sentence without a full stop.
    pub message: String,
    /// What to do; the nearest right name.
    pub help: Option<String>,
    /// Whether it keeps the workspace from being used, or is only worth a look.
    #[serde(skip)]
    pub severity: Severity,
    /// The source line, and how many characters of it are meant.
    #[serde(skip)]
    pub excerpt: Option<(String, usize)>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is launched while it stands.
    Error,
    /// Worth a look.
    Warning,
}

impl Problem {
    /// A mistake at bytes `span` of `source`, the text of `file`.
    pub fn at(file: &str, source: &str, span: Range<usize>, code: &'static str, message: impl Into<String>) -> Problem {
        let start = floor(source, span.start);
        let end = floor(source, span.end.max(start));
        let line_start = source[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |i| start + i);
        let text = source[line_start..line_end].trim_end_matches('\r').to_owned();
        let marked = source[start..end.min(line_end)].chars().count().max(1);
        Problem {
            file: file.to_owned(),
            line: source[..start].matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            code,
            message: message.into(),
            help: None,
            severity: Severity::Error,
            excerpt: Some((masked(&text), marked)),
        }
    }

    /// A mistake of a file as a whole.
    pub fn whole(file: &str, code: &'static str, message: impl Into<String>) -> Problem {
        Problem {
            file: file.to_owned(),
            line: 0,
            column: 0,
            code,
            message: message.into(),
            help: None,
            severity: Severity::Error,
            excerpt: None,
        }
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// With what to do, when there is something.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Problem {
        self.help = help.or(self.help);
        self
    }

    /// As a warning.
    #[must_use]
    pub fn warning(mut self) -> Problem {
        self.severity = Severity::Warning;
        self
    }

    /// As a person reads it in a terminal:
    /// ```text
    /// error[unknown-key]: `sement` is not a key of [audience]
    ///  --> campaigns/spring.toml:5:1
    ///   |
    /// 5 | sement = "subscribers"
    ///   | ^^^^^^
    ///   = help: did you mean `segment`?
    /// ```
    pub fn render(&self) -> String {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut out = format!("{word}[{}]: {}\n", self.code, self.message);
        let gutter = self.line.to_string().len();
        if self.line == 0 {
            let _ = writeln!(out, "{:gutter$}--> {}", "", self.file);
        } else {
            let _ = writeln!(out, "{:gutter$}--> {}:{}:{}", "", self.file, self.line, self.column);
        }
        if let Some((text, marked)) = &self.excerpt {
            let before: String = text.chars().take(self.column - 1).collect();
            let meant: String = text.chars().skip(self.column - 1).take(*marked).collect();
            // long lines are cut around the place, tabs are one column, wide characters two
            let skip = before.width().saturating_sub(90);
            let (mut dropped, mut shown) = (0, String::new());
            for c in text.chars() {
                if dropped < skip {
                    dropped += c.width().unwrap_or(0);
                } else if shown.width() < 140 {
                    shown.push(if c == '\t' { ' ' } else { c });
                }
            }
            let pad = before.replace('\t', " ").width() - dropped.min(before.width());
            let _ = writeln!(out, "{:gutter$} |\n{} | {shown}", "", self.line);
            let _ = writeln!(out, "{:gutter$} | {}{}", "", " ".repeat(pad), "^".repeat(meant.width().clamp(1, 100)));
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "{:gutter$} = help: {help}", "");
        }
        out
    }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A line without the passwords in it: messages end in logs of CI. Each character stays one.
pub(super) fn masked(line: &str) -> String {
    let mut hidden: Vec<Range<usize>> = Vec::new();
    for (at, mark) in line.match_indices("://") {
        let start = at + mark.len();
        let end = line[start..].find(['"', '\'', ' ']).map_or(line.len(), |i| start + i);
        if let Some((user, _)) = line[start..end].rsplit_once('@')
            && let Some(colon) = user.find(':')
        {
            hidden.push(start + colon + 1..start + user.len());
        }
    }
    let lower = line.to_ascii_lowercase();
    if let Some((key, _)) = lower.split_once('=')
        && ["password", "passwd", "secret", "token"].iter().any(|word| key.contains(word))
    {
        hidden.push(key.len() + 1..line.len());
    }
    let secret = |at: usize| hidden.iter().any(|range| range.contains(&at));
    let shown = |(at, c)| if secret(at) && ![' ', '"', '\''].contains(&c) { '*' } else { c };
    line.char_indices().map(shown).collect()
}

/// `did you mean …?` with the nearest of `names`, when one is near; else, when they are few, all of them.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut names: Vec<&str> = names.into_iter().collect();
    let lower = word.to_lowercase();
    let folder = format!("/{lower}");
    let mut inside = names.iter().filter(|name| name.to_lowercase().ends_with(&folder));
    if let (Some(name), None) = (inside.next(), inside.next())
        && !lower.is_empty()
    {
        return Some(format!("did you mean `{name}`?"));
    }
    let best = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), *name))
        .min_by_key(|(distance, _)| *distance);
    if let Some((distance, name)) = best
        && distance <= (word.chars().count().max(name.chars().count()) / 3).max(1)
    {
        return Some(format!("did you mean `{name}`?"));
    }
    names.sort_unstable();
    match names.len() {
        0 => None,
        1..=20 => Some(format!("known are: {}", names.join(", "))),
        n => Some(format!("known are {n} names, among them: {}, …", names[..12].join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_under_wide_characters() {
        let source = "a = 1\n\"이름\" = \"홍길동\"\n";
        let start = source.find("\"홍").unwrap();
        let problem = Problem::at("x.toml", source, start..start + 11, "code", "wrong");
        assert_eq!((problem.line, problem.column), (2, 8));
        let text = problem.render();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[3], "2 | \"이름\" = \"홍길동\"");
        assert_eq!(lines[4], "  |          ^^^^^^^^");
    }

    #[test]
    fn passwords_are_not_shown() {
        for (line, shown) in [
            ("url = \"postgres://u:s3cr3t@h/d\" # x", "url = \"postgres://u:******@h/d\" # x"),
            ("url = 'mysql://비밀:비/밀@h'", "url = 'mysql://비밀:***@h'"),
            ("url = \"smtp://u:p@ss@h:587\"", "url = \"smtp://u:****@h:587\""),
            ("password = \"hunter2\"", "password = \"*******\""),
            ("at = 09:30 # http://a.example:80/x", "at = 09:30 # http://a.example:80/x"),
        ] {
            assert_eq!(masked(line), shown);
        }
    }

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(nearest("spring", ["letters/spring", "letters/x"]).unwrap(), "did you mean `letters/spring`?");
        assert_eq!(nearest("sement", ["segment", "exclude"]).unwrap(), "did you mean `segment`?");
        assert_eq!(nearest("xyzzy", ["b", "a"]).unwrap(), "known are: a, b");
        assert_eq!(nearest("x", []), None);
    }
}
