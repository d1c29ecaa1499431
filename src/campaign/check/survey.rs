//! What a survey says, beyond its shape.

use crate::config::Problem;
use crate::config::model::{Survey, SurveyKind, Words};
use crate::config::workspace::{File, is_name};
use std::collections::BTreeSet;

/// The mistakes of a survey.
pub(super) fn problems(file: &File<Survey>) -> Vec<Problem> {
    let (survey, document) = (&file.value, &file.document);
    let mut problems = Vec::new();
    let mut words = |path: &str, words: &Words, what: &str| {
        if words.texts().any(|text| text.trim().is_empty()) {
            let message = format!("`{what}` is empty, and readers would see nothing there");
            problems.push(document.problem(path, "value", message).help(format!("write {what} = \"…\"")));
        }
    };
    words("question", &survey.question, "question");
    for (i, choice) in survey.choices.iter().enumerate() {
        words(&format!("choices[{i}].label"), &choice.label, "label");
    }
    match survey.kind {
        SurveyKind::Choice if !(2..=12).contains(&survey.choices.len()) => {
            let message = format!("a choice has 2 to 12 `choices`, and this has {}", survey.choices.len());
            let path = if survey.choices.is_empty() { "kind" } else { "choices" };
            let help = "write [[choices]] with value = \"…\", label = \"…\" for each answer";
            problems.push(document.problem(path, "value", message).help(help));
        }
        SurveyKind::Nps | SurveyKind::Scale if !survey.choices.is_empty() => {
            let message = "`choices` belong to kind = \"choice\"; this kind is answered by 0 to 10";
            let help = "write kind = \"choice\", or take the choices out";
            problems.push(document.problem("choices", "value", message).help(help));
        }
        _ => {}
    }
    let mut seen = BTreeSet::new();
    let mut labels: Vec<&Words> = Vec::new();
    for (i, choice) in survey.choices.iter().enumerate() {
        if labels.contains(&&choice.label) && choice.label.texts().all(|text| !text.trim().is_empty()) {
            let message = "two choices have the same `label`: readers cannot tell them apart";
            problems.push(document.problem(&format!("choices[{i}].label"), "duplicate", message));
        }
        labels.push(&choice.label);
        let path = format!("choices[{i}].value");
        let mut problem = |code: &'static str, message: String, help: &str| {
            problems.push(document.problem(&path, code, message).help(help))
        };
        if !is_name(&choice.value) {
            let message = format!("`{}` cannot be a value: it has lower-case letters, digits, - and _", choice.value);
            problem("name", message, "what readers see stands in `label`");
        }
        if !seen.insert(&choice.value) {
            let message = format!("two choices have the value `{}`", choice.value);
            problem("duplicate", message, "give one of them another value");
        }
    }
    problems
}
