//! What templates can call besides `if`, `unless`, `each` and `with`. Registered once; what needs the reader's language,
//! zone or links is lent to each merge.

mod block;
mod dates;
mod link;
mod money;
mod value;

pub(crate) use block::{Scope, honeypot, lend as lend_blocks, names as block_names, pixel};
pub(crate) use dates::format as format_date;
pub(crate) use link::Target;
pub(crate) use value::lend as lend_values;

use super::merge::Links;
use super::options::CompileOptions;
use crate::types::locale::{Locale, Zone};
use handlebars::{Handlebars, RenderErrorReason};
use std::sync::atomic::AtomicUsize;
use std::sync::{LazyLock, OnceLock};

/// Helpers that give a value, with how they are called.
pub(crate) const VALUES: [(&str, &str); 23] = [
    ("date", "{{date now \"short\"}}"),
    ("number", "{{number customer.purchases}}"),
    ("money", "{{money customer.revenue}}"),
    ("plural", "{{plural n \"item\" \"items\"}}"),
    ("default", "{{default customer.first_name \"고객\"}}"),
    ("upper", "{{upper x}}"),
    ("lower", "{{lower x}}"),
    ("josa", "{{josa customer.name \"은/는\"}}"),
    ("honorific", "{{honorific}}"),
    ("urlencode", "{{urlencode x}}"),
    ("survey_url", "{{survey_url \"nps\" \"9\"}}"),
    ("eq", "(eq a b)"),
    ("ne", "(ne a b)"),
    ("gt", "(gt a b)"),
    ("gte", "(gte a b)"),
    ("lt", "(lt a b)"),
    ("lte", "(lte a b)"),
    ("and", "(and a b)"),
    ("or", "(or a b)"),
    ("not", "(not a)"),
    ("len", "{{len x}}"),
    ("lookup", "{{lookup x \"key\"}}"),
    ("survey", "{{survey \"nps\"}}"),
];

/// Helpers that make blocks.
pub(crate) const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];

/// Escapes for HTML.
pub(crate) static HTML: LazyLock<Handlebars<'static>> = LazyLock::new(|| registry(true));
/// Escapes nothing: for subjects and text.
pub(crate) static PLAIN: LazyLock<Handlebars<'static>> = LazyLock::new(|| registry(false));

fn registry(escape: bool) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    if escape {
        registry.register_escape_fn(|text| html_escape::encode_quoted_attribute(text).into_owned());
    } else {
        registry.register_escape_fn(handlebars::no_escape);
    }
    registry.register_helper("scope", Box::new(Scope));
    // these write to the log, or need no telling
    for name in ["log", "raw"] {
        registry.unregister_helper(name);
    }
    registry
}

/// What a merge lends to the helpers.
pub(crate) struct Lent<'a> {
    pub options: &'a CompileOptions,
    pub links: &'a dyn Links,
    /// The language that the template is written in.
    pub language: &'a Locale,
    pub zone: &'a Zone,
    pub html: bool,
    /// The subject, once it is known, and what stands beside it.
    pub subject: Option<&'a str>,
    pub preheader: Option<&'a str>,
    pub addresses: &'a Addresses,
    /// Rounds of loops, over the whole mail.
    pub steps: &'a AtomicUsize,
}

/// The addresses that a mail has for itself, each made once, when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Addresses([OnceLock<String>; 3]);

impl Addresses {
    pub(crate) fn unsubscribe(&self, links: &dyn Links) -> &str {
        self.0[0].get_or_init(|| links.unsubscribe())
    }

    pub(crate) fn preferences(&self, links: &dyn Links) -> &str {
        self.0[1].get_or_init(|| links.preferences())
    }

    pub(crate) fn view(&self, links: &dyn Links) -> &str {
        self.0[2].get_or_init(|| links.view())
    }

    /// Whether this is one of them, on a site of that address.
    pub(crate) fn has(&self, url: &str, site: &str, links: &dyn Links) -> bool {
        let own = [Addresses::unsubscribe, Addresses::preferences, Addresses::view];
        url.starts_with(site) && own.into_iter().any(|of| of(self, links) == url)
    }
}

/// A helper's own error.
pub(crate) fn fail(message: impl Into<String>) -> handlebars::RenderError {
    RenderErrorReason::Other(message.into()).into()
}
