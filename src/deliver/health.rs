//! How a relay stands: slowed down because it asks for less, or not used because it cannot be (a circuit breaker). Time
//! comes in as a parameter, on the monotonic clock.
//!
//! ```text
//! open ─ a connection fails ─► closed ─ its time is over ─► one probes ─ works ─► open
//!                                ▲────────── fails: twice the time ──┘
//! ```

use std::time::Duration;
use tokio::time::Instant;

/// How long a relay that asks for less is left alone, and how long each step of its recovery takes.
pub const HOLD: Duration = Duration::from_secs(60);
/// How often the rate is halved at most.
const MAX_HALVINGS: u32 = 6;
/// How long nobody connects after the first failure; each further one doubles it.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(60);
/// So many mails in a row whose connection broke are no accident.
const BREAKS: u32 = 5;

/// Whether a connection may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Open,
    /// It may, and others wait for what becomes of it.
    Probe,
    /// Not before this time.
    Closed(Instant),
}

/// How a relay stands.
#[derive(Debug, Default)]
pub struct Health {
    /// How often the rate is halved at present: a mail then costs two cells, four, …
    halvings: u32,
    hold_until: Option<Instant>,
    recover_at: Option<Instant>,
    /// Connections that stand.
    standing: u32,
    failures: u32,
    breaks: u32,
    why: Option<String>,
    closed_until: Option<Instant>,
    probing: bool,
}

impl Health {
    /// The relay said that it is too fast: half the rate, after a minute's pause, and step by step up again. Whether this
    /// is new: several connections hear the same word, and it is one halving for all of them.
    pub fn slow_down(&mut self, now: Instant) -> bool {
        if self.hold_until.is_some_and(|until| until > now) {
            return false;
        }
        self.halvings = (self.halvings(now) + 1).min(MAX_HALVINGS);
        self.hold_until = Some(now + HOLD);
        self.recover_at = Some(now + 2 * HOLD);
        true
    }

    /// Until when nothing goes, if so.
    pub fn held(&self, now: Instant) -> Option<Instant> {
        self.hold_until.filter(|until| *until > now)
    }

    /// How often the rate is halved now.
    pub fn halvings(&mut self, now: Instant) -> u32 {
        while let Some(at) = self.recover_at.filter(|at| *at <= now && self.halvings > 0) {
            self.halvings -= 1;
            self.recover_at = (self.halvings > 0).then(|| at + HOLD);
        }
        self.halvings
    }

    /// Whether a connection may be opened now. Whoever gets [`Gate::Probe`] says [`Health::opened`], [`Health::failed`]
    /// or [`Health::unprobed`].
    pub fn gate(&mut self, now: Instant) -> Gate {
        match self.closed_until {
            None => Gate::Open,
            Some(until) if until > now => Gate::Closed(until),
            Some(_) if self.probing => Gate::Closed(now + FIRST),
            Some(_) => {
                self.probing = true;
                Gate::Probe
            }
        }
    }

    /// Whoever was to probe has nothing to send.
    pub fn unprobed(&mut self) {
        self.probing = false;
    }

    /// A connection or login failed.
    pub fn failed(&mut self, why: &str, now: Instant) {
        self.why = Some(why.to_owned());
        // all connections that were being opened fail together: one failure for all of them
        if self.probing || self.closed_until.is_none_or(|until| until <= now) {
            self.failures += 1;
            self.closed_until = Some(now + backoff(self.failures));
        }
        self.probing = false;
    }

    /// A connection stands.
    pub fn opened(&mut self) {
        self.standing += 1;
        if self.breaks < BREAKS {
            self.probing = false;
            (self.failures, self.closed_until, self.why) = (0, None, None);
        }
        // else the others wait for what becomes of its first mail
    }

    /// A connection that stood is gone, in whatever way; say before what it learnt of its mail.
    pub fn gone(&mut self) {
        self.standing = self.standing.saturating_sub(1);
        self.probing = false;
    }

    /// The server said something that settles a mail: it works. Whether nobody could know that before.
    pub fn worked(&mut self) -> bool {
        let was_closed = self.closed_until.is_some();
        self.breaks = 0;
        self.probing = false;
        (self.failures, self.closed_until, self.why) = (0, None, None);
        was_closed
    }

    /// The connection broke under a mail.
    pub fn broke(&mut self, why: &str, now: Instant) {
        self.breaks += 1;
        // mails that were under way together are one failure
        if self.breaks >= BREAKS && (self.probing || self.closed_until.is_none_or(|until| until <= now)) {
            self.probing = false;
            self.why = Some(format!("{} connections in a row broke under a mail: {why}", self.breaks));
            self.failures += 1;
            self.closed_until = Some(now + backoff(self.failures + 3));
        }
    }

