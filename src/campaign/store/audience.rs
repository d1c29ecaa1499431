//! Who is in an audience, who is eligible, and in which arm: the same expression for a plan and for enrolment.

use crate::args;
use crate::campaign::live::Audience;
use crate::db::{Args, DbError, Query};
use crate::permission::Rule;
use crate::types::Timestamp;
use crate::types::bucket::{Draw, PRIME};

/// Of which customers an audience is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    /// All.
    All,
    /// Those with an id after the first, up to and with the second.
    Range(i64, i64),
    /// Those of a table expression `wanted(id)`.
    Wanted,
}

/// Rows `id, bucket, email, timezone, reason` of an audience, as SQL with its parameters.
pub(super) fn rows(audience: &Audience, rule: &Rule, scope: Scope) -> (String, Args) {
    let mut args = Args::new();
    let eligible = rule.reason();
    args.extend(eligible.args);
    let mut conditions = vec!["c.erased_at IS NULL".to_owned()];
    match scope {
        Scope::All => {}
        Scope::Range(after, to) => {
            conditions.push("c.id > ? AND c.id <= ?".into());
            args.extend(args![after, to]);
        }
        Scope::Wanted => conditions.push("c.id IN (SELECT id FROM wanted)".into()),
    }
    for include in &audience.include {
        conditions.push(format!("({})", include.sql));
        args.extend(include.args.clone());
    }
    if let Some(campaign) = audience.unseen_by {
        let seen = "SELECT 1 FROM segment_member s WHERE s.campaign_id = ? AND s.customer_id = c.id";
        conditions.push(format!("NOT EXISTS ({seen})"));
        args.extend(args![campaign]);
    }
    for (_, exclude) in &audience.exclude {
        conditions.push(format!("NOT ({})", exclude.sql));
        args.extend(exclude.args.clone());
    }
    let sql = format!(
        "SELECT c.id, c.bucket, c.email, c.timezone, {} AS reason FROM customer c \
         LEFT JOIN relationship r ON r.customer_id = c.id WHERE {}",
        eligible.sql,
        conditions.join(" AND ")
    );
    (sql, args)
}

/// The arm of a row of [`rows`] called `a`. Its parameters: a, b of the draw, and the threshold.
pub(super) fn arm() -> String {
    format!(
        "CASE WHEN a.reason IS NOT NULL THEN 'none' WHEN (a.bucket * ? + ?) % {PRIME} < ? THEN 'holdout' ELSE 'treated' END"
    )
}

/// A line of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// `treated`, `holdout`, `none`.
    pub arm: String,
    /// Why not, where not.
    pub reason: Option<String>,
    /// How many customers.
    pub customers: i64,
    /// How many different addresses.
    pub addresses: i64,
}

/// How many would be in each arm, or left out, and why.
///
/// # Errors
/// What the database says.
pub async fn counted(
    db: &mut impl Query,
    audience: &Audience,
    rule: &Rule,
    draw: Draw,
    threshold: i64,
) -> Result<Vec<Counted>, DbError> {
    let (rows, args) = rows(audience, rule, Scope::All);
    let sql = format!(
        "SELECT arm, reason, count(*), count(DISTINCT email) FROM (SELECT {} AS arm, a.reason, a.email FROM ({rows}) AS a) AS b \
         GROUP BY arm, reason ORDER BY arm, reason",
        arm()
    );
    let mut all = args![draw.a, draw.b, threshold];
    all.extend(args);
    let rows: Vec<(String, Option<String>, i64, i64)> = db.all(&sql, all).await?;
    Ok(rows
        .into_iter()
        .map(|(arm, reason, customers, addresses)| Counted { arm, reason, customers, addresses })
        .collect())
}

/// How many of an audience may get a mail, those who would be held out among them.
///
/// # Errors
/// What the database says.
pub async fn eligible(db: &mut impl Query, audience: &Audience, rule: &Rule) -> Result<i64, DbError> {
    let (rows, args) = rows(audience, rule, Scope::All);
    let sql = format!("SELECT count(*) FROM ({rows}) AS a WHERE a.reason IS NULL");
    Ok(db.one::<(i64,)>(&sql, args).await?.0)
}

