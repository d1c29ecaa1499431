//! What is slower than the rest: a domain with a limit of its own, a relay that mail is pinned to. Of such mail only a
//! little waits in memory, and the rest goes back to the queue with the time at which its turn is expected; else a
//! thousand mails to one slow domain would stand in everybody's way.

use crate::types::Timestamp;
use jiff::SignedDuration;

/// How far ahead of its turn a mail may wait in memory.
const AHEAD: SignedDuration = SignedDuration::from_secs(2);
/// So many may wait in any case.
const LEAST: usize = 8;

/// A narrow place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choke {
    /// Mails that wait before it, in memory.
    pub waiting: usize,
    /// Until when turns have been given out.
    horizon: Option<Timestamp>,
}

impl Choke {
    /// Lets a mail in, or says when to come again. `per_second` is how many pass; `again` says that it was told so
    /// before, and has waited its time.
    ///
    /// # Errors
    /// When to come again.
    pub fn admit(&mut self, per_second: f64, again: bool, now: Timestamp) -> Result<(), Timestamp> {
        let room = LEAST.max((per_second * AHEAD.as_secs_f64()) as usize);
        if self.waiting < room {
            self.waiting += 1;
            return Ok(());
        }
        let soon = now.checked_add(AHEAD).unwrap_or(now);
        if again {
            return Err(soon);
        }
        let turn = self.horizon.map_or(soon, |horizon| horizon.max(soon));
        let cell = SignedDuration::from_secs_f64(1.0 / per_second.max(1e-3));
        self.horizon = turn.checked_add(cell).ok();
        Err(turn)
    }

    /// Until when turns have been given out.
    pub fn horizon(&self) -> Option<Timestamp> {
        self.horizon
    }

    /// One that waited has gone, or went back.
    pub fn left(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_wait_here_and_the_others_are_given_their_turns() {
        let now: Timestamp = "2027-03-02T03:00:00Z".parse().unwrap();
        let mut choke = Choke::default();
        let turns: Vec<_> = (0..13).map(|_| choke.admit(5.0, false, now)).collect();
        assert!(turns[..10].iter().all(Result::is_ok), "two seconds' worth");
        let seconds = |turn: &Result<(), Timestamp>| turn.unwrap_err().duration_since(now).as_secs_f64();
        let later: Vec<f64> = turns[10..].iter().map(seconds).collect();
        assert_eq!(later, [2.0, 2.2, 2.4]);
        assert_eq!(seconds(&choke.admit(5.0, true, now)), 2.0, "who has waited does not go to the end again");
        choke.left();
        assert_eq!(choke.admit(5.0, true, now), Ok(()));
    }
}
