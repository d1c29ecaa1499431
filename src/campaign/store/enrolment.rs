//! Occurrences that are due, and their audience in slices: two statements a slice, everything else is the database's.

use super::audience;
use crate::args;
use crate::campaign::live::Audience;
use crate::db::{Args, Db, DbError, FromRow, Query, Row, Tx};
use crate::deliver::lane::{self, Lane};
use crate::permission::Rule;
use crate::types::bucket::Draw;
use crate::types::{Period, Timestamp};

/// An occurrence that is due.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the occurrence")]
pub struct Due {
    pub id: i64,
    pub campaign: i64,
    pub revision: i64,
    pub state: String,
    pub due_at: Timestamp,
    pub agreed: Option<i64>,
}

impl FromRow for Due {
    fn from_row(row: &mut Row<'_>) -> Result<Due, DbError> {
        Ok(Due {
            id: row.take()?,
            campaign: row.take()?,
            revision: row.take()?,
            state: row.take()?,
            due_at: row.take()?,
            agreed: row.take()?,
        })
    }
}

const DUE: &str = "SELECT o.id, o.campaign_id, o.revision_id, o.state, o.due_at, o.agreed FROM occurrence o";

/// Why an occurrence asks before anybody is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// It was found too late.
    Stale,
    /// Its audience leaps.
    Large,
}

impl Asks {
    /// The state that it asks in.
    pub fn state(self) -> &'static str {
        match self {
            Asks::Stale => "stale",
            Asks::Large => "large",
        }
    }
}

/// Occurrences whose audience is to be taken now, of campaigns that run.
///
/// # Errors
/// What the database says.
pub async fn due_occurrences(db: &mut impl Query, now: Timestamp) -> Result<Vec<Due>, DbError> {
    let sql = format!(
        "{DUE} JOIN campaign c ON c.id = o.campaign_id JOIN lane l ON l.campaign_id = c.id \
         WHERE o.state IN ('waiting', 'enrolling') AND o.due_at <= ? AND c.state = 'running' AND l.state = 'open' \
         ORDER BY o.due_at, o.id"
    );
    db.all(&sql, args![now]).await
}

/// Occurrences that were due by now and whose audience is not all taken, whatever state their campaign is in.
///
/// # Errors
/// What the database says.
pub async fn overdue_occurrences(db: &mut impl Query, now: Timestamp) -> Result<Vec<Due>, DbError> {
    let states = "('waiting', 'enrolling', 'stale', 'large')";
    let sql = format!("{DUE} WHERE o.state IN {states} AND o.due_at <= ? ORDER BY o.due_at, o.id");
    db.all(&sql, args![now]).await
}

/// `waiting | stale | large → enrolling`, without asking.
///
/// # Errors
/// What the database says.
pub async fn begin_overdue(db: &Db, occurrence: i64) -> Result<(), DbError> {
    let sql = "UPDATE occurrence SET state = 'enrolling', last_id = COALESCE(last_id, (SELECT max(id) FROM customer), 0) \
               WHERE id = ? AND state IN ('waiting', 'stale', 'large')";
    db.execute(sql, args![occurrence]).await?;
    Ok(())
}

/// Takes nobody more into an occurrence.
///
/// # Errors
/// What the database says.
pub async fn cancel_occurrence(db: &Db, occurrence: i64, now: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE occurrence SET state = 'cancelled', finished_at = ? WHERE id = ?";
    db.execute(sql, args![now, occurrence]).await?;
    Ok(())
}

/// `waiting → stale | large`: it asks, and its lane is held for the reason. False when it is not as `due` says any more:
/// another node saw it first, somebody launched it anew, or it was answered already.
///
/// # Errors
/// What the database says.
pub async fn ask(db: &Db, due: &Due, asks: Asks, reason: String, now: Timestamp) -> Result<bool, DbError> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE occurrence SET state = ? \
               WHERE id = ? AND state = 'waiting' AND revision_id = ? AND COALESCE(agreed, 0) = ?";
    if tx.execute(sql, args![asks.state(), due.id, due.revision, due.agreed.unwrap_or(0)]).await? == 0 {
        return Ok(false);
    }
    lane::set(&mut tx, due.campaign, &Lane::Held(reason), now).await?;
    tx.commit().await?;
    Ok(true)
}

/// `waiting → enrolling`: customers who come later than this are not part of it. Nothing is begun of another revision
/// than the one that was looked at.
///
/// # Errors
/// What the database says.
pub async fn begin_enrolling(db: &Db, due: &Due) -> Result<(), DbError> {
    let sql = "UPDATE occurrence SET state = 'enrolling', last_id = COALESCE((SELECT max(id) FROM customer), 0) \
               WHERE id = ? AND state = 'waiting' AND revision_id = ?";
    db.execute(sql, args![due.id, due.revision]).await?;
    Ok(())
}

