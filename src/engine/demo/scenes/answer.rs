//! Scene 6: a regular answers a question, and every point of the change is explained.

use super::Say;
use super::scanner::{after, went_well};
use crate::engine::demo::people;
use crate::engine::demo::stage::Stage;
use crate::engine::demo::summary::Outcome;
use crate::engine::demo::traffic::Deed;
use crate::engine::demo::{Lang, words, world};
use crate::relationship::score::tenths;
use crate::relationship::{Explanation, explain::Evidence};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Three days after the first letter.
const ASKED: SignedDuration = SignedDuration::from_hours(72);
/// When what the regular does has settled.
const SETTLED: SignedDuration = SignedDuration::from_mins(72 * 60 + 30);
/// When what the others do has settled.
const ALL_READ: SignedDuration = SignedDuration::from_hours(122);
const MOMENT: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn play(stage: &Stage, say: Say<'_>) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut inbox = stage.catcher.inbox.subscribe();
    stage.go_to(ASKED);
    stage.launch(world::QUESTION).await?;
    stage.work(true).await?;
    let mails: Vec<_> = std::iter::from_fn(|| inbox.try_recv()).collect();
    let mails = stage.delivered(world::QUESTION, &mails).await?;

    let regular = stage.shop.regular();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for (person, mail, at) in &mails {
        let mine = person.number == regular.number;
        let actions = if mine {
            people::plan_answer(person, &mail.raw)
        } else {
            people::plan(person, &mail.raw, world::QUESTION)
        };
        let deeds = if mine { &mut own } else { &mut others };
        deeds.extend(actions.into_iter().map(|action| Deed { at: after(*at, action.after), action }));
    }
    let customer = stage.customer(regular).await?;
    // both as of the same moment, so that the difference is the answer's doing and not time's
    let settled = stage.begins.saturating_add(SETTLED)?;
    let before = stage.explain(customer.id, settled).await?;
    let tally = stage.perform(own, MOMENT).await;
    stage.go_to(SETTLED);
    stage.work(false).await?;
    let now = stage.explain(customer.id, settled).await?;

    let (was, is) = (rounded(&before, stage.lang), rounded(&now, stage.lang));
    say(&words::answered(stage.lang, &regular.name, &was, &is));
    for line in news(&before, &now, stage.lang) {
        say(&line);
    }
    if was.iter().zip(&is).any(|((_, was), (_, is))| is < was) {
        say(words::shared(stage.lang));
    }

    let exact = |why: &Explanation| (why.contributions.iter().map(|part| part.points).sum::<f64>() - why.score).abs();
    outcome.promise(tally.answers == 1, || "the question was not answered".into());
    went_well(&mut outcome, &tally);
    outcome.promise(exact(&before) < 1e-9 && exact(&now) < 1e-9, || "the points do not add up to the score".into());
    let shown = |points: &[(&str, i64)]| points.iter().map(|(_, points)| points).sum::<i64>();
    let in_tenths = |why: &Explanation| (why.score * 10.0).round() as i64;
    outcome.promise(shown(&was) == in_tenths(&before) && shown(&is) == in_tenths(&now), || {
        "the points as they are shown do not add up to the score".into()
    });
    outcome.promise(now.score > before.score, || format!("from {} to {} is no rise", before.score, now.score));
    outcome
        .promise(now.contributions.iter().any(|part| part.evidence.iter().any(|e| e.what == "survey_answer")), || {
            "the answer is no evidence of the score".into()
        });

    let others = stage.perform(others, MOMENT).await;
    went_well(&mut outcome, &others);
    stage.go_to(ALL_READ);
    stage.work(false).await?;
    let report = stage.report(world::QUESTION).await?;
    let answered: i64 = report.answers.values().flat_map(|answers| answers.values()).sum();
    say(&words::answers(stage.lang, mails.len() as i64, answered));
    outcome.promise(answered == others.answers + tally.answers, || {
        format!("{} answered, and the report says {answered}", others.answers + tally.answers)
    });
    outcome.figure("mails", mails.len());
    outcome.figure("answers", answered);
    outcome.figure("before", points(&before));
    outcome.figure("after", points(&now));
    Ok(outcome)
}

/// The points in tenths, rounded so that they add up.
fn rounded(why: &Explanation, lang: Lang) -> Vec<(&'static str, i64)> {
    let points = tenths(&why.contributions.iter().map(|part| part.points).collect::<Vec<_>>());
    why.contributions.iter().map(|part| words::component(lang, part.component)).zip(points).collect()
}

fn points(why: &Explanation) -> Value {
    let parts: serde_json::Map<String, Value> =
        why.contributions.iter().map(|part| (part.component.to_owned(), json!(part.points))).collect();
    json!({ "score": why.score, "points": parts })
}

/// The evidence that is new, or is worth more than it was.
fn news(before: &Explanation, now: &Explanation, lang: Lang) -> Vec<String> {
    let had: Vec<&Evidence> = before.contributions.iter().flat_map(|part| &part.evidence).collect();
    let new = |evidence: &&Evidence| !had.contains(evidence);
    let lines = now.contributions.iter().flat_map(|part| part.evidence.iter().filter(new).map(move |e| (part, e)));
    lines
        .map(|(part, evidence)| {
            words::evidence(lang, words::component(lang, part.component), evidence.what, &evidence.detail)
        })
        .collect()
}
