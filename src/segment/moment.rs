//! Moments that a condition writes: `now()`, `today()`, `'2026-01-31'`, each some period earlier or later. They become
//! numbers when the condition is compiled for a `now` and a site.

use crate::types::{Period, Timestamp};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A constant moment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moment {
    base: Base,
    /// Periods to go, forwards or back, in the order written.
    moves: Vec<(bool, Period)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Base {
    Now,
    Today,
    /// On the site's clock.
    Local(DateTime),
    /// With its own offset.
    Exact(Timestamp),
}

impl Moment {
    pub(super) fn now() -> Moment {
        Moment { base: Base::Now, moves: Vec::new() }
    }

    pub(super) fn today() -> Moment {
        Moment { base: Base::Today, moves: Vec::new() }
    }

    /// A date (its beginning), a date and time on the site's clock, or a time with its offset.
    pub(super) fn parse(text: &str) -> Option<Moment> {
        let text = text.trim();
        let digits = text.as_bytes().get(..4).is_some_and(|year| year.iter().all(u8::is_ascii_digit));
        if !digits {
            return None;
        }
        let base = if let Ok(exact) = text.parse::<Timestamp>() {
            Base::Exact(exact)
        } else if text.len() == 10 {
            Base::Local(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()))
        } else {
            Base::Local(text.parse::<DateTime>().ok()?)
        };
        Some(Moment { base, moves: Vec::new() })
    }

    /// Whether it names a day and no time.
    pub(super) fn is_day(&self) -> bool {
        match self.base {
            Base::Local(at) => at.time() == jiff::civil::Time::midnight() && self.moves.is_empty(),
            _ => false,
        }
    }

    /// Whether it moves with the clock.
    pub(super) fn is_relative(&self) -> bool {
        matches!(self.base, Base::Now | Base::Today)
    }

    #[must_use]
    pub(super) fn moved(mut self, later: bool, by: Period) -> Moment {
        self.moves.push((later, by));
        self
    }

    /// The moment itself.
    pub(super) fn at(&self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let start = match &self.base {
            Base::Now => now,
            Base::Exact(at) => *at,
            Base::Today => {
                local(now.to_zoned(zone.clone()).date().to_datetime(jiff::civil::Time::midnight()), zone, now)
            }
            Base::Local(at) => local(*at, zone, now),
        };
        let go = |at, (later, by): &(bool, Period)| if *later { by.after(at, zone) } else { by.before(at, zone) };
        self.moves.iter().fold(start, go)
    }

    /// The day that it falls on at the site, as YYYY-MM-DD.
    pub(super) fn day(&self, now: Timestamp, zone: &TimeZone) -> String {
        self.at(now, zone).to_zoned(zone.clone()).date().to_string()
    }
}

/// A time on a clock; one that summer time skips is the one after it.
fn local(at: DateTime, zone: &TimeZone, otherwise: Timestamp) -> Timestamp {
    zone.to_ambiguous_timestamp(at).compatible().unwrap_or(otherwise)
}
