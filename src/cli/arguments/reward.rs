//! What `dangol reward` takes.

use super::Moment;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Reward {
    /// All rewards: kind, since when live, budget used, what is open
    List,
    /// One reward; with a customer, every line of theirs and what the lines add up to
    Show {
        /// Which, by its file's name
        name: String,
        /// Address, external id or #id
        #[arg(long)]
        customer: Option<String>,
    },
    /// Make a reward live as its file says now, without a campaign
    Launch {
        /// Which, by its file's name
        name: String,
    },
    /// Bring codes into the pool of a coupon, one a line
    Coupons {
        /// Which, by its file's name
        name: String,
        /// A text file, or `-`
        file: PathBuf,
    },
    /// Say that points or a coupon were used; the same key is taken once
    Redeem(Redeem),
}

#[derive(Debug, Args)]
pub struct Redeem {
    /// Which reward, by its file's name
    pub name: String,
    /// Address, external id or #id
    #[arg(long)]
    pub customer: String,
    #[command(flatten)]
    pub what: What,
    /// Your own number of this redemption
    #[arg(long)]
    pub key: String,
    /// When it was used; default: now
    #[arg(long)]
    pub at: Option<Moment>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct What {
    /// So many points
    #[arg(long)]
    pub points: Option<i64>,
    /// The coupon of this code
    #[arg(long)]
    pub code: Option<String>,
}
