//! Mails that are made and wait for a connection: a lane for each campaign, from which they are taken in turn, service
//! mail first. What cannot go now, because of its domain, its relay or its campaign, does not hold up what can.

use super::Outgoing;
use super::blame::Blames;
use super::choke::Choke;
use super::pace::Pace;
use super::quota::day;
use super::route::{Routes, Set};
use crate::config::model::DomainLimit;
use crate::types::{Email, Timestamp};
use jiff::civil::Date;
use std::collections::{HashMap, VecDeque};
use tokio::time::Instant;

/// How many mails are made in advance at least, and at most.
const AHEAD: (usize, usize) = (16, 512);

/// What may go next.
pub enum Next {
    /// This mail.
    Mail(Waiting),
    /// Nothing before this time.
    Later(Instant),
    /// Nothing, until something comes in or another relay takes something.
    Nothing,
}

/// A mail that waits, and where it may go.
pub struct Waiting {
    /// The mail.
    pub mail: Outgoing,
    routes: Set,
    /// The limited domain that it goes to.
    domain: Option<usize>,
}

struct Lane {
    campaign: i64,
    service: bool,
    mails: VecDeque<Waiting>,
}

/// A domain with limits of its own.
struct Domain {
    name: String,
    limit: DomainLimit,
    pace: Option<Pace>,
    choke: Choke,
    flying: u32,
}

/// The mails that wait.
#[derive(Default)]
pub struct Buffer {
    /// The relays.
    pub routes: Routes,
    /// What relays hold against campaigns.
    pub blames: Blames,
    lanes: VecDeque<Lane>,
    len: usize,
    domains: Vec<Domain>,
    narrow: HashMap<Set, Choke>,
    /// Relays that have had their mail of this day; on the next they are as good as new.
    spent: Option<(Date, Set)>,
    /// What each relay has taken, over its weight; empty when no relay has one.
    turns: Vec<f64>,
}

impl Buffer {
    /// Sets what the settings say: relays, and limits of domains.
    pub fn set(&mut self, routes: Routes, limits: &[DomainLimit]) {
        let weighted = routes.relays.iter().any(|relay| relay.settings.weight.is_some());
        self.turns = if weighted { vec![0.0; routes.relays.len()] } else { Vec::new() };
        self.routes = routes;
        self.narrow.clear();
        self.domains = limits
            .iter()
            .map(|limit| {
                // the domain as addresses have it, with A-labels
                let address = format!("x@{}", limit.name).parse::<Email>();
                let name = address.map_or_else(|_| limit.name.clone(), |address| address.domain().to_owned());
                let pace = limit.rate.map(Pace::new);
                Domain { name, limit: limit.clone(), pace, choke: Choke::default(), flying: 0 }
            })
            .collect();
        let waiting: Vec<Waiting> = self.lanes.drain(..).flat_map(|lane| lane.mails).collect();
        self.len = 0;
        for Waiting { mail, .. } in waiting {
            let domain = self.domain(mail.to.domain());
            if let Some(domain) = domain {
                self.domains[domain].choke.waiting += 1;
            }
            self.push(mail);
        }
    }