/// Where an occurrence stands.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the occurrence")]
pub struct Place {
    pub occurrence: i64,
    pub campaign: i64,
    pub revision: i64,
    pub due_at: Timestamp,
    pub position: i64,
    pub last_id: i64,
}

/// Where an occurrence that is being enrolled stands; `None` when it is not, any more.
///
/// # Errors
/// What the database says.
pub async fn place(tx: &mut Tx, occurrence: i64) -> Result<Option<Place>, DbError> {
    let sql = "SELECT id, campaign_id, revision_id, due_at, position, COALESCE(last_id, 0) FROM occurrence \
               WHERE id = ? AND state = 'enrolling'";
    let row: Option<(i64, i64, i64, Timestamp, i64, i64)> = tx.optional(sql, args![occurrence]).await?;
    Ok(row.map(|(occurrence, campaign, revision, due_at, position, last_id)| Place {
        occurrence,
        campaign,
        revision,
        due_at,
        position,
        last_id,
    }))
}

/// A slice of an audience: customers after the place's position, up to and with `to`.
#[derive(Clone, Debug)]
pub struct Slice<'a> {
    /// Where the occurrence stands.
    pub place: &'a Place,
    /// The last customer id.
    pub to: i64,
    /// The step that is queued.
    pub step: &'a str,
    /// Whether its mail is all there is: it is queued at once. Else everyone begins a pass.
    pub one_mail: bool,
    /// Its topic.
    pub topic: &'a str,
    /// Whether it is service mail.
    pub service: bool,
    /// The draw of the holdout.
    pub draw: Draw,
    /// Draws below this are held out.
    pub threshold: i64,
}

/// Everyone in the audience gets an enrolment, those who are not eligible with the reason.
///
/// # Errors
/// What the database says.
pub async fn insert_enrolments(
    tx: &mut Tx,
    slice: &Slice<'_>,
    audience: &Audience,
    rule: &Rule,
    now: Timestamp,
) -> Result<u64, DbError> {
    let place = slice.place;
    let range = audience::Scope::Range(place.position, slice.to);
    let (rows, args) = audience::rows(audience, rule, range);
    let sql = format!(
        "INSERT INTO enrolment (campaign_id, revision_id, occurrence_id, customer_id, arm, step, state, reason, created_at, updated_at) \
         SELECT CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), a.id, {}, CAST(? AS TEXT), \
         CASE WHEN a.reason IS NULL THEN '{}' ELSE 'skipped' END, a.reason, CAST(? AS BIGINT), CAST(? AS BIGINT) \
         FROM ({rows}) AS a WHERE true ON CONFLICT (occurrence_id, customer_id) DO NOTHING",
        audience::arm(),
        if slice.one_mail { "done" } else { "active" }
    );
    let mut all = args![
        place.campaign,
        place.revision,
        place.occurrence,
        slice.draw.a,
        slice.draw.b,
        slice.threshold,
        slice.step,
        now,
        now
    ];
    all.extend(args);
    tx.execute(&sql, all).await
}

/// The zones of the slice's readers.
///
/// # Errors
/// What the database says.
pub async fn zones(tx: &mut Tx, slice: &Slice<'_>) -> Result<Vec<String>, DbError> {
    let sql = "SELECT DISTINCT c.timezone FROM enrolment e JOIN customer c ON c.id = e.customer_id \
               WHERE e.occurrence_id = ? AND e.customer_id > ? AND e.customer_id <= ? AND c.timezone IS NOT NULL";
    let args = args![slice.place.occurrence, slice.place.position, slice.to];
    Ok(tx.all::<(String,)>(sql, args).await?.into_iter().map(|(zone,)| zone).collect())
}

