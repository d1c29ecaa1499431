//! Where a person stands on a topic, folded from the ledger. The fold looks at the set of lines, never at the order in
//! which they came in, so that a file imported late changes nothing that it should not.

use crate::types::Timestamp;
use std::fmt;
use std::str::FromStr;

/// What a line of the ledger says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Yes.
    Granted,
    /// Yes, and the confirming link was not followed yet.
    Pending,
    /// No.
    Withdrawn,
}

impl State {
    /// Its name in the database and in files.
    pub fn name(self) -> &'static str {
        match self {
            State::Granted => "granted",
            State::Pending => "pending",
            State::Withdrawn => "withdrawn",
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
        match text.trim().to_lowercase().as_str() {
            "granted" => Ok(State::Granted),
            "pending" => Ok(State::Pending),
            "withdrawn" => Ok(State::Withdrawn),
            _ => Err(format!(
                "`{}` is no state of consent: granted, pending or withdrawn",
                text.chars().take(40).collect::<String>()
            )),
        }
    }
}

/// A line, as far as the fold looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line's id.
    pub id: i64,
    /// What it says.
    pub state: State,
    /// When.
    pub at: Timestamp,
    /// It tells of the person's own act at that time.
    pub own_act: bool,
}

/// The line that tells where the person stands; `None` of none.
///
/// The latest withdrawal ends everything up to its time, and everything that has no time of its own. Of what is left the
/// latest grant stands, else the latest that is pending, else that withdrawal.
pub fn of(lines: &[Line]) -> Option<Line> {
    let latest = |state: State, after: Option<Timestamp>| {
        let standing = lines
            .iter()
            .filter(|line| line.state == state && after.is_none_or(|withdrawn| line.own_act && line.at > withdrawn));
        standing.max_by_key(|line| (line.own_act, line.at, -line.id)).copied()
    };
    let withdrawal = lines.iter().filter(|line| line.state == State::Withdrawn).max_by_key(|line| (line.at, -line.id));
    let after = withdrawal.map(|line| line.at);
    latest(State::Granted, after).or_else(|| latest(State::Pending, after)).or(withdrawal.copied())
}
