//! Scene 5: machines read the mail first, then people do what people do.

use super::Say;
use crate::engine::demo::people::{self, Who};
use crate::engine::demo::stage::Stage;
use crate::engine::demo::summary::Outcome;
use crate::engine::demo::traffic::{Deed, Tally};
use crate::engine::demo::{Person, till, words, world};
use crate::permission::{self, State};
use crate::relationship::Explanation;
use crate::types::Timestamp;
use jiff::SignedDuration;
use std::collections::HashSet;

/// Machines act within seconds of each other, people within minutes.
const MACHINES: SignedDuration = SignedDuration::from_millis(50);
const PEOPLE: SignedDuration = SignedDuration::from_secs(60);
/// When all that scanners did has settled: they came within two seconds of the last mail.
const SETTLED: SignedDuration = SignedDuration::from_mins(30);
/// When all that people did within two days has settled, and the shop opens again.
const READ: SignedDuration = SignedDuration::from_hours(72);
/// Orders after the letter that are brought in: of the two days after it.
pub(super) const BOUGHT: SignedDuration = SignedDuration::from_hours(62);

pub(super) async fn play(stage: &Stage, say: Say<'_>) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut inbox = stage.catcher.inbox.from_start();
    let mails: Vec<_> = std::iter::from_fn(|| inbox.try_recv()).collect();
    let mails = stage.delivered(world::SPRING, &mails).await?;
    let (mut machines, mut humans) = (Vec::new(), Vec::new());
    let mut scanned: Vec<&Person> = Vec::new();
    for (person, mail, at) in &mails {
        for action in people::plan(person, &mail.raw, world::SPRING) {
            let deeds = if action.who == Who::Scanner { &mut machines } else { &mut humans };
            deeds.push(Deed { at: after(*at, action.after), action });
        }
        if person.truth.scanner {
            scanned.push(person);
        }
    }

    // both as of the same moment, so that the difference is the scanners' doing and not time's
    let settled = stage.begins.saturating_add(SETTLED)?;
    // a mail of unknown fate is proved delivered by whatever fetches its pictures: that is news of the mail, not of them
    let known: HashSet<i64> = stage
        .messages(world::SPRING)
        .await?
        .iter()
        .filter(|message| message.state == "accepted")
        .map(|message| message.customer)
        .collect();
    let before: Vec<Explanation> = explain(stage, &scanned, settled).await?;
    let tally = stage.perform(machines, MACHINES).await;
    stage.go_to(SETTLED);
    stage.work(false).await?;
    let after_scan = explain(stage, &scanned, settled).await?;
    let moved = before
        .iter()
        .zip(&after_scan)
        .filter(|(before, _)| known.contains(&before.customer))
        .map(|(before, after)| (after.score - before.score).abs())
        .fold(0.0, f64::max);
    let withdrawn = withdrawn(stage, &scanned).await?;
    let report = stage.report(world::SPRING).await?;
    say(&words::scanned(stage.lang, tally.requests, (moved * 10.0).ceil() as i64, withdrawn));
    went_well(&mut outcome, &tally);
    outcome.promise(!scanned.is_empty() && tally.requests > 0, || "no scanner has come".into());
    outcome.promise(moved < 1e-9, || format!("a scanner moved a score by {moved}"));
    outcome.promise(withdrawn + report.unsubscribes == 0, || format!("{withdrawn} were unsubscribed by a scanner"));
    outcome.promise(report.clicks.human + report.opens.human == 0, || "a scanner was taken for a person".into());
    outcome.promise(
        report.clicks.machine == scanned.len() as i64 && report.opens.machine == report.clicks.machine,
        || {
            format!(
                "{} mails were scanned, and {} opens and {} clicks by scanners are reported",
                scanned.len(),
                report.opens.machine,
                report.clicks.machine
            )
        },
    );
    outcome.figure("scanned", scanned.len());
    outcome.figure("requests", tally.requests);
    outcome.figure("machine_clicks", report.clicks.machine);
    outcome.figure("score_change", moved);
    outcome.figure("unsubscribed", withdrawn);

    let tally = stage.perform(humans, PEOPLE).await;
    went_well(&mut outcome, &tally);
    stage.go_to(READ);
    let orders = till::bought(stage, till::OPENS, BOUGHT);
    let bought = till::bring(stage, "orders-after.csv", &orders).await?.inserted.cast_signed();
    stage.work(false).await?;
    let report = stage.report(world::SPRING).await?;
    let seen = words::Read {
        opened: report.opens.human,
        proxies: report.opens.proxy,
        clicked: report.clicks.human,
        unsubscribed: report.unsubscribes,
        bought,
    };
    say(&words::read(stage.lang, seen));
    outcome.promise(seen.unsubscribed == tally.unsubscribed && tally.unsubscribed > 0, || {
        format!("{} people unsubscribed, and the report says {}", tally.unsubscribed, seen.unsubscribed)
    });
    outcome.promise(seen.opened > 0 && seen.clicked > 0, || "nobody is said to have opened or clicked".into());
    outcome.figure("people_requests", tally.requests);
    outcome.figure("people_opened", seen.opened);
    outcome.figure("people_clicked", seen.clicked);
    outcome.figure("people_unsubscribed", seen.unsubscribed);
    outcome.figure("orders_after", bought);
    outcome.figure("unknown_left", report.messages.get("unknown").copied().unwrap_or(0));
    Ok(outcome)
}

pub(super) fn after(at: Timestamp, wait: std::time::Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO);
    at.saturating_add(wait).unwrap_or(at)
}

/// Requests that failed are the demo's own failure: every link of a mail leads somewhere.
pub(super) fn went_well(outcome: &mut Outcome, tally: &Tally) {
    let failed = &tally.failed;
    outcome.promise(failed.is_empty(), || format!("{} requests failed, the first: {}", failed.len(), failed[0]));
}

async fn explain(stage: &Stage, people: &[&Person], at: Timestamp) -> anyhow::Result<Vec<Explanation>> {
    let mut all = Vec::new();
    for person in people {
        let customer = stage.customer(person).await?;
        all.push(stage.explain(customer.id, at).await?);
    }
    Ok(all)
}

/// How many of these people no longer stand where they stood, since each of them had consented.
async fn withdrawn(stage: &Stage, people: &[&Person]) -> anyhow::Result<i64> {
    let mut n = 0;
    for person in people {
        let customer = stage.customer(person).await?;
        let standing = permission::state(&mut &stage.app.db, customer.id).await?;
        let granted = standing.iter().any(|s| s.topic == "newsletter" && s.state == State::Granted);
        n += i64::from(!granted);
    }
    Ok(n)
}
