//! Whether a mail may go, judged anew at the moment before it goes: much may have happened since it was queued.

use super::compose::Policy;
use super::lane::{self, Lane};
use super::{Claimed, store};
use crate::db::{DbError, Tx};
use crate::permission::{self, Reason};
use crate::types::Timestamp;
use crate::types::pace::{Cap, Quiet};
use std::collections::{HashMap, HashSet};

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may go.
    Go,
    /// Not now: the reason, and when to ask again.
    Later(&'static str, Timestamp),
    /// Never: the reason.
    Never(String),
}

/// Judges mails that are about to go, inside the transaction that will mark them; on PostgreSQL the rows of customers under
/// a cap are locked in the order of their ids, so that two nodes cannot both pass one person's. Nothing else needs the lock: an
/// erasure and a begin are decided by the compare-and-set on the message's own row.
///
/// # Errors
/// What the database says.
pub async fn judge(tx: &mut Tx, mails: &[(&Claimed, &Policy)], now: Timestamp) -> Result<Vec<Decision>, DbError> {
    if mails.is_empty() {
        return Ok(Vec::new());
    }
    let capped = mails.iter().filter(|(claimed, policy)| !claimed.service && policy.cap != Cap::Off);
    let customers: HashSet<i64> = capped.map(|(claimed, _)| claimed.customer).collect();
    store::lock_customers(tx, &customers).await?;
    let mut lanes = HashMap::new();
    for campaign in mails.iter().map(|(claimed, _)| claimed.campaign).collect::<HashSet<_>>() {
        lanes.insert(campaign, store::lane(tx, campaign).await?);
    }
    let forbidden = forbidden(tx, mails).await?;
    let mut recent = recent(tx, mails, now).await?;

    let mut decisions = Vec::with_capacity(mails.len());
    for (claimed, policy) in mails {
        let lane = lanes.get(&claimed.campaign).and_then(Option::as_ref);
        let decision = match lane {
            Some(Lane::Held(reason)) if reason == lane::CANCELLED => Decision::Never(lane::CANCELLED.into()),
            Some(Lane::Held(_)) => Decision::Later("held", claimed.due_at),
            _ => match forbidden.get(&(claimed.customer, claimed.topic.as_str())) {
                None => one(claimed, policy, recent.entry(claimed.customer).or_default(), now),
                Some(reason) => Decision::Never(reason.name().to_owned()),
            },
        };
        decisions.push(decision);
    }
    Ok(decisions)
}

fn one(claimed: &Claimed, policy: &Policy, recent: &mut Vec<Timestamp>, now: Timestamp) -> Decision {
    if now >= claimed.expires_at {
        return Decision::Never("expired".into());
    }
    if claimed.service {
        return Decision::Go;
    }
    let later = |reason, at: Timestamp| {
        if at >= claimed.expires_at {
            Decision::Never(reason_of_expiry(reason).into())
        } else {
            Decision::Later(reason, at)
        }
    };
    if let Some(end) = quiet_end(policy.quiet, policy.zone.tz(), now) {
        return later("quiet hours", end);
    }
    if let Cap::Per { count, period } = policy.cap {
        let start = period.before(now, policy.zone.tz());
        let mut within: Vec<Timestamp> = recent.iter().copied().filter(|at| *at > start).collect();
        within.sort_unstable();
        if within.len() >= count as usize {
            // room is made when the oldest of the last `count` leaves the window
            let oldest = within[within.len() - count as usize];
            return later("cap", period.after(oldest, policy.zone.tz()));
        }
    }
    recent.push(now);
    Decision::Go
}

fn reason_of_expiry(reason: &str) -> &'static str {
    if reason == "cap" { "cap" } else { "expired in quiet hours" }
}

/// When the quiet hours end in which `now` lies on the reader's clock, if it does.
pub fn quiet_end(quiet: Quiet, zone: &jiff::tz::TimeZone, now: Timestamp) -> Option<Timestamp> {
    let Quiet::Between(_, to) = quiet else { return None };
    let here = now.to_zoned(zone.clone());
    if !quiet.contains(here.time()) {
        return None;
    }
    let today = here.date();
    let end_day = if here.time() < to { today } else { today.tomorrow().ok()? };
    let end = end_day.to_datetime(to).to_zoned(zone.clone()).ok()?.timestamp();
    // a clock set back at that hour must not give a moment that has passed
    Some(if end > now { end } else { now.checked_add(jiff::SignedDuration::from_mins(1)).ok()? })
}

/// Why a topic's mail may not go to a customer; who is not in it may be mailed.
async fn forbidden<'a>(
    tx: &mut Tx,
    mails: &[(&'a Claimed, &Policy)],
) -> Result<HashMap<(i64, &'a str), Reason>, DbError> {
    let mut by_topic: HashMap<&str, (&permission::Rule, Vec<i64>)> = HashMap::new();
    for (claimed, policy) in mails {
        by_topic.entry(&claimed.topic).or_insert((&policy.rule, Vec::new())).1.push(claimed.customer);
    }
    let mut forbidden = HashMap::new();
    for (topic, (rule, customers)) in by_topic {
        for (customer, reason) in permission::reasons(tx, &customers, rule).await? {
            forbidden.insert((customer, topic), reason);
        }
    }
    Ok(forbidden)
}

/// When each customer was last sent marketing mail, within the longest period asked of.
async fn recent(
    tx: &mut Tx,
    mails: &[(&Claimed, &Policy)],
    now: Timestamp,
) -> Result<HashMap<i64, Vec<Timestamp>>, DbError> {
    let mut start = now;
    let mut customers = HashSet::new();
    for (claimed, policy) in mails {
        if let (Cap::Per { period, .. }, false) = (policy.cap, claimed.service) {
            start = start.min(period.before(now, policy.zone.tz()));
            customers.insert(claimed.customer);
        }
    }
    let mut recent: HashMap<i64, Vec<Timestamp>> = HashMap::new();
    // a mail does not count against itself when a commit is repeated of which nobody knows whether it happened
    let own: HashSet<i64> = mails.iter().map(|(claimed, _)| claimed.id).collect();
    for (message, customer, at) in store::sent_since(tx, &customers, start).await? {
        if !own.contains(&message) {
            recent.entry(customer).or_default().push(at);
        }
    }
    Ok(recent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn quiet_hours_end_on_the_readers_clock() {
        let seoul = TimeZone::get("Asia/Seoul").unwrap();
        let quiet: Quiet = "21:00-08:00".parse().unwrap();
        let at = |text: &str| text.parse::<jiff::Zoned>().unwrap().timestamp();
        let end = |text| quiet_end(quiet, &seoul, at(text));
        let morning = at("2027-03-04T08:00:00+09:00[Asia/Seoul]");
        assert_eq!(end("2027-03-03T22:30:00+09:00[Asia/Seoul]"), Some(morning));
        assert_eq!(end("2027-03-04T07:59:59+09:00[Asia/Seoul]"), Some(morning));
        assert_eq!(end("2027-03-04T08:00:00+09:00[Asia/Seoul]"), None);
        assert_eq!(end("2027-03-04T12:00:00+09:00[Asia/Seoul]"), None);
    }
}
