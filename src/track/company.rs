//! What else came from where a hit came from: touched honeypots, and crowds of mails from one network. Asked of the
//! database once for each address or network of a slice, so that a flood from one place stays bearable.

use super::class::{self, CROWD_IN, HONEYPOT_AROUND};
use super::hit::HitKind;
use super::network::neighbourhood;
use super::store::{self, Kept};
use super::token::HONEYPOT;
use crate::db::{Db, DbError};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// Places looked up in one statement.
const PLACES: usize = 500;

/// The network of a hit, when its address says something about one.
fn network_of(hit: &Kept) -> Option<(String, String)> {
    neighbourhood(hit.ip.as_deref()?.parse().ok()?)
}

/// A time that far away; at the ends of time, the hit's own.
fn shifted(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

/// For each key, from when to when it was seen, and `around` more on both sides.
fn spans<K: Ord>(
    seen: impl Iterator<Item = (K, Timestamp)>,
    around: SignedDuration,
) -> BTreeMap<K, (Timestamp, Timestamp)> {
    let mut spans: BTreeMap<K, (Timestamp, Timestamp)> = BTreeMap::new();
    for (key, at) in seen {
        let (from, to) = (shifted(at, -around), shifted(at, around));
        spans.entry(key).and_modify(|span| *span = (span.0.min(from), span.1.max(to))).or_insert((from, to));
    }
    spans
}

/// Who touched honeypots, and when.
pub(super) struct Traps {
    by_address: HashMap<(String, String), Vec<Timestamp>>,
    by_message: HashMap<(i64, String), Vec<Timestamp>>,
}

impl Traps {
    /// Of the addresses of `open`; `hits` are all that are known of the same messages.
    pub(super) async fn find(db: &Db, hits: &[Kept], open: &[&Kept]) -> Result<Traps, DbError> {
        let public = open.iter().filter(|hit| network_of(hit).is_some());
        let addresses = public.filter_map(|hit| Some((hit.ip.as_deref()?, hit.at)));
        let places: Vec<_> =
            spans(addresses, HONEYPOT_AROUND).into_iter().map(|(ip, (from, to))| (ip, from, to)).collect();
        let mut traps = Traps { by_address: HashMap::new(), by_message: HashMap::new() };
        for chunk in places.chunks(PLACES) {
            for (ip, agent, at) in store::honeypot_touches(&mut &*db, chunk).await? {
                traps.by_address.entry((ip, agent.unwrap_or_default())).or_default().push(at);
            }
        }
        for hit in hits.iter().filter(|hit| hit.kind == HitKind::Click.name() && hit.link == Some(i64::from(HONEYPOT)))
        {
            let agent = hit.agent.clone().unwrap_or_default();
            traps.by_message.entry((hit.message, agent)).or_default().push(hit.at);
        }
        Ok(traps)
    }

    /// Whether this hit's address and agent touched a honeypot nearby: on any mail; or, where the address says nothing
    /// about who it is, on the same mail.
    pub(super) fn caught(&self, hit: &Kept) -> bool {
        let agent = hit.agent.clone().unwrap_or_default();
        let touched = match (network_of(hit), &hit.ip) {
            (Some(_), Some(ip)) => self.by_address.get(&(ip.clone(), agent)),
            _ => self.by_message.get(&(hit.message, agent)),
        };
        touched.is_some_and(|times| times.iter().any(|at| at.duration_since(hit.at).abs() <= HONEYPOT_AROUND))
    }
}

/// When networks fetched something of many mails.
pub(super) struct Crowds {
    by_network: HashMap<(String, String), Vec<(Timestamp, Timestamp)>>,
}

impl Crowds {
    /// Of the networks of `open`.
    pub(super) async fn find(db: &Db, open: &[&Kept]) -> Result<Crowds, DbError> {
        let seen = open.iter().filter_map(|hit| Some((network_of(hit)?, hit.at)));
        let networks: Vec<_> = spans(seen, CROWD_IN).into_iter().collect();
        let mut by_network = HashMap::new();
        for chunk in networks.chunks(PLACES) {
            let asked: Vec<_> = chunk.iter().map(|((a, b), (from, to))| (a.as_str(), b.as_str(), *from, *to)).collect();
            let fetched = store::fetched_from(&mut &*db, &asked).await?;
            for group in fetched.chunk_by(|a, b| a.0 == b.0) {
                let times: Vec<_> = group.iter().map(|(_, at, message)| (*at, *message)).collect();
                let network = usize::try_from(group[0].0).ok().and_then(|n| chunk.get(n));
                let crowds = class::crowds(&times);
                if let (Some((network, _)), false) = (network, crowds.is_empty()) {
                    by_network.insert(network.clone(), crowds);
                }
            }
        }
        Ok(Crowds { by_network })
    }

    /// Whether this hit was in one.
    pub(super) fn hold(&self, hit: &Kept) -> bool {
        let crowds = network_of(hit).and_then(|network| self.by_network.get(&network));
        crowds.is_some_and(|crowds| crowds.iter().any(|(from, to)| *from <= hit.at && hit.at <= *to))
    }
}
