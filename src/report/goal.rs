//! What a campaign caused: those who were to get it beside those who were held out.

use super::statistics::{self, Sample, welch};
use super::store;
use crate::campaign::CampaignError;
use crate::config::model::{GoalValue, Site};
use crate::db::Db;
use crate::types::{Money, Timestamp};
use serde::Serialize;

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
    /// What it brought in, in money: by it and not by chance, as far as the interval says.
    pub worth: Option<Worth>,
    /// How many customers' windows are still open: as soon as one is closed, only closed ones are counted above.
    pub open: i64,
}

/// What the treated brought beyond what they would have without the campaign: the difference of the means per customer,
/// times the treated, with Welch's 95 % interval; everyone assigned is counted, those who brought nothing too. In major
/// units of the site's currency.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Worth {
    /// The estimate.
    pub value: String,
    /// Lower end.
    pub low: String,
    /// Upper end.
    pub high: String,
}

/// The goal of a campaign as it stands.
///
/// # Errors
/// What the database says.
pub(super) async fn goal_report(
    db: &Db,
    campaign: i64,
    goal: &crate::config::model::Goal,
    site: &Site,
    now: Timestamp,
) -> Result<GoalReport, CampaignError> {
    let mut reader = db;
    let (currency, zone) = (site.currency, site.timezone.tz());
    let within = goal.within.as_millis();
    // a verdict looks at closed windows only: whoever came in yesterday has had no time to buy
    let closed_by = now.as_millisecond() - within;
    let (closed, open, last) = store::windows(&mut reader, campaign, closed_by).await?;
    let window = (within, if closed > 0 { closed_by } else { i64::MAX });
    let rows = if goal.event == "order" {
        store::order_goal(&mut reader, campaign, window, goal.value == GoalValue::Margin, currency.code()).await?
    } else {
        store::event_goal(&mut reader, campaign, window, &goal.event, currency.code()).await?
    };
    let nobody = || Arm { n: 0, converted: 0, value: Money { minor: 0, currency }.major() };
    let (mut treated, mut holdout) = (nobody(), nobody());
    let (mut ours, mut theirs) = (Sample::default(), Sample::default());
    for (arm, n, converted, value, squares) in rows {
        let sample = Sample { n: n as f64, sum: value as f64, squares };
        let filled = Arm { n, converted, value: Money { minor: value, currency }.major() };
        if arm == "treated" { (treated, ours) = (filled, sample) } else { (holdout, theirs) = (filled, sample) }
    }
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let compared =
        statistics::difference(count(treated.converted), count(treated.n), count(holdout.converted), count(holdout.n));
    let closes = last.filter(|_| closed == 0).map(|last| goal.within.after(last, zone));
    let verdict = match (&compared, closes) {
        (None, _) => "no holdout, so nothing can be said of what it caused".to_owned(),
        (Some(_), Some(closes)) => {
            let closes = closes.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z");
            format!("not enough evidence yet: the last window closes at {closes}")
        }
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
    let worth = welch(&ours, &theirs).map(|each| {
        let all = |each: f64| Money { minor: (each * ours.n).round() as i64, currency }.major();
        Worth { value: all(each.difference), low: all(each.low), high: all(each.high) }
    });
    Ok(GoalReport {
        worth,
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
