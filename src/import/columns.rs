//! Which of their columns is which of ours: by name, by the names that shops and Excel use in Korean and English, or as
//! `--map theirs=ours` says.

use super::rejects::COLUMNS;
use crate::config::nearest;
use serde::Serialize;
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

/// A field of a kind, and what others call it.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Our name.
    pub name: &'static str,
    /// Their names, in small letters and without spaces and signs.
    pub aliases: &'static [&'static str],
}

/// What a kind of file wants of its columns.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The kind, for messages.
    pub kind: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
    /// Of each group, one has to be there.
    pub needed: &'static [&'static [&'static str]],
    /// Whether other columns become attributes; else they are left out.
    pub attributes: bool,
    /// Attributes that others call otherwise.
    pub known_attributes: &'static [Field],
}

/// Where a column goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into a field of ours, by its number.
    Field(usize),
    /// Into an attribute.
    Attribute(Arc<str>),
    /// Nowhere.
    Ignored,
}

/// A column and where it goes, for the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapped {
    /// Their name.
    pub theirs: String,
    /// Ours; none when the column is left out.
    pub ours: Option<String>,
}

/// Where each column goes.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// In the order of the columns.
    pub targets: Vec<Target>,
    /// The same with names.
    pub named: Vec<Mapped>,
    /// The file is one that we wrote: rejected rows, mended.
    pub rejected: bool,
}

/// The most columns that a file may have.
const MOST: usize = 1_000;

/// A name without what differs between spellings: `E-Mail Address` is `emailaddress`.
pub fn plain(name: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || *c == '#';
    name.nfc().filter(kept).flat_map(char::to_lowercase).collect()
}

/// The attribute of a column: `attr.City` and `City` are `City`; spaces become `_`.
fn attribute(name: &str) -> String {
    let name = name.trim().trim_start_matches('\u{feff}');
    let name = name.strip_prefix("attr.").unwrap_or(name);
    let words: Vec<&str> =
        name.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    words.join("_").nfc().take(100).collect()
}

impl Shape {
    fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    fn alias(&self, plain_name: &str) -> Option<usize> {
        self.fields.iter().position(|f| plain(f.name) == plain_name || f.aliases.contains(&plain_name))
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }

    /// Where one name goes by itself, without regard to other columns.
    pub fn target(&self, theirs: &str) -> Target {
        let trimmed = theirs.trim().trim_start_matches('\u{feff}');
        if let Some(field) = self.field(trimmed) {
            return Target::Field(field);
        }
        if !trimmed.starts_with("attr.")
            && let Some(field) = self.alias(&plain(trimmed))
        {
            return Target::Field(field);
        }
        if let Some(known) = self.known_attributes.iter().find(|f| f.aliases.contains(&plain(trimmed).as_str())) {
            return Target::Attribute(known.name.into());
        }
        let name = attribute(theirs);
        if self.attributes && !name.is_empty() { Target::Attribute(name.into()) } else { Target::Ignored }
    }

    /// Where a name goes that has to be one of ours, or `attr.NAME` where there are attributes.
    ///
    /// # Errors
    /// That it is none, with the nearest that is.
    pub(super) fn exact(&self, key: &str) -> Result<Target, String> {
        if let Some(field) = self.field(key) {
            return Ok(Target::Field(field));
        }
        let named = key.strip_prefix("attr.").is_some_and(|name| !name.trim().is_empty());
        if self.attributes && (named || key == "attributes") {
            return Ok(Target::Attribute(attribute(key).into()));
        }
        let shown: String = key.chars().take(60).collect();
        let other = self.shown(&self.target(key)).filter(|ours| {
            self.field(ours).is_some() || self.known_attributes.iter().any(|f| ours == &format!("attr.{}", f.name))
        });
        let help = match other {
            Some(ours) => format!("did you mean `{ours}`?"),
            None => nearest(key, self.names()).unwrap_or_default(),
        };
        let or = if self.attributes { format!("; an attribute is written `attr.{shown}`") } else { String::new() };
        Err(format!("{} have no member `{shown}`; {help}{or}", self.kind))
    }

    /// Where `--map` sends a column.
    pub(super) fn asked(&self, theirs: &str, ours: &str) -> Result<Target, String> {
        let ours = ours.trim();
        if ours.is_empty() || ours == "-" {
            return Ok(Target::Ignored);
        }
        if let Some(field) = self.field(ours) {
            return Ok(Target::Field(field));
        }
        if self.attributes && ours.starts_with("attr.") && ours.len() > 5 {
            return Ok(Target::Attribute(attribute(ours).into()));
        }
        let help = nearest(ours, self.names()).unwrap_or_default();
        let or = if self.attributes { ", or attr.NAME" } else { "" };
        Err(format!("--map {theirs}={ours}: {} have no `{ours}`{or}; {help}", self.kind))
    }

