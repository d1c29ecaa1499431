//! A template made ready, once for each revision and process: all its languages, as Handlebars templates.

use super::expand::{self, Expanded, shown};
use super::fold::Needs;
use super::helpers::{BLOCKS, VALUES};
use super::law;
use super::library::{Library, Markup, file_name};
use super::links::{self, Found};
use super::options::CompileOptions;
use super::program::Program;
use super::protect::{FOOTER, protect};
use super::{markup, text};
use crate::config::model::{Profile, TopicKind};
use crate::config::{Problem, nearest};
use crate::types::locale::Locale;
use serde_json::{Map, Value as Json, json};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A template in all its languages, ready to be merged.
#[derive(Debug)]
pub struct Compiled {
    variants: Vec<Variant>,
    pub(crate) options: CompileOptions,
    /// `site`, `sender`, `campaign`: the same for all.
    pub(crate) facts: Map<String, Json>,
}

/// One language of it.
#[derive(Debug)]
pub(crate) struct Variant {
    tag: Option<Locale>,
    /// What it is written in.
    pub language: Locale,
    pub subject: Program,
    pub preheader: Option<Program>,
    pub html: Program,
    pub text: Program,
    pub needs: Needs,
    links: Vec<String>,
}

impl Compiled {
    /// Compiles the template `name` (without its ending) in every language that it is written in.
    ///
    /// # Errors
    /// All that is wrong, with file, line and column.
    pub fn new(library: &Library, name: &str, options: &CompileOptions) -> Result<Compiled, Vec<Problem>> {
        let mut problems = law::site_problems(options);
        let tags = library.tags(name);
        if tags.is_empty() {
            let file = format!("templates/{name}");
            let missing = Problem::whole(&file, "missing-template", format!("there is no template `{name}`"));
            problems.push(missing.maybe_help(nearest(name, library.names())));
        }
        let mut variants = Vec::new();
        for tag in tags {
            match variant(library, name, tag, options) {
                Ok(variant) => variants.push(variant),
                Err(found) => {
                    for problem in found {
                        if !problems.contains(&problem) {
                            problems.push(problem);
                        }
                    }
                }
            }
        }
        if problems.is_empty() {
            Ok(Compiled { variants, options: options.clone(), facts: facts(options) })
        } else {
            Err(problems)
        }
    }

    /// The links by number (from 1) as the template has them, of the variant for `locale`.
    pub fn links(&self, locale: &Locale) -> impl Iterator<Item = (u16, &str)> {
        let links = &self.variant(locale).links;
        links.iter().enumerate().map(|(i, url)| (u16::try_from(i + 1).unwrap_or(u16::MAX), url.as_str()))
    }

    /// Bytes of HTML before any name is put in, of the largest variant.
    pub fn html_size(&self) -> usize {
        self.variants.iter().map(|v| v.html.size).max().unwrap_or(0)
    }

    /// What a mail in the language of `locale` may ask of its reader's data.
    pub fn needs(&self, locale: &Locale) -> &Needs {
        &self.variant(locale).needs
    }

    /// The variant for a reader: of the whole tag, of the language, without one, of the site's language, any.
    pub(crate) fn variant(&self, locale: &Locale) -> &Variant {
        let of = |tag: Option<&str>| self.variants.iter().find(|v| v.tag.as_ref().map(Locale::as_str) == tag);
        let site = &self.options.site.locale;
        of(Some(locale.as_str()))
            .or_else(|| of(Some(locale.language())))
            .or_else(|| of(None))
            .or_else(|| of(Some(site.as_str())))
            .or_else(|| of(Some(site.language())))
            .unwrap_or(&self.variants[0])
    }

    /// The subject with the law's label.
    pub(crate) fn label(&self, subject: &str) -> String {
        match (self.options.kind, law::label(self.options.profile)) {
            (TopicKind::Marketing, Some(label)) => {
                let mut rest = subject.trim();
                while let Some(after) = rest.strip_prefix(label.trim()) {
                    rest = after.trim_start();
                }
                format!("{label}{rest}")
            }
            _ => subject.to_owned(),
        }
    }
}

impl Variant {
    /// The language in its file's name.
    pub(crate) fn tag(&self) -> Option<&Locale> {
        self.tag.as_ref()
    }
}