/// A row for the mail of everyone enrolled: queued, or skipped with the reason. An address that has its mail already
/// gets no second one.
///
/// # Errors
/// What the database says.
pub async fn insert_messages(
    tx: &mut Tx,
    slice: &Slice<'_>,
    by_zone: &[(String, Timestamp)],
    due: Timestamp,
    expires: Period,
    now: Timestamp,
) -> Result<(), DbError> {
    let place = slice.place;
    let (due_sql, due_args) = due_by_zone(by_zone, due);
    // of several steps, only those who are in neither arm have their line now
    let which = if slice.one_mail { "" } else { " AND e.arm = 'none'" };
    let common = |address: &str, state: &str, reason: &str, extra: &str| {
        format!(
            "INSERT INTO message (enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, address, state, reason, \
             topic, service, variant, due_at, next_at, expires_at, created_at, updated_at) \
             SELECT q.id, q.campaign_id, q.revision_id, q.occurrence_id, q.step, q.customer_id, {address}, {state}, {reason}, \
             CAST(? AS TEXT), CAST(? AS BIGINT), q.variant, q.due, q.due, q.due + CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT) \
             FROM (SELECT e.*, c.email, {due_sql} AS due FROM enrolment e JOIN customer c ON c.id = e.customer_id \
             WHERE e.occurrence_id = ? AND e.customer_id > ? AND e.customer_id <= ?{extra} ORDER BY e.customer_id) AS q WHERE true"
        )
    };
    let args = || {
        let mut args = args![slice.topic, slice.service, expires.as_millis(), now, now];
        args.extend(due_args.clone());
        args.extend(args![place.occurrence, place.position, slice.to]);
        args
    };
    let sql = common(
        "CASE q.arm WHEN 'treated' THEN q.email END",
        // whoever was erased a moment ago has no address any more
        "CASE WHEN q.arm = 'treated' AND q.email IS NOT NULL THEN 'queued' ELSE 'skipped' END",
        "CASE WHEN q.arm = 'holdout' THEN 'holdout' WHEN q.arm = 'treated' AND q.email IS NULL THEN 'erased' ELSE q.reason END",
        which,
    );
    tx.execute(&format!("{sql} ON CONFLICT DO NOTHING"), args()).await?;
    if !slice.one_mail {
        return Ok(());
    }
    let missing = " AND NOT EXISTS (SELECT 1 FROM message m WHERE m.enrolment_id = e.id)";
    let sql = common("CAST(NULL AS TEXT)", "'skipped'", "'same address'", missing);
    if tx.execute(&sql, args()).await? > 0 {
        // whoever shares an address with somebody treated is in neither arm
        let sql = "UPDATE enrolment SET arm = 'none', state = 'skipped', reason = 'same address' WHERE occurrence_id = ? \
                   AND customer_id > ? AND customer_id <= ? AND arm = 'treated' AND EXISTS \
                   (SELECT 1 FROM message m WHERE m.enrolment_id = enrolment.id AND m.state = 'skipped' AND m.reason = 'same address')";
        tx.execute(sql, args![place.occurrence, place.position, slice.to]).await?;
    }
    Ok(())
}

/// When something falls due for a customer `c`, by their zone; the parameters are those of the expression.
fn due_by_zone(by_zone: &[(String, Timestamp)], otherwise: Timestamp) -> (String, Args) {
    let mut args = Args::new();
    let mut sql = String::from("CAST(? AS BIGINT)");
    if !by_zone.is_empty() {
        let whens = "WHEN ? THEN CAST(? AS BIGINT) ".repeat(by_zone.len());
        sql = format!("CASE c.timezone {whens} ELSE CAST(? AS BIGINT) END");
        for (zone, at) in by_zone {
            args.extend(args![zone.as_str(), *at]);
        }
    }
    args.extend(args![otherwise]);
    (sql, args)
}

/// Says when the first step of a slice's passes falls due.
///
/// # Errors
/// What the database says.
pub async fn begin_passes(
    tx: &mut Tx,
    slice: &Slice<'_>,
    by_zone: &[(String, Timestamp)],
    due: Timestamp,
) -> Result<(), DbError> {
    let (sql, mut args) = due_by_zone(by_zone, due);
    let set = |column: &str, sql: &str| {
        format!("{column} = (SELECT {sql} FROM customer c WHERE c.id = enrolment.customer_id)")
    };
    let sql = format!(
        "UPDATE enrolment SET {}, {} WHERE occurrence_id = ? AND customer_id > ? AND customer_id <= ? AND state = 'active' \
         AND next_at IS NULL",
        set("next_at", &sql),
        set("opens_at", &sql)
    );
    args.extend(args.clone());
    args.extend(args![slice.place.occurrence, slice.place.position, slice.to]);
    tx.execute(&sql, args).await?;
    Ok(())
}

/// Moves the place on, and counts whom the slice has brought; false when another node has meanwhile, or the campaign was
/// stopped: then nothing of the slice may stand.
///
/// # Errors
/// What the database says.
pub async fn advance(tx: &mut Tx, slice: &Slice<'_>, finished: bool, now: Timestamp) -> Result<bool, DbError> {
    let (state, finished_at) = if finished { ("enrolled", Some(now)) } else { ("enrolling", None) };
    let place = slice.place;
    let sql = "UPDATE occurrence SET position = ?, state = ?, finished_at = ?, topic = ?, \
               audience = audience + (SELECT count(*) FROM enrolment e WHERE e.occurrence_id = occurrence.id \
               AND e.customer_id > ? AND e.customer_id <= ? AND e.arm <> 'none') \
               WHERE id = ? AND position = ? AND state = 'enrolling'";
    let mut args = args![slice.to, state, finished_at, slice.topic];
    args.extend(args![place.position, slice.to, place.occurrence, place.position]);
    Ok(tx.execute(sql, args).await? == 1)
}
