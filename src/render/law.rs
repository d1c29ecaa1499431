//! What the law wants in a mail, as data: for each profile its rules with their sources, the label of the subject, and
//! the footers. This is what is built in, not legal advice; each rule names where it comes from.

use super::options::CompileOptions;
use crate::config::Problem;
use crate::config::model::{Profile, TopicKind, Words};
use crate::types::locale::Locale;

/// One rule of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is asked for.
    pub asks: &'static str,
    /// The law and its article.
    pub source: &'static str,
    /// Since when it has this content.
    pub since: &'static str,
    /// How it is kept here.
    pub kept: &'static str,
}

/// Korea: the Network Act (정보통신망 이용촉진 및 정보보호 등에 관한 법률), as published to 2024.
const KR: [Rule; 4] = [
    Rule {
        asks: "the subject of an advertising mail begins with (광고), written so and not otherwise",
        source: "Network Act art. 50(4); Enforcement Decree art. 61(3) and annex 6",
        since: "2014-11-29",
        kept: "the renderer puts `(광고) ` before the subject, once",
    },
    Rule {
        asks: "the body names the sender, with e-mail address, telephone number and postal address",
        source: "Network Act art. 50(4) no. 1; Enforcement Decree art. 61(3) and annex 6",
        since: "2014-11-29",
        kept: "the footer",
    },
    Rule {
        asks: "the body says how to refuse or withdraw easily, free of charge",
        source: "Network Act art. 50(4) no. 2 and (6); Enforcement Decree art. 61(3) and annex 6",
        since: "2014-11-29",
        kept: "the 수신거부 link in the footer, and List-Unsubscribe",
    },
    Rule {
        asks: "nothing hides the label or the sender: no spaces, signs or other brackets in (광고)",
        source: "Network Act art. 50(5)",
        since: "2014-11-29",
        kept: "`check` refuses [광고], (광 고) and the like",
    },
];

/// European Union.
const EU: [Rule; 4] = [
    Rule {
        asks: "the sender's identity is not disguised, and there is a valid address to ask that it stops",
        source: "Directive 2002/58/EC art. 13(4), as amended by Directive 2009/136/EC",
        since: "2009-12-19",
        kept: "the footer's name, address and unsubscribe link",
    },
    Rule {
        asks: "the provider's name, geographic address and e-mail address are easily found",
        source: "Directive 2000/31/EC art. 5(1)",
        since: "2000-07-17",
        kept: "the footer",
    },
    Rule {
        asks: "a customer can refuse in each message, free of charge and easily",
        source: "Directive 2002/58/EC art. 13(2)",
        since: "2002-07-31",
        kept: "the footer's unsubscribe link",
    },
    Rule {
        asks: "the right to object to direct marketing is brought to attention",
        source: "Regulation (EU) 2016/679 art. 21(2) to (4)",
        since: "2018-05-25",
        kept: "the reason for receipt and the unsubscribe link in the footer",
    },
];

/// United States: CAN-SPAM.
const US: [Rule; 3] = [
    Rule {
        asks: "a clear and conspicuous way to opt out, working for 30 days after sending",
        source: "15 U.S.C. § 7704(a)(3) and (a)(5)(A)(ii)",
        since: "2004-01-01",
        kept: "the footer's unsubscribe link",
    },
    Rule {
        asks: "a valid physical postal address of the sender",
        source: "15 U.S.C. § 7704(a)(5)(A)(iii)",
        since: "2004-01-01",
        kept: "the footer",
    },
    Rule {
        asks: "opting out takes no more than a reply or one visit to a page",
        source: "16 CFR § 316.5",
        since: "2008-07-07",
        kept: "one page, no login",
    },
];

/// The rules of a profile.
pub fn rules(profile: Profile) -> &'static [Rule] {
    match profile {
        Profile::Kr => &KR,
        Profile::Eu => &EU,
        Profile::Us => &US,
    }
}

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
            Profile::Kr => "Korean law wants the postal address in each marketing mail (Network Act art. 50(4))",
            Profile::Eu => "European law wants the postal address in each marketing mail (Directive 2000/31/EC art. 5)",
            Profile::Us => "CAN-SPAM wants the postal address in each marketing mail (15 U.S.C. § 7704(a)(5))",
        };
        lacks("address", why, "12 Mapo-daero, Seoul");
    }
    if options.profile == Profile::Kr && blank(&options.site.phone) {
        lacks("phone", "Korean law wants the telephone in each marketing mail (Network Act art. 50(4))", "02-000-0000");
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

    #[test]
    fn every_rule_names_its_source() {
        for profile in [Profile::Kr, Profile::Eu, Profile::Us] {
            assert!(
                rules(profile).iter().all(|r| !r.source.is_empty() && r.since.parse::<jiff::civil::Date>().is_ok())
            );
        }
    }
}