fn facts(options: &CompileOptions) -> Map<String, Json> {
    let site = &options.site;
    let mut facts = Map::new();
    let mut site_facts = json!({ "name": site.name, "url": site.url });
    for (key, value) in [("address", &site.address), ("phone", &site.phone)] {
        if let Some(value) = value {
            site_facts[key] = json!(value);
        }
    }
    let from = &options.from;
    facts.insert("site".into(), site_facts);
    facts.insert("campaign".into(), json!({ "name": options.campaign }));
    let name = from.name.clone().unwrap_or_else(|| site.name.clone());
    facts.insert("sender".into(), json!({ "name": name, "email": from.email.as_str() }));
    facts
}

const HTML_FIRST: [Markup; 2] = [Markup::Mjml, Markup::Html];

fn variant(
    library: &Library,
    name: &str,
    tag: Option<Locale>,
    options: &CompileOptions,
) -> Result<Variant, Vec<Problem>> {
    let language = tag.clone().unwrap_or_else(|| options.site.locale.clone());
    let html_path = library.find(name, tag.as_ref(), &HTML_FIRST);
    // a text of another language is no part of this mail
    let own_text = library.find(name, tag.as_ref(), &[Markup::Text]).filter(|path| {
        html_path.is_none() || file_name(path).map(|f| f.tag) == html_path.and_then(file_name).map(|f| f.tag)
    });
    let Some(main) = html_path.or(own_text) else { return Err(Vec::new()) };
    let (expanded, mut problems) = expand::expand(library, options, &language, main);
    let file = shown(main);
    let source = library.source(main);

    let (subject, preheader) = head(options, &expanded, &file, source, &mut problems);
    let body = body(library, options, &language, main, &expanded, preheader.is_some(), &mut problems);
    let mut own_expanded = None;
    if let Some(path) = own_text.filter(|path| *path != main) {
        let (expanded, found) = expand::expand(library, options, &language, path);
        problems.extend(found);
        own_expanded = Some(expanded);
    } else if html_path.is_none() {
        own_expanded = Some(expanded);
    }
    let (Some(subject), Some(mut body), true) = (subject, body, problems.is_empty()) else { return Err(problems) };

    let (_, text_footer) = law::footer(options, &language);
    let text = match own_expanded {
        Some(expanded) => plain(library, &expanded, &mut body.links),
        None => body.text,
    };
    let text = match text.contains(FOOTER) {
        true => text.replace(FOOTER, &text_footer),
        false => format!("{}\n\n{text_footer}", text.trim_end()),
    };
    let internal = |e: String| vec![Problem::whole(&file, "syntax", format!("this template cannot be compiled: {e}"))];
    let facts = Json::Object(facts(options));
    let html = Program::new(&body.html, true, options, &facts).map_err(internal)?;
    let text = Program::new(&text, false, options, &facts).map_err(internal)?;
    let programs = [&subject, &html, &text].into_iter().chain(&preheader);
    let needs = Needs::of(programs.map(|program| &program.names));
    Ok(Variant { tag, language, subject, preheader, html, text, needs, links: body.links })
}

/// Subject and preheader, from the front matter or from the campaign.
fn head(
    options: &CompileOptions,
    expanded: &Expanded,
    file: &str,
    source: &str,
    problems: &mut Vec<Problem>,
) -> (Option<Program>, Option<Program>) {
    let front = &expanded.front;
    let facts = Json::Object(facts(options));
    let mut compile = |text: &str, span: std::ops::Range<usize>| match Program::new(text, false, options, &facts) {
        Ok(program) => Some(program),
        Err(e) => {
            problems.push(Problem::at(file, source, span, "syntax", format!("this is not Handlebars: {e}")));
            None
        }
    };
    let preheader = front.preheader.as_ref().and_then(|p| compile(&p.text, p.span.clone()));
    let subject = match (&options.subject, &front.subject) {
        (Some(text), _) => compile(text, 0..0),
        (None, Some(placed)) => compile(&placed.text, placed.span.clone()),
        (None, None) => {
            let missing = Problem::at(file, source, 0..1, "missing-subject", "the template has no subject");
            problems.push(missing.help("write at the top: ---, subject = \"…\", ---, each on a line"));
            None
        }
    };
    // one that cannot be read stands nowhere, and was told of
    let empty = front.subject.as_ref().filter(|placed| placed.text.trim().is_empty() && !placed.span.is_empty());
    if let (None, Some(placed)) = (&options.subject, empty) {
        let empty = Problem::at(file, source, placed.span.clone(), "missing-subject", "the subject is empty");
        problems.push(empty.help("a mail without a subject is taken for spam: write subject = \"…\""));
    }
    let text = options.subject.as_deref().or(front.subject.as_ref().map(|p| p.text.as_str())).unwrap_or_default();
    if options.kind == TopicKind::Marketing
        && options.profile == Profile::Kr
        && let Some(wrong) = law::label_mistake(text)
    {
        let span = front.subject.as_ref().filter(|_| options.subject.is_none()).map_or(0..1, |p| p.span.clone());
        problems.push(
            Problem::at(file, source, span, "ad-label", format!("`{wrong}` is not the label that the law asks for"))
                .help("leave it away: `(광고)` is put before the subject by itself"),
        );
    }
    (subject, preheader)
}

