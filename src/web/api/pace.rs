//! How fast each token may ask: `[api] rate`, counted in this process.

use crate::types::pace::Rate;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The paces of all tokens. Only tokens that are good get an entry, so it does not grow with what strangers invent.
#[derive(Default)]
pub(super) struct Paces {
    limiters: Mutex<HashMap<i64, (Rate, Arc<DefaultDirectRateLimiter>)>>,
    clock: DefaultClock,
}

impl Paces {
    /// Counts a request of a token.
    ///
    /// # Errors
    /// How long it has to wait.
    pub(super) fn count(&self, token: i64, rate: Rate) -> Result<(), Duration> {
        let limiter = {
            let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
            let (known, limiter) = limiters.entry(token).or_insert_with(|| (rate, limiter(rate)));
            if *known != rate {
                // the settings were read again
                (*known, *limiter) = (rate, self::limiter(rate));
            }
            limiter.clone()
        };
        limiter.check().map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

/// The whole count may come at once; then they come back one by one over the period.
fn limiter(rate: Rate) -> Arc<DefaultDirectRateLimiter> {
    let count = NonZeroU32::new(rate.count).unwrap_or(NonZeroU32::MIN);
    let each = Duration::from_secs(u64::from(rate.seconds)) / count.get();
    let quota = Quota::with_period(each).unwrap_or(Quota::per_second(count)).allow_burst(count);
    Arc::new(RateLimiter::direct(quota))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_a_pace_of_its_own() {
        let paces = Paces::default();
        let rate = Rate { count: 2, seconds: 3_600 };
        assert!(paces.count(1, rate).is_ok() && paces.count(1, rate).is_ok());
        let wait = paces.count(1, rate).unwrap_err();
        assert!(wait > Duration::from_secs(1_000) && wait <= Duration::from_secs(1_800), "{wait:?}");
        assert!(paces.count(2, rate).is_ok(), "another's");
        assert!(paces.count(1, Rate { count: 3, seconds: 3_600 }).is_ok(), "new settings count anew");
    }
}
