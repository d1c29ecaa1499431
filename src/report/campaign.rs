//! The report of one campaign: who was assigned, what became of the mail, what people did, and what it caused.

use super::{statistics, store};
use crate::campaign::{CampaignError, LiveCache, store as campaigns};
use crate::config::model::{GoalValue, Settings};
use crate::db::Db;
use crate::deliver::State;
use crate::types::{Currency, Money, Timestamp};
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

/// What an arm came to.
#[derive(Clone, Debug, Default, Serialize, PartialEq)]
pub struct Arm {
    /// How many were assigned.
    pub n: i64,
    /// How many of them reached the goal in their window.
    pub converted: i64,
    /// What it came to, in major units.
    pub value: String,
}

/// What the campaign caused.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct GoalReport {
    /// Those who were to get it.
    pub treated: Arm,
    /// Those held out.
    pub holdout: Arm,
    /// Share of the treated less share of the held out.
    pub difference: Option<f64>,
    /// Lower end of the 95 % interval (Newcombe).
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Two-sided p.
    pub p: Option<f64>,
    /// In plain words.
    pub verdict: String,
    /// How many customers' windows are still open: as soon as one is closed, only closed ones are counted above.
    pub open: i64,
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
                Some(goal) => Some(goal_report(db, campaign.id, goal, settings.site.currency, now).await?),
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
    })
}

async fn goal_report(
    db: &Db,
    campaign: i64,
    goal: &crate::config::model::Goal,
    currency: Currency,
    now: Timestamp,
) -> Result<GoalReport, CampaignError> {
    let mut reader = db;
    let within = goal.within.as_millis();
    // a verdict looks at closed windows only: whoever came in yesterday has had no time to buy
    let closed_by = now.as_millisecond() - within;
    let (closed, open, last) = store::windows(&mut reader, campaign, closed_by).await?;
    let window = (within, if closed > 0 { closed_by } else { i64::MAX });
    let rows = if goal.event == "order" {
        store::order_goal(&mut reader, campaign, window, goal.value == GoalValue::Margin, currency.code()).await?
    } else {
        store::event_goal(&mut reader, campaign, window, &goal.event).await?
    };
    let nobody = || Arm { n: 0, converted: 0, value: Money { minor: 0, currency }.major() };
    let (mut treated, mut holdout) = (nobody(), nobody());
    for (arm, n, converted, value) in rows {
        let value = Money { minor: value, currency }.major();
        let filled = Arm { n, converted, value };
        if arm == "treated" { treated = filled } else { holdout = filled }
    }
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let compared =
        statistics::difference(count(treated.converted), count(treated.n), count(holdout.converted), count(holdout.n));
    let closes = last.filter(|_| closed == 0).map(|last| goal.within.after(last, &jiff::tz::TimeZone::UTC));
    let verdict = match (&compared, closes) {
        (None, _) => "no holdout, so nothing can be said of what it caused".to_owned(),
        (Some(_), Some(closes)) => format!("not enough evidence yet: the last window closes at {closes}"),
        (Some(d), None) if d.low > 0.0 => {
            let extra = |share: f64| (share * treated.n as f64).round();
            format!(
                "it brought more to the goal: about {} more, between {} and {} (95 %)",
                extra(d.difference),
                extra(d.low),
                extra(d.high)
            )
        }
        (Some(d), None) if d.high < 0.0 => {
            "it kept people from the goal: fewer reached it than of those held out".to_owned()
        }
        (Some(_), None) => "not enough evidence: the difference may be chance".to_owned(),
    };
    Ok(GoalReport {
        open,
        treated,
        holdout,
        difference: compared.map(|d| d.difference),
        low: compared.map(|d| d.low),
        high: compared.map(|d| d.high),
        p: compared.map(|d| d.p),
        verdict,
    })
}
