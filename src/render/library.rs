//! The template files of a workspace or of a revision, and how one is found by its name.
//!
//! `letters/spring` is `letters/spring.mjml`, or for Korean readers `letters/spring.ko.mjml`: the exact tag wins, then
//! the language, then none.

use crate::types::locale::Locale;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Templates with their texts, pictures with the hashes of their contents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// Path from `templates/`, such as `letters/spring.ko.mjml`, to the file's text.
    pub templates: BTreeMap<String, String>,
    /// Path from `assets/`, such as `logo.png`, to the hash under which the picture is served.
    pub assets: BTreeMap<String, String>,
}

/// What a template is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Markup {
    Mjml,
    Html,
    Text,
}

/// A path taken apart: `letters/spring.ko.mjml` is `letters/spring`, `ko`, MJML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileName<'a> {
    pub name: &'a str,
    pub tag: Option<Locale>,
    pub markup: Markup,
}

pub(crate) fn file_name(path: &str) -> Option<FileName<'_>> {
    let (stem, ending) = path.rsplit_once('.')?;
    let markup = match ending {
        "mjml" => Markup::Mjml,
        "html" => Markup::Html,
        "txt" => Markup::Text,
        _ => return None,
    };
    let base = stem.rfind('/').map_or(0, |i| i + 1);
    let (name, tag) = match stem[base..].rsplit_once('.') {
        Some((short, tag)) if !short.is_empty() => match tag.parse() {
            Ok(locale) => (&stem[..base + short.len()], Some(locale)),
            Err(_) => (stem, None),
        },
        _ => (stem, None),
    };
    Some(FileName { name, tag, markup })
}

impl Library {
    /// The names under which a campaign can send, without layouts and partials.
    pub fn names(&self) -> BTreeSet<&str> {
        self.templates
            .keys()
            .filter(|path| !path.starts_with("layouts/") && !path.starts_with("partials/"))
            .filter_map(|path| file_name(path).map(|file| file.name))
            .collect()
    }

    /// Whether a path's ending is that of a template.
    pub fn is_template(path: &str) -> bool {
        file_name(path).is_some()
    }

    /// Whether there is a template of this name.
    pub fn has(&self, name: &str) -> bool {
        self.templates.keys().any(|path| file_name(path).is_some_and(|file| file.name == name))
    }

    /// The file of `name` in one of `markups` (the first that there is wins within a language) for readers of `tag`.
    pub(crate) fn find(&self, name: &str, tag: Option<&Locale>, markups: &[Markup]) -> Option<&str> {
        let files = |wanted: Option<&str>| {
            markups.iter().find_map(|markup| {
                self.templates.keys().map(String::as_str).find(|path| {
                    file_name(path).is_some_and(|file| {
                        file.name == name && file.markup == *markup && file.tag.as_ref().map(Locale::as_str) == wanted
                    })
                })
            })
        };
        let tagged = tag.and_then(|tag| files(Some(tag.as_str())).or_else(|| files(Some(tag.language()))));
        tagged.or_else(|| files(None))
    }

    /// The languages in which `name` is written; `None` is the file without one.
    pub(crate) fn tags(&self, name: &str) -> BTreeSet<Option<Locale>> {
        self.templates
            .keys()
            .filter_map(|path| file_name(path))
            .filter(|file| file.name == name)
            .map(|file| file.tag)
            .collect()
    }

    /// Every name that starts with `folder`, for messages.
    pub(crate) fn names_in<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.templates
            .keys()
            .filter_map(|path| file_name(path).map(|file| file.name))
            .filter(move |n| n.starts_with(folder))
    }

    /// The text of a file; empty when it is not there.
    pub(crate) fn source(&self, path: &str) -> &str {
        self.templates.get(path).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_languages_and_endings_are_told_apart() {
        let parts = |path| file_name(path).map(|f| (f.name.to_owned(), f.tag.map(|t| t.to_string())));
        assert_eq!(parts("letters/spring.ko.mjml"), Some(("letters/spring".into(), Some("ko".into()))));
        assert_eq!(parts("letters/spring.mjml"), Some(("letters/spring".into(), None)));
        assert_eq!(parts("a.b/v1.2.html"), Some(("a.b/v1.2".into(), None)));
        assert_eq!(parts("x.zh-Hant-TW.txt").unwrap().1.unwrap(), "zh-Hant-TW");
        assert_eq!(parts("readme.md"), None);
    }

    #[test]
    fn the_exact_tag_wins_then_the_language_then_none() {
        let paths = ["a.mjml", "a.en.html", "a.en-GB.html", "a.ko.mjml"];
        let library = Library {
            templates: paths.iter().map(|p| ((*p).to_owned(), String::new())).collect(),
            ..Library::default()
        };
        let find = |tag: &str| library.find("a", Some(&tag.parse().unwrap()), &[Markup::Mjml, Markup::Html]).unwrap();
        assert_eq!(find("en-GB"), "a.en-GB.html");
        assert_eq!(find("en-US"), "a.en.html");
        assert_eq!(find("ko-KR"), "a.ko.mjml");
        assert_eq!(find("fr"), "a.mjml");
    }
}
