//! A Handlebars template made ready: what is the same in every mail is taken out of it, and only the rest is left to
//! Handlebars. A mail is mostly the former, and its links mostly lead everybody to the same place.

use super::helpers::{self, HTML, Lent, PLAIN, Target, VALUES};
use super::merge::{LARGEST, Limited, RenderError};
use super::options::CompileOptions;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Context, Output as _, RenderContext, RenderErrorReason, Renderable, Template};

/// A template, and which helpers it calls.
#[derive(Debug)]
pub(crate) struct Program {
    pieces: Vec<Piece>,
    uses: Vec<&'static str>,
    /// Bytes of the template.
    pub size: usize,
    /// Which of the addresses that a mail has for itself it names.
    pub names: Vec<&'static str>,
}

#[derive(Debug)]
enum Piece {
    /// Written as it is.
    Fixed(String),
    /// A link that leads every reader to the same place.
    Link { number: u16, target: Target },
    /// What a reader's data may change.
    Merged(Template),
}

impl Program {
    /// Compiles a template, of HTML or of text.
    ///
    /// # Errors
    /// Handlebars' words.
    pub(crate) fn new(source: &str, html: bool, options: &CompileOptions) -> Result<Program, String> {
        let template = Template::compile(source).map_err(|e| e.reason().to_string())?;
        let uses = VALUES.iter().map(|(name, _)| *name).chain(helpers::block_names());
        let uses = uses.filter(|name| source.contains(name)).collect();
        let names = ["unsubscribe_url", "preferences_url", "view_url"];
        let names = names.into_iter().filter(|name| source.contains(name)).collect();
        let mut places = template.mapping.into_iter();
        let mut pieces: Vec<Piece> = Vec::new();
        for element in template.elements {
            let place = places.next();
            let piece = match element {
                TemplateElement::RawString(text) => Piece::Fixed(text),
                TemplateElement::HelperBlock(block) => match link(&block, html, options) {
                    Some((number, target)) => Piece::Link { number, target },
                    None => Piece::merged(TemplateElement::HelperBlock(block), place),
                },
                element => Piece::merged(element, place),
            };
            match (pieces.last_mut(), piece) {
                (Some(Piece::Fixed(before)), Piece::Fixed(text)) => before.push_str(&text),
                (_, piece) => pieces.push(piece),
            }
        }
        Ok(Program { pieces, uses, size: source.len(), names })
    }

    /// Merges one mail's values into it.
    pub(crate) fn run(&self, context: &Context, lent: &Lent<'_>) -> Result<String, RenderError> {
        let registry = if lent.html { &*HTML } else { &*PLAIN };
        let mut rc = RenderContext::new(None);
        helpers::lend_values(&mut rc, lent, &self.uses);
        helpers::lend_blocks(&mut rc, lent, &self.uses);
        let mut out = Limited::new(LARGEST, self.size * 2);
        for piece in &self.pieces {
            match piece {
                Piece::Fixed(text) => out.write(text).map_err(|_| RenderError::TooLarge)?,
                Piece::Link { number, target } => {
                    target.write(*number, lent, &mut out).map_err(|_| RenderError::TooLarge)?;
                }
                Piece::Merged(template) => {
                    template.render(registry, context, &mut rc, &mut out).map_err(|e| explain(&e))?;
                }
            }
        }
        Ok(out.text)
    }
}

impl Piece {
    fn merged(element: TemplateElement, place: Option<handlebars::template::TemplateMapping>) -> Piece {
        let mut template = Template::new();
        template.elements.push(element);
        template.mapping.extend(place);
        Piece::Merged(template)
    }
}

/// The number and target of a block of `track` in which no reader's data stands.
fn link(block: &HelperTemplate, html: bool, options: &CompileOptions) -> Option<(u16, Target)> {
    let tracks = match &block.name {
        Parameter::Name(name) => name == "track",
        Parameter::Path(handlebars::Path::Relative((_, raw))) => raw == "track",
        _ => false,
    };
    let [Parameter::Literal(number)] = block.params.as_slice() else { return None };
    let number = u16::try_from(number.as_u64()?).ok().filter(|_| tracks)?;
    let written = match block.template.as_ref()?.elements.as_slice() {
        [TemplateElement::RawString(text)] => text,
        _ => return None,
    };
    // what is wrong with a link is told when a mail is made, with all else that is wrong with it
    Some((number, Target::of(written, html, options).ok()?))
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
