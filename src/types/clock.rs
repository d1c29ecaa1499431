//! The clock, as a parameter. Stages are given `now`; only the engine and the doors hold a `Clock`.

use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells what time it is: the system's, the system's put to another time, or one that tests and the demo step by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    stepped: Option<Arc<AtomicI64>>,
    /// Milliseconds that the system's clock is put forward by.
    ahead: i64,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock::default()
    }

    /// A clock that stands still at `start` until it is stepped.
    pub fn stepped(start: Timestamp) -> Clock {
        Clock { stepped: Some(Arc::new(AtomicI64::new(start.as_millisecond()))), ahead: 0 }
    }

    /// A clock that shows `start` now, and runs like the system's from there: for a process within another's stepped time.
    pub fn running_from(start: Timestamp) -> Clock {
        Clock { stepped: None, ahead: start.as_millisecond() - Timestamp::now().as_millisecond() }
    }

    /// The time now, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        let millis = match &self.stepped {
            Some(at) => at.load(Ordering::SeqCst),
            None => Timestamp::now().as_millisecond().saturating_add(self.ahead),
        };
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Sets a stepped clock; does nothing to the system's.
    pub fn set(&self, to: Timestamp) {
        if let Some(at) = &self.stepped {
            at.store(to.as_millisecond(), Ordering::SeqCst);
        }
    }
}
