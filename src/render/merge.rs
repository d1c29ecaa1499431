//! One reader's mail from a compiled template: the only part of rendering that is done per mail.

use super::compile::{Compiled, Variant};
use super::helpers::{Addresses, Lent};
use super::pieces::Text;
use super::text;
use crate::types::Timestamp;
use crate::types::locale::{Locale, Zone};
use handlebars::{Context, Output};
use serde_json::{Map, Value as Json};
use std::sync::atomic::AtomicUsize;

/// No mail is larger; Gmail clips at 102 KB.
pub const LARGEST: usize = 2 * 1024 * 1024;

/// Who a mail is for.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Their language; picks the variant of the template.
    pub locale: Locale,
    /// Their zone, for dates.
    pub timezone: Zone,
    /// The moment, for `now`.
    pub now: Timestamp,
    /// `customer` and whatever else the step knows, by name. Null and blank values count as missing.
    pub data: Map<String, Json>,
}

/// Makes the addresses of one mail.
pub trait Links: Send + Sync {
    /// A link of the template, by its number, that leads to `url`.
    fn click(&self, link: u16, url: &str) -> String;
    /// The picture that counts an open, when opens of this mail are counted.
    fn open_pixel(&self) -> Option<String>;
    /// The link that no reader sees, so that who follows it is a machine, when clicks of this mail are counted.
    fn honeypot(&self) -> Option<String>;
    /// The page that unsubscribes.
    fn unsubscribe(&self) -> String;
    /// The page of preferences.
    fn preferences(&self) -> String;
    /// The mail in a browser.
    fn view(&self) -> String;
    /// The page that takes an answer to a survey.
    fn survey(&self, survey: &str, answer: Option<&str>) -> String;
}

/// A mail's contents as they leave the merge, what is the same in every mail still lent by the template.
#[derive(Clone, Debug)]
pub struct Merged<'t> {
    /// As [`Rendered`] has it, and the others too.
    pub subject: String,
    /// What mail programs show beside the subject.
    pub preheader: String,
    /// The HTML part.
    pub html: Text<'t>,
    /// The text part.
    pub text: Text<'t>,
}

impl Merged<'_> {
    /// To be looked at.
    pub fn rendered(&self) -> Rendered {
        let (subject, preheader) = (self.subject.clone(), self.preheader.clone());
        Rendered { subject, preheader, html: self.html.to_string(), text: self.text.to_string() }
    }
}

impl<'a> From<&'a Rendered> for Merged<'a> {
    fn from(rendered: &'a Rendered) -> Merged<'a> {
        let (subject, preheader) = (rendered.subject.clone(), rendered.preheader.clone());
        Merged { subject, preheader, html: rendered.html.as_str().into(), text: rendered.text.as_str().into() }
    }
}

/// A mail's contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Without control characters; with the law's label.
    pub subject: String,
    /// What mail programs show beside the subject.
    pub preheader: String,
    /// The HTML part.
    pub html: String,
    /// The text part.
    pub text: String,
}

/// Why one reader's mail cannot be made; other readers' can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A value that this customer does not have.
    #[error("`{variable}` is missing for this customer: give it a fallback, {{{{default {variable} \"…\"}}}}")]
    Missing {
        /// As the template has it.
        variable: String,
    },
    /// More than 2 MiB.
    #[error("the mail is larger than 2 MiB: a loop in the template is too long")]
    TooLarge,
    /// A subject of nothing.
    #[error("the subject is empty for this customer")]
    EmptySubject,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// An output that stops at its limit.
pub(crate) struct Limited {
    pub text: String,
    limit: usize,
}

impl Limited {
    pub(crate) fn new(limit: usize, about: usize) -> Limited {
        Limited { text: String::with_capacity(about), limit }
    }

    /// Counts what goes out beside it.
    ///
    /// # Errors
    /// When there is no room for it.
    pub(crate) fn lend(&mut self, bytes: usize) -> Result<(), std::io::Error> {
        match self.limit.checked_sub(bytes).filter(|left| self.text.len() <= *left) {
            Some(left) => self.limit = left,
            None => return Err(std::io::ErrorKind::FileTooLarge.into()),
        }
        Ok(())
    }
}

