//! A Handlebars template made ready: what is the same in every mail is [folded](super::fold), and only the rest is left to
//! Handlebars. A mail is mostly the former.

use super::fold::{self, Own, Step};
use super::helpers::{self, HTML, Lent, PLAIN, VALUES};
use super::merge::{LARGEST, Limited, RenderError};
use super::options::CompileOptions;
use super::pieces::{Fixed, Text};
use handlebars::{Context, Output as _, RenderContext, RenderErrorReason, Renderable, Template};
use std::collections::BTreeSet;

/// A template, and which helpers it calls.
#[derive(Debug)]
pub(crate) struct Program {
    steps: Vec<Step>,
    uses: Vec<&'static str>,
    /// Bytes of the template.
    pub size: usize,
    /// What is named where Handlebars has to look.
    pub names: BTreeSet<String>,
}

impl Program {
    /// Compiles a template, of HTML or of text, in which `facts` hold for everybody.
    ///
    /// # Errors
    /// Handlebars' words.
    pub(crate) fn new(
        source: &str,
        html: bool,
        options: &CompileOptions,
        facts: &serde_json::Value,
    ) -> Result<Program, String> {
        let template = Template::compile(source).map_err(|e| e.reason().to_string())?;
        let steps = fold::fold(template, html, options, facts);
        let mut names = BTreeSet::new();
        for step in &steps {
            if let Step::Merged(template) = step {
                fold::names(template, &mut names);
            }
        }
        let uses = VALUES.iter().map(|(name, _)| *name).chain(helpers::block_names());
        let uses = uses.filter(|name| names.contains(*name)).collect();
        Ok(Program { steps, uses, size: source.len(), names })
    }

    /// Merges one mail's values into it.
    pub(crate) fn run<'t>(&'t self, context: &Context, lent: &Lent<'_>) -> Result<Text<'t>, RenderError> {
        let registry = if lent.html { &*HTML } else { &*PLAIN };
        let mut rc = RenderContext::new(None);
        helpers::lend_values(&mut rc, lent, &self.uses);
        helpers::lend_blocks(&mut rc, lent, &self.uses);
        let mut out = Limited::new(LARGEST, self.size / 4 + 256);
        let mut fixed: Vec<(usize, &Fixed)> = Vec::with_capacity(self.steps.len());
        let large = |_| RenderError::TooLarge;
        for step in &self.steps {
            match step {
                Step::Fixed(text) => {
                    out.lend(text.text.len()).map_err(large)?;
                    Text::lend(&mut out.text, &mut fixed, text);
                }
                Step::Short(text) => out.write(text).map_err(large)?,
                Step::Link { number, target } => target.write(*number, lent, &mut out).map_err(large)?,
                Step::Own(own) => write_own(*own, lent, &mut out)?,
                Step::Merged(template) => {
                    template.render(registry, context, &mut rc, &mut out).map_err(|e| explain(&e))?;
                }
            }
        }
        Ok(Text::of(out.text, fixed))
    }
}

fn write_own(own: Own, lent: &Lent<'_>, out: &mut Limited) -> Result<(), RenderError> {
    let missing = |variable: &str| RenderError::Missing { variable: variable.into() };
    let value = match own {
        Own::Pixel => return helpers::pixel(lent, out).map_err(|_| RenderError::TooLarge),
        Own::Honeypot => return helpers::honeypot(lent, out).map_err(|_| RenderError::TooLarge),
        Own::Subject => lent.subject.ok_or_else(|| missing("subject"))?,
        Own::Preheader => lent.preheader.ok_or_else(|| missing("preheader"))?,
        Own::Unsubscribe => lent.addresses.unsubscribe(lent.links),
        Own::Preferences => lent.addresses.preferences(lent.links),
        Own::View => lent.addresses.view(lent.links),
    };
    let escaped = if lent.html { html_escape::encode_quoted_attribute(value) } else { value.into() };
    out.write(&escaped).map_err(|_| RenderError::TooLarge)
}

fn explain(error: &handlebars::RenderError) -> RenderError {
    match error.reason() {
        RenderErrorReason::MissingVariable(path) => {
            RenderError::Missing { variable: path.clone().unwrap_or_else(|| "a value".into()) }
        }
        RenderErrorReason::IOError(_) => RenderError::TooLarge,
        other => RenderError::Other(other.to_string()),
    }
}