    /// How many mails are made in advance: a second's worth, so that an urgent campaign is soon among them.
    pub fn ahead(&self) -> usize {
        let per_second: f64 = self.routes.relays.iter().map(|relay| relay.settings.rate.per_second()).sum();
        (per_second as usize).clamp(AHEAD.0, AHEAD.1)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none do.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn domain(&self, name: &str) -> Option<usize> {
        self.domains.iter().position(|domain| domain.name == name)
    }

    /// Whether a mail to this address may wait here, or when it is to be claimed again.
    ///
    /// # Errors
    /// The limited domain's name, and that time.
    pub fn admit(&mut self, address: &str, again: bool, now: Timestamp) -> Result<(), (String, Timestamp)> {
        let Some((_, name)) = address.rsplit_once('@') else { return Ok(()) };
        let Some(domain) = self.domain(name).map(|i| &mut self.domains[i]) else { return Ok(()) };
        // without a rate, connections are what is limited: nobody knows how long a mail takes, and a second is long
        let per_second = domain
            .limit
            .rate
            .map_or_else(|| f64::from(domain.limit.connections.unwrap_or(1)), crate::types::pace::Rate::per_second);
        domain.choke.admit(per_second, again, now).map_err(|at| (domain.name.clone(), at))
    }

    /// A mail that was admitted could not be made.
    pub fn unmade(&mut self, address: &str) {
        if let Some(domain) = address.rsplit_once('@').and_then(|(_, name)| self.domain(name)) {
            self.domains[domain].choke.left();
        }
    }

    /// Takes in a mail that was made; gives it back, with when it is to be claimed again, when the relays that it may go
    /// through have enough to do, or are gone.
    ///
    /// # Errors
    /// The mail, why, and that time.
    pub fn take_in(
        &mut self,
        mail: Outgoing,
        again: bool,
        now: Timestamp,
    ) -> Result<(), (Outgoing, String, Timestamp)> {
        let routes = self.routes.of(&mail);
        let soon = now.checked_add(jiff::SignedDuration::from_secs(60)).unwrap_or(now);
        if routes == 0 {
            let why = match &mail.relay {
                Some(relay) => format!("waits for the relay `{relay}`, which dangol.toml does not have"),
                None => "waits for a relay: each is for other mail".to_owned(),
            };
            return Err((mail, why, soon));
        }
        if self.spent.is_some_and(|(on, spent)| on == day(now) && routes & !spent == 0) {
            let (why, tomorrow) = tomorrow(now);
            return Err((mail, why, tomorrow));
        }
        if routes != self.routes.all() {
            let mine = self.routes.relays.iter().enumerate().filter(|(i, _)| routes & 1 << i != 0);
            let names: Vec<&str> = mine.clone().map(|(_, relay)| relay.name.as_str()).collect();
            let why = format!("waits for its turn at the relay {}", names.join(", "));
            let rate: f64 = mine.map(|(_, relay)| relay.settings.rate.per_second()).sum();
            if let Err(at) = self.narrow.entry(routes).or_default().admit(rate, again, now) {
                return Err((mail, why, at));
            }
        }
        self.push(mail);
        Ok(())
    }

    fn push(&mut self, mail: Outgoing) {
        let waiting = Waiting { routes: self.routes.of(&mail), domain: self.domain(mail.to.domain()), mail };
        self.lane(&waiting.mail).mails.push_back(waiting);
        self.len += 1;
    }

    /// Puts a mail back to the front of its lane: it was taken, and nothing was sent.
    pub fn put_back(&mut self, mut waiting: Waiting) {
        self.landed(&waiting);
        // the settings may have changed since it was taken
        (waiting.routes, waiting.domain) = (self.routes.of(&waiting.mail), self.domain(waiting.mail.to.domain()));
        if let Some(domain) = waiting.domain.and_then(|i| self.domains.get_mut(i)) {
            domain.choke.waiting += 1;
        }
        if let Some(choke) = self.narrow.get_mut(&waiting.routes) {
            choke.waiting += 1;
        }
        self.lane(&waiting.mail).mails.push_front(waiting);
        self.len += 1;
    }

    fn lane(&mut self, mail: &Outgoing) -> &mut Lane {
        let campaign = mail.claimed.campaign;
        let at = self.lanes.iter().position(|lane| lane.campaign == campaign).unwrap_or_else(|| {
            self.lanes.push_back(Lane { campaign, service: mail.claimed.service, mails: VecDeque::new() });
            self.lanes.len() - 1
        });
        &mut self.lanes[at]
    }

    /// A mail that was taken is on its way no more; whether its domain may now have room for another.
    pub fn landed(&mut self, waiting: &Waiting) -> bool {
        let Some(domain) = waiting.domain.and_then(|i| self.domains.get_mut(i)) else { return false };
        domain.flying = domain.flying.saturating_sub(1);
        domain.limit.connections.is_some()
    }

    /// Whether relays take by weight.
    pub fn weighted(&self) -> bool {
        !self.turns.is_empty()
    }

    /// The next mail for a relay.
    pub fn next(&mut self, relay: usize, now: Instant) -> Next {
        let mut later: Option<Instant> = None;
        let mut wait = |at: Instant| later = Some(later.map_or(at, |later: Instant| later.min(at)));
        // a lane that was taken from goes to the back: campaigns take turns
        let order = (0..self.lanes.len()).filter(|i| self.lanes[*i].service);
        let order: Vec<usize> = order.chain((0..self.lanes.len()).filter(|i| !self.lanes[*i].service)).collect();
        for lane in order {
            let campaign = self.lanes[lane].campaign;
            if let Some(until) = self.blames.held(&self.routes.relays[relay].name, campaign, now) {
                wait(until);
                continue;
            }
            let may_go = |waiting: &Waiting| {
                let free = match waiting.domain.map(|i| &self.domains[i]) {
                    None => Ok(()),
                    Some(domain) if domain.limit.connections.is_some_and(|most| domain.flying >= most) => Err(None),
                    Some(domain) => match domain.pace.as_ref().map(|pace| pace.free_at(now)) {
                        Some(at) if at > now => Err(Some(at)),
                        _ => Ok(()),
                    },
                };
                if waiting.routes & 1 << relay == 0 { Err(None) } else { free }
            };
            let mut found = None;
            for (at, waiting) in self.lanes[lane].mails.iter().enumerate() {
                match may_go(waiting) {
                    Ok(()) if self.its_turn(relay, waiting.routes) => {
                        found = Some(at);
                        break;
                    }
                    Ok(()) | Err(None) => {}
                    Err(Some(at)) => wait(at),
                }
            }
            if let Some(at) = found
                && let Some(waiting) = self.remove(lane, at)
            {
                self.leaves(relay, &waiting, now);
                return Next::Mail(waiting);
            }
        }
        later.map_or(Next::Nothing, Next::Later)
    }

    /// Whether a relay is not ahead of its weight, measured by others that could take this mail now.
    fn its_turn(&self, relay: usize, routes: Set) -> bool {
        let Some(mine) = self.turns.get(relay) else { return true };
        let slack = 1.0 / self.weight(relay);
        let others = self.turns.iter().enumerate().filter(|(i, _)| *i != relay && routes & 1 << i != 0);
        others.filter(|(i, _)| self.routes.relays[*i].usable()).all(|(_, turn)| *mine <= turn + slack)
    }

    fn weight(&self, relay: usize) -> f64 {
        f64::from(self.routes.relays[relay].settings.weight.unwrap_or(1).max(1))
    }

    fn leaves(&mut self, relay: usize, waiting: &Waiting, now: Instant) {
        if let Some(domain) = waiting.domain.and_then(|i| self.domains.get_mut(i)) {
            domain.flying += 1;
            domain.choke.left();
            if let Some(pace) = &mut domain.pace {
                pace.reserve(1, now);
            }
        }
        if let Some(choke) = self.narrow.get_mut(&waiting.routes) {
            choke.left();
        }
        let name = self.routes.relays[relay].name.clone();
        self.blames.probe(&name, waiting.mail.claimed.campaign, now);
        if !self.turns.is_empty() {
            self.turns[relay] += 1.0 / self.weight(relay);
            // whoever could not take any does not catch up at once when it can
            let taken = self.turns[relay];
            for (i, other) in self.routes.relays.iter().enumerate() {
                if i != relay && !other.usable() {
                    self.turns[i] = self.turns[i].max(taken);
                }
            }
        }
    }

    /// Takes out a mail, and sends its lane to the back.
    fn remove(&mut self, lane: usize, at: usize) -> Option<Waiting> {
        let mut lane = self.lanes.remove(lane)?;
        let waiting = lane.mails.remove(at);
        if !lane.mails.is_empty() {
            self.lanes.push_back(lane);
        }
        self.len -= usize::from(waiting.is_some());
        waiting
    }

    /// Whether a campaign is held back from every relay.
    pub fn held_everywhere(&self, campaign: i64, now: Instant) -> bool {
        let relays = &self.routes.relays;
        !relays.is_empty() && relays.iter().all(|relay| self.blames.held(&relay.name, campaign, now).is_some())
    }

    /// Takes out the mails of campaigns that no relay takes now, to give them back.
    pub fn drain_held(&mut self, now: Instant) -> Vec<Waiting> {
        let held: Vec<i64> = self
            .lanes
            .iter()
            .map(|lane| lane.campaign)
            .filter(|campaign| self.held_everywhere(*campaign, now))
            .collect();
        self.drain(|lane| held.contains(&lane.campaign))
    }

    /// Says which relays have had their day's mail; takes out what can go through no other, with why and until when it
    /// is to wait.
    pub fn drain_spent(&mut self, spent: Set, now: Timestamp) -> (Vec<Waiting>, (String, Timestamp)) {
        self.spent = Some((day(now), spent));
        let mut out = Vec::new();
        for mut lane in std::mem::take(&mut self.lanes) {
            let over = |waiting: &Waiting| waiting.routes & spent != 0 && waiting.routes & !spent == 0;
            let (gone, stay): (Vec<Waiting>, Vec<Waiting>) = lane.mails.into_iter().partition(over);
            out.extend(gone);
            lane.mails = stay.into();
            if !lane.mails.is_empty() {
                self.lanes.push_back(lane);
            }
        }
        self.len -= out.len();
        self.left(&out);
        (out, tomorrow(now))
    }

    /// Takes out everything.
    pub fn drain_all(&mut self) -> Vec<Waiting> {
        self.drain(|_| true)
    }

    fn drain(&mut self, which: impl Fn(&Lane) -> bool) -> Vec<Waiting> {
        let (out, stay): (Vec<Lane>, Vec<Lane>) = self.lanes.drain(..).partition(which);
        self.lanes = stay.into();
        let out: Vec<Waiting> = out.into_iter().flat_map(|lane| lane.mails).collect();
        self.len -= out.len();
        self.left(&out);
        out
    }

    fn left(&mut self, out: &[Waiting]) {
        for waiting in out {
            if let Some(domain) = waiting.domain.and_then(|i| self.domains.get_mut(i)) {
                domain.choke.left();
            }
            if let Some(choke) = self.narrow.get_mut(&waiting.routes) {
                choke.left();
            }
        }
    }

    /// Until when turns have been given out: what was put off until then is not idle.
    pub fn horizon(&self) -> Option<Timestamp> {
        let narrow = self.narrow.values().map(Choke::horizon);
        self.domains.iter().map(|domain| domain.choke.horizon()).chain(narrow).flatten().max()
    }

    /// Whether everything that waits can only go through these relays.
    pub fn all_within(&self, relays: Set) -> bool {
        self.lanes.iter().flat_map(|lane| &lane.mails).all(|waiting| waiting.routes & !relays == 0)
    }
}

/// Why a mail waits whose relays have had their day's mail, and until when: relays count days of UTC.
fn tomorrow(now: Timestamp) -> (String, Timestamp) {
    let midnight = now.to_zoned(jiff::tz::TimeZone::UTC).tomorrow().and_then(|day| day.start_of_day());
    let until = midnight.map_or(now, |day| day.timestamp());
    ("waits for tomorrow: its relay has had its day's mail".into(), until)
}
