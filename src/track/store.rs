//! The tables `hit` and `survey_answer`, and what tracking reads of messages and customers.

use super::class::HONEYPOT_AROUND;
use super::hit::Hit;
use super::network;
use super::token::HONEYPOT;
use crate::args;
use crate::db::{Args, Db, DbError, FromRow, Query, Row, Rows, Tx, Type};
use crate::types::Period;
use jiff::Timestamp;

/// Writes hits down: none of messages that are not, and none of people who are erased or do not want it. A hit that is
/// there already is left alone, be it under its spool key or, when it was written and the answer lost, by its contents.
pub async fn insert_hits(tx: &mut Tx, hits: &[(Hit, Option<String>)], settle: Period) -> Result<u64, DbError> {
    use Type::{Int, Text};
    const TYPES: &[Type] = &[Int, Text, Int, Int, Text, Int, Text, Text, Text, Int, Text, Int];
    let mut changed = 0;
    for chunk in hits.chunks(500) {
        let mut rows = Rows::new(TYPES);
        let replayed = chunk.iter().any(|(_, key)| key.is_some());
        for (hit, key) in chunk {
            rows.push(args![
                hit.message,
                hit.kind.name(),
                hit.link.map(|(link, _)| link),
                hit.link.map(|(_, links)| links),
                hit.url.as_deref(),
                hit.at,
                &hit.method,
                hit.ip.map(network::text),
                hit.agent.as_deref(),
                hit.prefetch,
                key.as_deref(),
                hit.settle_at(settle),
            ]);
        }
        let unless_there = if replayed {
            "AND NOT EXISTS (SELECT 1 FROM hit WHERE hit.message_id = i.message_id AND hit.at = i.at AND hit.kind = i.kind \
               AND coalesce(hit.link, -1) = coalesce(i.link, -1) AND hit.method = i.method \
               AND coalesce(hit.ip, '') = coalesce(i.ip, '') AND coalesce(hit.agent, '') = coalesce(i.agent, ''))"
        } else {
            ""
        };
        let sql = format!(
            "WITH i (message_id, kind, link, links, url, at, method, ip, agent, prefetch, spool_key, settle_at) AS ({{rows}}) \
             INSERT INTO hit (message_id, kind, link, links, url, at, method, ip, agent, prefetch, spool_key, settle_at) \
             SELECT i.message_id, i.kind, i.link, i.links, i.url, i.at, i.method, i.ip, i.agent, i.prefetch, i.spool_key, i.settle_at \
             FROM i JOIN message m ON m.id = i.message_id JOIN customer c ON c.id = m.customer_id \
             WHERE c.tracking_off = 0 AND c.erased_at IS NULL {unless_there} \
             ON CONFLICT (spool_key) DO NOTHING"
        );
        changed += tx.execute_rows(&sql, rows, args![]).await?;
    }
    Ok(changed)
}

/// A hit with what is known of its message.
#[derive(Clone, Debug)]
pub struct Kept {
    pub id: i64,
    pub message: i64,
    pub kind: String,
    pub link: Option<i64>,
    pub links: Option<i64>,
    pub url: Option<String>,
    pub at: Timestamp,
    pub method: String,
    pub ip: Option<String>,
    pub agent: Option<String>,
    pub prefetch: bool,
    pub class: Option<String>,
    pub settle_at: Timestamp,
    pub settled_at: Option<Timestamp>,
}

impl FromRow for Kept {
    fn from_row(row: &mut Row<'_>) -> Result<Kept, DbError> {
        Ok(Kept {
            id: row.take()?,
            message: row.take()?,
            kind: row.take()?,
            link: row.take()?,
            links: row.take()?,
            url: row.take()?,
            at: row.take()?,
            method: row.take()?,
            ip: row.take()?,
            agent: row.take()?,
            prefetch: row.take()?,
            class: row.take()?,
            settle_at: row.take()?,
            settled_at: row.take()?,
        })
    }
}

