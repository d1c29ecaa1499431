//! Where in its files a template fails that is well written and only lacks something for some reader, such as a name that
//! not everybody has. For `check`, which tries templates on real customers.

use super::compile::Compiled;
use super::expand::{self, shown};
use super::expr::{self, Kind};
use super::front;
use super::library::{Library, Markup};
use super::merge::RenderError;
use crate::config::Problem;
use crate::types::locale::Locale;

impl Compiled {
    /// The mistake behind `error`, met with a reader of `locale`, at its place in the files of the template `name`.
    pub fn blame(
        &self,
        library: &Library,
        name: &str,
        locale: &Locale,
        error: &RenderError,
        message: String,
    ) -> Problem {
        let variant = self.variant(locale);
        let mut files: Vec<String> = Vec::new();
        for markups in [&[Markup::Mjml, Markup::Html][..], &[Markup::Text]] {
            if let Some(path) = library.find(name, variant.tag(), markups) {
                files.extend(expand::expand(library, &self.options, &variant.language, path).0.files);
            }
        }
        let found = match error {
            RenderError::Missing { variable } => files.iter().find_map(|path| {
                let source = library.source(path);
                let (front, _) = front::read(&shown(path), source);
                // in TOML an expression is written otherwise, so the whole text is pointed at
                let mut head = [front.subject, front.preheader].into_iter().flatten();
                let head = head.find(|placed| missing(&placed.text, 0, variable).is_some());
                let body = || missing(source, front.body, variable).map(|at| at..at + variable.len());
                Some((path, head.map(|placed| placed.span).or_else(body)?))
            }),
            RenderError::EmptySubject => files.first().and_then(|path| {
                let (front, _) = front::read(&shown(path), library.source(path));
                Some((path, front.subject?.span))
            }),
            RenderError::TooLarge | RenderError::Other(_) => None,
        };
        match found {
            Some((path, span)) => Problem::at(&shown(path), library.source(path), span, "render", message),
            None => {
                let main = files.first().map_or_else(|| format!("templates/{name}"), |path| shown(path));
                Problem::whole(&main, "render", message)
            }
        }
    }
}

/// The first place at which `variable` is shown and has no fallback.
fn missing(source: &str, from: usize, variable: &str) -> Option<usize> {
    expr::parts(source, from).ok()?.into_iter().find_map(|part| {
        let raw = &source[part.range.clone()];
        matches!(part.kind?, Kind::Value | Kind::Open | Kind::Else | Kind::Partial).then_some(())?;
        let words = expr::words(expr::inner(raw));
        let bare = |word: &str| word.trim_matches(['(', ')']).rsplit('=').next() == Some(variable);
        (words.first() != Some(&"default") && words.iter().any(|word| bare(word))).then_some(())?;
        Some(part.range.start + raw.find(variable)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_fallback_is_not_to_blame() {
        let source = "{{default customer.name \"x\"}} {{customer.names}} {{upper customer.name}} {{customer.name}}";
        assert_eq!(missing(source, 0, "customer.name"), source.find("{{upper").map(|at| at + 8));
        assert_eq!(missing("{{a}} {{b}} {{a}}", 5, "a"), Some(14));
        assert_eq!(missing("{{> partials/x label=customer.city}}", 0, "customer.city"), Some(21));
        assert_eq!(missing("{{", 0, "x"), None);
    }
}
