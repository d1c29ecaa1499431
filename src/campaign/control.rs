//! Pause, resume, close, cancel: what an operator does to a campaign that runs.

use super::{CampaignError, store};
use crate::db::Db;
use crate::deliver::lane::{self, Lane};
use crate::deliver::store as delivery;
use crate::types::Timestamp;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing more goes out until it is resumed; what is in flight is finished.
    Pause,
    /// It goes on.
    Resume,
    /// Admits nobody new; those inside go on.
    Close,
    /// Ends every pass, for good.
    Cancel,
}

/// What was done to one campaign.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// The campaign.
    pub campaign: String,
    /// Its state now; [`ASKS`] when it was left alone, because it asks something.
    pub state: String,
    /// Mails that will not be sent.
    pub cancelled: u64,
}

/// What [`Done`] says of a campaign that waits for an answer to a question of its own.
pub const ASKS: &str = "asks";

/// Does it to the campaign `name`, or with `None` to all that it can be done to.
///
/// # Errors
/// When there is no such campaign, or it is in a state in which this cannot be done.
pub async fn control(db: &Db, name: Option<&str>, action: Action, now: Timestamp) -> Result<Vec<Done>, CampaignError> {
    let all = store::campaigns(&mut &*db).await?;
    let chosen: Vec<_> = match name {
        Some(name) => {
            let found = all.iter().find(|campaign| campaign.name == name);
            vec![found.ok_or_else(|| never(name, &all))?]
        }
        None => all.iter().filter(|campaign| allowed(&campaign.state, action).is_ok()).collect(),
    };
    let mut done = Vec::new();
    for campaign in chosen {
        allowed(&campaign.state, action).map_err(|why| CampaignError::State(format!("`{}` {why}", campaign.name)))?;
        let mut tx = db.begin().await?;
        let state = match action {
            Action::Pause => {
                // a question stays the reason of a lane that it holds: who resumes has to see it
                if !store::asks(&mut tx, campaign.id).await? {
                    lane::set(&mut tx, campaign.id, &Lane::Held("paused".into()), now).await?;
                }
                // one that admits nobody new does not do so after a pause either: its lane alone is held
                if campaign.state == "closed" { "closed" } else { "paused" }
            }
            Action::Resume
                if delivery::lane(&mut tx, campaign.id).await? == Some(Lane::Held(lane::LAUNCHING.into())) =>
            {
                // whom to let in is not known yet: only the launch itself can open it
                if name.is_none() {
                    continue;
                }
                let name = &campaign.name;
                let why = format!("the launch of `{name}` is not through: `dangol launch {name}` finishes it");
                return Err(CampaignError::State(why));
            }
            Action::Resume if name.is_none() && store::asks(&mut tx, campaign.id).await? => {
                // its question is about this letter, and nobody answers it by speaking of all
                done.push(Done { campaign: campaign.name.clone(), state: ASKS.to_owned(), cancelled: 0 });
                continue;
            }
            Action::Resume => {
                lane::set(&mut tx, campaign.id, &Lane::Open, now).await?;
                // one that was found too late, or is for suddenly so many, and has asked is answered
                store::answer(&mut tx, campaign.id, now).await?;
                if campaign.state == "closed" { "closed" } else { "running" }
            }
            Action::Close => {
                // what it asked is asked no more; a pause goes on
                if campaign.state == "running" && store::asks(&mut tx, campaign.id).await? {
                    lane::set(&mut tx, campaign.id, &Lane::Open, now).await?;
                }
                store::stop_occurrences(&mut tx, campaign.id, now).await?;
                "closed"
            }
            Action::Cancel => {
                store::stop_occurrences(&mut tx, campaign.id, now).await?;
                // what is in flight and comes back as deferred meets this, and ends
                lane::set(&mut tx, campaign.id, &Lane::Held(lane::CANCELLED.into()), now).await?;
                "cancelled"
            }
        };
        store::set_state(&mut tx, campaign.id, &campaign.state, state, now).await?;
        tx.commit().await?;
        let cancelled = if action == Action::Cancel { store::cancel_rest(db, campaign.id, now).await? } else { 0 };
        done.push(Done { campaign: campaign.name.clone(), state: state.to_owned(), cancelled });
    }
    Ok(done)
}

/// Whether a campaign of this name has been launched.
///
/// # Errors
/// When not: the nearest that has.
pub async fn launched(db: &Db, name: &str) -> Result<(), CampaignError> {
    let all = store::campaigns(&mut &*db).await?;
    if all.iter().any(|campaign| campaign.name == name) { Ok(()) } else { Err(never(name, &all)) }
}

fn never(name: &str, all: &[store::Campaign]) -> CampaignError {
    let help = match crate::config::nearest(name, all.iter().map(|campaign| campaign.name.as_str())) {
        Some(help) => help.replace("known are:", "launched are:"),
        None => "none has been yet".into(),
    };
    CampaignError::State(format!("no campaign `{name}` has been launched: {help}"))
}

fn allowed(state: &str, action: Action) -> Result<(), String> {
    match (action, state) {
        (Action::Cancel, "cancelled") => Err("is cancelled already".into()),
        (_, "cancelled") => Err("was cancelled, and that is for good".into()),
        (Action::Pause, "paused") => Err("is paused already".into()),
        (Action::Close, "closed") => Err("is closed already".into()),
        (Action::Pause, "running" | "closed") | (Action::Close, "running" | "paused") | (Action::Cancel, _) => Ok(()),
        // a running campaign can be held by a safety stop, and resume is the answer to it
        (Action::Resume, "paused" | "running" | "closed") => Ok(()),
        (action, state) => Err(format!("is {state}, and cannot be {}", word(action))),
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Pause => "paused",
        Action::Resume => "resumed",
        Action::Close => "closed",
        Action::Cancel => "cancelled",
    }
}
