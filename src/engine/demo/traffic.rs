//! Requests over real HTTP, in the order of the demo's time: the clock stands still while those of one moment are under
//! way, and is set to the next moment when all are answered.

use super::people::{self, Action, Request};
use crate::types::{Clock, Timestamp};
use futures_util::StreamExt as _;
use jiff::SignedDuration;
use reqwest::Client;
use url::Url;

/// Requests under way at once.
const AT_ONCE: usize = 16;

/// Something that somebody will do at a moment.
pub(super) struct Deed {
    pub(super) at: Timestamp,
    pub(super) action: Action,
}

/// What came of deeds.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Requests that were answered.
    pub(super) requests: i64,
    /// Answers given to surveys.
    pub(super) answers: i64,
    /// One-click unsubscriptions that were taken.
    pub(super) unsubscribed: i64,
    /// What went wrong, in words.
    pub(super) failed: Vec<String>,
}

impl Tally {
    fn count(&mut self, action: &Action, result: Result<people::Outcome, people::ActError>) {
        let status = match result {
            Ok(outcome) => outcome.status,
            Err(e) => return self.failed.push(e.to_string()),
        };
        if status >= 400 {
            return self.failed.push(format!("status {status} for {:?}", action.request));
        }
        match action.request {
            Request::Get(_) | Request::Head(_) => self.requests += 1,
            Request::Post(..) => {
                self.requests += 1;
                self.unsubscribed += 1;
            }
            Request::Answer { .. } => {
                self.requests += 2;
                self.answers += 1;
            }
        }
    }
}

/// Whether a deed goes to our own site: what links lead to beyond it is not there.
pub(super) fn to_site(action: &Action, site: &Url) -> bool {
    let (Request::Get(url) | Request::Head(url) | Request::Post(url, _) | Request::Answer { url, .. }) =
        &action.request;
    url.origin() == site.origin()
}

/// Does them, those within `moment` of each other at one time of the clock.
pub(super) async fn perform(client: &Client, clock: &Clock, mut deeds: Vec<Deed>, moment: SignedDuration) -> Tally {
    deeds.sort_by_key(|deed| deed.at);
    let mut tally = Tally::default();
    for together in moments(&deeds, moment) {
        clock.set(together[0].at);
        let mut answers = futures_util::stream::iter(together)
            .map(|deed| async move { (&deed.action, people::perform(client, None, &deed.action).await) })
            .buffer_unordered(AT_ONCE);
        while let Some((action, result)) = answers.next().await {
            tally.count(action, result);
        }
    }
    tally
}

/// Runs of sorted deeds, each no longer than `moment` from its first.
fn moments(deeds: &[Deed], moment: SignedDuration) -> Vec<&[Deed]> {
    let mut runs = Vec::new();
    let mut rest = deeds;
    while let Some(first) = rest.first() {
        let (run, later) = rest.split_at(rest.partition_point(|deed| deed.at.duration_since(first.at) <= moment));
        runs.push(run);
        rest = later;
    }
    runs
}
