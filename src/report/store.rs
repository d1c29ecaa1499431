//! The SQL of reports.

use crate::args;
use crate::db::{DbError, FromRow, Query, Row};
use crate::event::purchase::net_margin;
use crate::types::Timestamp;

/// How many customers of a campaign are in each arm. The unit is the customer, however often they come, and they are in
/// the arm of their first pass.
pub(super) async fn arms(db: &mut impl Query, campaign: i64) -> Result<Vec<(String, i64)>, DbError> {
    let sql = format!("SELECT f.arm, count(*) FROM ({FIRST}) AS f GROUP BY f.arm ORDER BY f.arm");
    db.all(&sql, args![campaign]).await
}

/// Passes through a campaign's steps, by state.
pub(super) async fn passes(db: &mut impl Query, campaign: i64) -> Result<Vec<(String, i64)>, DbError> {
    let sql =
        "SELECT state, count(*) FROM enrolment WHERE campaign_id = ? AND arm <> 'none' GROUP BY state ORDER BY state";
    db.all(sql, args![campaign]).await
}

/// Messages of a campaign by step and state.
pub(super) async fn steps(db: &mut impl Query, campaign: i64) -> Result<Vec<(String, String, i64)>, DbError> {
    let sql =
        "SELECT step, state, count(*) FROM message WHERE campaign_id = ? GROUP BY step, state ORDER BY step, state";
    db.all(sql, args![campaign]).await
}

/// Messages of a campaign by state and reason.
pub(super) async fn messages(
    db: &mut impl Query,
    campaign: i64,
) -> Result<Vec<(String, Option<String>, i64)>, DbError> {
    let sql = "SELECT state, CASE WHEN reason LIKE 'render%' THEN 'render' ELSE reason END AS why, count(*) FROM message \
               WHERE campaign_id = ? GROUP BY state, why ORDER BY state, why";
    db.all(sql, args![campaign]).await
}

/// Settled hits of a campaign by kind and class: how many messages had one.
pub(super) async fn hits(db: &mut impl Query, campaign: i64) -> Result<Vec<(String, Option<String>, i64)>, DbError> {
    // a mail that is viewed in the browser is opened, and once only
    let sql = "SELECT CASE WHEN h.kind = 'click' THEN 'click' ELSE 'open' END AS what, h.class, count(DISTINCT h.message_id) \
               FROM hit h JOIN message m ON m.id = h.message_id \
               WHERE m.campaign_id = ? GROUP BY what, h.class ORDER BY what, h.class";
    db.all(sql, args![campaign]).await
}

/// How many messages a person opened or clicked.
pub(super) async fn read_by_people(db: &mut impl Query, campaign: i64) -> Result<i64, DbError> {
    let sql = "SELECT count(DISTINCT h.message_id) FROM hit h JOIN message m ON m.id = h.message_id \
               WHERE m.campaign_id = ? AND h.class = 'human'";
    Ok(db.one::<(i64,)>(sql, args![campaign]).await?.0)
}

/// How many events of a kind belong to a campaign.
pub(super) async fn events(db: &mut impl Query, campaign: i64, kind: &str) -> Result<i64, DbError> {
    let sql = "SELECT count(*) FROM event WHERE campaign_id = ? AND kind = ?";
    Ok(db.one::<(i64,)>(sql, args![campaign, kind]).await?.0)
}

/// Answers to a campaign's questions: survey, answer, how many.
pub(super) async fn answers(db: &mut impl Query, campaign: i64) -> Result<Vec<(String, String, i64)>, DbError> {
    let sql = "SELECT a.survey, a.answer, count(*) FROM survey_answer a JOIN message m ON m.id = a.message_id \
               WHERE m.campaign_id = ? GROUP BY a.survey, a.answer ORDER BY a.survey, a.answer";
    db.all(sql, args![campaign]).await
}

/// Each customer's first pass in an arm, and when its window opens: when the first step fell due, in both arms alike.
const FIRST: &str = "SELECT e.id, e.arm, e.customer_id, \
    COALESCE(e.opens_at, (SELECT min(m.due_at) FROM message m WHERE m.enrolment_id = e.id)) AS opens FROM enrolment e \
    WHERE e.campaign_id = ? AND e.arm IN ('treated', 'holdout') AND NOT EXISTS (SELECT 1 FROM enrolment b \
    WHERE b.customer_id = e.customer_id AND b.campaign_id = e.campaign_id AND b.arm <> 'none' AND b.id < e.id)";

/// The sum of the squares of `value`, as a real number: whole ones would overflow.
fn squares(db: &impl Query) -> String {
    let value = db.dialect().real("CAST(value AS BIGINT)");
    format!("COALESCE(sum({value} * {value}), 0.0)")
}

