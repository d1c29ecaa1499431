//! What a launch would do: who, what, when, who is left out and why. Changes nothing.

use super::live::StepGrant;
use super::{CampaignError, Leap, Live, schedule, store};
use crate::config::model::{Settings, Trigger};
use crate::db::Db;
use crate::deliver::judge::quiet_end;
use crate::reward;
use crate::types::bucket::Draw;
use crate::types::pace::Cap;
use crate::types::{Period, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// The plan of one campaign.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Plan {
    /// The campaign.
    pub campaign: String,
    /// How many customers are in the audience.
    pub audience: i64,
    /// How many of them would get a mail.
    pub treated: i64,
    /// How many would be held out to compare with.
    pub holdout: i64,
    /// How many would get nothing, by reason.
    pub skipped: BTreeMap<String, i64>,
    /// How many mails.
    pub mails: i64,
    /// When the first would go out: quiet hours are waited for.
    pub first_at: Option<Timestamp>,
    /// When the last would.
    pub last_at: Option<Timestamp>,
    /// How long they take at the relays' rate.
    pub seconds: f64,
    /// What is open of the rewards that it grants, with what this launch would add, in minor units of the site's currency.
    pub reward_liability: i64,
    /// How many are at their cap now, and would wait.
    pub collisions: i64,
    /// `new`, `changed`, `unchanged`, or why it cannot be launched.
    pub change: String,
    /// What brings customers in, when a trigger does: then the numbers above tell of those who are in its segment today,
    /// and `mails` of those whom the launch itself would bring in.
    pub trigger: Option<String>,
    /// How many are on their way through its steps.
    pub inside: i64,
    /// Its steps.
    pub steps: Vec<Step>,
    /// The smallest difference in the goal that the holdout could show: in shares, 0.02 is 2 of 100 customers.
    pub smallest_lift: Option<f64>,
    /// When the last goal window of those whom this launch mails is closed.
    pub verdict_at: Option<Timestamp>,
    /// The audience is suddenly ten times as large as the last one's, or more, and nobody has agreed to it: launched by a
    /// script, it asks when its time comes.
    pub leap: Option<Leap>,
}

/// A step, as a plan tells it.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Step {
    /// Its id.
    pub step: String,
    /// How long after the step before it.
    pub wait: Period,
    /// Its condition.
    pub when: Option<String>,
    /// Its template.
    pub send: Option<String>,
    /// The reward that it grants.
    pub grant: Option<String>,
    /// What one grant costs, in minor units of the site's currency.
    pub cost: i64,
    /// What is left of the reward's budget in this period, in the same units; `None`: it has no bound.
    pub budget_left: Option<i64>,
}

