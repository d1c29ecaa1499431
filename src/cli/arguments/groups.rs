//! The arguments of commands that are groups of commands: `message`, `suppression`, `score`, `db`.

use super::Moment;
use crate::deliver::State;
use crate::types::Email;
use clap::{ArgGroup, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Message {
    /// Mails, the newest change first
    List {
        /// Only those in this state, such as unknown or skipped
        #[arg(long)]
        state: Option<State>,
        /// Only those of this campaign
        #[arg(long)]
        campaign: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
    },
    /// Send mails of unknown fate again: they may arrive twice
    Resend {
        /// The mails, as `message list --state unknown` shows them
        #[arg(required = true, value_parser = clap::value_parser!(i64).range(1..))]
        ids: Vec<i64>,
    },
    /// Take mails of unknown fate for delivered
    Settle {
        /// The mails, as `message list --state unknown` shows them
        #[arg(required = true, value_parser = clap::value_parser!(i64).range(1..))]
        ids: Vec<i64>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Suppression {
    /// Those that stand
    List {
        /// Only addresses of this domain
        #[arg(long)]
        domain: Option<String>,
        /// Made since, such as 2027-03-01
        #[arg(long, value_name = "MOMENT")]
        since: Option<Moment>,
        /// Made before
        #[arg(long, value_name = "MOMENT")]
        until: Option<Moment>,
        /// Those that were lifted too
        #[arg(long)]
        lifted: bool,
    },
    /// No mail to an address any more
    Add {
        /// The address
        address: Email,
        /// Why, for whoever asks later
        #[arg(long)]
        note: Option<String>,
        /// Until then only, such as 2027-03-01
        #[arg(long, value_name = "MOMENT")]
        until: Option<Moment>,
    },
    /// Mail again, to an address or to all that match
    #[command(group(ArgGroup::new("which").required(true).multiple(true).args(["address", "domain", "since", "until"])))]
    Lift {
        /// The address
        #[arg(conflicts_with_all = ["domain", "since", "until"])]
        address: Option<Email>,
        /// All addresses of this domain
        #[arg(long)]
        domain: Option<String>,
        /// All that were made since, such as 2027-03-01
        #[arg(long, value_name = "MOMENT")]
        since: Option<Moment>,
        /// All that were made before
        #[arg(long, value_name = "MOMENT")]
        until: Option<Moment>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Score {
    /// Bring every customer's score to a moment
    Refresh {
        /// Such as 2027-03-01 or 2027-03-01T09:00:00Z; by default now
        #[arg(long, value_name = "MOMENT")]
        at: Option<Moment>,
    },
    /// The constants, what they mean, and the present calibration
    Explain,
}

#[derive(Debug, Subcommand)]
pub enum Db {
    /// Bring the tables to this version of dangol
    Migrate,
    /// Copy an SQLite database into a file
    Backup {
        /// The file to write
        file: PathBuf,
    },
    /// Put a backup in the place of the database; all campaigns are paused
    Restore {
        /// What `db backup` wrote
        #[arg(required_unless_present = "external")]
        file: Option<PathBuf>,
        /// The database was brought back by another tool, such as pg_restore: do the rest
        #[arg(long, conflicts_with = "file")]
        external: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Copy an SQLite database into an empty PostgreSQL one, ids and all
    Copy {
        /// postgres://…
        #[arg(long, value_name = "URL")]
        to: String,
    },
}
