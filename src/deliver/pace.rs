//! A rate that is kept: mails are given their times one after the other (the generic cell rate algorithm).
//!
//! The time is given in advance, and who has it waits for it. So the rate does not drift however late a timer wakes a
//! connection, and waiting connections do not race each other.

use crate::types::pace::Rate;
use std::time::Duration;
use tokio::time::Instant;

/// A rate in use.
#[derive(Clone, Debug)]
pub struct Pace {
    cell: Duration,
    /// How far ahead of its time a mail may go: a timer is too coarse for single mails above 1,000/s.
    burst: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// A pace of this rate. 50 ms of mail may go at once.
    pub fn new(rate: Rate) -> Pace {
        let cell = Duration::from_secs_f64(1.0 / rate.per_second().max(1e-6));
        Pace { cell, burst: Duration::from_millis(50).saturating_sub(cell), next: None }
    }

    /// When one more mail may go that costs so many cells; that time is taken.
    pub fn reserve(&mut self, cells: u32, now: Instant) -> Instant {
        let next = self.next.map_or(now, |next| next.max(now));
        self.next = Some(next + self.cell * cells);
        self.allowed(next, now)
    }

    /// When one more mail may go; nothing is taken.
    pub fn free_at(&self, now: Instant) -> Instant {
        self.next.map_or(now, |next| self.allowed(next, now))
    }

    fn allowed(&self, next: Instant, now: Instant) -> Instant {
        next.checked_sub(self.burst).map_or(now, |at| at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many go in a minute when each wakes `late` after its time and then takes `work`.
    fn in_a_minute(rate: &str, connections: usize, late: Duration, work: Duration) -> usize {
        let start = Instant::now();
        let mut pace = Pace::new(rate.parse().unwrap());
        let mut free = vec![start; connections];
        let mut sent = 0;
        loop {
            let connection = free.iter_mut().min().unwrap();
            let at = pace.reserve(1, *connection).max(*connection) + late;
            if at >= start + Duration::from_secs(60) {
                return sent;
            }
            sent += 1;
            *connection = at + work;
        }
    }

    #[test]
    fn the_rate_that_is_set_is_kept_within_2_percent_over_a_minute() {
        let ms = Duration::from_millis;
        for (rate, connections, late, work) in [
            ("5/s", 1, ms(0), ms(20)),
            ("5/s", 8, ms(2), ms(50)),
            ("2000/s", 8, ms(1), ms(2)),
            ("2000/s", 32, ms(1), ms(10)),
            ("600/m", 2, ms(1), ms(5)),
        ] {
            let wanted = 60.0 * rate.parse::<Rate>().unwrap().per_second();
            let sent = in_a_minute(rate, connections, late, work) as f64;
            assert!((sent / wanted - 1.0).abs() <= 0.02, "{rate} over {connections}: {sent} of {wanted}");
        }
    }

    #[test]
    fn half_the_rate_costs_two_cells() {
        let start = Instant::now();
        let mut pace = Pace::new("10/s".parse().unwrap());
        let times: Vec<u128> = (0..4).map(|_| (pace.reserve(2, start) - start).as_millis()).collect();
        assert_eq!(times, [0, 200, 400, 600]);
        let later = start + Duration::from_secs(60);
        assert_eq!(pace.free_at(later), later, "what was not used is not saved up");
    }
}