/// Per arm, of those whose window opened at `opened_by` or before: how many, how many reached the goal in the window after the first step fell due, what it came to, and the sum of its squares. The goal
/// is an order in the site's currency: what was paid less what was refunded, or the margin less the refunded share of it.
pub(super) async fn order_goal(
    db: &mut impl Query,
    campaign: i64,
    (within, opened_by): (i64, i64),
    margin: bool,
    currency: &str,
) -> Result<Vec<(String, i64, i64, i64, f64)>, DbError> {
    // whole units a customer: a fraction of one is no money
    let worth = if margin {
        format!("COALESCE(CAST(round(sum({})) AS BIGINT), 0)", net_margin(db, "p"))
    } else {
        "COALESCE(sum(p.amount - p.refunded), 0)".to_owned()
    };
    let squares = squares(db);
    let sql = format!(
        "SELECT arm, count(*), CAST(sum(CASE WHEN n > 0 THEN 1 ELSE 0 END) AS BIGINT), CAST(sum(value) AS BIGINT), {squares} FROM (\
           SELECT f.id, f.arm, count(p.event_id) AS n, {worth} AS value FROM ({FIRST}) AS f \
           LEFT JOIN purchase p ON p.customer_id = f.customer_id AND p.at >= f.opens AND p.at < f.opens + CAST(? AS BIGINT) \
           AND p.status NOT IN ('cancelled', 'returned') AND p.currency = ? \
           WHERE f.opens <= ? GROUP BY f.id, f.arm) AS each_one GROUP BY arm ORDER BY arm"
    );
    db.all(&sql, args![campaign, within, currency, opened_by]).await
}

/// The same for another kind of event, in the site's currency or in none. A value without a currency is a count, not
/// money: the event is the goal, and worth nothing.
pub(super) async fn event_goal(
    db: &mut impl Query,
    campaign: i64,
    (within, opened_by): (i64, i64),
    kind: &str,
    currency: &str,
) -> Result<Vec<(String, i64, i64, i64, f64)>, DbError> {
    let squares = squares(db);
    let sql = format!(
        "SELECT arm, count(*), CAST(sum(CASE WHEN n > 0 THEN 1 ELSE 0 END) AS BIGINT), CAST(sum(value) AS BIGINT), {squares} FROM (\
           SELECT f.id, f.arm, count(v.id) AS n, COALESCE(sum(CASE WHEN v.currency IS NULL THEN 0 ELSE v.value END), 0) AS value FROM ({FIRST}) AS f \
           LEFT JOIN event v ON v.customer_id = f.customer_id AND v.at >= f.opens AND v.at < f.opens + CAST(? AS BIGINT) \
           AND v.kind = ? AND (v.currency IS NULL OR v.currency = ?) WHERE f.opens <= ? GROUP BY f.id, f.arm) AS each_one GROUP BY arm ORDER BY arm"
    );
    db.all(&sql, args![campaign, within, kind, currency, opened_by]).await
}

/// How many goal windows opened at a moment or before, how many later, and when the last one opens.
pub(super) async fn windows(
    db: &mut impl Query,
    campaign: i64,
    at: i64,
) -> Result<(i64, i64, Option<Timestamp>), DbError> {
    let sql = format!(
        "SELECT COALESCE(CAST(sum(CASE WHEN f.opens <= ? THEN 1 ELSE 0 END) AS BIGINT), 0), \
         COALESCE(CAST(sum(CASE WHEN f.opens > ? THEN 1 ELSE 0 END) AS BIGINT), 0), max(f.opens) FROM ({FIRST}) AS f"
    );
    db.one(&sql, args![at, at, campaign]).await
}

/// A line of `why`: one message, or one decision that there is none.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub id: i64,
    pub campaign: String,
    pub step: String,
    pub state: String,
    pub reason: Option<String>,
    pub reply: Option<String>,
    pub at: Timestamp,
    pub next_at: Timestamp,
}

impl FromRow for Line {
    fn from_row(row: &mut Row<'_>) -> Result<Line, DbError> {
        Ok(Line {
            id: row.take()?,
            campaign: row.take()?,
            step: row.take()?,
            state: row.take()?,
            reason: row.take()?,
            reply: row.take()?,
            at: row.take()?,
            next_at: row.take()?,
        })
    }
}

/// All messages to a customer, the newest first.
pub(super) async fn lines(db: &mut impl Query, customer: i64, campaign: Option<&str>) -> Result<Vec<Line>, DbError> {
    let sql = "SELECT m.id, c.name, m.step, m.state, m.reason, m.reply, COALESCE(m.settled_at, m.sent_at, m.updated_at), m.next_at \
               FROM message m JOIN campaign c ON c.id = m.campaign_id \
               WHERE m.customer_id = ? AND (? = '' OR c.name = ?) ORDER BY m.id DESC LIMIT 1000";
    let name = campaign.unwrap_or_default();
    db.all(sql, args![customer, name, name]).await
}

/// Each campaign with its lane and how many messages stand in each state.
pub(super) async fn campaigns(
    db: &mut impl Query,
) -> Result<Vec<(i64, String, String, Option<String>, Option<String>, Option<String>)>, DbError> {
    let sql = "SELECT c.id, c.name, c.state, l.state, l.reason, o.state FROM campaign c LEFT JOIN lane l ON l.campaign_id = c.id \
               LEFT JOIN occurrence o ON o.campaign_id = c.id AND o.state <> 'open' ORDER BY c.name";
    db.all(sql, args![]).await
}

/// The newest event, and how far each reader of the log has come.
pub(super) async fn lag(db: &mut impl Query) -> Result<(i64, Vec<(String, i64)>), DbError> {
    let (newest,): (Option<i64>,) = db.one("SELECT max(id) FROM event", args![]).await?;
    let cursors = db.all("SELECT name, position FROM cursor WHERE name NOT LIKE '%.%' ORDER BY name", args![]).await?;
    Ok((newest.unwrap_or(0), cursors))
}

/// Hits that are not settled yet.
pub(super) async fn open_hits(db: &mut impl Query) -> Result<i64, DbError> {
    Ok(db.one::<(i64,)>("SELECT count(*) FROM hit WHERE settled_at IS NULL", args![]).await?.0)
}
