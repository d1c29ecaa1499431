//! How many mails a relay may be given in a day (UTC): its `daily` limit, and the table of its warm-up. The count is kept
//! in the database with each mail that is begun, so it survives a restart; here it is remembered for a while, so that not
//! every mail asks.

use super::store;
use crate::config::model::{self, Warmup};
use crate::db::Db;
use crate::types::Timestamp;
use jiff::civil::Date;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// How long the count is believed: other nodes send through the same relay.
const FRESH: Duration = Duration::from_secs(2);

/// A relay's daily limits, and how far they are used.
#[derive(Debug)]
pub struct Quota {
    daily: Option<u64>,
    warmup: Option<Warmup>,
    counted: Mutex<Counted>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    day: Option<Date>,
    /// As the database said, and what we have begun since.
    begun: u64,
    /// Allowed, and not begun yet.
    pending: u64,
    read_at: Option<Instant>,
}

impl Quota {
    /// The limits of a relay.
    pub fn new(relay: &model::Relay) -> Quota {
        Quota { daily: relay.daily, warmup: relay.warmup.clone(), counted: Mutex::default() }
    }

    /// How many mails on this day, if there is a limit.
    pub fn cap(&self, day: Date) -> Option<u64> {
        [self.daily, self.warming(day)].into_iter().flatten().min()
    }

    /// How many the warm-up allows on this day; none when it is over. Before its first day, its first cap holds.
    pub fn warming(&self, day: Date) -> Option<u64> {
        let warmup = self.warmup.as_ref()?;
        let days = warmup.start.0.until(day).map_or(0, |span| span.get_days()).max(0);
        usize::try_from(days).ok().and_then(|days| warmup.caps.get(days)).copied()
    }

    /// How many more may go today; none when there is no limit.
    pub async fn left(&self, db: &Db, relay: &str, now: Timestamp) -> Option<u64> {
        let cap = self.cap(day(now))?;
        self.read(db, relay, now).await;
        let counted = self.with(|counted| *counted);
        Some(cap.saturating_sub(counted.begun + counted.pending))
    }

    /// Whether one more may go now; it then counts, until [`Quota::begun`] or [`Quota::returned`] is said.
    pub async fn take(&self, db: &Db, relay: &str, now: Timestamp) -> bool {
        let Some(cap) = self.cap(day(now)) else { return true };
        self.read(db, relay, now).await;
        self.with(|counted| {
            let room = counted.begun + counted.pending < cap;
            counted.pending += u64::from(room);
            room
        })
    }

    /// One that was allowed has been begun.
    pub fn begun(&self) {
        self.with(|counted| {
            counted.begun += u64::from(counted.pending > 0);
            counted.pending = counted.pending.saturating_sub(1);
        });
    }

    /// One that was allowed did not go.
    pub fn returned(&self) {
        self.with(|counted| counted.pending = counted.pending.saturating_sub(1));
    }

    async fn read(&self, db: &Db, relay: &str, now: Timestamp) {
        let today = day(now);
        let fresh =
            self.with(|counted| counted.day == Some(today) && counted.read_at.is_some_and(|at| at.elapsed() < FRESH));
        if fresh {
            return;
        }
        // a database that does not answer is the ledger's to wait for: until then the old count holds
        if let Ok(sent) = store::relay_day(&mut &*db, relay, &today.to_string()).await {
            self.with(|counted| {
                let begun = sent.cast_unsigned();
                // what was begun while we asked may be missing from the answer
                let begun = if counted.day == Some(today) { counted.begun.max(begun) } else { begun };
                *counted = Counted { day: Some(today), begun, read_at: Some(Instant::now()), ..*counted };
            });
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Counted) -> T) -> T {
        // a panic while holding it cannot leave these few numbers half-changed
        act(&mut self.counted.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// The day by which relays are counted.
pub fn day(now: Timestamp) -> Date {
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::Day;

    #[test]
    fn a_warm_up_is_a_table_of_days_and_then_the_daily_limit_alone_holds() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let warmup = Some(Warmup { start: Day(day("2027-02-27")), caps: vec![50, 100, 500] });
        let quota = Quota { daily: Some(300), warmup, counted: Mutex::default() };
        let caps = ["2027-01-01", "2027-02-27", "2027-02-28", "2027-03-01", "2027-03-02"].map(|d| quota.cap(day(d)));
        assert_eq!(caps, [Some(50), Some(50), Some(100), Some(300), Some(300)]);
        assert_eq!(quota.warming(day("2027-03-02")), None);
    }
}
