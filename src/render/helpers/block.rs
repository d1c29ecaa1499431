//! Helpers that make blocks, the pixel and the honeypot: `track` signs the link in it, `scope` holds a partial's
//! parameters, `each` counts its rounds.

use super::link::Target;
use super::{Lent, fail};
use crate::render::merge::Limited;
use handlebars::{
    BlockContext, BlockParamHolder, Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext,
    RenderError, Renderable,
};
use serde_json::Value as Json;
use std::io;
use std::sync::atomic::Ordering;

/// More rounds than any mail needs; loops in loops over a customer's lists would otherwise go on for ever.
const MOST_ROUNDS: usize = 50_000;

/// One helper, with what the merge lends it.
#[derive(Clone, Copy)]
enum Block {
    Track,
    Each,
    Pixel,
    Honeypot,
}

/// The helpers of this file, by name.
const ALL: [(&str, Block); 4] =
    [("track", Block::Track), ("each", Block::Each), ("open_pixel", Block::Pixel), ("honeypot", Block::Honeypot)];

/// What they are called.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.into_iter().map(|(name, _)| name)
}

struct LentBlock<'a> {
    block: Block,
    lent: &'a Lent<'a>,
}

/// Lends those helpers that `uses` names.
pub(crate) fn lend<'reg: 'rc, 'rc>(rc: &mut RenderContext<'reg, 'rc>, lent: &'rc Lent<'rc>, uses: &[&'static str]) {
    for (name, block) in ALL.iter().filter(|(name, _)| uses.contains(name)) {
        rc.register_local_helper(name, Box::new(LentBlock { block: *block, lent }));
    }
}

impl HelperDef for LentBlock<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        match self.block {
            Block::Track => track(self.lent, h, r, ctx, rc, out),
            Block::Each => each(self.lent, h, r, ctx, rc, out),
            Block::Pixel => Ok(pixel(self.lent, out)?),
            Block::Honeypot => Ok(honeypot(self.lent, out)?),
        }
    }
}

/// The picture that counts an open.
///
/// # Errors
/// When the mail is too large.
pub(crate) fn pixel(lent: &Lent<'_>, out: &mut dyn Output) -> io::Result<()> {
    let Some(url) = lent.links.open_pixel() else { return Ok(()) };
    element(out, "<img src=", &url, " width=\"1\" height=\"1\" alt=\"\" style=\"display:block;border:0\">")
}

/// The link that no reader sees. No text, so that nothing is hidden from spam filters; no style, because it stands in what
/// is hidden; twice, because a link that the text part lacks makes the number of all links odd, which rspamd takes for a
/// sign.
///
/// # Errors
/// When the mail is too large.
pub(crate) fn honeypot(lent: &Lent<'_>, out: &mut dyn Output) -> io::Result<()> {
    let Some(url) = lent.links.honeypot() else { return Ok(()) };
    let trap = |out: &mut dyn Output| element(out, "<a href=", &url, " aria-hidden=\"true\" tabindex=\"-1\"></a>");
    trap(out).and_then(|()| trap(out))
}

/// An element with an address in it.
fn element(out: &mut dyn Output, before: &str, url: &str, after: &str) -> io::Result<()> {
    let url = html_escape::encode_double_quoted_attribute(url);
    [before, "\"", &url, "\"", after].into_iter().try_for_each(|part| out.write(part))
}

fn track<'reg: 'rc, 'rc>(
    lent: &Lent<'_>,
    h: &Helper<'rc>,
    r: &'reg Handlebars<'reg>,
    ctx: &'rc Context,
    rc: &mut RenderContext<'reg, 'rc>,
    out: &mut dyn Output,
) -> HelperResult {
    let number = h.param(0).and_then(|p| p.value().as_u64()).and_then(|n| u16::try_from(n).ok()).unwrap_or(0);
    let mut inner = Limited::new(64 * 1024, 256);
    if let Some(template) = h.template() {
        template.render(r, ctx, rc, &mut inner)?;
    }
    let written = if lent.html { html_escape::decode_html_entities(&inner.text) } else { inner.text.as_str().into() };
    // the mail's own addresses, such as that of a button to unsubscribe, are signed already, and following them tells of
    // no interest
    if lent.addresses.has(written.trim(), &lent.options.site.url, lent.links) {
        return Ok(out.write(&inner.text)?);
    }
    Target::of(&inner.text, lent.html, lent.options).map_err(fail)?.write(number, lent, out)?;
    Ok(())
}

/// Holds a partial's parameters. It needs nothing of the mail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope;

impl HelperDef for Scope {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let mut block = rc.block().cloned().unwrap_or_default();
        for (name, value) in h.hash() {
            if !value.is_value_missing() {
                block.set_block_param(name, BlockParamHolder::value(value.value().clone()));
            }
        }
        rc.push_block(block);
        let result = h.template().map_or(Ok(()), |template| template.render(r, ctx, rc, out));
        rc.pop_block();
        result
    }
}

/// `each` as Handlebars has it, but counted.
fn each<'reg: 'rc, 'rc>(
    lent: &Lent<'_>,
    h: &Helper<'rc>,
    r: &'reg Handlebars<'reg>,
    ctx: &'rc Context,
    rc: &mut RenderContext<'reg, 'rc>,
    out: &mut dyn Output,
) -> HelperResult {
    let list = h.param(0).ok_or_else(|| fail("`each` lacks a list: {{#each customer.attr.items}}"))?;
    let entries: Vec<(String, Json, &Json)> = match list.value() {
        Json::Array(items) => items.iter().enumerate().map(|(i, v)| (i.to_string(), Json::from(i), v)).collect(),
        Json::Object(map) => map.iter().map(|(k, v)| (k.clone(), Json::from(k.as_str()), v)).collect(),
        _ if h.inverse().is_none() && list.is_value_missing() => {
            return Err(RenderError::strict_error(list.relative_path()));
        }
        _ => Vec::new(),
    };
    if lent.steps.fetch_add(entries.len(), Ordering::Relaxed) + entries.len() > MOST_ROUNDS {
        return Err(fail(format!("the loops of this template go round more than {MOST_ROUNDS} times")));
    }
    if entries.is_empty() {
        return h.inverse().map_or(Ok(()), |template| template.render(r, ctx, rc, out));
    }
    let Some(template) = h.template() else { return Ok(()) };
    let count = entries.len();
    for (i, (step, key, value)) in entries.into_iter().enumerate() {
        let mut block = BlockContext::new();
        let mut item = None;
        match list.context_path() {
            Some(path) => {
                block.base_path_mut().clone_from(path);
                block.base_path_mut().push(step);
            }
            None => {
                block.set_base_value(value.clone());
                item = Some(value.clone());
            }
        }
        block.set_local_var("first", (i == 0).into());
        block.set_local_var("last", (i + 1 == count).into());
        block.set_local_var("index", i.into());
        block.set_local_var("key", key.clone());
        let name = h.block_param().or_else(|| h.block_param_pair().map(|(name, _)| name));
        if let Some(name) = name {
            let holder = item.map_or_else(|| BlockParamHolder::path(Vec::new()), BlockParamHolder::value);
            block.set_block_param(name, holder);
        }
        if let Some((_, name)) = h.block_param_pair() {
            block.set_block_param(name, BlockParamHolder::value(key));
        }
        rc.push_block(block);
        let result = template.render(r, ctx, rc, out);
        rc.pop_block();
        result?;
    }
    Ok(())
}
