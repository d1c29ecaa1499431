//! Scene 2: a campaign file with a typo, and the message that mends it.

use super::Say;
use crate::engine::demo::stage::Stage;
use crate::engine::demo::summary::Outcome;
use crate::engine::demo::{words, world};
use serde_json::json;

/// As it should be, and as it was typed.
const RIGHT: &str = "segment = \"everyone\"";
const WRONG: &str = "segment = \"evryone\"";

pub(super) async fn play(stage: &Stage, say: Say<'_>) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    world::edit(&stage.root, world::SPRING_FILE, RIGHT, WRONG)?;
    let found = stage.check().await?;
    for problem in &found {
        say(&problem.render());
    }
    world::edit(&stage.root, world::SPRING_FILE, WRONG, RIGHT)?;
    let left = stage.check().await?;
    for problem in &left {
        say(&problem.render());
    }
    let named = |problem: &crate::config::Problem| {
        let place = problem.file == world::SPRING_FILE && problem.line > 0 && problem.column > 0;
        place && problem.help.as_ref().is_some_and(|help| help.contains("`everyone`"))
    };
    outcome.promise(found.len() == 1 && found.iter().all(named), || {
        format!("the typo was to give one error with its place and the word that was meant, and gave {}", found.len())
    });
    outcome.promise(left.is_empty(), || format!("{} errors are left in the mended file", left.len()));
    if left.is_empty() {
        say(words::mended(stage.lang));
    }
    outcome.figure("errors", json!(found));
    outcome.figure("errors_after", left.len());
    Ok(outcome)
}