/// What is known of a message.
#[derive(Clone, Debug)]
pub struct Mail {
    pub id: i64,
    pub customer: i64,
    pub campaign: i64,
    pub accepted_at: Option<Timestamp>,
    pub unknown: bool,
}

impl FromRow for Mail {
    fn from_row(row: &mut Row<'_>) -> Result<Mail, DbError> {
        Ok(Mail {
            id: row.take()?,
            customer: row.take()?,
            campaign: row.take()?,
            accepted_at: row.take()?,
            unknown: row.take()?,
        })
    }
}

/// A message with hits that are due: it, and when the first and the last of them came.
pub type Due = (i64, Timestamp, Timestamp);

/// The messages of up to `limit` hits that are due.
pub async fn due(db: &mut impl Query, now: Timestamp, limit: i64) -> Result<Vec<Due>, DbError> {
    let sql = "SELECT message_id, min(at), max(at) FROM (SELECT message_id, at FROM hit WHERE settled_at IS NULL AND settle_at <= ? \
               ORDER BY settle_at, id LIMIT ?) AS due GROUP BY message_id ORDER BY message_id";
    db.all(sql, args![now, limit]).await
}

/// The hits on these messages around those that are due, at most `limit`, so that a flood on one message stays bearable;
/// those that are due come first.
pub async fn hits_around(db: &mut impl Query, due: &[Due], now: Timestamp, limit: i64) -> Result<Vec<Kept>, DbError> {
    let around = i64::try_from(HONEYPOT_AROUND.as_millis()).unwrap_or(i64::MAX);
    let mut rows = Rows::new(&[Type::Int, Type::Int, Type::Int]);
    for (message, from, to) in due {
        rows.push(args![*message, from.as_millisecond() - around, to.as_millisecond() + around]);
    }
    let sql = "WITH i (id, from_at, to_at) AS ({rows}) SELECT h.id, h.message_id, h.kind, h.link, h.links, h.url, h.at, h.method, h.ip, h.agent, \
               h.prefetch, h.class, h.settle_at, h.settled_at FROM i JOIN hit h ON h.message_id = i.id AND h.at BETWEEN i.from_at AND i.to_at \
               ORDER BY CASE WHEN h.settled_at IS NULL AND h.settle_at <= ? THEN 0 ELSE 1 END, h.settle_at, h.id LIMIT ?";
    db.all_with_rows(sql, rows, args![now, limit]).await
}

/// Of these messages: the earliest human click, if any, and how many human opens.
pub async fn human_hits(db: &mut impl Query, messages: &[i64]) -> Result<Vec<(i64, Option<Timestamp>, i64)>, DbError> {
    let sql = "WITH i (id) AS ({rows}) SELECT i.id, min(CASE WHEN h.kind = 'click' THEN h.at END), \
               count(CASE WHEN h.kind <> 'click' THEN 1 END) \
               FROM i LEFT JOIN hit h ON h.message_id = i.id AND h.class = 'human' GROUP BY i.id ORDER BY i.id";
    db.all_with_rows(sql, Rows::ids(messages), args![]).await
}

/// These messages. One that bounced later was accepted before: then the time of sending stands for it.
pub async fn mails(db: &mut impl Query, messages: &[i64]) -> Result<Vec<Mail>, DbError> {
    let sql = "WITH i (id) AS ({rows}) SELECT m.id, m.customer_id, m.campaign_id, \
               CASE WHEN m.state IN ('accepted', 'complained') THEN coalesce(m.settled_at, m.sent_at) ELSE m.sent_at END, \
               CAST(CASE WHEN m.state = 'unknown' THEN 1 ELSE 0 END AS BIGINT) FROM i JOIN message m ON m.id = i.id";
    db.all_with_rows(sql, Rows::ids(messages), args![]).await
}

