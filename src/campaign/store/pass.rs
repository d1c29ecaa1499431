//! Passes: who is let in, and each step of those who are inside.

use super::audience::{self, Scope};
use crate::args;
use crate::campaign::live::Audience;
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx, Type};
use crate::permission::Rule;
use crate::segment::Condition;
use crate::types::Timestamp;
use crate::types::bucket::Draw;
use std::collections::{HashMap, HashSet};

/// Somebody whom a trigger has brought.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "what enrolment and customer say")]
pub struct Candidate {
    pub customer: i64,
    pub arm: String,
    /// Why they are in neither arm.
    pub reason: Option<String>,
    /// The arm that they were in before.
    pub before: Option<String>,
    /// How often they have come in before.
    pub passes: i64,
    /// How often they have come in vain.
    pub in_vain: i64,
    /// When they last came in, other than in vain.
    pub last_at: Option<Timestamp>,
    /// Whether they are inside.
    pub inside: bool,
}

impl FromRow for Candidate {
    fn from_row(row: &mut Row<'_>) -> Result<Candidate, DbError> {
        Ok(Candidate {
            customer: row.take()?,
            arm: row.take()?,
            reason: row.take()?,
            before: row.take()?,
            passes: row.take()?,
            in_vain: row.take()?,
            last_at: row.take()?,
            inside: row.take::<i64>()? > 0,
        })
    }
}

/// Those of `ids` whom the audience takes, with their arms: eligible is judged before the arm is drawn.
///
/// # Errors
/// What the database says.
pub async fn candidates(
    tx: &mut Tx,
    campaign: i64,
    ids: &[i64],
    (audience, rule): (&Audience, &Rule),
    (draw, threshold): (Draw, i64),
) -> Result<Vec<Candidate>, DbError> {
    let (rows, more) = audience::rows(audience, rule, Scope::Wanted);
    let sql = format!(
        "WITH wanted(id) AS ({{rows}}) SELECT a.id, {}, a.reason, \
         (SELECT e.arm FROM enrolment e WHERE e.campaign_id = ? AND e.customer_id = a.id AND e.arm <> 'none' ORDER BY e.id LIMIT 1), \
         (SELECT count(*) FROM enrolment e WHERE e.campaign_id = ? AND e.customer_id = a.id AND e.state <> 'skipped'), \
         (SELECT count(*) FROM enrolment e WHERE e.campaign_id = ? AND e.customer_id = a.id AND e.state = 'skipped'), \
         (SELECT max(e.created_at) FROM enrolment e WHERE e.campaign_id = ? AND e.customer_id = a.id AND e.state <> 'skipped'), \
         (SELECT count(*) FROM enrolment e WHERE e.campaign_id = ? AND e.customer_id = a.id AND e.state = 'active') \
         FROM ({rows}) AS a ORDER BY a.id",
        audience::arm()
    );
    let mut args = args![draw.a, draw.b, threshold, campaign, campaign, campaign, campaign, campaign];
    args.extend(more);
    tx.all_with_rows(&sql, Rows::ids(ids), args).await
}

/// The occurrence of a key that stays open for whoever comes; makes it.
///
/// # Errors
/// What the database says.
pub async fn open_occurrence(
    tx: &mut Tx,
    campaign: i64,
    revision: i64,
    key: &str,
    now: Timestamp,
) -> Result<i64, DbError> {
    let sql = "INSERT INTO occurrence (campaign_id, revision_id, key, due_at, state) VALUES (?, ?, ?, ?, 'open') \
               ON CONFLICT (campaign_id, key) DO NOTHING";
    tx.execute(sql, args![campaign, revision, key, now]).await?;
    let sql = "SELECT id FROM occurrence WHERE campaign_id = ? AND key = ?";
    Ok(tx.one::<(i64,)>(sql, args![campaign, key]).await?.0)
}

/// A pass that begins.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the enrolment")]
pub struct NewPass {
    pub occurrence: i64,
    pub customer: i64,
    pub arm: String,
    pub reason: Option<String>,
    pub event: Option<i64>,
    /// When the first step falls due.
    pub due: Timestamp,
}

/// What all passes of a slice have in common.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the columns of enrolment and message")]
pub struct Common<'a> {
    pub campaign: i64,
    pub revision: i64,
    pub step: &'a str,
    pub topic: &'a str,
    pub service: bool,
}