/// How many people the last mail on a topic was for: of those sent once by another campaign than `campaign`, and not
/// cancelled. One that found nobody is passed over.
///
/// # Errors
/// What the database says.
pub async fn last_audience(db: &mut impl Query, topic: &str, campaign: i64) -> Result<Option<i64>, DbError> {
    let sql = "SELECT o.audience FROM occurrence o JOIN campaign c ON c.id = o.campaign_id \
               WHERE o.topic = ? AND o.state = 'enrolled' AND o.audience > 0 AND c.id <> ? AND c.state <> 'cancelled' \
               ORDER BY o.finished_at DESC, o.id DESC LIMIT 1";
    Ok(db.optional::<(i64,)>(sql, args![topic, campaign]).await?.map(|(audience,)| audience))
}

/// The zones of those who would get a mail; `None` is the site's.
///
/// # Errors
/// What the database says.
pub async fn readers_zones(
    db: &mut impl Query,
    audience: &Audience,
    rule: &Rule,
) -> Result<Vec<Option<String>>, DbError> {
    let (rows, args) = rows(audience, rule, Scope::All);
    let sql = format!("SELECT DISTINCT a.timezone FROM ({rows}) AS a WHERE a.reason IS NULL");
    Ok(db.all::<(Option<String>,)>(&sql, args).await?.into_iter().map(|(zone,)| zone).collect())
}

/// How many who would get a mail are at their cap now: `count` marketing mails since `since`.
///
/// # Errors
/// What the database says.
pub async fn collisions(
    db: &mut impl Query,
    audience: &Audience,
    rule: &Rule,
    cap: (i64, Timestamp),
) -> Result<i64, DbError> {
    let (rows, mut args) = rows(audience, rule, Scope::All);
    let sql = format!(
        "SELECT count(*) FROM ({rows}) AS a WHERE a.reason IS NULL AND (SELECT count(*) FROM message m \
         WHERE m.customer_id = a.id AND m.sent_at > ? AND m.service = 0 \
         AND m.state IN ('transmitting', 'accepted', 'unknown', 'bounced', 'complained')) >= ?"
    );
    args.extend(args![cap.1, cap.0]);
    Ok(db.one::<(i64,)>(&sql, args).await?.0)
}

/// How many of those who would be in an arm have ordered since a moment: the share from which the goal starts.
///
/// # Errors
/// What the database says.
pub async fn ordered(
    db: &mut impl Query,
    audience: &Audience,
    rule: &Rule,
    (since, until): (Timestamp, Timestamp),
) -> Result<i64, DbError> {
    let (rows, mut args) = rows(audience, rule, Scope::All);
    let sql = format!(
        "SELECT count(*) FROM ({rows}) AS a WHERE a.reason IS NULL AND EXISTS (SELECT 1 FROM purchase p \
         WHERE p.customer_id = a.id AND p.at > ? AND p.at <= ? AND p.status NOT IN ('cancelled', 'returned'))"
    );
    args.extend(args![since, until]);
    Ok(db.one::<(i64,)>(&sql, args).await?.0)
}

/// How many customers are on their way through a campaign's steps.
///
/// # Errors
/// What the database says.
pub async fn inside(db: &mut impl Query, campaign: i64) -> Result<i64, DbError> {
    let sql = "SELECT count(*) FROM enrolment WHERE campaign_id = ? AND state = 'active'";
    Ok(db.one::<(i64,)>(sql, args![campaign]).await?.0)
}

/// How many mails of a campaign are in the queue or beyond it.
///
/// # Errors
/// What the database says.
pub async fn enrolled(db: &mut impl Query, campaign: i64) -> Result<i64, DbError> {
    let sql = "SELECT count(*) FROM message WHERE campaign_id = ? AND address IS NOT NULL";
    Ok(db.one::<(i64,)>(sql, args![campaign]).await?.0)
}
