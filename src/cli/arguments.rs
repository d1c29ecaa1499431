//! All arguments, and what `--help` says of them.

mod reward;

pub use reward::{Redeem, Reward};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// An engagement engine for e-mail: turns customers into regulars, and can prove it.
#[derive(Debug, Parser)]
#[command(name = "dangol", version, about, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The workspace; by default the folder here, or the nearest above with a dangol.toml
    #[arg(long, short = 'w', global = true, value_name = "DIR", env = "DANGOL_WORKSPACE")]
    pub workspace: Option<PathBuf>,
    /// Answer in JSON, for machines
    #[arg(long, global = true)]
    pub json: bool,
    /// How logs are written, on standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log: LogFormat,
    /// Let an existing PostgreSQL database be migrated (make a backup first)
    #[arg(long, global = true)]
    pub migrate: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a complete example workspace
    Init {
        /// The folder to make
        dir: PathBuf,
    },
    /// A whole shop in a temporary place: shows the promises, then serves its mail
    Demo {
        /// Its language
        #[arg(long, value_enum, default_value_t = Lang::En)]
        lang: Lang,
        /// End after the last scene instead of serving
        #[arg(long)]
        quit: bool,
    },
    /// Check every file and template; all mistakes at once
    Check {
        /// Use no database: for CI
        #[arg(long, conflicts_with = "online")]
        offline: bool,
        /// Also try the relays
        #[arg(long)]
        online: bool,
    },
    /// Bring in customers, orders, events, consents or suppressions
    Import(Import),
    /// Rewards: list, one with a customer's ledger, launch, codes, redemption
    Reward {
        #[command(subcommand)]
        command: Reward,
    },
    /// Who is in a segment
    Segment {
        #[command(subcommand)]
        command: Segment,
    },
    /// Who would get what and when, and who not and why; changes nothing
    Plan {
        /// The campaign; by default all of the workspace
        campaign: Option<String>,
        /// End with 3 when a launch would change something
        #[arg(long)]
        exit_code: bool,
    },
    /// The very bytes of one customer's mail; its links do nothing
    Preview {
        campaign: String,
        /// Whose: address, external id, or #id
        #[arg(long)]
        customer: String,
        /// Where to write NAME.eml, .html and .txt; by default the .eml goes to standard output
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Send one real mail to yourself; it is not counted
    SendTest {
        campaign: String,
        /// As whose mail it is made
        #[arg(long)]
        customer: String,
        /// Where it goes
        #[arg(long)]
        to: String,
    },
    /// Make a campaign live: shows the plan and asks
    Launch {
        campaign: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// What becomes of those inside: they stay on their revision, or move to this one
        #[arg(long, value_enum, default_value_t = Inside::Stay)]
        inside: Inside,
    },
    /// Hold a campaign; what is in flight is finished
    Pause(Which),
    /// Let a held campaign go on
    Resume(Which),
    /// Admit nobody new to a campaign
    Close { campaign: String },
    /// End a campaign for good
    Cancel(Which),
    /// Scheduler and senders in the foreground
    Run {
        /// End when nothing is due
        #[arg(long)]
        until_idle: bool,
        /// What this process takes the time to be when it starts; the demo's worker lives in the demo's time
        #[arg(long, hide = true, value_name = "TIME")]
        clock_from: Option<crate::types::Timestamp>,
    },
    /// Scheduler, senders and web server
    Serve {
        /// Only some of them: scheduler, sender, web
        #[arg(long, value_enum, value_delimiter = ',')]
        role: Vec<Role>,
        /// Where to listen, instead of what dangol.toml says
        #[arg(long)]
        listen: Option<String>,
    },
    /// What is going on
    Status {
        /// Every two seconds anew
        #[arg(long)]
        watch: bool,
    },
    /// What became of a campaign, and what it caused
    Report { campaign: String },
    /// All that is known of one person
    Customer {
        #[command(subcommand)]
        command: Customer,
    },
    /// Every send and skip, and every point of the score, with its evidence
    Why {
        /// Address, external id, or #id
        customer: String,
        #[arg(long)]
        campaign: Option<String>,
    },
    /// Single mails, those of unknown fate among them
    Message {
        #[command(subcommand)]
        command: Message,
    },
    /// Addresses that get nothing
    Suppression {
        #[command(subcommand)]
        command: Suppression,
    },
    /// The relationship score
    Score {
        #[command(subcommand)]
        command: Score,
    },
    /// The database
    Db {
        #[command(subcommand)]
        command: Db,
    },
    /// Write a JSON Schema for each kind of file, for editors
    Schema {
        /// Where to; by default `.schema/` of the workspace
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    Ko,
    En,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Inside {
    Stay,
    Move,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    Scheduler,
    Sender,
    Web,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct Import {
    #[command(subcommand)]
    pub command: Option<ImportCommand>,
    /// What the file holds
    #[arg(value_enum)]
    pub kind: Option<ImportKind>,
    /// CSV or NDJSON, or - for standard input
    #[arg(requires = "kind")]
    pub file: Option<String>,
    /// Their column is our field; repeatable. `theirs=` leaves the column out
    #[arg(long, value_name = "THEIRS=OURS")]
    pub map: Vec<String>,
    /// The currency of amounts that name none
    #[arg(long)]
    pub currency: Option<String>,
    /// Orders of unknown customers make them
    #[arg(long)]
    pub create: bool,
    /// Record consent to this topic for every row of customers
    #[arg(long, requires = "evidence", value_name = "TOPIC")]
    pub consent: Option<String>,
    /// What they agreed to, and where
    #[arg(long, value_name = "TEXT")]
    pub evidence: Option<String>,
    /// Show the mapping, five rows and the counts; change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Take back what an import brought and nothing has used yet
    Undo {
        /// Its number
        batch: i64,
    },
    /// The imports so far
    List,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportKind {
    Customers,
    Orders,
    Events,
    Consents,
    Suppressions,
}

#[derive(Debug, Subcommand)]
pub enum Segment {
    /// All segments with their sizes
    List,
    /// Size and members of one
    Show {
        name: String,
        /// How many members
        #[arg(long, default_value_t = 20)]
        limit: i64,
        /// Why this customer is in or out
        #[arg(long)]
        why: Option<String>,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    pub campaign: Option<String>,
    /// All campaigns
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Subcommand)]
pub enum Customer {
    /// Who they are, what they bought, where they stand
    Show { customer: String },
    /// Everything, as JSON
    Export { customer: String },
    /// Forget them
    Erase {
        customer: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Message {
    /// Mails, the newest change first
    List {
        #[arg(long)]
        state: Option<String>,
        #[arg(long)]
        campaign: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Send mails of unknown fate again: they may arrive twice
    Resend {
        #[arg(required = true)]
        ids: Vec<i64>,
    },
    /// Take mails of unknown fate for delivered
    Settle {
        #[arg(required = true)]
        ids: Vec<i64>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Suppression {
    /// Those that stand
    List {
        #[arg(long)]
        domain: Option<String>,
        /// Made since, such as 2027-03-01
        #[arg(long)]
        since: Option<String>,
        /// Made before
        #[arg(long)]
        until: Option<String>,
        /// Those that were lifted too
        #[arg(long)]
        lifted: bool,
    },
    /// No mail to an address any more
    Add {
        address: String,
        #[arg(long)]
        note: Option<String>,
        /// Until then only
        #[arg(long)]
        until: Option<String>,
    },
    /// Mail again, to an address or to all that match
    Lift {
        address: Option<String>,
        #[arg(long)]
        domain: Option<String>,
        #[arg(long)]
        since: Option<String>,
        #[arg(long)]
        until: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Score {
    /// Bring every customer's score to a moment
    Refresh {
        /// Such as 2027-03-01 or 2027-03-01T09:00:00Z; by default now
        #[arg(long)]
        at: Option<String>,
    },
    /// The constants, what they mean, and the present calibration
    Explain,
}

#[derive(Debug, Subcommand)]
pub enum Db {
    /// Bring the tables to this version of dangol
    Migrate,
    /// Copy an SQLite database into a file
    Backup { file: PathBuf },
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