/// The plan of `live`, whose content has the hash `hash`.
///
/// # Errors
/// What the database says.
pub async fn plan(
    db: &Db,
    settings: &Settings,
    live: &Live,
    hash: &str,
    now: Timestamp,
) -> Result<Plan, CampaignError> {
    let mut reader = db;
    let existing = store::campaign(&mut reader, &live.name).await?;
    let was = match (&existing, &live.campaign.was) {
        (None, Some(was)) => store::campaign(&mut reader, was).await?,
        _ => existing,
    };
    let mut change = "new";
    let (mut begun, mut enrolled, mut agreed) = (false, false, None);
    // a campaign that is not there yet will get an id that nobody knows: any draw has the same shares
    let mut draw = Draw::new(0, "holdout");
    if let Some(campaign) = &was {
        draw = Draw::new(campaign.id, "holdout");
        let same = store::latest_hash(&mut reader, campaign.id).await?.as_deref() == Some(hash);
        change = if same { "unchanged" } else { "changed" };
        let occurrence = store::occurrence(&mut reader, campaign.id, super::ONCE).await?;
        if let Some((state, has_begun, yes)) = occurrence {
            (begun, enrolled) = (has_begun, state == "enrolled");
            // a launch of the same revision keeps what was agreed to
            agreed = yes.filter(|_| same);
        }
        if campaign.state == "cancelled" {
            change = "cancelled: it needs another id";
        }
    }
    let mut audience = live.audience(&reader, settings, now)?;
    audience.include.extend(live.watched(&reader, settings, now)?);
    let rule = live.rule(settings, now)?;
    let threshold = Draw::threshold(live.holdout());
    let counted = store::counted(&mut reader, &audience, &rule, draw, threshold).await?;
    let mut plan = Plan {
        campaign: live.name.clone(),
        audience: counted.iter().map(|line| line.customers).sum(),
        treated: 0,
        holdout: 0,
        skipped: BTreeMap::new(),
        mails: 0,
        first_at: None,
        last_at: None,
        seconds: 0.0,
        reward_liability: 0,
        collisions: 0,
        change: change.to_owned(),
        trigger: live.campaign.trigger.as_ref().map(told),
        inside: 0,
        steps: steps(db, live, now).await?,
        smallest_lift: None,
        verdict_at: None,
        leap: None,
    };
    for line in counted {
        match (line.arm.as_str(), line.reason) {
            ("treated", _) => {
                plan.treated = line.customers;
                plan.mails = line.addresses;
                if line.customers > line.addresses {
                    plan.skipped.insert("same address".into(), line.customers - line.addresses);
                }
            }
            ("holdout", _) => plan.holdout = line.customers,
            (_, reason) => *plan.skipped.entry(reason.unwrap_or_default()).or_default() += line.customers,
        }
    }
    if live.campaign.trigger.is_none() && !begun {
        let own = was.as_ref().map_or(0, |campaign| campaign.id);
        let last = store::last_audience(&mut reader, &live.campaign.topic, own).await?;
        plan.leap = last.and_then(|last| Leap::of(plan.treated + plan.holdout, last, agreed));
    }
    if let Some(trigger) = &live.campaign.trigger {
        plan.mails = 0;
        if let Some(campaign) = &was {
            plan.inside = store::inside(&mut reader, campaign.id).await?;
        }
        // whom the launch itself brings in: those who are in the segment and were not seen there
        let swept = match &was {
            Some(campaign) => {
                store::watch(&mut reader, campaign.id).await?.is_some_and(|watch| watch.swept_at.is_some())
            }
            None => false,
        };
        // of a segment that is another since, only those who come in later enter
        let same = swept && change == "unchanged" && was.as_ref().is_some_and(|campaign| campaign.state != "closed");
        if trigger.enters.is_some() && (same || (trigger.present && !swept)) {
            audience.unseen_by = was.as_ref().map(|campaign| campaign.id);
            for line in store::counted(&mut reader, &audience, &rule, draw, threshold).await? {
                plan.mails += if line.arm == "treated" { line.addresses } else { 0 };
            }
        }
    } else if enrolled {
        // a campaign that is sent once takes its audience once: nobody new comes in
        plan.mails = 0;
    } else if let (true, Some(campaign)) = (begun, &was) {
        // those who are inside already get nothing again
        let done = store::enrolled(&mut reader, campaign.id).await?;
        plan.mails = (plan.mails - done).max(0);
    }
    if let (Cap::Per { count, period }, false) = (live.cap, live.service()) {
        let since = period.before(now, settings.site.timezone.tz());
        plan.collisions = store::collisions(&mut reader, &audience, &rule, (i64::from(count), since)).await?;
    }
    let rate: f64 = settings.relay.iter().map(|relay| relay.rate.per_second()).sum();
    plan.seconds = if rate > 0.0 { (plan.mails as f64 / rate * 10.0).round() / 10.0 } else { 0.0 };
    if plan.mails > 0 {
        let begins = schedule::begins(live.campaign.schedule.at, now);
        let site = settings.site.timezone.tz();
        let mut due = Vec::new();
        for zone in store::readers_zones(&mut reader, &audience, &rule).await? {
            let zone = zone.and_then(|name| jiff::tz::TimeZone::get(&name).ok());
            let zone = zone.as_ref().unwrap_or(site);
            let at = schedule::due(live.campaign.schedule.at, begins, zone).max(begins);
            let quiet = if live.service() { None } else { quiet_end(live.quiet, zone, at) };
            due.push(quiet.unwrap_or(at));
        }
        plan.first_at = due.iter().min().copied();
        let takes = jiff::SignedDuration::from_millis((plan.seconds * 1000.0) as i64);
        plan.last_at = due.iter().max().and_then(|last| last.checked_add(takes).ok());
    }
    plan.reward_liability = liability(db, live, plan.mails, now).await?;
    if let Some(goal) = &live.campaign.goal {
        let site = settings.site.timezone.tz();
        let since = goal.within.before(now, site);
        let (n, m) = (plan.treated as f64, plan.holdout as f64);
        if n > 0.0 && m > 0.0 {
            let ordered = store::ordered(&mut reader, &audience, &rule, (since, now)).await? as f64;
            plan.smallest_lift = Some(smallest_lift(ordered / (n + m), n, m));
        }
        plan.verdict_at = plan.last_at.map(|last| goal.within.after(last, site));
    }
    if change == "new"
        && live.campaign.trigger.is_none()
        && let Some(why) = schedule::too_late(&live.campaign.schedule, now)
    {
        plan.change = format!("cannot be launched: {why}");
    }
    Ok(plan)
}

