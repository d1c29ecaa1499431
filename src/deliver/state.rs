//! The states of a message.
//!
//! ```text
//! queued ─► claimed ─► transmitting ─► accepted ─► bounced | complained
//!    ▲         │             │  ├─► refused (5xx)
//!    └─ deferred ◄── 4xx ────┘  └─► unknown ─► accepted (late reply, open, click, settle) | bounced | refused | queued (resend)
//!         skipped(reason)
//! ```
//! Every change is a compare-and-set on the state that it leaves, so a late or second actor changes nothing.

use std::fmt;
use std::str::FromStr;

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Waits for its time.
    Queued,
    /// Waits for another try, or for a better hour.
    Deferred,
    /// A node holds it and is making the mail.
    Claimed,
    /// Its MAIL command may have been sent: from here on only the server knows.
    Transmitting,
    /// The next server took responsibility.
    Accepted,
    /// The server refused for good.
    Refused,
    /// Nobody can say whether the server took it; never silently sent again.
    Unknown,
    /// Taken, and came back.
    Bounced,
    /// Taken, and the reader called it spam.
    Complained,
    /// Never sent; the reason says why.
    Skipped,
}

impl State {
    /// All of them, in the order of a mail's life.
    pub const ALL: [State; 10] = [
        State::Queued,
        State::Deferred,
        State::Claimed,
        State::Transmitting,
        State::Accepted,
        State::Refused,
        State::Unknown,
        State::Bounced,
        State::Complained,
        State::Skipped,
    ];

    /// Its name in the database and everywhere else.
    pub fn name(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Deferred => "deferred",
            State::Claimed => "claimed",
            State::Transmitting => "transmitting",
            State::Accepted => "accepted",
            State::Refused => "refused",
            State::Unknown => "unknown",
            State::Bounced => "bounced",
            State::Complained => "complained",
            State::Skipped => "skipped",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for State {
    type Err = String;
    fn from_str(text: &str) -> Result<State, String> {
        State::ALL.into_iter().find(|state| state.name() == text).ok_or_else(|| {
            let names: Vec<&str> = State::ALL.iter().map(|state| state.name()).collect();
            format!("`{text}` is not a state of a message: {}", names.join(", "))
        })
    }
}
