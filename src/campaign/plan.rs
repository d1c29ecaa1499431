//! What a launch would do: who, what, when, who is left out and why. Changes nothing.

use super::{CampaignError, Live, schedule, store};
use crate::config::model::Settings;
use crate::db::Db;
use crate::deliver::judge::quiet_end;
use crate::types::Timestamp;
use crate::types::bucket::Draw;
use crate::types::pace::Cap;
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
    /// What rewards would cost; none are granted by a campaign that is sent once.
    pub reward_liability: i64,
    /// How many are at their cap now, and would wait.
    pub collisions: i64,
    /// `new`, `changed`, `unchanged`, or why it cannot be launched.
    pub change: String,
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
    let (mut begun, mut enrolled) = (false, false);
    // a campaign that is not there yet will get an id that nobody knows: any draw has the same shares
    let mut draw = Draw::new(0, "holdout");
    if let Some(campaign) = &was {
        draw = Draw::new(campaign.id, "holdout");
        let same = store::latest_hash(&mut reader, campaign.id).await?.as_deref() == Some(hash);
        change = if same { "unchanged" } else { "changed" };
        let occurrence = store::occurrence(&mut reader, campaign.id, super::ONCE).await?;
        let state = occurrence.map_or(String::new(), |(_, state)| state);
        begun = !state.is_empty() && state != "waiting" && state != "stale";
        enrolled = state == "enrolled";
        if campaign.state == "cancelled" {
            change = "cancelled: it needs another id";
        }
    }
    let audience = live.audience(&reader, settings, now)?;
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
    if enrolled {
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
    if change == "new"
        && let Some(why) = schedule::too_late(&live.campaign.schedule, now)
    {
        plan.change = format!("cannot be launched: {why}");
    }
    Ok(plan)
}

impl Plan {
    /// Whether launching would change anything.
    pub fn would_change(&self) -> bool {
        self.change == "new" || self.change == "changed"
    }
}