impl Output for Limited {
    fn write(&mut self, part: &str) -> Result<(), std::io::Error> {
        if self.text.len() + part.len() > self.limit {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.text.push_str(part);
        Ok(())
    }
}

impl Compiled {
    /// Makes one reader's mail, to be looked at.
    ///
    /// # Errors
    /// What this customer lacks; the mail is then skipped with that reason.
    pub fn render(&self, reader: &Reader, links: &dyn Links) -> Result<Rendered, RenderError> {
        Ok(self.merge(reader.clone(), links)?.rendered())
    }

    /// Makes one reader's mail.
    ///
    /// # Errors
    /// What this customer lacks; the mail is then skipped with that reason.
    pub fn merge(&self, reader: Reader, links: &dyn Links) -> Result<Merged<'_>, RenderError> {
        let variant = self.variant(&reader.locale);
        let (steps, addresses) = (AtomicUsize::new(0), Addresses::default());
        let zone = reader.timezone.clone();
        let lent = Lent {
            options: &self.options,
            links,
            language: &variant.language,
            zone: &zone,
            html: false,
            subject: None,
            preheader: None,
            addresses: &addresses,
            steps: &steps,
        };
        let mut context = Context::from(self.data(variant, reader, &lent));
        let line = |text: &Text<'_>| one_line(&text.to_string());
        let subject = line(&variant.subject.run(&context, &lent)?);
        if subject.is_empty() {
            return Err(RenderError::EmptySubject);
        }
        let subject = self.label(&subject);
        let lent = Lent { subject: Some(&subject), ..lent };
        put(&mut context, variant, "subject", &subject);
        let preheader = match &variant.preheader {
            Some(program) => line(&program.run(&context, &lent)?),
            None => String::new(),
        };
        let lent = Lent { preheader: Some(&preheader), ..lent };
        put(&mut context, variant, "preheader", &preheader);
        let html = variant.html.run(&context, &Lent { html: true, ..lent })?;
        let text = text::tidy(&variant.text.run(&context, &lent)?.to_string()).into();
        Ok(Merged { subject: subject.clone(), preheader: preheader.clone(), html, text })
    }

    fn data(&self, variant: &Variant, reader: Reader, lent: &Lent<'_>) -> Json {
        let mut data = Map::with_capacity(reader.data.len() + 8);
        data.extend(reader.data.into_iter().filter_map(|(key, value)| Some((key, present(value)?))));
        for (key, value) in self.facts.iter().filter(|(key, _)| variant.needs.any(key)) {
            data.insert(key.clone(), value.clone());
        }
        let (addresses, links) = (lent.addresses, lent.links);
        let mut set = |key: &str, value: &dyn Fn() -> String| {
            if variant.needs.any(key) {
                data.insert(key.to_owned(), Json::String(value()));
            }
        };
        set("now", &|| reader.now.to_string());
        set("unsubscribe_url", &|| addresses.unsubscribe(links).to_owned());
        set("preferences_url", &|| addresses.preferences(links).to_owned());
        set("view_url", &|| addresses.view(links).to_owned());
        Json::Object(data)
    }
}

fn put(context: &mut Context, variant: &Variant, key: &str, value: &str) {
    if variant.needs.any(key)
        && let Json::Object(map) = context.data_mut()
    {
        map.insert(key.to_owned(), Json::String(value.to_owned()));
    }
}

/// The value without what is null or blank, so that both are missing.
fn present(value: Json) -> Option<Json> {
    match value {
        Json::Null => None,
        Json::String(text) if text.trim().is_empty() => None,
        Json::Object(map) => Some(map.into_iter().filter_map(|(key, value)| Some((key, present(value)?))).collect()),
        // an element keeps its place in its list
        other => Some(other),
    }
}

/// One line for a header: every control character, line separator and direction override is a space, and spaces on end
/// are one.
pub(crate) fn one_line(text: &str) -> String {
    let cleaned: String = text
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') { ' ' } else { c })
        .collect();
    cleaned.split_whitespace().collect::<Vec<_>>().join(" ")
}
