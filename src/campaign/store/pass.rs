//! Passes: who is let in, and each step of those who are inside.

use super::audience::{self, Scope};
use crate::args;
use crate::campaign::live::Audience;
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx, Type};
use crate::permission::Rule;
use crate::segment::Condition;
use crate::types::Timestamp;
use crate::types::bucket::Draw;
use std::collections::HashSet;

/// Somebody whom a trigger has brought.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "what enrolment and customer say")]
pub struct Candidate {
    pub customer: i64,
    pub arm: String,
    /// Why they are in neither arm.
    pub reason: Option<String>,
    /// How often they have come before.
    pub passes: i64,
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
            passes: row.take()?,
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
         (SELECT count(*) FROM enrolment e WHERE e.campaign_id = ? AND e.customer_id = a.id), \
         (SELECT max(e.created_at) FROM enrolment e WHERE e.campaign_id = ? AND e.customer_id = a.id AND e.arm <> 'none'), \
         (SELECT count(*) FROM enrolment e WHERE e.campaign_id = ? AND e.customer_id = a.id AND e.state = 'active') \
         FROM ({rows}) AS a ORDER BY a.id",
        audience::arm()
    );
    let mut args = args![draw.a, draw.b, threshold, campaign, campaign, campaign];
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
    /// When the first step falls due.
    pub due: Timestamp,
}