/// What a trigger waits for, in words.
fn told(trigger: &Trigger) -> String {
    match (&trigger.enters, &trigger.leaves, &trigger.event) {
        (Some(segment), ..) => format!("enters {segment}"),
        (_, Some(segment), _) => format!("leaves {segment}"),
        (_, _, Some(event)) => format!("event {event}"),
        _ => String::new(),
    }
}

async fn steps(db: &Db, live: &Live, now: Timestamp) -> Result<Vec<Step>, CampaignError> {
    let sends: Vec<Option<String>> = live.campaign.steps().into_iter().map(|(_, step)| step.send).collect();
    let mut steps = Vec::new();
    for (step, send) in live.steps.iter().zip(sends) {
        let (mut cost, mut budget_left) = (0, None);
        if let Some(StepGrant { reward, points }) = &step.grant {
            cost = reward.unit * points.unwrap_or(1);
            if let Some(budget) = &reward.budget {
                let used = reward::budget_used(&mut &*db, &reward.name, &reward.budget_period(now)).await?;
                budget_left = Some((budget.amount.minor - used).max(0));
            }
        }
        steps.push(Step {
            step: step.id.clone(),
            wait: step.wait,
            when: step.when.as_ref().map(|when| when.text().to_owned()),
            send,
            grant: step.grant.as_ref().map(|grant| grant.reward.name.clone()),
            cost,
            budget_left,
        });
    }
    Ok(steps)
}

/// What is open of the rewards that a campaign grants, with what `mails` more passes would add within the budgets.
async fn liability(db: &Db, live: &Live, mails: i64, now: Timestamp) -> Result<i64, CampaignError> {
    let mut all = 0;
    let mut seen = std::collections::BTreeSet::new();
    for (step, told) in live.steps.iter().zip(steps(db, live, now).await?) {
        let Some(grant) = &step.grant else { continue };
        if seen.insert(grant.reward.name.clone()) {
            let open = reward::liability(&mut &*db, &grant.reward.name).await?;
            all += open.pending + open.active;
        }
        let more = told.cost.saturating_mul(mails);
        all += told.budget_left.map_or(more, |left| more.min(left));
    }
    Ok(all)
}

/// The smallest difference of two shares that `n` and `m` customers show four times out of five, at 5 % (normal
/// approximation, both arms near the share `base`).
fn smallest_lift(base: f64, n: f64, m: f64) -> f64 {
    // where nobody has ordered yet, one in a hundred is taken for the start
    let p = base.clamp(0.01, 0.99);
    let lift = (1.96 + 0.84) * (p * (1.0 - p) * (1.0 / n + 1.0 / m)).sqrt();
    (lift * 10_000.0).round() / 10_000.0
}

impl Plan {
    /// Whether launching would change anything.
    pub fn would_change(&self) -> bool {
        self.change == "new" || self.change == "changed"
    }
}
