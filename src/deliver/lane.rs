//! A campaign's lane: whether its mail may flow. Campaign sets it, and the safety stops below hold it.

use super::store;
use crate::db::{Db, DbError, Tx};
use crate::types::Timestamp;

/// The reason of a lane that is held for good.
pub const CANCELLED: &str = "cancelled";
/// The reason of a lane that is held until its launch is through.
pub const LAUNCHING: &str = "being launched: if this stays, launch again";

/// Whether mail may flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lane {
    /// It may.
    Open,
    /// It may not, because.
    Held(String),
}

impl Lane {
    pub(super) fn of(state: &str, reason: Option<String>) -> Lane {
        if state == "open" { Lane::Open } else { Lane::Held(reason.unwrap_or_default()) }
    }
}

/// Opens or holds a campaign's lane.
///
/// # Errors
/// What the database says.
pub async fn set(tx: &mut Tx, campaign: i64, lane: &Lane, now: Timestamp) -> Result<(), DbError> {
    store::set_lane(tx, campaign, lane, now).await
}

/// Holds a lane that is open; one that is held keeps its own reason. Whether it was open.
///
/// # Errors
/// What the database says.
pub async fn hold(tx: &mut Tx, campaign: i64, reason: &str, now: Timestamp) -> Result<bool, DbError> {
    store::hold_open(tx, campaign, reason, now).await
}

/// Opens a lane that is held for `reason`, and no other: somebody may have held it for another meanwhile. Whether it was.
///
/// # Errors
/// What the database says.
pub async fn release(tx: &mut Tx, campaign: i64, reason: &str, now: Timestamp) -> Result<bool, DbError> {
    store::release(tx, campaign, reason, now).await
}

/// Holds the open lanes in which too much has gone wrong.
///
/// # Errors
/// What the database says.
pub async fn guard(db: &Db, now: Timestamp) -> Result<(), DbError> {
    for (campaign, counts) in store::open_lane_counts(&mut &*db).await? {
        if let Some(reason) = stop(counts) {
            tracing::error!(campaign, "holding the campaign: {reason}");
            let mut tx = db.begin().await?;
            hold(&mut tx, campaign, &reason, now).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// What has come of a lane's mail since it was opened, by which it holds itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Mails with a final word: accepted, refused, bounced, complained.
    pub settled: i64,
    /// Refused for good, or bounced hard.
    pub hard: i64,
    /// Complaints.
    pub complaints: i64,
    /// Skipped because the template failed for the customer.
    pub unrendered: i64,
    /// All that were to be sent: not skipped for another reason.
    pub meant: i64,
}

impl Counts {
    /// These and those.
    pub(super) fn add(&mut self, more: &Counts) {
        self.settled += more.settled;
        self.hard += more.hard;
        self.complaints += more.complaints;
        self.unrendered += more.unrendered;
        self.meant += more.meant;
    }
}

/// Why a campaign with these counts has to stop, if it has to: hard bounces over 5 % or complaints over 0.3 % of at
/// least 500; templates that fail for more than 1 % of the mails, of at least 20 tried.
pub fn stop(counts: Counts) -> Option<String> {
    let Counts { settled, hard, complaints, unrendered, meant } = counts;
    let share = |n: i64, of: i64| 100.0 * n as f64 / of.max(1) as f64;
    if settled >= 500 && share(hard, settled) > 5.0 {
        return Some(format!("{hard} of {settled} mails were refused for good: check where the addresses came from"));
    }
    if settled >= 500 && share(complaints, settled) > 0.3 {
        return Some(format!("{complaints} of {settled} readers called it spam"));
    }
    let tried = settled + unrendered;
    if unrendered > 0 && tried >= 20 && share(unrendered, meant.max(tried)) > 1.0 {
        return Some(format!(
            "the template failed for {unrendered} customers: see `dangol message list --state skipped`, mend it, and `dangol launch` again with --inside move"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_stops_itself_when_too_much_goes_wrong() {
        let fine = Counts { settled: 1_000, hard: 50, complaints: 3, unrendered: 10, meant: 1_010 };
        assert_eq!(stop(fine), None);
        assert!(stop(Counts { hard: 51, ..fine }).unwrap().contains("51 of 1000"));
        assert!(stop(Counts { complaints: 4, ..fine }).is_some());
        assert!(stop(Counts { unrendered: 11, ..fine }).unwrap().contains("template"));
        assert_eq!(stop(Counts { settled: 499, hard: 100, complaints: 10, unrendered: 0, meant: 499 }), None);
    }
}
