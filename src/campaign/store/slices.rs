//! What is done to all of a campaign's mail and passes, in slices so short that no other commit waits: each can be
//! repeated, and whoever dies between two goes on where it stopped.

use crate::args;
use crate::campaign::CampaignError;
use crate::db::{Args, Db, DbError, Query, Rows, Value};
use crate::reward;
use crate::types::Timestamp;

/// Rows that one transaction changes.
const SLICE: i64 = 1_000;

/// What has not gone out never will, and every pass ends; the campaign's lane must be held as cancelled, so that mail in
/// flight is finished and nothing comes back. Gives how many mails.
///
/// # Errors
/// What the database says; then the rest can be cancelled again.
pub async fn cancel_rest(db: &Db, campaign: i64, now: Timestamp) -> Result<u64, CampaignError> {
    // whoever has claimed one finds its token gone when its turn comes. The state stands outside too: on PostgreSQL a row
    // that becomes `transmitting` while this waits for it is not asked again by the inner one
    let sql = "UPDATE message SET state = 'skipped', reason = 'cancelled', node_id = NULL, token = NULL, updated_at = ? \
               WHERE id IN (SELECT id FROM message WHERE campaign_id = ? AND state IN ('queued', 'deferred', 'claimed') LIMIT ?) \
               AND state IN ('queued', 'deferred', 'claimed') RETURNING id, rewarded";
    let mut cancelled = 0;
    loop {
        let mut tx = db.begin().await?;
        let changed: Vec<(i64, bool)> = Query::all(&mut tx, sql, args![now, campaign, SLICE]).await?;
        let rewarded: Vec<i64> = changed.iter().filter(|(_, rewarded)| *rewarded).map(|(id, _)| *id).collect();
        reward::settle(&mut tx, &[], &rewarded, now).await?;
        tx.commit().await?;
        cancelled += changed.len() as u64;
        if changed.is_empty() {
            break;
        }
    }
    let passes = "UPDATE enrolment SET state = 'cancelled', next_at = NULL, updated_at = ? \
                  WHERE id IN (SELECT id FROM enrolment WHERE campaign_id = ? AND state = 'active' LIMIT ?)";
    slices(passes, |sql| async move { db.execute(sql, args![now, campaign, SLICE]).await }).await?;
    Ok(cancelled)
}

/// Campaigns that were cancelled and of which something is left: because a process died meanwhile, or because mail that
/// was in flight came back.
///
/// # Errors
/// What the database says.
pub async fn half_cancelled(db: &Db) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT c.id FROM campaign c WHERE c.state = 'cancelled' AND (\
               EXISTS (SELECT 1 FROM message m WHERE m.campaign_id = c.id AND m.state IN ('queued', 'deferred')) \
               OR EXISTS (SELECT 1 FROM enrolment e WHERE e.campaign_id = c.id AND e.state = 'active'))";
    let mut reader = db;
    Ok(crate::db::Query::all::<(i64,)>(&mut reader, sql, args![]).await?.into_iter().map(|(id,)| id).collect())
}

/// Mails that have not gone out yet, and those that could not be made, go over to a revision; the lane must be held. Those
/// whose grant fell with them are [`revive`](super::revive)'s. Gives how many.
///
/// # Errors
/// What the database says; then the rest can be moved again.
pub async fn move_mails(db: &Db, campaign: i64, revision: i64, steps: &[&str], now: Timestamp) -> Result<u64, DbError> {
    let mut moved = 0;
    for (state, which) in [
        ("queued", "revision_id <> ?"),
        ("deferred", "revision_id <> ?"),
        ("skipped", "? > 0 AND reason LIKE 'render%' AND rewarded = 0"),
    ] {
        let find = format!(
            "SELECT id FROM message WHERE campaign_id = ? AND state = '{state}' AND id > ? AND address IS NOT NULL \
             AND expires_at > ? AND {which} AND step IN ({}) ORDER BY id LIMIT ?",
            marks(steps)
        );
        let back = if state == "skipped" { "state = 'queued', reason = NULL, " } else { "" };
        let change = format!(
            "WITH wanted(id) AS ({{rows}}) UPDATE message SET {back}revision_id = ?, updated_at = ? \
             WHERE id IN (SELECT id FROM wanted) AND state = '{state}'"
        );
        let mut last = 0;
        loop {
            let mut args = args![campaign, last, now, revision];
            args.extend(steps.iter().map(|step| Value::from(*step)));
            args.extend(args![SLICE]);
            let ids = ids(db, &find, args).await?;
            let Some(highest) = ids.last() else { break };
            last = *highest;
            moved += by_id(db, &change, &ids, args![revision, now]).await?;
        }
    }
    Ok(moved)
}

/// Those inside go on by a revision, each at the step of the same id; whose step it does not have stays where it is.
///
/// # Errors
/// What the database says; then the rest can be moved again.
pub async fn move_passes(
    db: &Db,
    campaign: i64,
    revision: i64,
    steps: &[&str],
    now: Timestamp,
) -> Result<u64, DbError> {
    let mut moved = 0;
    // by arm, because that is an index whose rows come in the order of their ids
    for arm in ["treated", "holdout"] {
        let find = format!(
            "SELECT id FROM enrolment WHERE campaign_id = ? AND arm = '{arm}' AND id > ? AND state = 'active' \
             AND revision_id <> ? AND step IN ({}) ORDER BY id LIMIT ?",
            marks(steps)
        );
        let change = "WITH wanted(id) AS ({rows}) UPDATE enrolment SET revision_id = ?, updated_at = ? \
                      WHERE id IN (SELECT id FROM wanted) AND state = 'active'";
        let mut last = 0;
        loop {
            let mut args = args![campaign, last, revision];
            args.extend(steps.iter().map(|step| Value::from(*step)));
            args.extend(args![SLICE]);
            let ids = ids(db, &find, args).await?;
            let Some(highest) = ids.last() else { break };
            last = *highest;
            moved += by_id(db, change, &ids, args![revision, now]).await?;
        }
    }
    Ok(moved)
}

/// The ids that `sql` finds, by a reader: the writer is not held while they are looked for.
async fn ids(db: &Db, sql: &str, args: Args) -> Result<Vec<i64>, DbError> {
    let found: Vec<(i64,)> = Query::all(&mut &*db, sql, args).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Changes these rows; `sql` says again what they have to be.
async fn by_id(db: &Db, sql: &str, ids: &[i64], args: Args) -> Result<u64, DbError> {
    let mut tx = db.begin().await?;
    let mut changed = 0;
    for chunk in Rows::pieces(ids, 512) {
        changed += tx.execute_rows(sql, Rows::ids(chunk), args.clone()).await?;
    }
    tx.commit().await?;
    Ok(changed)
}

fn marks(of: &[&str]) -> String {
    vec!["?"; of.len()].join(",")
}

/// Says `sql` until it changes nothing more.
async fn slices<'a, F>(sql: &'a str, once: impl Fn(&'a str) -> F) -> Result<u64, DbError>
where
    F: Future<Output = Result<u64, DbError>>,
{
    let mut all = 0;
    loop {
        let changed = once(sql).await?;
        all += changed;
        if changed < SLICE.cast_unsigned() {
            return Ok(all);
        }
    }
}
