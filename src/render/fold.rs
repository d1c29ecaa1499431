//! What a template has that no reader changes is worked out once, when it is compiled: text, the shop's facts, partials
//! with written parameters, links that lead everybody to one place, the places of this mail's own addresses. What is left
//! goes through Handlebars for each mail.
//!
//! Nothing of Handlebars is done again here: what depends on facts alone is rendered by it, once, and kept.

use super::compile::is_helper;
use super::helpers::{self, HTML, PLAIN, Target};
use super::merge::{LARGEST, Limited};
use super::options::CompileOptions;
use super::pieces::Fixed;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Context, Path, RenderContext, Renderable, Template};
use std::collections::{BTreeSet, HashSet};

/// A piece of a program.
#[derive(Debug)]
pub(super) enum Step {
    /// Written as it is.
    Fixed(Fixed),
    /// The same, and too short to be lent.
    Short(String),
    /// A link that leads every reader to the same place.
    Link { number: u16, target: Target },
    /// What each mail has for itself, whoever reads it.
    Own(Own),
    /// What a reader's data may change.
    Merged(Template),
}

/// What each mail has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Subject,
    Preheader,
    Unsubscribe,
    Preferences,
    View,
    Pixel,
    Honeypot,
}

/// Under which names templates call them.
const OWN: [(&str, Own); 7] = [
    ("subject", Own::Subject),
    ("preheader", Own::Preheader),
    ("unsubscribe_url", Own::Unsubscribe),
    ("preferences_url", Own::Preferences),
    ("view_url", Own::View),
    ("open_pixel", Own::Pixel),
    ("honeypot", Own::Honeypot),
];

/// What is known while folding.
struct Folder<'a> {
    html: bool,
    options: &'a CompileOptions,
    facts: Context,
    steps: Vec<Step>,
}

/// Where the folding stands.
#[derive(Clone, Default)]
struct Around {
    /// The partials around, outermost first, without their contents.
    scopes: Vec<HelperTemplate>,
    /// Names whose value is known.
    known: HashSet<String>,
    /// Names that a partial's parameters have taken.
    taken: HashSet<String>,
}

/// Folds a template of HTML or of text, in which `facts` hold for everybody.
pub(super) fn fold(template: Template, html: bool, options: &CompileOptions, facts: &serde_json::Value) -> Vec<Step> {
    let known = facts.as_object().into_iter().flat_map(|facts| facts.keys().cloned()).collect();
    let around = Around { known, ..Around::default() };
    let mut folder = Folder { html, options, facts: Context::from(facts.clone()), steps: Vec::new() };
    folder.all(template, &around);
    let lend = |step: Step| match step {
        Step::Short(text) => Fixed::new(text).map_or_else(Step::Short, Step::Fixed),
        step => step,
    };
    folder.steps.into_iter().map(lend).collect()
}

impl Folder<'_> {
    fn all(&mut self, template: Template, around: &Around) {
        for element in template.elements {
            self.one(element, around);
        }
    }

    fn one(&mut self, element: TemplateElement, around: &Around) {
        if let TemplateElement::RawString(text) = element {
            return self.fixed(&text);
        }
        if let Some(own) = own(&element, around) {
            return self.steps.push(Step::Own(own));
        }
        // what is wrong with a constant is told when a mail is made, with all else that is wrong with it
        if constant(&element, &around.known)
            && let Some(text) = self.render(vec![element.clone()], around)
        {
            return self.fixed(&text);
        }
        if let TemplateElement::HelperBlock(block) = &element {
            if let Some((number, target)) = self.link(block, around) {
                return self.steps.push(Step::Link { number, target });
            }
            if let Some((inner, around)) = self.scope(block, around) {
                return self.all(inner, &around);
            }
        }
        self.steps.push(Step::Merged(within(vec![element], &around.scopes)));
    }

    fn fixed(&mut self, text: &str) {
        match self.steps.last_mut() {
            Some(Step::Short(before)) => before.push_str(text),
            _ => self.steps.push(Step::Short(text.to_owned())),
        }
    }

    fn render(&self, elements: Vec<TemplateElement>, around: &Around) -> Option<String> {
        let registry = if self.html { &*HTML } else { &*PLAIN };
        let mut out = Limited::new(LARGEST, 256);
        let template = within(elements, &around.scopes);
        template.render(registry, &self.facts, &mut RenderContext::new(None), &mut out).ok()?;
        Some(out.text)
    }

    /// A partial whose parameters are all known: its contents, and what is around them. One that has no value would let
    /// what has the same name outside be seen.
    fn scope(&self, block: &HelperTemplate, around: &Around) -> Option<(Template, Around)> {
        let plain = block.params.is_empty() && block.inverse.is_none() && block.block_param.is_none();
        if name(block) != Some("scope") || !plain || !block.hash.values().all(|value| self.has(value, around)) {
            return None;
        }
        let mut block = block.clone();
        let inner = block.template.take()?;
        let mut around = around.clone();
        // Handlebars calls a helper of that name first
        let names =
            block.hash.keys().filter(|name| !is_helper(name) && !helpers::block_names().any(|own| own == *name));
        around.known.extend(names.cloned());
        around.taken.extend(block.hash.keys().cloned());
        around.scopes.push(block);
        Some((inner, around))
    }

    /// Whether a value is known and there.
    fn has(&self, value: &Parameter, around: &Around) -> bool {
        match value {
            Parameter::Literal(_) => true,
            Parameter::Path(Path::Relative((_, raw))) if settled(value, &around.known) => {
                // strict, so that what is missing is an error
                let shown = Template::compile(&format!("{{{{{raw}}}}}"));
                shown.is_ok_and(|shown| self.render(shown.elements, around).is_some())
            }
            _ => false,
        }
    }

    /// The number and target of a block of `track` in which no reader's data stands.
    fn link(&self, block: &HelperTemplate, around: &Around) -> Option<(u16, Target)> {
        let [Parameter::Literal(number)] = block.params.as_slice() else { return None };
        let number = u16::try_from(number.as_u64()?).ok().filter(|_| name(block) == Some("track"))?;
        let inner = &block.template.as_ref()?.elements;
        let written = match inner.as_slice() {
            [TemplateElement::RawString(text)] => text.clone(),
            inner if inner.iter().all(|element| constant(element, &around.known)) => {
                self.render(inner.to_vec(), around)?
            }
            _ => return None,
        };
        Some((number, Target::of(&written, self.html, self.options).ok()?))
    }
}

