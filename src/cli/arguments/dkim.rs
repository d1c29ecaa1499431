//! The arguments of `dkim`.

use crate::types::domain::Selector;
use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum Dkim {
    /// Make a key in .secret/, and show the DNS record to publish
    Keygen {
        /// For this sender; not needed when there is one
        #[arg(long)]
        sender: Option<String>,
        /// What the key is called in DNS
        #[arg(long, default_value = "d1")]
        selector: Selector,
        /// rsa is verified everywhere; ed25519 is short
        #[arg(long, value_enum, default_value_t = Algorithm::Rsa)]
        algorithm: Algorithm,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// RSA of 2048 bits
    Rsa,
    /// Ed25519
    Ed25519,
}
