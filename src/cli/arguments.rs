//! All arguments, and what `--help` says of them. What has a form of its own (a moment, an address, a state) is parsed
//! here, so that a wrong one is wrong usage and ends with 2.

mod dkim;
mod groups;
mod moment;
mod reward;
mod token;

pub use dkim::{Algorithm as DkimAlgorithm, Dkim};
pub use groups::{Db, Message, Score, Suppression};
pub use moment::Moment;
pub use reward::{Redeem, Reward};
pub use token::Token;

use crate::types::{Currency, Email};
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
    /// Lines for people
    Text,
    /// An object a line, for machines
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
    /// What keeps our mail from the inbox: SPF, DKIM, DMARC, relays, site
    Doctor {
        /// Only this sender
        #[arg(long)]
        sender: Option<String>,
        /// Ask this DNS server instead of the system's
        #[arg(long, value_name = "ADDRESS:PORT")]
        resolver: Option<std::net::SocketAddr>,
        /// Compare the clock with this time server's
        #[arg(long, value_name = "HOST:PORT", default_value = "pool.ntp.org:123", value_parser = listen)]
        ntp: String,
    },
    /// Keys that mail is signed with
    Dkim {
        #[command(subcommand)]
        command: Dkim,
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
        /// The campaign, as its file in campaigns/ is called
        campaign: String,
        /// The step, of a campaign of several; by default the first that sends a mail
        #[arg(long)]
        step: Option<String>,
        /// Whose: address, external id, or #id
        #[arg(long)]
        customer: String,
        /// Where to write NAME.eml, .html and .txt; by default the .eml goes to standard output
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Send one real mail to yourself; it is not counted
    SendTest {
        /// The campaign, as its file in campaigns/ is called
        campaign: String,
        /// The step, of a campaign of several; by default the first that sends a mail
        #[arg(long)]
        step: Option<String>,
        /// As whose mail it is made: address, external id, or #id
        #[arg(long)]
        customer: String,
        /// The address that it goes to
        #[arg(long)]
        to: Email,
    },
    /// Make a campaign live: shows the plan and asks
    Launch {
        /// The campaign, as its file in campaigns/ is called
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
    Close {
        /// The campaign
        campaign: String,
    },
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
        #[arg(long, value_name = "ADDRESS:PORT", value_parser = listen)]
        listen: Option<String>,
    },
    /// Ask the running server whether it is ready: ends with 0 or 1, for containers
    #[command(hide = true)]
    Healthcheck {
        /// What to ask, over http; by default /readyz where dangol.toml says that the server listens
        #[arg(long)]
        url: Option<String>,
    },
    /// What is going on
    Status {
        /// Every two seconds anew
        #[arg(long)]
        watch: bool,
    },
    /// What became of a campaign, and what it caused
    Report {
        /// The campaign
        campaign: String,
    },
    /// All that is known of one person
    Customer {
        #[command(subcommand)]
        command: Customer,
    },
    /// Every send and skip, and every point of the score, with its evidence
    Why {
        /// Address, external id, or #id
        customer: String,
        /// Only what this campaign did
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
    /// Tokens for the shop's programs: what opens the API
    Token {
        #[command(subcommand)]
        command: Token,
    },
    /// Write a JSON Schema for each kind of file, for editors
    Schema {
        /// Where to; by default `.schema/` of the workspace
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Completions for a shell
    Completions {
        /// Whose
        shell: clap_complete::Shell,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Korean
    Ko,
    /// English
    En,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Inside {
    /// They finish with the revision that they began with
    Stay,
    /// They go on with the new one
    Move,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Decides who gets what and when
    Scheduler,
    /// Sends
    Sender,
    /// Links, preferences, pictures
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
    #[arg(long, value_name = "THEIRS=OURS", value_parser = pair)]
    pub map: Vec<(String, String)>,
    /// The currency of amounts that name none, such as KRW
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
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

/// `127.0.0.1:8080`, or a name in the place of the address
fn listen(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    port.map(|_| text.to_owned()).ok_or_else(|| "it is not an address and port such as 127.0.0.1:8080".into())
}

/// `theirs=ours`
fn pair(text: &str) -> Result<(String, String), String> {
    let (theirs, ours) = text.split_once('=').ok_or("there is no = in it: write theirs=ours")?;
    Ok((theirs.to_owned(), ours.to_owned()))
}

#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Take back what an import brought and nothing has used yet
    Undo {
        /// Its number, as `import list` shows it
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        batch: i64,
    },
    /// The imports so far
    List,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportKind {
    /// Who they are
    Customers,
    /// What they bought
    Orders,
    /// What else they did
    Events,
    /// What they agreed to
    Consents,
    /// Addresses that get nothing
    Suppressions,
}

#[derive(Debug, Subcommand)]
pub enum Segment {
    /// All segments with their sizes
    List,
    /// Size and members of one
    Show {
        /// The segment, as its file in segments/ is called
        name: String,
        /// How many members
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(0..))]
        limit: i64,
        /// Why this customer is in or out
        #[arg(long, value_name = "CUSTOMER")]
        why: Option<String>,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The campaign
    pub campaign: Option<String>,
    /// All campaigns
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Subcommand)]
pub enum Customer {
    /// Who they are, what they bought, where they stand
    Show {
        /// Address, external id, or #id
        customer: String,
    },
    /// Everything, as JSON
    Export {
        /// Address, external id, or #id
        customer: String,
    },
    /// Forget them
    Erase {
        /// Address, external id, or #id
        customer: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}
