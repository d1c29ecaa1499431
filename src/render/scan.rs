//! Follows markup character by character, as far as it takes to know what a place in it is: text, a tag, an attribute's
//! value, a comment. It builds no tree and corrects nothing.

use super::tags;

/// Where the scanner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Between tags, where text may stand.
    Content,
    /// Between tags, where only elements may stand: in `<table>` or `<mj-section>`.
    Structure,
    /// In a tag, but not in a value.
    Tag,
    /// In an attribute's value.
    Value,
    /// In a comment, a style or a title: nothing there is markup.
    Raw,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Text,
    Open,
    Name,
    InTag,
    BeforeValue,
    Quoted(char),
    Bare,
    Comment,
    Bang,
    /// Until `</name`.
    RawText(String),
}

/// A tag that has just ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub name: String,
    pub closes: bool,
    /// The element around it.
    pub parent: Option<String>,
    /// Of a closing tag: the innermost element that was open, which should be the one that it closes.
    pub closed: Option<String>,
    /// The byte of the fed text at which it began, counted over all feeds.
    pub start: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Scan {
    state: State,
    name: String,
    last: char,
    tail: String,
    start: usize,
    fed: usize,
    /// The elements that are open.
    pub stack: Vec<String>,
    /// The tags that ended since it was last emptied.
    pub tags: Vec<Tag>,
}

impl Scan {
    pub(crate) fn new() -> Scan {
        Scan {
            state: State::Text,
            name: String::new(),
            last: ' ',
            tail: String::new(),
            start: 0,
            fed: 0,
            stack: Vec::new(),
            tags: Vec::new(),
        }
    }

    pub(crate) fn place(&self) -> Place {
        match self.state {
            State::Text | State::Open => {
                let structure = self.stack.last().is_some_and(|tag| tags::holds_elements_only(tag));
                if structure { Place::Structure } else { Place::Content }
            }
            State::Name | State::InTag => Place::Tag,
            State::BeforeValue | State::Quoted(_) | State::Bare => Place::Value,
            State::Comment | State::Bang | State::RawText(_) => Place::Raw,
        }
    }

    /// An expression stands here: a bare value goes on with it.
    pub(crate) fn expression(&mut self) {
        if self.state == State::BeforeValue {
            self.state = State::Bare;
        }
    }

    pub(crate) fn feed(&mut self, text: &str) {
        for c in text.chars() {
            self.step(c);
            self.last = c;
            self.fed += c.len_utf8();
        }
    }

    fn step(&mut self, c: char) {
        match &self.state {
            State::Text if c == '<' => {
                self.state = State::Open;
                self.start = self.fed;
                self.name.clear();
            }
            State::Text => {}
            State::Open if c.is_ascii_alphabetic() || c == '/' => {
                self.state = State::Name;
                self.name.push(c.to_ascii_lowercase());
            }
            State::Open if c == '!' || c == '?' => {
                self.state = State::Bang;
                self.tail = c.to_string();
            }
            State::Open => self.state = State::Text,
            State::Bang => {
                self.tail.push(c);
                if self.tail == "!--" {
                    self.state = State::Comment;
                    self.tail.clear();
                } else if c == '>' {
                    self.state = State::Text;
                }
            }
            State::Comment => {
                self.tail.push(c);
                if self.tail.ends_with("-->") {
                    self.state = State::Text;
                }
                if self.tail.len() > 64 {
                    self.tail = self.tail.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
                }
            }
            State::Name if c == '>' => self.end_tag(),
            State::Name if c.is_whitespace() || (c == '/' && self.name != "/") => self.state = State::InTag,
            State::Name => self.name.push(c.to_ascii_lowercase()),
            State::InTag if c == '>' => self.end_tag(),
            State::InTag if c == '=' => self.state = State::BeforeValue,
            State::InTag => {}
            State::BeforeValue if c == '"' || c == '\'' => self.state = State::Quoted(c),
            State::BeforeValue if c.is_whitespace() => {}
            State::BeforeValue if c == '>' => self.end_tag(),
            State::BeforeValue => self.state = State::Bare,
            State::Quoted(q) if c == *q => self.state = State::InTag,
            State::Quoted(_) => {}
            State::Bare if c.is_whitespace() => self.state = State::InTag,
            State::Bare if c == '>' => self.end_tag(),
            State::Bare => {}
            State::RawText(name) => {
                self.tail.push(c.to_ascii_lowercase());
                if self.tail.ends_with(&format!("</{name}")) {
                    self.name = format!("/{name}");
                    self.start = (self.fed + 1).saturating_sub(self.name.len() + 1);
                    self.state = State::Name;
                } else if self.tail.len() > 256 {
                    self.tail = self.tail.chars().rev().take(24).collect::<Vec<_>>().into_iter().rev().collect();
                }
            }
        }
    }

    fn end_tag(&mut self) {
        self.state = State::Text;
        let closes = self.name.starts_with('/');
        let name = self.name.trim_start_matches('/').to_owned();
        let closed = self.stack.last().cloned().filter(|_| closes);
        if closes && let Some(at) = self.stack.iter().rposition(|open| *open == name) {
            self.stack.truncate(at);
        } else if closes && name.starts_with("mj") {
            // a misspelt closing tag; taken for the right one, so that one mistake is told once
            self.stack.pop();
        }
        let parent = self.stack.last().cloned();
        self.tags.push(Tag { name: name.clone(), closes, parent, closed, start: self.start });
        if closes || self.last == '/' || tags::is_void(&name) {
            return;
        }
        self.stack.push(name.clone());
        if tags::is_raw(&name) {
            self.state = State::RawText(name);
            self.tail.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        let mut scan = Scan::new();
        scan.feed(text);
        scan.place()
    }

    #[test]
    fn places_are_told_apart() {
        for (text, expected) in [
            ("<p>hi ", Place::Content),
            ("<table>", Place::Structure),
            ("<table><tr><td>", Place::Content),
            ("<table><tr><td></td>", Place::Structure),
            ("<a ", Place::Tag),
            ("<a href=\"x", Place::Value),
            ("<a href=", Place::Value),
            ("<a href='x'", Place::Tag),
            ("<a href=x ", Place::Tag),
            ("<!-- x ", Place::Raw),
            ("<!-- x -->", Place::Content),
            ("<style>a > b {", Place::Raw),
            ("<style>a</style>", Place::Content),
            ("<br/><img src=\"a\">", Place::Content),
            ("<mj-section>", Place::Structure),
            ("<mj-text>a < b ", Place::Content),
            ("<!DOCTYPE html>", Place::Content),
            ("<a title=\"1 > 0\">", Place::Content),
        ] {
            assert_eq!(place(text), expected, "{text}");
        }
    }
}
