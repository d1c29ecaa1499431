//! What a token is for.

use crate::config::nearest;
use std::fmt;
use std::str::FromStr;

/// A part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each name is the route")]
pub enum Scope {
    Customers,
    Orders,
    Events,
    Consents,
    Rewards,
}

impl Scope {
    /// All there are.
    pub const ALL: [Scope; 5] = [Scope::Customers, Scope::Orders, Scope::Events, Scope::Consents, Scope::Rewards];

    /// Its name on the command line, in the database and in answers.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Customers => "customers",
            Scope::Orders => "orders",
            Scope::Events => "events",
            Scope::Consents => "consents",
            Scope::Rewards => "rewards",
        }
    }

    /// Several, with commas between.
    pub(super) fn joined(scopes: &[Scope]) -> String {
        scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(",")
    }

    /// What [`joined`](Self::joined) wrote; names that this version does not know allow nothing.
    pub(super) fn split(text: &str) -> Vec<Scope> {
        text.split(',').filter_map(|name| name.parse().ok()).collect()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Scope, String> {
        let text = text.trim();
        Scope::ALL.into_iter().find(|scope| scope.name() == text).ok_or_else(|| {
            let help = nearest(text, Scope::ALL.map(Scope::name)).unwrap_or_default();
            format!("there is no scope `{}`; {help}", text.chars().take(40).collect::<String>())
        })
    }
}
