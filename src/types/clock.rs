//! The clock, as a parameter. Stages are given `now`; only the engine and the doors hold a `Clock`.

use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells what time it is: the system's, or one that tests and the demo step by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    stepped: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock { stepped: None }
    }

    /// A clock that stands still at `start` until it is stepped.
    pub fn stepped(start: Timestamp) -> Clock {
        Clock { stepped: Some(Arc::new(AtomicI64::new(start.as_millisecond()))) }
    }

    /// The time now, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        let millis = match &self.stepped {
            Some(at) => at.load(Ordering::SeqCst),
            None => Timestamp::now().as_millisecond(),
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
