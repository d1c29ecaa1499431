//! The report of one campaign: who was assigned, what became of the mail, what people did, and what it caused.

use super::goal::{GoalReport, goal_report};
use super::store;
use crate::campaign::{CampaignError, LiveCache, journey, store as campaigns};
use crate::config::model::Settings;
use crate::db::Db;
use crate::deliver::State;
use crate::reward;
use crate::types::{Money, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many in each arm.
#[derive(Clone, Copy, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Assigned {
    /// Were to get it.
    pub treated: i64,
    /// Were held out.
    pub holdout: i64,
}

/// How many mails had a hit of each class.
#[derive(Clone, Copy, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Classes {
    /// A person.
    pub human: i64,
    /// A mail program's proxy, which opens whether or not anybody reads.
    pub proxy: i64,
    /// A scanner.
    pub machine: i64,
    /// Nobody can say.
    pub unknown: i64,
    /// Came in, and is not judged yet.
    pub unsettled: i64,
}

/// The report of one campaign.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Report {
    /// The campaign.
    pub campaign: String,
    /// Who was assigned to what.
    pub assigned: Assigned,
    /// Messages by state; every state is there.
    pub messages: BTreeMap<String, i64>,
    /// Messages never sent, by reason.
    pub skipped: BTreeMap<String, i64>,
    /// Messages of each step by state, of a campaign of several.
    pub steps: BTreeMap<String, BTreeMap<String, i64>>,
    /// Passes through its steps by state: active, done, exited, cancelled.
    pub passes: BTreeMap<String, i64>,
    /// Mails opened, by who or what did.
    pub opens: Classes,
    /// Mails clicked, by who or what did.
    pub clicks: Classes,
    /// Who withdrew by one of its mails.
    pub unsubscribes: i64,
    /// Who called it spam.
    pub complaints: i64,
    /// Answers to its questions: survey, answer, how many.
    pub answers: BTreeMap<String, BTreeMap<String, i64>>,
    /// What it caused, when it has a goal.
    pub goal: Option<GoalReport>,
    /// What it granted, when it grants.
    pub rewards: Option<Rewards>,
}

/// What a campaign's grants came to, all of its steps together; money in major units of the site's currency.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Rewards {
    /// Grants that stand.
    pub grants: i64,
    /// Their points; coupons and perks count one.
    pub points: i64,
    /// Of these points, spent.
    pub spent: i64,
    /// Of these points, expired.
    pub expired: i64,
    /// Points taken back, because a mail fell through.
    pub reversed: i64,
    /// What was granted may cost.
    pub cost: String,
    /// What was spent has cost.
    pub spent_cost: String,
}

/// The report of the campaign `name`.
///
/// # Errors
/// When there is no such campaign, or the database is away.
pub async fn report(
    db: &Db,
    cache: &LiveCache,
    settings: &Settings,
    name: &str,
    now: Timestamp,
) -> Result<Report, CampaignError> {
    let mut reader = db;
    let Some(campaign) = campaigns::campaign(&mut reader, name).await? else {
        let all = campaigns::campaigns(&mut reader).await?;
        let help = crate::config::nearest(name, all.iter().map(|c| c.name.as_str()));
        let help = help.or(Some("none has been launched yet: `dangol launch`".into()));
        return Err(CampaignError::Unknown { name: name.to_owned(), help });
    };
    let mut assigned = Assigned::default();
    for (arm, n) in store::arms(&mut reader, campaign.id).await? {
        match arm.as_str() {
            "treated" => assigned.treated = n,
            "holdout" => assigned.holdout = n,
            _ => {}
        }
    }
    let mut messages: BTreeMap<String, i64> = State::ALL.iter().map(|state| (state.name().to_owned(), 0)).collect();
    let mut skipped = BTreeMap::new();
    for (state, reason, n) in store::messages(&mut reader, campaign.id).await? {
        if state == "skipped" {
            *skipped.entry(reason.unwrap_or_default()).or_default() += n;
        }
        *messages.entry(state).or_default() += n;
    }
    let mut steps: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for (step, state, n) in store::steps(&mut reader, campaign.id).await? {
        steps.entry(step).or_default().insert(state, n);
    }
    let (mut opens, mut clicks) = (Classes::default(), Classes::default());
    for (kind, class, n) in store::hits(&mut reader, campaign.id).await? {
        let classes = if kind == "click" { &mut clicks } else { &mut opens };
        match class.as_deref() {
            Some("human") => classes.human += n,
            Some("proxy") => classes.proxy += n,
            Some("machine") => classes.machine += n,
            Some(_) => classes.unknown += n,
            None => classes.unsettled += n,
        }
    }
    // a click of a person implies an open, pictures or not
    opens.human = store::read_by_people(&mut reader, campaign.id).await?;
    let mut answers: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for (survey, answer, n) in store::answers(&mut reader, campaign.id).await? {
        answers.entry(survey).or_default().insert(answer, n);
    }
    let goal = match campaign.revision {
        Some(revision) => {
            // an old campaign's sender or topic may be gone from the settings, and it is reported all the same
            let goal = match cache.get(db, settings, revision).await {
                Ok(live) => live.campaign.goal.clone(),
                Err(CampaignError::Db(e)) => return Err(e.into()),
                Err(_) => campaigns::content(&mut reader, revision).await?.1.campaign()?.goal,
            };
            match &goal {
                Some(goal) => Some(goal_report(db, campaign.id, goal, &settings.site, now).await?),
                None => None,
            }
        }
        None => None,
    };
    Ok(Report {
        campaign: name.to_owned(),
        assigned,
        messages,
        skipped,
        steps,
        passes: store::passes(&mut reader, campaign.id).await?.into_iter().collect(),
        opens,
        clicks,
        unsubscribes: store::events(&mut reader, campaign.id, "unsubscribe").await?,
        complaints: store::events(&mut reader, campaign.id, "complaint").await?,
        answers,
        goal,
        rewards: rewards(db, campaign.id, settings).await?,
    })
}

async fn rewards(db: &Db, campaign: i64, settings: &Settings) -> Result<Option<Rewards>, CampaignError> {
    let sum = reward::granted(&mut &*db, &journey::rules(campaign)).await?;
    if sum.count == 0 {
        return Ok(None);
    }
    let money = |minor: i64| Money { minor, currency: settings.site.currency }.major();
    Ok(Some(Rewards {
        grants: sum.count,
        points: sum.points - sum.reversed,
        spent: sum.spent,
        expired: sum.expired,
        reversed: sum.reversed,
        cost: money(sum.cost - sum.reversed_cost),
        spent_cost: money(sum.spent_cost),
    }))
}
