//! Refusals of us, not of a reader: 5xx at MAIL or DATA. When a relay refuses a campaign's mails so again and again, the
//! campaign's mail is held back from that relay, and one a minute tries whether it is mended. No recipient is blamed, and
//! nobody has to resume anything.

use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// So many in a row are no accident.
const STREAK: u32 = 5;
/// How often one mail tries whether it is mended.
const PROBE: Duration = Duration::from_secs(60);

/// What relays hold against campaigns.
#[derive(Debug, Default)]
pub struct Blames {
    by: HashMap<(String, i64), Blame>,
}

#[derive(Debug)]
struct Blame {
    streak: u32,
    why: String,
    probe_at: Instant,
}

impl Blames {
    /// A relay refused us. Whether the campaign is held back from it from now on.
    pub fn refused(&mut self, relay: &str, campaign: i64, why: &str, now: Instant) -> bool {
        let fresh = || Blame { streak: 0, why: String::new(), probe_at: now };
        let blame = self.by.entry((relay.to_owned(), campaign)).or_insert_with(fresh);
        blame.streak += 1;
        why.clone_into(&mut blame.why);
        blame.probe_at = now + PROBE;
        blame.streak == STREAK
    }

    /// A relay took a mail of the campaign as far as its recipient.
    pub fn fine(&mut self, relay: &str, campaign: i64) {
        self.by.remove(&(relay.to_owned(), campaign));
    }

    /// Until when the campaign is held back from the relay, if it is.
    pub fn held(&self, relay: &str, campaign: i64, now: Instant) -> Option<Instant> {
        if self.by.is_empty() {
            return None; // nearly always
        }
        let blame = self.by.get(&(relay.to_owned(), campaign))?;
        (blame.streak >= STREAK && blame.probe_at > now).then_some(blame.probe_at)
    }

    /// Whether a mail that goes now is a probe; if so, the next one is in a minute.
    pub fn probe(&mut self, relay: &str, campaign: i64, now: Instant) {
        if let Some(blame) = self.by.get_mut(&(relay.to_owned(), campaign)).filter(|blame| blame.streak >= STREAK) {
            blame.probe_at = now + PROBE;
        }
    }

    /// Campaigns that are held back, with the relay and its words.
    pub fn all(&self) -> impl Iterator<Item = (i64, &str, &str)> {
        let held = self.by.iter().filter(|(_, blame)| blame.streak >= STREAK);
        held.map(|((relay, campaign), blame)| (*campaign, relay.as_str(), blame.why.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_in_a_row_one_a_minute_tries() {
        let (mut blames, now) = (Blames::default(), Instant::now());
        let s = |n| now + Duration::from_secs(n);
        let held: Vec<bool> = (0..5).map(|_| blames.refused("a", 1, "550 who are you", now)).collect();
        assert_eq!(held, [false, false, false, false, true]);
        assert_eq!(blames.held("a", 1, s(59)), Some(s(60)));
        assert_eq!((blames.held("b", 1, now), blames.held("a", 2, now)), (None, None), "others are not");
        assert_eq!(blames.held("a", 1, s(60)), None);
        blames.probe("a", 1, s(60));
        assert!(blames.held("a", 1, s(61)).is_some(), "one is enough");
        assert_eq!(blames.all().collect::<Vec<_>>(), [(1, "a", "550 who are you")]);
        blames.fine("a", 1);
        assert_eq!((blames.held("a", 1, s(61)), blames.all().count()), (None, 0));
    }
}
