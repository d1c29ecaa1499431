//! Scene 9: what a campaign caused, beside what was planted. Two letters go to one half of the readers each; one makes some
//! of them order who would not have, the other nobody. The report knows orders and arms, and nothing of the truth.

use super::Say;
use super::reward::ENDED;
use super::scanner::{after, went_well};
use crate::engine::demo::people;
use crate::engine::demo::stage::Stage;
use crate::engine::demo::summary::Outcome;
use crate::engine::demo::traffic::Deed;
use crate::engine::demo::{Effect, Person, till, words, world};
use crate::report::campaign::Report;
use anyhow::{Context as _, ensure};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::HashSet;

/// An hour after the rewards.
const SENT: SignedDuration = SignedDuration::from_hours(313);
/// The midnight after, from which on the letter has its effect.
const EFFECT: SignedDuration = SignedDuration::from_hours(326);
/// For so many days, all of them within the goal's window.
const EFFECT_DAYS: u16 = 6;
/// When the window closes.
const CLOSED: SignedDuration = SignedDuration::from_hours(313 + 24 * world::GOAL_DAYS);
/// Some hours later, when the report is asked for.
const ASKED: SignedDuration = SignedDuration::from_hours(316 + 24 * world::GOAL_DAYS);
/// Of a thousand who get the letter, how many order once because of it.
const LIFT: u64 = 60;
const MOMENT: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn play(stage: &Stage, say: Say<'_>) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let (mut deeds, mut invited) = (Vec::new(), Vec::new());
    stage.go_to(SENT);
    for campaign in [world::INVITE, world::NOTES] {
        let mut inbox = stage.catcher.inbox.subscribe();
        stage.launch(campaign).await?;
        stage.work(true).await?;
        let mails: Vec<_> = std::iter::from_fn(|| inbox.try_recv()).collect();
        for (person, mail, at) in stage.delivered(campaign, &mails).await? {
            let actions = people::plan(person, &mail.raw, campaign);
            deeds.extend(actions.into_iter().map(|action| Deed { at: after(at, action.after), action }));
            if campaign == world::INVITE {
                invited.push(person);
            }
        }
    }
    let tally = stage.perform(deeds, MOMENT).await;
    went_well(&mut outcome, &tally);
    let planted = buy(stage, &invited).await?;
    // whoever became a regular meanwhile is thanked, too
    stage.work(true).await?;

    let works = measured(world::INVITE, &stage.report(world::INVITE).await?, planted)?;
    let idle = measured(world::NOTES, &stage.report(world::NOTES).await?, 0)?;
    say(&words::measured(stage.lang, world::GOAL_DAYS, &[works.0.clone(), idle.0.clone()]));
    outcome.promise(planted > 0 && works.0.range.0 > 0, || {
        format!("the letter made {planted} order, and the report says {:?}", works.0.range)
    });
    outcome.promise(works.0.holds_the_truth(), || {
        format!("{planted} were planted, and the report's range is {:?}", works.0.range)
    });
    outcome.promise(!idle.0.claims() && idle.1.starts_with("not enough evidence"), || {
        format!("the letter that did nothing is said to have done {:?}: {}", idle.0.range, idle.1)
    });
    for (name, (of, verdict)) in [("works", works), ("idle", idle)] {
        let figures = json!({
            "campaign": of.campaign, "planted": of.planted, "low": of.range.0, "high": of.range.1,
            "treated": of.treated.0, "ordered": of.treated.1, "holdout": of.holdout.0, "holdout_ordered": of.holdout.1,
            "verdict": verdict,
        });
        outcome.figure(name, figures);
    }
    Ok(outcome)
}

/// The orders of that time come in, with those that the invitation caused; gives how many of the invited ordered who would
/// not have.
async fn buy(stage: &Stage, invited: &[&Person]) -> anyhow::Result<i64> {
    stage.go_to(ASKED);
    // what time alone changes is looked at first, so that orders earn their points before any gift is made of the budget
    stage.work(false).await?;
    let mut orders = till::bought(stage, ENDED, ASKED);
    let window = stage.begins.saturating_add(SENT)?..stage.begins.saturating_add(CLOSED)?;
    let anyway: HashSet<usize> =
        orders.iter().filter(|(_, order)| window.contains(&order.at)).map(|(person, _)| person.number).collect();
    let effect = Effect { occasion: world::INVITE, lift: LIFT };
    let caused: till::Bought<'_> = invited
        .iter()
        .filter_map(|person| Some((*person, till::caused(stage, person, effect, EFFECT, EFFECT_DAYS)?)))
        .collect();
    let planted = caused.iter().filter(|(person, _)| !anyway.contains(&person.number)).count();
    orders.extend(caused);
    till::bring(stage, "orders-later.csv", &orders).await?;
    Ok(planted as i64)
}

/// What the report says, in customers who ordered, and its own words.
fn measured(campaign: &'static str, report: &Report, planted: i64) -> anyhow::Result<(words::Measured, String)> {
    let goal = report.goal.as_ref().context("the report says nothing of the goal")?;
    ensure!(goal.open == 0, "the windows of {} customers are still open", goal.open);
    let (low, high) = goal.low.zip(goal.high).context("the report has no interval")?;
    let customers = |share: f64| (share * goal.treated.n as f64).round() as i64;
    let (treated, holdout) = ((goal.treated.n, goal.treated.converted), (goal.holdout.n, goal.holdout.converted));
    let range = (customers(low), customers(high));
    Ok((words::Measured { campaign, treated, holdout, planted, range }, goal.verdict.clone()))
}