/// Where honeypot links were touched from these addresses, each between two times: address, agent, when.
pub async fn honeypot_touches(
    db: &mut impl Query,
    places: &[(&str, Timestamp, Timestamp)],
) -> Result<Vec<(String, Option<String>, Timestamp)>, DbError> {
    let mut rows = Rows::new(&[Type::Text, Type::Int, Type::Int]);
    places.iter().for_each(|(ip, from, to)| rows.push(args![*ip, *from, *to]));
    let sql = "WITH i (ip, from_at, to_at) AS ({rows}) SELECT h.ip, h.agent, h.at FROM i JOIN hit h ON h.ip = i.ip \
               AND h.at BETWEEN i.from_at AND i.to_at WHERE h.kind = 'click' AND h.link = ? LIMIT 10000";
    db.all_with_rows(sql, rows, args![HONEYPOT]).await
}

/// What was fetched from these networks (see [`network::neighbourhood`]), each between two times: which of them, when,
/// and of which message; in order.
pub async fn fetched_from(
    db: &mut impl Query,
    networks: &[(&str, &str, Timestamp, Timestamp)],
) -> Result<Vec<(i64, Timestamp, i64)>, DbError> {
    let mut rows = Rows::new(&[Type::Int, Type::Text, Type::Text, Type::Int, Type::Int]);
    for (n, (from_ip, to_ip, from, to)) in networks.iter().enumerate() {
        rows.push(args![i64::try_from(n).unwrap_or(i64::MAX), *from_ip, *to_ip, *from, *to]);
    }
    let sql = "WITH i (n, from_ip, to_ip, from_at, to_at) AS ({rows}) SELECT i.n, h.at, h.message_id \
               FROM i JOIN hit h ON h.ip >= i.from_ip AND h.ip < i.to_ip AND h.at BETWEEN i.from_at AND i.to_at \
               ORDER BY i.n, h.at, h.id LIMIT 50000";
    db.all_with_rows(sql, rows, args![]).await
}

/// Gives hits their class for the first time; those that another node has settled meanwhile are not among the ids given.
pub async fn settle_hits(tx: &mut Tx, hits: &[(i64, &str, &str)], now: Timestamp) -> Result<Vec<i64>, DbError> {
    let sql = "WITH i (hit_id, new_class, new_reason) AS ({rows}) UPDATE hit SET class = i.new_class, reason = i.new_reason, settled_at = ? \
               FROM i WHERE hit.id = i.hit_id AND hit.settled_at IS NULL RETURNING id";
    let rows: Vec<Args> = hits.iter().map(|(id, class, reason)| args![*id, *class, *reason]).collect();
    returning(tx, sql, &[Type::Int, Type::Text, Type::Text], rows, args![now]).await
}

/// Gives settled hits another class; those that are no longer of the class `was` are not among the ids given.
pub async fn reclass_hits(tx: &mut Tx, hits: &[(i64, &str, &str, &str)]) -> Result<Vec<i64>, DbError> {
    let sql = "WITH i (hit_id, was, new_class, new_reason) AS ({rows}) UPDATE hit SET class = i.new_class, reason = i.new_reason \
               FROM i WHERE hit.id = i.hit_id AND hit.class = i.was RETURNING id";
    let rows: Vec<Args> = hits.iter().map(|(id, was, class, reason)| args![*id, *was, *class, *reason]).collect();
    returning(tx, sql, &[Type::Int, Type::Text, Type::Text, Type::Text], rows, args![]).await
}

async fn returning(tx: &mut Tx, sql: &str, types: &[Type], all: Vec<Args>, rest: Args) -> Result<Vec<i64>, DbError> {
    let mut ids = Vec::with_capacity(all.len());
    for chunk in all.chunks(500) {
        let mut rows = Rows::new(types);
        chunk.iter().for_each(|row| rows.push(row.clone()));
        ids.extend(tx.all_with_rows::<(i64,)>(sql, rows, rest.clone()).await?.into_iter().map(|(id,)| id));
    }
    Ok(ids)
}

/// Evidence that mail of unknown fate arrived: makes these messages accepted, and gives those that were.
pub async fn accept_unknown(
    tx: &mut Tx,
    messages: &[(i64, &str, Timestamp)],
    now: Timestamp,
) -> Result<Vec<i64>, DbError> {
    let sql = "WITH i (message_id, why, at) AS ({rows}) UPDATE message SET state = 'accepted', reason = i.why, \
               settled_at = coalesce(message.settled_at, i.at), updated_at = ? \
               FROM i WHERE message.id = i.message_id AND message.state = 'unknown' RETURNING id";
    let rows: Vec<Args> = messages.iter().map(|(id, why, at)| args![*id, *why, *at]).collect();
    returning(tx, sql, &[Type::Int, Type::Text, Type::Int], rows, args![now]).await
}