    /// Where each of `header`'s columns goes.
    ///
    /// # Errors
    /// What is missing or doubtful, naming what was found.
    pub fn mapping(&self, header: &[&str], maps: &[(String, String)]) -> Result<Mapping, String> {
        if header.len() > MOST {
            return Err(format!(
                "the first line has {} columns, and {MOST} are the most; is this a CSV file?",
                header.len()
            ));
        }
        let rejected = header.len() > COLUMNS.len() && header[..COLUMNS.len()] == COLUMNS;
        let mut targets: Vec<Option<Target>> = vec![None; header.len()];
        if rejected {
            targets[..COLUMNS.len()].fill(Some(Target::Ignored));
        }
        for (theirs, ours) in maps {
            let Some(at) = header.iter().position(|name| plain(name) == plain(theirs)) else {
                let help = nearest(theirs, header.iter().copied()).unwrap_or_default();
                return Err(format!("--map {theirs}={ours}: the file has no column `{theirs}`; {help}"));
            };
            targets[at] = Some(self.asked(theirs, ours)?);
        }
        let taken = |targets: &[Option<Target>], field| targets.contains(&Some(Target::Field(field)));
        // our own names first, so that `email` beside `e-mail (old)` is no question
        for (at, name) in header.iter().enumerate() {
            if targets[at].is_none()
                && let Some(field) = self.field(name.trim().trim_start_matches('\u{feff}'))
                && !taken(&targets, field)
            {
                targets[at] = Some(Target::Field(field));
            }
        }
        let by_name: Vec<bool> = (0..self.fields.len()).map(|field| taken(&targets, field)).collect();
        for (at, name) in header.iter().enumerate() {
            if targets[at].is_some() {
                continue;
            }
            let target = match self.target(name) {
                // another column has that very name: this one is something else
                Target::Field(field) if by_name[field] => self.other(name),
                target => target,
            };
            if target != Target::Ignored
                && let Some(other) = targets.iter().position(|t| t.as_ref() == Some(&target))
            {
                let ours = self.shown(&target).unwrap_or_default();
                return Err(format!(
                    "the columns `{}` and `{}` both look like `{ours}`: leave one out with --map \"{}=\"",
                    header[other].trim(),
                    name.trim(),
                    name.trim()
                ));
            }
            targets[at] = Some(target);
        }
        let targets: Vec<Target> = targets.into_iter().map(|t| t.unwrap_or(Target::Ignored)).collect();
        self.complete(header, &targets)?;
        let named = header
            .iter()
            .zip(&targets)
            .map(|(theirs, target)| Mapped { theirs: (*theirs).trim().to_owned(), ours: self.shown(target) });
        let named = named.collect();
        Ok(Mapping { targets, named, rejected })
    }

    fn other(&self, name: &str) -> Target {
        let name = attribute(name);
        if self.attributes && !name.is_empty() && self.field(&name).is_none() {
            Target::Attribute(name.into())
        } else {
            Target::Ignored
        }
    }

    fn complete(&self, header: &[&str], targets: &[Target]) -> Result<(), String> {
        for group in self.needed {
            let there = group.iter().filter_map(|name| self.field(name)).any(|f| targets.contains(&Target::Field(f)));
            if !there {
                let found: Vec<String> = header.iter().take(30).map(|name| format!("`{}`", name.trim())).collect();
                let near = group.iter().find_map(|ours| {
                    let help = nearest(ours, header.iter().map(|name| name.trim()))?;
                    let theirs = help.strip_prefix("did you mean `")?.strip_suffix("`?")?.to_owned();
                    Some(format!("; is it `{theirs}`? Then add --map \"{theirs}={ours}\""))
                });
                let near = near.unwrap_or_else(|| format!("; say which it is with --map theirs={}", group[0]));
                return Err(format!(
                    "{} need a column {}, and the first line has {}{near}",
                    self.kind,
                    group.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "),
                    found.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// Our name of a target.
    pub fn shown(&self, target: &Target) -> Option<String> {
        match target {
            Target::Field(field) => self.fields.get(*field).map(|field| field.name.to_owned()),
            Target::Attribute(name) => Some(format!("attr.{name}")),
            Target::Ignored => None,
        }
    }
}
