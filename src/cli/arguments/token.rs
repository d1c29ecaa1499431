//! The arguments of `token`.

use crate::access::Scope;
use crate::types::Period;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make one, and show its secret this once
    Create {
        /// By which it is listed and revoked, such as the program's name
        name: String,
        /// What it is for: customers, orders, events, consents, rewards
        #[arg(long, value_delimiter = ',', required = true)]
        scope: Vec<Scope>,
        /// Good for so long, such as 90d; by default until it is revoked
        #[arg(long, value_name = "PERIOD")]
        expires: Option<Period>,
    },
    /// All of them, without their secrets
    List,
    /// Take one back: from now on it opens nothing
    Revoke {
        /// Its name or its number
        token: String,
    },
}