/// Begins passes; whoever is in neither arm gets one that is over, with the reason, and a line that says so.
///
/// # Errors
/// What the database says.
pub async fn begin(tx: &mut Tx, passes: &[NewPass], common: Common<'_>, now: Timestamp) -> Result<(), DbError> {
    for chunk in Rows::pieces(passes, 512) {
        let mut rows = Rows::new(&[Type::Int, Type::Int, Type::Text, Type::Text, Type::Int, Type::Int]);
        for pass in chunk {
            rows.push(args![pass.occurrence, pass.customer, &pass.arm, pass.reason.as_deref(), pass.event, pass.due]);
        }
        let sql = "WITH input(occurrence, customer, arm, reason, event, due) AS ({rows}) \
                   INSERT INTO enrolment (campaign_id, revision_id, occurrence_id, customer_id, arm, step, next_at, opens_at, \
                   state, reason, event_id, created_at, updated_at) \
                   SELECT CAST(? AS BIGINT), CAST(? AS BIGINT), occurrence, customer, arm, CAST(? AS TEXT), \
                   CASE WHEN arm = 'none' THEN NULL ELSE due END, due, \
                   CASE WHEN arm = 'none' THEN 'skipped' ELSE 'active' END, reason, event, CAST(? AS BIGINT), CAST(? AS BIGINT) \
                   FROM input WHERE true ON CONFLICT (occurrence_id, customer_id) DO NOTHING RETURNING id, arm";
        let Common { campaign, revision, step, topic, service } = common;
        let args = args![campaign, revision, step, now, now];
        let made: Vec<(i64, String)> = tx.all_with_rows(sql, rows, args).await?;
        let none: Vec<i64> = made.into_iter().filter(|(_, arm)| arm == "none").map(|(id, _)| id).collect();
        let sql = "WITH wanted(id) AS ({rows}) INSERT INTO message (enrolment_id, campaign_id, revision_id, occurrence_id, step, \
                   customer_id, state, reason, topic, service, due_at, next_at, expires_at, created_at, updated_at) \
                   SELECT e.id, e.campaign_id, e.revision_id, e.occurrence_id, e.step, e.customer_id, 'skipped', e.reason, \
                   CAST(? AS TEXT), CAST(? AS BIGINT), e.opens_at, e.opens_at, e.opens_at, e.created_at, e.created_at \
                   FROM enrolment e WHERE e.id IN (SELECT id FROM wanted) ON CONFLICT DO NOTHING";
        if !none.is_empty() {
            tx.execute_rows(sql, Rows::ids(&none), args![topic, service]).await?;
        }
    }
    Ok(())
}

/// A pass whose next step is due.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the enrolment")]
pub struct Pass {
    pub id: i64,
    pub revision: i64,
    pub occurrence: i64,
    pub customer: i64,
    pub arm: String,
    pub step: String,
    pub next_at: Timestamp,
    pub begun_at: Timestamp,
}

impl FromRow for Pass {
    fn from_row(row: &mut Row<'_>) -> Result<Pass, DbError> {
        Ok(Pass {
            id: row.take()?,
            revision: row.take()?,
            occurrence: row.take()?,
            customer: row.take()?,
            arm: row.take()?,
            step: row.take()?,
            next_at: row.take()?,
            begun_at: row.take()?,
        })
    }
}