    /// Whether another relay should not wait for this one.
    pub fn usable(&self, now: Instant) -> bool {
        self.held(now).is_none() && (self.closed_until.is_none() || self.standing > 0)
    }

    /// Why nothing can go through it, when nothing stands and connecting has failed again and again.
    pub fn unreachable(&self) -> Option<&str> {
        let down = self.standing == 0 && self.closed_until.is_some() && (self.failures >= 3 || self.breaks >= BREAKS);
        self.why.as_deref().filter(|_| down)
    }

    /// What is wrong, for `status`; nothing when all is well.
    pub fn trouble(&mut self, now: Instant) -> Option<String> {
        if self.standing == 0
            && self.closed_until.is_some()
            && let Some(why) = &self.why
        {
            return Some(format!("cannot be used, and is tried again at least each minute: {why}"));
        }
        let halvings = self.halvings(now);
        if self.held(now).is_some() {
            return Some("asked for less, and is left alone for a minute".into());
        }
        (halvings > 0).then(|| format!("asked for less: at 1/{} of its rate, recovering", 1_u32 << halvings))
    }
}

fn backoff(failures: u32) -> Duration {
    (FIRST * (1 << failures.saturating_sub(1).min(7))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn it_is_held_for_a_minute_halved_once_for_all_who_hear_it_and_recovers_step_by_step() {
        let (mut health, start) = (Health::default(), Instant::now());
        assert!(health.slow_down(start));
        assert!(!health.slow_down(start + S));
        assert_eq!(health.held(start + 59 * S), Some(start + 60 * S));
        assert_eq!(health.held(start + 60 * S), None);
        assert!(health.slow_down(start + 61 * S), "and again");
        let at = |s| start + s * S;
        let steps: Vec<u32> = [61, 180, 181, 240, 241].map(|s| health.halvings(at(s))).to_vec();
        assert_eq!(steps, [2, 2, 1, 1, 0]);
        assert_eq!(health.trouble(at(242)), None);
        for minute in 0..20 {
            health.slow_down(at(1_000 + 61 * minute));
        }
        assert_eq!(health.halvings(at(1_000 + 61 * 19)), MAX_HALVINGS);
    }

    #[test]
    fn failures_close_it_for_longer_and_longer_and_one_probes() {
        let (mut health, start) = (Health::default(), Instant::now());
        assert_eq!(health.gate(start), Gate::Open);
        for _ in 0..8 {
            health.failed("refused", start);
        }
        assert_eq!(health.gate(start), Gate::Closed(start + FIRST), "eight at once are one failure");
        let mut now = start;
        let mut waits = Vec::new();
        for _ in 0..9 {
            let Gate::Closed(until) = health.gate(now) else { panic!("open") };
            waits.push((until - now).as_millis());
            now = until;
            assert_eq!(health.gate(now), Gate::Probe);
            assert!(matches!(health.gate(now), Gate::Closed(_)), "one at a time");
            health.failed("refused", now);
        }
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(health.unreachable(), Some("refused"));
        assert!(health.trouble(now).unwrap().contains("refused"));
        assert_eq!(health.gate(now + LONGEST), Gate::Probe);
        health.opened();
        assert_eq!((health.gate(now + LONGEST), health.trouble(now), health.unreachable()), (Gate::Open, None, None));
    }

    #[test]
    fn a_server_that_greets_and_breaks_under_every_mail_is_left_alone_until_one_mail_works() {
        let (mut health, start) = (Health::default(), Instant::now());
        let mut now = start;
        for _ in 0..BREAKS {
            assert_eq!(health.gate(now), Gate::Open);
            health.opened();
            health.broke("closed", now);
            health.gone();
        }
        let Gate::Closed(until) = health.gate(now) else { panic!("open") };
        now = until;
        let mut waits = Vec::new();
        for _ in 0..5 {
            assert_eq!(health.gate(now), Gate::Probe);
            health.opened();
            assert_eq!(health.gate(now), Gate::Closed(now + FIRST), "that it greets is not enough: one mail at a time");
            health.broke("closed", now);
            health.gone();
            let Gate::Closed(until) = health.gate(now) else { panic!("open") };
            waits.push((until - now).as_secs());
            now = until;
        }
        assert_eq!(waits, [8, 16, 32, 60, 60]);
        assert_eq!(health.gate(now), Gate::Probe);
        health.opened();
        health.worked();
        assert_eq!(health.gate(now), Gate::Open);
    }
}
