//! Scene 4: the letter goes out, its process is killed half-way, and another goes on.

use super::Say;
use crate::catcher::{Catcher, Subscription};
use crate::engine::demo::person::Mailbox;
use crate::engine::demo::stage::Stage;
use crate::engine::demo::summary::Outcome;
use crate::engine::demo::worker::Worker;
use crate::engine::demo::{counts, words, world};
use anyhow::bail;
use jiff::SignedDuration;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// How long half of the mails may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a silent worker is asked whether it still runs.
const LOOK: Duration = Duration::from_millis(200);

pub(super) async fn play(stage: &Stage, say: Say<'_>) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut caught = stage.catcher.inbox.subscribe();
    stage.launch(world::SPRING).await?;

    let first = Worker::start(&stage.binary, &stage.root, stage.begins, &stage.log)?;
    half(first, &mut caught).await?.kill()?;
    let at_kill = deliveries(&stage.catcher);
    say(&words::killed(stage.lang, at_kill));

    // somebody has seen it a minute later, and starts it again
    let again = stage.go_to(SignedDuration::from_mins(1));
    Worker::start(&stage.binary, &stage.root, again, &stage.log)?.finish().await?;
    // mailboxes that were full are tried once more
    stage.go_to(SignedDuration::from_mins(5));
    stage.work(true).await?;

    let report = stage.report(world::SPRING).await?;
    let state = |name: &str| report.messages.get(name).copied().unwrap_or(0);
    let counted = stage.catcher.inbox.counts();
    let numbers = words::Sent {
        sink: deliveries(&stage.catcher),
        ours: state("accepted"),
        twice: counted.twice.cast_signed(),
        unknown: state("unknown"),
        refused: state("refused"),
    };
    let by_recipient = stage.catcher.inbox.by_recipient();
    let fate = Fate::of(stage, &by_recipient).await?;
    say(&words::sent(stage.lang, numbers));
    if numbers.unknown > 0 {
        say(&words::of_unknown(stage.lang, numbers.unknown, fate.unknown_arrived));
    }

    let mailed = counts::MAILED as i64;
    let waiting: i64 = ["queued", "deferred", "claimed", "transmitting"].into_iter().map(state).sum();
    let twice = by_recipient.values().filter(|n| **n > 1).count();
    outcome
        .promise(at_kill < counts::REACHED as i64, || format!("the worker was killed too late, after {at_kill} mails"));
    outcome.promise(numbers.twice == 0 && twice == 0, || {
        format!("{} got the letter twice", numbers.twice.max(twice as i64))
    });
    outcome.promise(fate.lost.is_empty(), || format!("counted as sent, and never arrived: {}", fate.lost.join(", ")));
    outcome.promise(waiting == 0, || format!("{waiting} mails still wait"));
    outcome.promise(numbers.ours + numbers.unknown + numbers.refused == mailed, || {
        format!("{mailed} were to be mailed, and {} were dealt with", numbers.ours + numbers.unknown + numbers.refused)
    });
    outcome.promise(numbers.sink == numbers.ours + fate.unknown_arrived, || {
        format!("the server counted {}, and we {}", numbers.sink, numbers.ours + fate.unknown_arrived)
    });
    outcome.promise(numbers.refused + fate.unknown_nowhere == counts::UNKNOWN_MAILBOX as i64, || {
        format!("{} mailboxes are not there, and {} mails were refused", counts::UNKNOWN_MAILBOX, numbers.refused)
    });
    outcome.promise(numbers.unknown <= world::CONNECTIONS, || {
        format!("{} of unknown fate are more than connections", numbers.unknown)
    });
    outcome.figure("killed_at", at_kill);
    outcome.figure("sink", numbers.sink);
    outcome.figure("ours", numbers.ours);
    outcome.figure("twice", numbers.twice);
    outcome.figure("lost", fate.lost.len());
    outcome.figure("unknown", numbers.unknown);
    outcome.figure("unknown_arrived", fate.unknown_arrived);
    outcome.figure("refused", numbers.refused);
    outcome.figure("skipped", serde_json::json!(report.skipped));
    Ok(outcome)
}

fn deliveries(catcher: &Catcher) -> i64 {
    catcher.inbox.counts().deliveries.cast_signed()
}

/// Waits until half of the mails were caught, and gives the worker back that sends them.
async fn half(mut worker: Worker, caught: &mut Subscription) -> anyhow::Result<Worker> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut seen = 0;
    while seen < counts::MAILED / 2 {
        match tokio::time::timeout(LOOK, caught.recv()).await {
            Ok(_) => seen += 1,
            Err(_) => {
                if let Some(status) = worker.ended()? {
                    bail!("the worker ended ({status}) after {seen} mails:\n{}", worker.said());
                }
            }
        }
        if tokio::time::Instant::now() > deadline {
            bail!("after {} s only {seen} mails were sent:\n{}", PATIENCE.as_secs(), worker.said());
        }
    }
    Ok(worker)
}

/// What our words are worth, address by address.
struct Fate {
    /// Accepted by our count, and not among what was caught.
    lost: Vec<String>,
    /// Of unknown fate, and caught.
    unknown_arrived: i64,
    /// Of unknown fate, and to a mailbox that is not there.
    unknown_nowhere: i64,
}

impl Fate {
    async fn of(stage: &Stage, by_recipient: &HashMap<String, u64>) -> anyhow::Result<Fate> {
        let messages = stage.messages(world::SPRING).await?;
        let of = |state: &str| -> HashSet<String> {
            messages.iter().filter(|m| m.state == state).filter_map(|m| m.address.clone()).collect()
        };
        let arrived = |address: &String| by_recipient.contains_key(address);
        let mut lost: Vec<String> = of("accepted").into_iter().filter(|address| !arrived(address)).collect();
        lost.sort();
        let unknown = of("unknown");
        let nowhere = |address: &&String| {
            stage.shop.by_address(address).is_some_and(|person| person.truth.mailbox == Mailbox::Unknown)
        };
        let unknown_nowhere = unknown.iter().filter(nowhere).count() as i64;
        let unknown_arrived = unknown.iter().filter(|address| arrived(address)).count() as i64;
        Ok(Fate { lost, unknown_arrived, unknown_nowhere })
    }
}
