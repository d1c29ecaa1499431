//! Scene 3: the plan: who would get the letter, who not, and why.

use super::Say;
use crate::engine::demo::stage::Stage;
use crate::engine::demo::summary::Outcome;
use crate::engine::demo::{Lang, counts, words, world};
use crate::report::why;
use serde_json::json;

pub(super) async fn play(stage: &Stage, say: Say<'_>) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let plan = stage.plan(world::SPRING).await?;
    let left_out: Vec<(&str, i64)> =
        plan.skipped.iter().map(|(reason, n)| (why::spelled(reason, stage.lang == Lang::Ko), *n)).collect();
    say(&words::planned(stage.lang, plan.audience, plan.mails, &left_out, plan.reward_liability));
    let skipped: i64 = plan.skipped.values().sum();
    outcome.promise(plan.mails == counts::MAILED as i64, || {
        format!("{} were to get a mail, and the plan says {}", counts::MAILED, plan.mails)
    });
    outcome.promise(plan.audience == plan.mails + skipped, || {
        format!("the plan does not say of everybody why: {} of {}", plan.mails + skipped, plan.audience)
    });
    let queued = stage.messages(world::SPRING).await?.len();
    outcome.promise(queued == 0, || format!("the plan changed something: {queued} messages"));
    outcome.figure("audience", plan.audience);
    outcome.figure("mails", plan.mails);
    outcome.figure("reward_liability", plan.reward_liability);
    outcome.figure("skipped", json!(plan.skipped));
    outcome.figure("seconds_at_the_relay", plan.seconds);
    Ok(outcome)
}