fn of(elements: Vec<TemplateElement>) -> Template {
    let mut template = Template::new();
    template.elements = elements;
    template
}

/// These elements as they stand within those partials.
fn within(elements: Vec<TemplateElement>, scopes: &[HelperTemplate]) -> Template {
    scopes.iter().rev().fold(of(elements), |inner, scope| {
        let mut scope = scope.clone();
        scope.template = Some(inner);
        of(vec![TemplateElement::HelperBlock(Box::new(scope))])
    })
}

/// What is called, or what is named where there is nothing to call.
fn name(of: &HelperTemplate) -> Option<&str> {
    match &of.name {
        Parameter::Name(name) => Some(name),
        Parameter::Path(Path::Relative((_, raw))) => Some(raw),
        _ => None,
    }
}

/// Neither parameters nor contents.
fn bare(of: &HelperTemplate) -> bool {
    !of.block && of.params.is_empty() && of.hash.is_empty()
}

fn own(element: &TemplateElement, around: &Around) -> Option<Own> {
    let TemplateElement::Expression(expression) = element else { return None };
    let name = name(expression).filter(|name| bare(expression) && !around.taken.contains(*name))?;
    OWN.iter().find(|(own, _)| *own == name).map(|(_, own)| *own)
}

/// Whether a value is written, or hangs on known names alone.
fn settled(value: &Parameter, known: &HashSet<String>) -> bool {
    match value {
        Parameter::Literal(_) => true,
        Parameter::Path(Path::Relative((_, raw))) => root(raw).is_some_and(|root| known.contains(root)),
        _ => false,
    }
}

/// `site` of `site.name`; none of what leads up, or to the element of a loop.
fn root(raw: &str) -> Option<&str> {
    let root = raw.split(['.', '/', '[']).next()?;
    (!root.is_empty() && root != "this").then_some(root)
}

/// Whether an element comes out the same for everybody.
fn constant(element: &TemplateElement, known: &HashSet<String>) -> bool {
    let contents = |template: &Option<Template>| {
        template.iter().flat_map(|template| &template.elements).all(|element| constant(element, known))
    };
    match element {
        TemplateElement::RawString(_) | TemplateElement::Comment(_) => true,
        TemplateElement::Expression(one) | TemplateElement::HtmlExpression(one) => {
            bare(one) && settled(&one.name, known)
        }
        TemplateElement::HelperBlock(block) => {
            matches!(name(block), Some("if" | "unless"))
                && block.hash.is_empty()
                && block.block_param.is_none()
                && block.params.iter().all(|value| settled(value, known))
                && contents(&block.template)
                && contents(&block.inverse)
        }
        _ => false,
    }
}

/// After the name of something of which not only a part is named.
const WHOLE: &str = ".*";

/// What Handlebars may ask for while it makes a mail; the rest need not be made.
#[derive(Debug, Default)]
pub struct Needs {
    names: BTreeSet<String>,
    all: bool,
}

impl Needs {
    pub(super) fn of<'a>(programs: impl IntoIterator<Item = &'a BTreeSet<String>>) -> Needs {
        let mut names: BTreeSet<String> = programs.into_iter().flatten().cloned().collect();
        // who names the whole, such as by `this`, may ask for any of it
        let whole = |of: &str| names.contains(&format!("{of}{WHOLE}"));
        let all = ["this", "@root", "lookup", ""].into_iter().any(|name| names.contains(name)) || whole("customer");
        if names.contains("honorific") {
            names.extend(["name", "first_name", "last_name"].map(str::to_owned));
        }
        Needs { names, all }
    }

    /// Whether it may ask for what has this name, wherever it stands.
    pub fn any(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }
}

/// All names in a template, those of helpers among them.
pub(super) fn names(template: &Template, found: &mut BTreeSet<String>) {
    for element in &template.elements {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            TemplateElement::Expression(one)
            | TemplateElement::HtmlExpression(one)
            | TemplateElement::HelperBlock(one) => {
                let values = one.params.iter().chain(one.hash.values()).chain([&one.name]);
                values.for_each(|value| names_in(value, found));
                one.template.iter().chain(&one.inverse).for_each(|template| names(template, found));
            }
            // partials are expanded before; what else there may be is taken to name everything
            _ => found.extend(["this".to_owned()]),
        }
    }
}

fn names_in(value: &Parameter, found: &mut BTreeSet<String>) {
    match value {
        Parameter::Name(name) => {
            found.insert(name.clone());
        }
        // of `../site` and `@root.site` too
        Parameter::Path(Path::Relative((_, raw)) | Path::Local((_, _, raw))) => {
            found.extend(raw.split(['.', '/', '[', ']']).map(str::to_owned));
            if !raw.contains(['.', '/', '[']) {
                found.insert(format!("{raw}{WHOLE}"));
            }
        }
        Parameter::Literal(_) => {}
        Parameter::Subexpression(inner) => names(&of(vec![(*inner.element).clone()]), found),
        _ => found.extend(["this".to_owned()]),
    }
}
