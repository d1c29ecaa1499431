//! Helpers that make blocks, the pixel and the honeypot: `track` signs the link in it, `scope` holds a partial's parameters, `each`
//! counts its rounds.

use super::{Lent, fail};
use crate::render::merge::Limited;
use crate::render::options::Utm;
use handlebars::{
    BlockContext, BlockParamHolder, Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext,
    RenderError, Renderable,
};
use serde_json::Value as Json;
use std::sync::atomic::Ordering;

/// More rounds than any mail needs; loops in loops over a customer's lists would otherwise go on for ever.
const MOST_ROUNDS: usize = 50_000;
/// An address longer than this is cut by mail programs.
const LONGEST_URL: usize = 2_000;

/// One helper, with what the merge lends it.
#[derive(Clone, Copy)]
enum Block {
    Track,
    Scope,
    Each,
    Pixel,
    Honeypot,
}

/// The helpers of this file, by name.
const ALL: [(&str, Block); 5] = [
    ("track", Block::Track),
    ("scope", Block::Scope),
    ("each", Block::Each),
    ("open_pixel", Block::Pixel),
    ("honeypot", Block::Honeypot),
];

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
            Block::Scope => scope(h, r, ctx, rc, out),
            Block::Each => each(self.lent, h, r, ctx, rc, out),
            Block::Pixel => match self.lent.links.open_pixel() {
                Some(url) => {
                    let rest = " width=\"1\" height=\"1\" alt=\"\" style=\"display:block;border:0\">";
                    element(out, "<img src=", &url, rest)
                }
                None => Ok(()),
            },
            // no text, so that nothing is hidden from spam filters; no style, because it stands in what is hidden
            Block::Honeypot => match self.lent.links.honeypot() {
                Some(url) => element(out, "<a href=", &url, " aria-hidden=\"true\" tabindex=\"-1\"></a>"),
                None => Ok(()),
            },
        }
    }
}

/// An element with an address in it.
fn element(out: &mut dyn Output, before: &str, url: &str, after: &str) -> HelperResult {
    let url = html_escape::encode_double_quoted_attribute(url);
    out.write(&format!("{before}\"{url}\"{after}"))?;
    Ok(())
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
    let mut inner = Limited::new(64 * 1024);
    if let Some(template) = h.template() {
        template.render(r, ctx, rc, &mut inner)?;
    }
    let url = match lent.html {
        true => html_escape::decode_html_entities(&inner.text).into_owned(),
        false => inner.text,
    };
    let url = outgoing(lent, number, url.trim()).map_err(fail)?;
    match lent.html {
        true => out.write(&html_escape::encode_double_quoted_attribute(&url))?,
        false => out.write(&url)?,
    }
    Ok(())
}

/// The address that the mail has for a link of the template.
fn outgoing(lent: &Lent<'_>, number: u16, written: &str) -> Result<String, String> {
    let shown = || written.chars().take(80).filter(|c| !c.is_control()).collect::<String>();
    let scheme = |s: &str| written.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s));
    if written.is_empty() || written.starts_with('#') || scheme("mailto:") || scheme("tel:") {
        let harmless = !written.chars().any(char::is_control);
        return if harmless { Ok(written.to_owned()) } else { Err(format!("`{}` is not a link", shown())) };
    }
    if !scheme("http://") && !scheme("https://") {
        return Err(format!("the link `{}` does not begin with https:// or http://", shown()));
    }
    // what is plainly an address need not be parsed, which is most links of most mails
    let host = written.find("//").and_then(|at| written.as_bytes().get(at + 2)).is_some_and(u8::is_ascii_alphanumeric);
    let clean =
        host && written.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`'));
    let mut url = match clean {
        true => written.to_owned(),
        false => url::Url::parse(written).map_err(|e| format!("`{}` is not a link: {e}", shown()))?.to_string(),
    };
    if let Some(utm) = &lent.options.utm {
        url = with_utm(&url, utm);
    }
    if url.len() > LONGEST_URL {
        return Err(format!("the link `{}…` is longer than {LONGEST_URL} characters", shown()));
    }
    Ok(if lent.options.clicks { lent.links.click(number, &url) } else { url })
}

/// Adds the parameters that the address does not have yet, before its fragment.
fn with_utm(url: &str, utm: &Utm) -> String {
    let (address, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
    let has = |name: &str| {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        query.split('&').any(|pair| pair.split('=').next() == Some(name))
    };
    let mut out = address.to_owned();
    for (name, value) in [("utm_source", &utm.source), ("utm_medium", &utm.medium), ("utm_campaign", &utm.campaign)] {
        if !has(name) {
            out.push(if !out.contains('?') {
                '?'
            } else if out.ends_with(['?', '&']) {
                ' '
            } else {
                '&'
            });
            if out.ends_with(' ') {
                out.pop();
            }
            out.push_str(name);
            out.push('=');
            out.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        }
    }
    out + fragment
}

fn scope<'reg: 'rc, 'rc>(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utm_goes_before_the_fragment_and_never_twice() {
        let utm = Utm { source: "Haru Garden".into(), medium: "email".into(), campaign: "봄".into() };
        let all = "utm_source=Haru+Garden&utm_medium=email&utm_campaign=%EB%B4%84";
        assert_eq!(with_utm("https://x.example", &utm), format!("https://x.example?{all}"));
        assert_eq!(with_utm("https://x.example/?a=1#top", &utm), format!("https://x.example/?a=1&{all}#top"));
        assert_eq!(with_utm("https://x.example/?", &utm), format!("https://x.example/?{all}"));
        let own = "https://x.example/?utm_source=a&utm_medium=b&utm_campaign=c#d";
        assert_eq!(with_utm(own, &utm), own);
    }
}