struct Body {
    html: String,
    text: String,
    links: Vec<String>,
}

fn body(
    library: &Library,
    options: &CompileOptions,
    language: &Locale,
    main: &str,
    expanded: &Expanded,
    preheader: bool,
    problems: &mut Vec<Problem>,
) -> Option<Body> {
    let kind = file_name(main).map_or(Markup::Text, |f| f.markup);
    let (protected, found) = protect(library, expanded, kind);
    problems.extend(found);
    if !problems.is_empty() {
        return None;
    }
    let html = match markup::to_html(library, &protected, kind) {
        Ok(html) => html,
        Err(found) => {
            problems.extend(found);
            return None;
        }
    };
    // mrml does not know the language, and leaves the title empty
    let html = match kind {
        Markup::Mjml => html.replace("lang=\"und\"", &format!("lang=\"{language}\"")).replacen(
            "<title></title>",
            "<title>{{subject}}</title>",
            1,
        ),
        _ => html,
    };
    let found = RefCell::new(Found::default());
    let whole = |e: String| Problem::whole(&shown(main), "html", format!("this HTML cannot be read: {e}"));
    let made = links::number(&html, &protected.tokens, &found).and_then(|numbered| {
        let bare = numbered.clone();
        let text = protected.tokens.restore(&text::from_html(&bare, &protected.tokens)?).replace(FOOTER, "");
        Ok((numbered, text))
    });
    let (numbered, text) = match made {
        Ok(made) => made,
        Err(e) => {
            problems.push(whole(e));
            return None;
        }
    };
    let found = found.into_inner();
    for href in found.wrong.iter().collect::<BTreeSet<_>>() {
        problems.push(link_problem(library, expanded, href));
    }
    if found.links.len() > usize::from(u16::MAX) {
        problems.push(Problem::whole(&shown(main), "too-large", "a mail has at most 65,535 links"));
    }
    let restored = protected.tokens.restore(&numbered);
    let (html_footer, _) = law::footer(options, language);
    let first = hidden(preheader, options.clicks);
    let placed = restored.contains(FOOTER);
    let mut last = if placed { String::new() } else { html_footer.clone() };
    if options.opens {
        last.push_str("{{open_pixel}}");
    }
    // on restored text: only the body's tags are looked for, and expressions hold none
    match links::surround(&numbered, &first, &last) {
        Ok(html) => {
            let html = protected.tokens.restore(&html).replace(FOOTER, &html_footer);
            Some(Body { html, text, links: found.links })
        }
        Err(e) => {
            problems.push(whole(e));
            None
        }
    }
}

/// What stands before all else and is not shown. It is one element for both: spam filters count what is hidden
/// (SpamAssassin's `__STY_INVIS` is harmless once).
fn hidden(preheader: bool, clicks: bool) -> String {
    let inside = match (preheader, clicks) {
        (false, false) => return String::new(),
        (true, false) => "{{preheader}}",
        (false, true) => "{{honeypot}}",
        (true, true) => "{{preheader}}{{honeypot}}",
    };
    format!(
        "<div style=\"display:none;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all\">{inside}</div>"
    )
}

fn link_problem(library: &Library, expanded: &Expanded, href: &str) -> Problem {
    let message = format!("the link `{href}` leads nowhere from a mail");
    let help = "write the whole address, with https://";
    for path in &expanded.files {
        let source = library.source(path);
        if let Some(at) = source.find(&format!("\"{href}\"")) {
            return Problem::at(&shown(path), source, at + 1..at + 1 + href.len(), "link", message).help(help);
        }
    }
    Problem::whole(&expanded.files.first().map(|f| shown(f)).unwrap_or_default(), "link", message).help(help)
}

/// A text template as it is, with its links numbered.
fn plain(library: &Library, expanded: &Expanded, links: &mut Vec<String>) -> String {
    let (protected, _) = protect(library, expanded, Markup::Text);
    protected.tokens.restore(&links::number_text(&protected.text, &protected.tokens, links))
}

/// Whether a name is a helper's.
pub(crate) fn is_helper(name: &str) -> bool {
    VALUES.iter().any(|(helper, _)| *helper == name) || BLOCKS.contains(&name)
}
