//! Front matter: TOML between `---` lines at the top of a template.

use crate::config::{Problem, nearest, syntax};
use std::ops::Range;
use toml::de::DeValue;

/// The keys that front matter can have.
const KEYS: [&str; 3] = ["subject", "preheader", "layout"];

/// A value and where it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub text: String,
    pub span: Range<usize>,
}

/// What stands above a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Front {
    pub subject: Option<Placed>,
    pub preheader: Option<Placed>,
    pub layout: Option<Placed>,
    /// Where the template itself begins.
    pub body: usize,
}

/// A subject in front matter that cannot be read: that it is missing is not told of as well.
fn unread() -> Placed {
    Placed { text: String::new(), span: 0..0 }
}

/// Reads the front matter of `source`; `file` is for the messages.
pub(crate) fn read(file: &str, source: &str) -> (Front, Vec<Problem>) {
    let mut front = Front { body: source.len() - source.trim_start_matches('\u{feff}').len(), ..Front::default() };
    let mut lines = source[front.body..].split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return (front, Vec::new()) };
    let start = front.body + first.len();
    let mut end = start;
    let mut closed = false;
    for line in lines {
        if line.trim_end() == "---" {
            front.body = end + line.len();
            closed = true;
            break;
        }
        end += line.len();
    }
    if !closed {
        let problem = Problem::at(file, source, 0..3, "front-matter", "the front matter has no closing `---` line")
            .help("write `---` on a line of its own below subject and preheader");
        front.body = source.len();
        front.subject = Some(unread());
        return (front, vec![problem]);
    }
    let text = &source[start..end];
    let shift = |span: Range<usize>| span.start + start..span.end + start;
    let (table, mistakes) = syntax::parse(text);
    let spoilt: Vec<Range<usize>> = mistakes.iter().map(|m| syntax::line_of(text, m.span.start)).collect();
    let mut problems: Vec<Problem> = mistakes
        .into_iter()
        .map(|m| Problem::at(file, source, shift(m.span), "toml", m.message).maybe_help(m.help))
        .collect();
    for (key, value) in table.into_inner() {
        let name = key.get_ref().as_ref();
        if spoilt.iter().any(|line| line.contains(&key.span().start)) {
            continue;
        }
        let slot = match name {
            "subject" => &mut front.subject,
            "preheader" => &mut front.preheader,
            "layout" => &mut front.layout,
            _ => {
                let message = format!("`{name}` is not a key of a template's front matter");
                let problem = Problem::at(file, source, shift(key.span()), "unknown-key", message);
                problems.push(problem.maybe_help(nearest(name, KEYS)));
                continue;
            }
        };
        let span = shift(value.span());
        match value.into_inner() {
            DeValue::String(text) => *slot = Some(Placed { text: text.into_owned(), span }),
            _ => problems.push(
                Problem::at(file, source, span, "value", format!("`{name}` is a text"))
                    .help(format!("write {name} = \"…\"")),
            ),
        }
    }
    if !spoilt.is_empty() && front.subject.is_none() {
        front.subject = Some(unread());
    }
    problems.sort_by_key(|p| (p.line, p.column));
    (front, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_begins_below_the_second_line() {
        let source = "\u{feff}---\r\nsubject = \"봄\"\r\n---\r\n<mjml>";
        let (front, problems) = read("x", source);
        assert_eq!(problems, []);
        assert_eq!(front.subject.unwrap().text, "봄");
        assert_eq!(&source[front.body..], "<mjml>");
        assert_eq!(read("x", "no front").0, Front::default());
    }

    #[test]
    fn mistakes_point_into_the_file() {
        let (_, problems) = read("t.mjml", "---\nsubjct = \"x\"\npreheader = 3\n---\n");
        assert_eq!((problems[0].line, problems[0].column, problems[0].code), (2, 1, "unknown-key"));
        assert_eq!(problems[0].help.as_deref(), Some("did you mean `subject`?"));
        assert_eq!((problems[1].line, problems[1].column), (3, 13));
        assert_eq!(read("t", "---\nsubject = \"x\"\n").1[0].code, "front-matter");
    }
}
