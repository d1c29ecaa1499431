//! The scenes, a file each. A scene acts on the stage by the same functions that the commands call, says what came of it
//! in a few lines, and gives back figures that were counted, and the promises that did not hold.

mod answer;
mod honest;
pub(super) mod import;
mod kill;
mod left_out;
mod plan;
mod reward;
mod scanner;
mod typo;

use super::stage::Stage;
use super::summary::{Outcome, Played};
use super::words::Scene;
use std::time::Instant;

/// Where lines go.
pub(super) type Say<'a> = &'a mut (dyn FnMut(&str) + Send);

/// Plays one; gives the promises that did not hold beside what came of it.
pub(super) async fn play(stage: &Stage, scene: Scene, say: Say<'_>) -> anyhow::Result<(Played, Vec<String>)> {
    let started = Instant::now();
    say(&format!("\n[{}] {}", scene.number, scene.title));
    say(&format!("    {}", scene.says));
    let command = command(stage, scene);
    say(&format!("    $ {command}"));
    let mut indented = |text: &str| {
        for line in text.lines() {
            say(&format!("    {line}"));
        }
    };
    let say: Say<'_> = &mut indented;
    let outcome: Outcome = match scene.number {
        1 => import::play(stage, say).await?,
        2 => typo::play(stage, say).await?,
        3 => plan::play(stage, say).await?,
        4 => kill::play(stage, say).await?,
        5 => scanner::play(stage, say).await?,
        6 => answer::play(stage, say).await?,
        7 => reward::play(stage, say).await?,
        8 => left_out::play(stage, say).await?,
        9 => honest::play(stage, say).await?,
        n => anyhow::bail!("there is no scene {n}"),
    };
    let broken: Vec<String> = outcome.broken.iter().map(|told| format!("scene {}: {told}", scene.number)).collect();
    for told in &broken {
        say(&format!("✗ {told}"));
    }
    let Scene { number, title, .. } = scene;
    let seconds = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    Ok((Played { number, title, command, figures: outcome.figures, seconds }, broken))
}

/// The command that does the same, with the address of whom the scene is about.
fn command(stage: &Stage, scene: Scene) -> String {
    let person = if scene.number == 8 { stage.shop.left_out() } else { stage.shop.regular() };
    let address = person.address.as_ref().map_or("", |address| address.as_str());
    scene.command.replace("EMAIL", address)
}
