//! The mails of a step: queued, or a line that says why there is none.

use crate::args;
use crate::db::{DbError, Query, Rows, Tx, Type};
use crate::types::Timestamp;
use std::collections::HashSet;

/// Those of `passes` that have taken a step already: one that was moved to a revision with other steps may come by it
/// again.
///
/// # Errors
/// What the database says.
pub async fn taken(tx: &mut Tx, passes: &[i64], step: &str) -> Result<HashSet<i64>, DbError> {
    let sql = "WITH wanted(id) AS ({rows}) SELECT m.enrolment_id FROM wanted w JOIN message m \
               ON m.enrolment_id = w.id AND m.step = ?";
    let rows: Vec<(i64,)> = tx.all_with_rows(sql, Rows::ids(passes), args![step]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
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

/// A mail that could not be made.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the columns of the message")]
pub struct Unmade {
    pub message: i64,
    pub pass: i64,
    pub customer: i64,
}

/// Mails of a step that could not be made, and whose grants were taken back, are queued again by a revision, some at a
/// time; `rewarded`: whether a grant hangs on them there.
///
/// # Errors
/// What the database says.
pub async fn revive(
    tx: &mut Tx,
    (campaign, revision): (i64, i64),
    (step, rewarded): (&str, bool),
    now: Timestamp,
) -> Result<Vec<Unmade>, DbError> {
    let sql = "UPDATE message SET state = 'queued', reason = NULL, revision_id = ?, rewarded = ?, updated_at = ? \
               WHERE id IN (SELECT id FROM message WHERE campaign_id = ? AND state = 'skipped' AND reason LIKE 'render%' \
               AND rewarded = 1 AND step = ? AND address IS NOT NULL AND expires_at > ? ORDER BY id LIMIT 250) \
               AND state = 'skipped' RETURNING id, enrolment_id, customer_id";
    let rows: Vec<(i64, i64, i64)> = tx.all(sql, args![revision, rewarded, now, campaign, step, now]).await?;
    let mail = |(message, pass, customer)| Unmade { message, pass, customer };
    Ok(rows.into_iter().map(mail).collect())
}