/// Begins passes; whoever is in neither arm gets one that is over, with the reason, and a line that says so.
///
/// # Errors
/// What the database says.
pub async fn begin(tx: &mut Tx, passes: &[NewPass], common: Common<'_>, now: Timestamp) -> Result<(), DbError> {
    for chunk in Rows::pieces(passes, 512) {
        let mut rows = Rows::new(&[Type::Int, Type::Int, Type::Text, Type::Text, Type::Int]);
        for pass in chunk {
            rows.push(args![pass.occurrence, pass.customer, &pass.arm, pass.reason.as_deref(), pass.event]);
        }
        let sql = "WITH input(occurrence, customer, arm, reason, event) AS ({rows}) \
                   INSERT INTO enrolment (campaign_id, revision_id, occurrence_id, customer_id, arm, step, next_at, opens_at, \
                   state, reason, event_id, created_at, updated_at) \
                   SELECT CAST(? AS BIGINT), CAST(? AS BIGINT), occurrence, customer, arm, CAST(? AS TEXT), \
                   CASE WHEN arm = 'none' THEN NULL ELSE CAST(? AS BIGINT) END, CAST(? AS BIGINT), \
                   CASE WHEN arm = 'none' THEN 'skipped' ELSE 'active' END, reason, event, CAST(? AS BIGINT), CAST(? AS BIGINT) \
                   FROM input WHERE true ON CONFLICT (occurrence_id, customer_id) DO NOTHING RETURNING id, arm";
        let Common { campaign, revision, step, topic, service, due } = common;
        let args = args![campaign, revision, step, due, due, now, now];
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

/// Passes of a campaign that are due, at most `limit`, locked for this transaction. `by_score`: the highest score first,
/// because not all may get what there is.
///
/// # Errors
/// What the database says.
pub async fn due_passes(
    tx: &mut Tx,
    campaign: i64,
    by_score: bool,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Pass>, DbError> {
    let order = if by_score { "COALESCE(r.score, -1) DESC, e.customer_id" } else { "e.next_at, e.customer_id" };
    let lock = if tx.dialect().for_update().is_empty() { "" } else { "FOR UPDATE OF e SKIP LOCKED" };
    let sql = format!(
        "SELECT e.id, e.revision_id, e.occurrence_id, e.customer_id, e.arm, e.step, e.next_at, e.created_at \
         FROM enrolment e LEFT JOIN relationship r ON r.customer_id = e.customer_id \
         WHERE e.campaign_id = ? AND e.state = 'active' AND e.next_at <= ? ORDER BY {order} LIMIT ? {lock}"
    );
    tx.all(&sql, args![campaign, now, limit]).await
}

/// Whether any pass of a campaign is due.
///
/// # Errors
/// What the database says.
pub async fn any_due(db: &mut impl Query, campaign: i64, now: Timestamp) -> Result<bool, DbError> {
    let sql = "SELECT id FROM enrolment WHERE campaign_id = ? AND state = 'active' AND next_at <= ? LIMIT 1";
    Ok(db.optional::<(i64,)>(sql, args![campaign, now]).await?.is_some())
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

/// A mail of a step, or the line that says why there is none.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the message")]
pub struct NewMail {
    pub pass: i64,
    pub revision: i64,
    pub occurrence: i64,
    pub customer: i64,
    pub step: String,
    /// None of a mail that is not sent.
    pub address: Option<String>,
    /// Why it is not sent.
    pub reason: Option<String>,
    pub rewarded: bool,
}

/// Queues mails; gives each pass's message. One whose address has its mail of this step already is not among them.
///
/// # Errors
/// What the database says.
pub async fn queue(
    tx: &mut Tx,
    mails: &[NewMail],
    (campaign, topic, service): (i64, &str, bool),
    (due, expires): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Vec<(i64, i64)>, DbError> {
    let mut made = Vec::with_capacity(mails.len());
    for chunk in Rows::pieces(mails, 512) {
        let mut rows =
            Rows::new(&[Type::Int, Type::Int, Type::Int, Type::Int, Type::Text, Type::Text, Type::Text, Type::Int]);
        for mail in chunk {
            rows.push(args![
                mail.pass,
                mail.revision,
                mail.occurrence,
                mail.customer,
                &mail.step,
                mail.address.as_deref(),
                mail.reason.as_deref(),
                mail.rewarded,
            ]);
        }
        let sql = "WITH input(pass, revision, occurrence, customer, step, address, reason, rewarded) AS ({rows}) \
                   INSERT INTO message (enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, address, state, \
                   reason, topic, service, due_at, next_at, expires_at, rewarded, created_at, updated_at) \
                   SELECT pass, CAST(? AS BIGINT), revision, occurrence, step, customer, address, \
                   CASE WHEN reason IS NULL THEN 'queued' ELSE 'skipped' END, reason, CAST(? AS TEXT), CAST(? AS BIGINT), \
                   CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), rewarded, CAST(? AS BIGINT), CAST(? AS BIGINT) \
                   FROM input WHERE true ON CONFLICT DO NOTHING RETURNING enrolment_id, id";
        let args = args![campaign, topic, service, due, due, expires, now, now];
        made.extend(tx.all_with_rows::<(i64, i64)>(sql, rows, args).await?);
    }
    Ok(made)
}

/// Passes that never were one: their customer's address had the mail through another customer.
///
/// # Errors
/// What the database says.
pub async fn out_of_arms(tx: &mut Tx, passes: &[i64]) -> Result<(), DbError> {
    tx.execute_rows("UPDATE enrolment SET arm = 'none' WHERE id IN ({rows})", Rows::ids(passes), args![]).await?;
    Ok(())
}

/// Mails that were queued a moment ago, in this transaction, and are not to go after all: message and reason.
///
/// # Errors
/// What the database says.
pub async fn unqueue(tx: &mut Tx, mails: &[(i64, String)], now: Timestamp) -> Result<(), DbError> {
    for chunk in Rows::pieces(mails, 512) {
        let mut rows = Rows::new(&[Type::Int, Type::Text]);
        chunk.iter().for_each(|(id, reason)| rows.push(args![*id, reason]));
        let sql = "WITH input(id, reason) AS ({rows}) UPDATE message SET state = 'skipped', reason = input.reason, rewarded = 0, \
                   updated_at = ? FROM input WHERE message.id = input.id AND (message.state = 'queued' OR message.reason = 'granted')";
        tx.execute_rows(sql, rows, args![now]).await?;
    }
    Ok(())
}
