//! What the law wants in a mail: the rules of each profile as data, the label of the subject, and the footers. This is
//! what is built in, not legal advice; each rule names where it comes from.

mod rules;

pub use rules::{Rule, rules};

use super::options::CompileOptions;
use crate::config::Problem;
use crate::config::model::{Profile, TopicKind, Words};
use crate::types::locale::Locale;

/// What a marketing mail's subject begins with.
pub fn label(profile: Profile) -> Option<&'static str> {
    matches!(profile, Profile::Kr).then_some("(광고) ")
}

/// A label in the author's subject that only looks like the lawful one.
pub(crate) fn label_mistake(subject: &str) -> Option<String> {
    let trimmed = subject.trim_start();
    let start = trimmed.strip_prefix("(광고)").unwrap_or(trimmed).trim_start();
    for (open, close) in [
        ('(', ')'),
        ('[', ']'),
        ('<', '>'),
        ('{', '}'),
        ('（', '）'),
        ('［', '］'),
        ('【', '】'),
        ('〔', '〕'),
        ('「', '」'),
    ] {
        let Some(inside) = start.strip_prefix(open).and_then(|rest| rest.split_once(close)) else { continue };
        let letters: String = inside.0.chars().filter(|c| ('가'..='힣').contains(c)).collect();
        let written = format!("{open}{}{close}", inside.0);
        if letters == "광고" && written != "(광고)" && inside.0.chars().count() <= 8 {
            return Some(written);
        }
    }
    None
}

/// What the profile wants of the shop and `dangol.toml` does not say.
pub(crate) fn site_problems(options: &CompileOptions) -> Vec<Problem> {
    if options.kind == TopicKind::Service {
        return Vec::new();
    }
    let blank = |value: &Option<String>| value.as_ref().is_none_or(|v| v.trim().is_empty());
    let mut problems = Vec::new();
    let mut lacks = |key: &str, why: &str, example: &str| {
        let message = format!("[site] has no `{key}`, and {why}");
        problems.push(
            Problem::whole("dangol.toml", "law", message).help(format!("write {key} = \"{example}\" under [site]")),
        );
    };
    if blank(&options.site.address) {
        let why = match options.profile {
            Profile::Kr => {
                "Korean law wants the postal address in each marketing mail (Network Act art. 50(4), annex 6 of its decree)"
            }
            Profile::Eu => {
                "European law wants the postal address where readers easily find it (Directive 2000/31/EC art. 5(1)), which is in the footer"
            }
            Profile::Us => "CAN-SPAM wants the postal address in each marketing mail (15 U.S.C. § 7704(a)(5)(A)(iii))",
        };
        lacks("address", why, "12 Mapo-daero, Seoul");
    }
    if options.profile == Profile::Kr && blank(&options.site.phone) {
        lacks(
            "phone",
            "Korean law wants the telephone in each marketing mail (Network Act art. 50(4), annex 6 of its decree)",
            "02-000-0000",
        );
    }
    problems
}

macro_rules! footers {
    ($name:literal) => {
        [
            include_str!(concat!("../../templates/footers/", $name, ".ko.html")),
            include_str!(concat!("../../templates/footers/", $name, ".ko.txt")),
            include_str!(concat!("../../templates/footers/", $name, ".en.html")),
            include_str!(concat!("../../templates/footers/", $name, ".en.txt")),
        ]
    };
}

/// The footer in the language of the template, as HTML and as text.
pub(crate) fn footer(options: &CompileOptions, language: &Locale) -> (String, String) {
    let [ko_html, ko_text, en_html, en_text] = match (options.kind, options.profile) {
        (TopicKind::Service, _) => footers!("service"),
        (_, Profile::Kr) => footers!("kr"),
        (_, Profile::Eu) => footers!("eu"),
        (_, Profile::Us) => footers!("us"),
    };
    let (html, text) = if language.language() == "ko" { (ko_html, ko_text) } else { (en_html, en_text) };
    let topic = options.topic.as_ref().map_or("", |topic: &Words| topic.of(language, &options.site.locale));
    // the topic's name is a text, not a template
    let topic = topic.replace("{{", "{ {");
    let html_topic = html_escape::encode_text(&topic).into_owned();
    (html.trim().replace("TOPIC", &html_topic), text.trim().replace("TOPIC", &topic) + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_label_is_lawful() {
        for wrong in [
            "[광고] 봄",
            "(광 고) 봄",
            "( 광고 ) 봄",
            "（광고） 봄",
            "(광.고) 봄",
            " [ 광고 ]봄",
            "(광고)[광고] 봄",
            "<광고> x",
        ] {
            assert!(label_mistake(wrong).is_some(), "{wrong}");
        }
        for right in ["(광고) 봄", "봄", "봄 [광고] 아님", "(광고비 안내) 봄", "[봄] 소식", "광고 없는 봄"]
        {
            assert_eq!(label_mistake(right), None, "{right}");
        }
    }
}
