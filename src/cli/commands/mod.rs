//! The commands, a file a group. Each parses what is left to parse, calls one function of a stage, and shows the answer.

mod campaign;
mod check;
mod completions;
mod customer;
mod database;
mod demo;
mod dkim;
mod doctor;
mod healthcheck;
mod import;
mod init;
mod message;
mod plan;
mod preview;
mod report;
mod reward;
mod run;
mod schema;
mod score;
mod segment;
mod serve;
mod suppression;
mod token;

use super::arguments::{Arguments, Command, Global};
use crate::campaign::control::Action;
use crate::customer::{self as customers, Customer};
use crate::engine::doctor::Options;
use crate::engine::{App, Open};
use anyhow::bail;
use std::process::ExitCode;

/// Runs a command.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { global, command } = arguments;
    let done = match command {
        Command::Init { dir } => init::init(&global, &dir),
        Command::Demo { lang, quit } => return demo::demo(&global, lang, quit).await,
        Command::Check { offline, online } => return check::check(&global, offline, online).await,
        Command::Doctor { sender, resolver, ntp } => {
            return doctor::doctor(&global, Options { sender, resolver, ntp }).await;
        }
        Command::Dkim { command } => dkim::dkim(&global, command),
        Command::Import(import) => return import::import(&global, import).await,
        Command::Reward { command } => reward::reward(&global, command).await,
        Command::Segment { command } => segment::segment(&global, command).await,
        Command::Plan { campaign, exit_code } => return plan::plan(&global, campaign.as_deref(), exit_code).await,
        Command::Preview { campaign, step, customer, out } => {
            preview::preview(&global, &campaign, step.as_deref(), &customer, out).await
        }
        Command::SendTest { campaign, step, customer, to } => {
            preview::send_test(&global, &campaign, step.as_deref(), &customer, to).await
        }
        Command::Launch { campaign, yes, inside } => return campaign::launch(&global, &campaign, yes, inside).await,
        Command::Pause(which) => campaign::control(&global, which.campaign, Action::Pause).await,
        Command::Resume(which) => campaign::control(&global, which.campaign, Action::Resume).await,
        Command::Close { campaign } => campaign::control(&global, Some(campaign), Action::Close).await,
        Command::Cancel(which) => campaign::control(&global, which.campaign, Action::Cancel).await,
        Command::Run { until_idle, clock_from } => return run::run(&global, until_idle, clock_from).await,
        Command::Serve { role, listen } => return serve::serve(&global, &role, listen.as_deref()).await,
        Command::Healthcheck { url } => healthcheck::healthcheck(&global, url).await,
        Command::Status { watch } => report::status(&global, watch).await,
        Command::Report { campaign } => report::report(&global, &campaign).await,
        Command::Customer { command } => customer::customer(&global, command).await,
        Command::Why { customer, campaign } => customer::why(&global, &customer, campaign.as_deref()).await,
        Command::Message { command } => return message::message(&global, command).await,
        Command::Suppression { command } => suppression::suppression(&global, command).await,
        Command::Score { command } => score::score(&global, command).await,
        Command::Db { command } => return database::database(&global, command).await,
        Command::Token { command } => token::token(&global, command).await,
        Command::Schema { out } => schema::schema(&global, out),
        Command::Completions { shell } => completions::completions(shell),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// How the workspace is opened, by the global arguments.
fn open(global: &Global) -> Open {
    Open { workspace: global.workspace.clone(), migrate: global.migrate, ..Open::default() }
}

/// The workspace, opened.
async fn app(global: &Global) -> anyhow::Result<App> {
    Ok(open(global).app().await?)
}

/// The one customer that a word means.
async fn who(app: &App, word: &str) -> anyhow::Result<Customer> {
    let mut found = customers::find(&mut &app.db, word).await?;
    match found.len() {
        0 => bail!("there is no customer `{word}`: give an address, an external id, or #id"),
        1 => Ok(found.remove(0)),
        _ => {
            let ids: Vec<String> = found
                .iter()
                .map(|c| match &c.external_id {
                    Some(external) => format!("#{} ({external})", c.id),
                    None => format!("#{}", c.id),
                })
                .collect();
            bail!("`{word}` is the address of {} customers: name one of {}", ids.len(), ids.join(", "))
        }
    }
}
