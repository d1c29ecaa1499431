//! What is in mail's way at this moment, written down for `status`, which is another process: relays that cannot be used
//! or are slowed down, campaigns that a relay refuses.

use super::sender::Shared;
use super::store;
use crate::types::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How often it is said again while it lasts: what nobody repeats is of a process that died.
const AGAIN: Duration = Duration::from_secs(30);

/// What this process has told.
#[derive(Debug, Default)]
pub(super) struct Obstacles {
    told: BTreeMap<String, (String, Timestamp)>,
    at: Option<Instant>,
}

impl Obstacles {
    /// Tells, when it has changed or was told long ago.
    pub(super) async fn tell(&mut self, shared: &Shared) {
        let now = shared.clock.now();
        let mut present = BTreeMap::new();
        for relay in shared.relays() {
            if let Some(why) = relay.trouble() {
                present.insert(format!("relay {}", relay.name), why);
            }
        }
        for (campaign, relay, why) in shared.buffer().blames.all() {
            let why =
                format!("the relay `{relay}` refuses its mail, and one a minute tries whether it is mended: {why}");
            present.insert(format!("campaign {campaign}"), why);
        }
        let same = present.len() == self.told.len()
            && present.iter().all(|(what, why)| self.told.get(what).is_some_and(|(told, _)| told == why));
        if same && (present.is_empty() || self.at.is_some_and(|at| at.elapsed() < AGAIN)) {
            return;
        }
        let since = |what: &str| self.told.get(what).map_or(now, |(_, since)| *since);
        let told = present.into_iter().map(|(what, why)| (what.clone(), (why, since(&what)))).collect();
        // a database that does not answer hears it the next time
        if store::set_obstacles(&shared.db, shared.node, &told, now).await.is_ok() {
            (self.told, self.at) = (told, Some(Instant::now()));
        }
    }

    /// This process ends.
    pub(super) async fn clear(&mut self, shared: &Shared) {
        if !self.told.is_empty() {
            let none = BTreeMap::new();
            let _ = store::set_obstacles(&shared.db, shared.node, &none, shared.clock.now()).await; // old ones are ignored
        }
    }
}
