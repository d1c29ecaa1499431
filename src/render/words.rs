//! The block that asks a survey's question: a row of buttons as HTML, lines with links as text.

use crate::config::model::{Survey, SurveyKind};
use crate::types::locale::Locale;
use std::fmt::Write as _;

/// The answers: how each is kept, and what the reader sees.
fn answers(survey: &Survey, language: &Locale, fallback: &Locale) -> Vec<(String, String)> {
    match survey.kind {
        SurveyKind::Nps | SurveyKind::Scale => (0..=10).map(|n| (n.to_string(), n.to_string())).collect(),
        SurveyKind::Choice => survey
            .choices
            .iter()
            .map(|choice| (choice.value.clone(), choice.label.of(language, fallback).to_owned()))
            .collect(),
    }
}

/// Two braces in a question are text.
fn braces(text: &str) -> String {
    text.replace("{{", "{ {")
}

fn escape(text: &str) -> String {
    html_escape::encode_double_quoted_attribute(&braces(text)).into_owned()
}

/// As HTML that stands in any cell.
pub(crate) fn survey_html(name: &str, survey: &Survey, language: &Locale, fallback: &Locale) -> String {
    let button = "display:inline-block;margin:0 2px 6px 2px;padding:9px 11px;border:1px solid #c9c9c9;\
                  border-radius:6px;background:#ffffff;color:#222222;font-size:15px;line-height:18px;text-decoration:none";
    let mut out = format!(
        "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr>\
         <td align=\"center\" style=\"padding:6px 0 12px 0;font-size:17px;line-height:25px;font-weight:bold\">{}</td></tr>\
         <tr><td align=\"center\" style=\"padding:0;font-size:15px\">",
        escape(survey.question.of(language, fallback))
    );
    for (value, label) in answers(survey, language, fallback) {
        let _ = write!(
            out,
            "<a href=\"{{{{survey_url \"{name}\" \"{value}\"}}}}\" style=\"{button}\">{}</a> ",
            escape(&label)
        );
    }
    out.push_str("</td></tr>");
    if survey.kind == SurveyKind::Nps {
        let (low, high) = match language.language() {
            "ko" => ("0 전혀 아니다", "10 매우 그렇다"),
            _ => ("0 not at all", "10 very likely"),
        };
        let _ = write!(
            out,
            "<tr><td align=\"center\" style=\"padding:2px 0 6px 0;font-size:12px;color:#777777\">{low} · {high}</td></tr>"
        );
    }
    out.push_str("</table>");
    out
}

/// As lines of text.
pub(crate) fn survey_text(name: &str, survey: &Survey, language: &Locale, fallback: &Locale) -> String {
    let mut out = format!("{}\n", braces(survey.question.of(language, fallback)));
    for (value, label) in answers(survey, language, fallback) {
        let _ = writeln!(out, "{} ({{{{survey_url \"{name}\" \"{value}\"}}}})", braces(&label));
    }
    out
}
