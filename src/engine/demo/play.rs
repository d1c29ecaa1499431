//! The whole demo: the stage is set, the scenes are played, then it serves until told to stop.

use super::scenes::{self, Say};
use super::stage::Stage;
use super::summary::Summary;
use super::{Lang, words};
use crate::engine::signals;
use crate::types::Timestamp;
use anyhow::bail;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the clock is set while the demo serves: hits are judged by fractions of a second.
const TICK: Duration = Duration::from_millis(100);
/// How often hits are settled and scores moved while it serves.
const UPKEEP: Duration = Duration::from_secs(1);

/// What to play.
#[derive(Clone, Debug)]
pub struct Play {
    /// In which language, and with it which shop.
    pub lang: Lang,
    /// The program whose `run` sends the mail; the demo's own, when that is `dangol`.
    pub binary: PathBuf,
}

/// Plays all scenes, each line of them to `say`, and gives what came of them with the stage as they left it. SIGINT and
/// SIGTERM end it; so does `stop`.
///
/// # Errors
/// When a scene cannot be played to its end. A promise that does not hold is no error: the summary says so.
pub async fn play(play: &Play, stop: &CancellationToken, say: Say<'_>) -> anyhow::Result<(Summary, Stage)> {
    let stage = Stage::set_up(play.lang, &play.binary, stop.clone()).await?;
    signals::handle(&stage.app, stop.clone());
    let played = tokio::select! {
        played = all(&stage, say) => played,
        () = stop.cancelled() => Err(anyhow::anyhow!("the demo was ended before its last scene")),
    };
    match played {
        Ok(summary) => Ok((summary, stage)),
        Err(e) => {
            stage.strike().await;
            Err(e)
        }
    }
}

async fn all(stage: &Stage, say: Say<'_>) -> anyhow::Result<Summary> {
    let shop = &stage.shop;
    let orders = shop.people.iter().map(|person| person.orders.len()).sum();
    let customers = shop.people.len();
    let mut summary = Summary { lang: stage.lang.code(), customers, orders, ..Summary::default() };
    say(&words::opening(stage.lang, customers as i64, orders as i64));
    for scene in words::scenes(stage.lang) {
        let (played, broken) = scenes::play(stage, scene, say).await?;
        summary.scenes.push(played);
        summary.broken.extend(broken);
    }
    // the story has come to the present
    stage.clock.set(Timestamp::now());
    stage.work(false).await?;
    summary.kept = summary.broken.is_empty();
    say(&format!("\n{}", words::kept(stage.lang, summary.broken.len())));
    Ok(summary)
}

impl Stage {
    /// Serves the catcher's page and the site until `stop`, by the system's time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn serve(&self, stop: &CancellationToken, say: Say<'_>) -> anyhow::Result<()> {
        let page = format!("http://{}/", self.page);
        let customer = self.shop.regular().address.as_ref().map_or("", |address| address.as_str());
        let workspace = self.root.display().to_string();
        say(&format!("\n{}", words::closing(self.lang, &page, self.site.as_str(), &workspace, customer)));
        let mut tick = tokio::time::interval(TICK);
        let mut upkeep = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                _ = tick.tick() => self.clock.set(Timestamp::now()),
                _ = upkeep.tick() => self.work(false).await?,
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    /// Ends the servers and takes the temporary place away.
    ///
    /// # Errors
    /// When a server has not ended in good order.
    pub async fn end(self) -> anyhow::Result<()> {
        let place = self.place().to_owned();
        self.strike().await;
        if place.exists() {
            bail!("{} could not be taken away", place.display());
        }
        Ok(())
    }
}