/// The passes of a campaign that are due, in the order in which they are taken, at most `limit`. `by_score`: the highest
/// score first, because not all may get what there is.
///
/// # Errors
/// What the database says.
pub async fn due_passes(
    db: &mut impl Query,
    campaign: i64,
    by_score: bool,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<i64>, DbError> {
    let order = if by_score { "COALESCE(r.score, -1) DESC, e.customer_id, e.id" } else { "e.next_at, e.customer_id" };
    let join = if by_score { "LEFT JOIN relationship r ON r.customer_id = e.customer_id" } else { "" };
    let sql = format!(
        "SELECT e.id FROM enrolment e {join} WHERE e.campaign_id = ? AND e.state = 'active' AND e.next_at <= ? \
         ORDER BY {order} LIMIT ?"
    );
    Ok(db.all::<(i64,)>(&sql, args![campaign, now, limit]).await?.into_iter().map(|(id,)| id).collect())
}

/// Those of `ids` that are still due, in the order of `ids`, locked for this transaction. `waits`: for another node that
/// holds them, so that nobody is overtaken; else what another node holds is left to it.
///
/// # Errors
/// What the database says.
pub async fn lock_passes(tx: &mut Tx, ids: &[i64], waits: bool, now: Timestamp) -> Result<Vec<Pass>, DbError> {
    let lock = match (tx.dialect().for_update().is_empty(), waits) {
        (true, _) => "",
        (false, true) => "FOR UPDATE OF e",
        (false, false) => "FOR UPDATE OF e SKIP LOCKED",
    };
    let sql = format!(
        "SELECT e.id, e.revision_id, e.occurrence_id, e.customer_id, e.arm, e.step, e.next_at, e.created_at \
         FROM enrolment e WHERE e.id IN ({{rows}}) AND e.state = 'active' AND e.next_at <= ? ORDER BY e.id {lock}"
    );
    let mut found: HashMap<i64, Pass> = HashMap::with_capacity(ids.len());
    for pass in tx.all_with_rows::<Pass>(&sql, Rows::ids(ids), args![now]).await? {
        found.insert(pass.id, pass);
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Those of `passes` whose customer has reached the goal since the pass began.
///
/// # Errors
/// What the database says.
pub async fn reached(tx: &mut Tx, passes: &[i64], event: &str) -> Result<HashSet<i64>, DbError> {
    let orders = event == "order";
    let sql = if orders {
        "WITH wanted(id) AS ({rows}) SELECT e.id FROM enrolment e JOIN wanted w ON w.id = e.id WHERE EXISTS \
         (SELECT 1 FROM purchase p WHERE p.customer_id = e.customer_id AND p.at >= e.created_at \
         AND p.event_id <> COALESCE(e.event_id, 0) AND p.status NOT IN ('cancelled', 'returned'))"
    } else {
        "WITH wanted(id) AS ({rows}) SELECT e.id FROM enrolment e JOIN wanted w ON w.id = e.id WHERE EXISTS \
         (SELECT 1 FROM event v WHERE v.customer_id = e.customer_id AND v.at >= e.created_at \
         AND v.id <> COALESCE(e.event_id, 0) AND v.kind = ?)"
    };
    set(tx, sql, passes, if orders { args![] } else { args![event] }).await
}

/// Those of `passes` of which a mail is still on its way: the next step waits for it.
///
/// # Errors
/// What the database says.
pub async fn waiting(tx: &mut Tx, passes: &[i64]) -> Result<HashSet<i64>, DbError> {
    let sql = "WITH wanted(id) AS ({rows}) SELECT DISTINCT m.enrolment_id FROM message m JOIN wanted w ON w.id = m.enrolment_id \
               WHERE m.state IN ('queued', 'deferred', 'claimed', 'transmitting')";
    set(tx, sql, passes, args![]).await
}

/// Those of `customers` of whom a condition is true.
///
/// # Errors
/// What the database says.
pub async fn true_of(tx: &mut Tx, customers: &[i64], condition: &Condition) -> Result<HashSet<i64>, DbError> {
    let sql = format!(
        "WITH wanted(id) AS ({{rows}}) SELECT c.id FROM {} WHERE c.id IN (SELECT id FROM wanted) AND c.erased_at IS NULL AND {}",
        condition.from(),
        condition.sql
    );
    set(tx, &sql, customers, condition.args.clone()).await
}

/// The addresses of those of `customers` who have one.
///
/// # Errors
/// What the database says.
pub async fn addresses(tx: &mut Tx, customers: &[i64]) -> Result<Vec<(i64, String)>, DbError> {
    let sql = "SELECT id, email FROM customer WHERE id IN ({rows}) AND email IS NOT NULL AND erased_at IS NULL";
    tx.all_with_rows(sql, Rows::ids(customers), args![]).await
}

async fn set(tx: &mut Tx, sql: &str, ids: &[i64], args: crate::db::Args) -> Result<HashSet<i64>, DbError> {
    let rows: Vec<(i64,)> = tx.all_with_rows(sql, Rows::ids(ids), args).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Where a pass goes.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the enrolment")]
pub struct Moved {
    pub id: i64,
    /// The step it stood at.
    pub from: String,
    pub step: String,
    pub state: &'static str,
    pub reason: Option<&'static str>,
    pub next_at: Option<Timestamp>,
}

/// Moves passes on, each from the step that it stood at; false when one of them did not stand there any more: then
/// nothing of the slice may stand.
///
/// # Errors
/// What the database says.
pub async fn move_on(tx: &mut Tx, moved: &[Moved], now: Timestamp) -> Result<bool, DbError> {
    let mut changed = 0;
    for chunk in Rows::pieces(moved, 512) {
        let mut rows = Rows::new(&[Type::Int, Type::Text, Type::Text, Type::Text, Type::Text, Type::Int]);
        for one in chunk {
            rows.push(args![one.id, &one.from, &one.step, one.state, one.reason, one.next_at]);
        }
        let sql = "WITH input(id, was, step, state, reason, next_at) AS ({rows}) \
                   UPDATE enrolment SET step = input.step, state = input.state, reason = COALESCE(input.reason, enrolment.reason), \
                   next_at = input.next_at, updated_at = ? FROM input \
                   WHERE enrolment.id = input.id AND enrolment.state = 'active' AND enrolment.step = input.was";
        changed += tx.execute_rows(sql, rows, args![now]).await?;
    }
    Ok(changed == moved.len() as u64)
}