/// Those of these keys that are in the log, with the ids of their events.
pub async fn events_of(db: &mut impl Query, keys: &[String]) -> Result<Vec<(String, i64)>, DbError> {
    let sql =
        "WITH i (dedupe_key) AS ({rows}) SELECT e.dedupe_key, e.id FROM i JOIN event e ON e.dedupe_key = i.dedupe_key";
    let mut found = Vec::new();
    for chunk in keys.chunks(500) {
        found.extend(db.all_with_rows::<(String, i64)>(sql, Rows::texts(chunk), args![]).await?);
    }
    Ok(found)
}

/// The campaign of a message, when it is one to this customer and the customer is not erased.
pub async fn answerable(tx: &mut Tx, message: i64, customer: i64) -> Result<Option<i64>, DbError> {
    let sql = "SELECT m.campaign_id FROM message m JOIN customer c ON c.id = m.customer_id \
               WHERE m.id = ? AND m.customer_id = ? AND c.erased_at IS NULL";
    Ok(tx.optional::<(i64,)>(sql, args![message, customer]).await?.map(|(campaign,)| campaign))
}

/// Keeps a first answer; false when there is one already.
pub async fn insert_answer(
    tx: &mut Tx,
    (message, customer): (i64, i64),
    (survey, question): (&str, &str),
    (answer, comment): (&str, Option<&str>),
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO survey_answer (survey, question, customer_id, message_id, answer, comment, at, updated_at) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id, survey, question) DO NOTHING";
    let row = args![survey, question, customer, message, answer, comment, now, now];
    Ok(tx.execute(sql, row).await? == 1)
}

/// The answer that stands, held against other transactions.
pub async fn answer_for_update(
    tx: &mut Tx,
    message: i64,
    (survey, question): (&str, &str),
) -> Result<(String, Option<String>), DbError> {
    let lock = tx.dialect().for_update();
    let sql = format!(
        "SELECT answer, comment FROM survey_answer WHERE message_id = ? AND survey = ? AND question = ? {lock}"
    );
    tx.one(&sql, args![message, survey, question]).await
}

/// Puts another answer in its place.
pub async fn update_answer(
    tx: &mut Tx,
    message: i64,
    (survey, question): (&str, &str),
    (answer, comment): (&str, Option<&str>),
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = "UPDATE survey_answer SET answer = ?, comment = ?, updated_at = ? WHERE message_id = ? AND survey = ? AND question = ?";
    tx.execute(sql, args![answer, comment, now, message, survey, question]).await.map(|_| ())
}

/// How many events have a key that begins with `prefix`, which ends in `:`.
pub async fn keys_with_prefix(tx: &mut Tx, prefix: &str) -> Result<i64, DbError> {
    // `;` is the character after `:`
    let end = format!("{};", prefix.trim_end_matches(':'));
    let sql = "SELECT count(*) FROM event WHERE dedupe_key >= ? AND dedupe_key < ?";
    Ok(tx.one::<(i64,)>(sql, args![prefix, end]).await?.0)
}

/// What is stored under a content hash.
///
/// # Errors
/// What the database says.
pub async fn asset(db: &Db, hash: &str) -> Result<Option<Vec<u8>>, DbError> {
    let row: Option<(Vec<u8>,)> = db.optional("SELECT content FROM blob WHERE hash = ?", args![hash]).await?;
    Ok(row.map(|(content,)| content))
}

/// Whether the database answers.
///
/// # Errors
/// That it does not.
pub async fn ping(db: &Db) -> Result<(), DbError> {
    db.one::<(i64,)>("SELECT CAST(1 AS BIGINT)", args![]).await.map(|_| ())
}
