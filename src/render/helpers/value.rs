//! Helpers that give a value.

use super::{Lent, VALUES, dates, fail, money};
use crate::render::korean::Josa;
use crate::types::Currency;
use crate::types::locale::Locale;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, JsonTruthy, PathAndJson, RenderContext, RenderError, ScopedJson,
};
use serde_json::Value as Json;
use std::cmp::Ordering;

/// One helper, with what the merge lends it.
struct Value<'a> {
    name: &'static str,
    lent: &'a Lent<'a>,
}

/// Lends those helpers that `uses` names.
pub(crate) fn lend<'reg: 'rc, 'rc>(rc: &mut RenderContext<'reg, 'rc>, lent: &'rc Lent<'rc>, uses: &[&'static str]) {
    for (name, _) in VALUES.iter().filter(|(name, _)| uses.contains(name)) {
        rc.register_local_helper(name, Box::new(Value { name, lent }));
    }
}

impl HelperDef for Value<'_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let language = match h.hash_get("locale").and_then(|v| v.value().as_str()) {
            Some(tag) => &tag.parse::<Locale>().map_err(fail)?,
            None => self.lent.language,
        };
        evaluate(self.name, h, ctx, self.lent, language).map(ScopedJson::Derived)
    }
}

/// A parameter that has to be there.
fn needed<'a, 'rc>(h: &'a Helper<'rc>, index: usize) -> Result<&'a Json, RenderError> {
    match h.param(index) {
        None => Err(fail(format!("`{}` lacks a value: {}", h.name(), usage(h.name())))),
        Some(param) if param.is_value_missing() => Err(RenderError::strict_error(param.relative_path())),
        Some(param) => Ok(param.value()),
    }
}

fn usage(name: &str) -> &'static str {
    VALUES.iter().find(|(n, _)| *n == name).map_or("", |(_, usage)| usage)
}

fn text(h: &Helper<'_>, index: usize) -> Result<String, RenderError> {
    Ok(match needed(h, index)? {
        Json::String(s) => s.clone(),
        other => other.to_string(),
    })
}

fn word<'a>(h: &'a Helper<'_>, index: usize) -> Option<&'a str> {
    h.param(index).and_then(|p| p.value().as_str())
}

/// Missing, null and blank are all absent.
fn present(param: &PathAndJson<'_>) -> bool {
    match param.value() {
        Json::Null => false,
        Json::String(s) => !s.trim().is_empty(),
        _ => !param.is_value_missing(),
    }
}

fn evaluate(
    name: &str,
    h: &Helper<'_>,
    ctx: &Context,
    lent: &Lent<'_>,
    language: &Locale,
) -> Result<Json, RenderError> {
    let values = || h.params().iter().map(PathAndJson::value);
    Ok(match name {
        "date" => dates::format(needed(h, 0)?, word(h, 1), language, lent.zone).map_err(fail)?.into(),
        "number" => {
            let decimals = h.hash_get("decimals").and_then(|v| v.value().as_u64()).map(|n| n.min(12) as usize);
            money::number(needed(h, 0)?, decimals).map_err(fail)?.into()
        }
        "money" => {
            let code = word(h, 1).map(str::parse::<Currency>).transpose().map_err(fail)?;
            money::format(needed(h, 0)?, code.unwrap_or(lent.options.site.currency), language).map_err(fail)?.into()
        }
        "plural" => {
            let n = needed(h, 0)?.as_f64().ok_or_else(|| fail("`plural` takes a number first"))?;
            text(h, if n.abs() == 1.0 { 1 } else { 2 })?.into()
        }
        "default" => match h.params().iter().find(|param| present(param)) {
            Some(param) => param.value().clone(),
            None => return Err(RenderError::strict_error(h.param(0).and_then(PathAndJson::relative_path))),
        },
        "upper" => text(h, 0)?.to_uppercase().into(),
        "lower" => text(h, 0)?.to_lowercase().into(),
        "josa" => {
            let (word, pair) = (text(h, 0)?, text(h, 1)?);
            let particle = Josa::parse(&pair).map_err(fail)?.after(&word);
            let alone = h.hash_get("only").is_some_and(|v| v.value().is_truthy(false));
            if alone { particle } else { format!("{word}{particle}") }.into()
        }
        "honorific" => honorific(ctx.data(), word(h, 0), language).into(),
        "urlencode" => url::form_urlencoded::byte_serialize(text(h, 0)?.as_bytes()).collect::<String>().into(),
        "survey_url" => lent.links.survey(&text(h, 0)?, word(h, 1)).into(),
        "len" => match needed(h, 0)? {
            Json::Array(a) => a.len(),
            Json::Object(o) => o.len(),
            Json::String(s) => s.chars().count(),
            _ => 0,
        }
        .into(),
        "lookup" => {
            let found = match (needed(h, 0)?, needed(h, 1)?) {
                (Json::Array(a), key) => key.as_u64().and_then(|i| a.get(usize::try_from(i).ok()?)),
                (Json::Object(o), key) => key.as_str().and_then(|k| o.get(k)),
                _ => None,
            };
            found.cloned().ok_or_else(|| RenderError::strict_error(h.param(0).and_then(PathAndJson::relative_path)))?
        }
        "eq" | "ne" | "gt" | "gte" | "lt" | "lte" => compared(name, h).into(),
        "and" => values().all(|v| v.is_truthy(false)).into(),
        "or" => values().any(|v| v.is_truthy(false)).into(),
        "not" => (!values().any(|v| v.is_truthy(false))).into(),
        other => return Err(fail(format!("`{other}` cannot be called here"))),
    })
}

/// A comparison with what is missing is false, and `ne` true.
fn compared(name: &str, h: &Helper<'_>) -> bool {
    let (Some(a), Some(b)) = (h.param(0), h.param(1)) else { return false };
    if a.is_value_missing() || b.is_value_missing() {
        return name == "ne" && a.is_value_missing() != b.is_value_missing();
    }
    let order = match (a.value(), b.value()) {
        (Json::Number(x), Json::Number(y)) => x.as_f64().partial_cmp(&y.as_f64()),
        (Json::String(x), Json::String(y)) => Some(x.cmp(y)),
        (x, y) if x == y => Some(Ordering::Equal),
        _ => None,
    };
    match name {
        "eq" => order == Some(Ordering::Equal),
        "ne" => order != Some(Ordering::Equal),
        "gt" => order == Some(Ordering::Greater),
        "gte" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        "lt" => order == Some(Ordering::Less),
        _ => matches!(order, Some(Ordering::Less | Ordering::Equal)),
    }
}

/// 김민지님, without a name 고객님; in English the first name, without one "there".
fn honorific(data: &Json, otherwise: Option<&str>, language: &Locale) -> String {
    let field = |name: &str| {
        let value = data.get("customer")?.get(name)?.as_str()?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    if language.language() == "ko" {
        let parts = || Some(format!("{}{}", field("last_name").unwrap_or_default(), field("first_name")?));
        let name = field("name").or_else(parts);
        let title = |name: &str| if name.ends_with('님') { name.to_owned() } else { format!("{name}님") };
        return title(&name.unwrap_or_else(|| otherwise.unwrap_or("고객").to_owned()));
    }
    field("first_name").or_else(|| field("name")).unwrap_or_else(|| otherwise.unwrap_or("there").to_owned())
}
