//! Campaigns, their revisions and occurrences.

use crate::args;
use crate::campaign::CampaignError;
use crate::campaign::content::{Content, hash};
use crate::config::model::Survey;
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx, Type};
use crate::types::Timestamp;
use std::collections::BTreeMap;

/// A launched campaign.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the campaign")]
pub struct Campaign {
    pub id: i64,
    pub name: String,
    pub state: String,
    pub revision: Option<i64>,
    pub launched_at: Option<Timestamp>,
}

impl FromRow for Campaign {
    fn from_row(row: &mut Row<'_>) -> Result<Campaign, DbError> {
        Ok(Campaign {
            id: row.take()?,
            name: row.take()?,
            state: row.take()?,
            revision: row.take()?,
            launched_at: row.take()?,
        })
    }
}

const CAMPAIGN: &str = "SELECT id, name, state, revision_id, launched_at FROM campaign";

/// The campaign of a name.
///
/// # Errors
/// What the database says.
pub async fn campaign(db: &mut impl Query, name: &str) -> Result<Option<Campaign>, DbError> {
    db.optional(&format!("{CAMPAIGN} WHERE name = ?"), args![name]).await
}

/// All launched campaigns, by name.
///
/// # Errors
/// What the database says.
pub async fn campaigns(db: &mut impl Query) -> Result<Vec<Campaign>, DbError> {
    db.all(&format!("{CAMPAIGN} ORDER BY name"), args![]).await
}

/// Gives the campaign `was` another name.
///
/// # Errors
/// What the database says.
pub async fn rename(tx: &mut Tx, was: &str, name: &str, now: Timestamp) -> Result<Option<Campaign>, DbError> {
    tx.execute("UPDATE campaign SET name = ?, updated_at = ? WHERE name = ?", args![name, now, was]).await?;
    campaign(tx, name).await
}

/// A new campaign; gives its id.
///
/// # Errors
/// What the database says.
pub async fn insert_campaign(tx: &mut Tx, name: &str, now: Timestamp) -> Result<i64, DbError> {
    let sql = "INSERT INTO campaign (name, state, created_at, updated_at) VALUES (?, 'running', ?, ?) RETURNING id";
    Ok(tx.one::<(i64,)>(sql, args![name, now, now]).await?.0)
}

/// Makes a revision the present one, and the campaign running.
///
/// # Errors
/// What the database says.
pub async fn set_running(tx: &mut Tx, id: i64, revision: i64, now: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE campaign SET state = 'running', revision_id = ?, launched_at = COALESCE(launched_at, ?), \
               updated_at = ? WHERE id = ?";
    tx.execute(sql, args![revision, now, now, id]).await?;
    Ok(())
}

/// Campaigns of which everything has gone out are finished; one with a trigger never is, because somebody may come.
///
/// # Errors
/// What the database says.
pub async fn finish_all(db: &crate::db::Db, now: Timestamp) -> Result<u64, DbError> {
    let done = "state = 'running' \
                AND EXISTS (SELECT 1 FROM occurrence o WHERE o.campaign_id = campaign.id AND o.state = 'enrolled') \
                AND NOT EXISTS (SELECT 1 FROM occurrence o WHERE o.campaign_id = campaign.id AND o.state IN ('waiting', 'enrolling', 'stale', 'large')) \
                AND NOT EXISTS (SELECT 1 FROM cursor k WHERE k.name = 'trigger.' || CAST(campaign.id AS TEXT)) \
                AND NOT EXISTS (SELECT 1 FROM enrolment e WHERE e.campaign_id = campaign.id AND e.state = 'active') \
                AND NOT EXISTS (SELECT 1 FROM message m WHERE m.campaign_id = campaign.id \
                AND m.state IN ('queued', 'deferred', 'claimed', 'transmitting'))";
    // looked for with a reader first: the writer is not taken for nothing
    let found: Vec<(i64,)> = db.all(&format!("SELECT id FROM campaign WHERE {done}"), args![]).await?;
    if found.is_empty() {
        return Ok(0);
    }
    db.execute(&format!("UPDATE campaign SET state = 'finished', updated_at = ? WHERE {done}"), args![now]).await
}

/// `from → to`, unless somebody else was faster.
///
/// # Errors
/// When the state is another by now.
pub async fn set_state(tx: &mut Tx, id: i64, from: &str, to: &str, now: Timestamp) -> Result<(), CampaignError> {
    let sql = "UPDATE campaign SET state = ?, updated_at = ? WHERE id = ? AND state = ?";
    if tx.execute(sql, args![to, now, id, from]).await? == 0 {
        return Err(CampaignError::State("somebody else changed this campaign at the same moment: look again".into()));
    }
    Ok(())
}

/// Stores a content as the campaign's newest revision, unless it is that already. Gives id, number, and whether it is new.
///
/// # Errors
/// What the database says.
pub async fn put_revision(
    tx: &mut Tx,
    campaign: i64,
    content: &Content,
    now: Timestamp,
) -> Result<(i64, i64, bool), DbError> {
    let newest = "SELECT id, number, hash FROM revision WHERE campaign_id = ? ORDER BY number DESC LIMIT 1";
    let newest: Option<(i64, i64, String)> = tx.optional(newest, args![campaign]).await?;
    let wanted = content.hash();
    if let Some((id, number, found)) = &newest
        && *found == wanted
    {
        return Ok((*id, *number, false));
    }
    let mut rows = Rows::new(&[Type::Text, Type::Blob]);
    let blobs: BTreeMap<String, &Vec<u8>> = content.files.values().map(|bytes| (hash(bytes), bytes)).collect();
    for (hash, bytes) in blobs {
        rows.push(args![hash, bytes.clone()]);
    }
    let sql =
        "INSERT INTO blob (hash, content) SELECT * FROM ({rows}) AS input WHERE true ON CONFLICT (hash) DO NOTHING";
    tx.execute_rows(sql, rows, args![]).await?;
    let number = newest.map_or(1, |(_, number, _)| number + 1);
    let sql =
        "INSERT INTO revision (campaign_id, number, hash, manifest, created_at) VALUES (?, ?, ?, ?, ?) RETURNING id";
    let (id,) = tx.one::<(i64,)>(sql, args![campaign, number, wanted, content.manifest(), now]).await?;
    Ok((id, number, true))
}

/// The hash of the revision that a campaign runs.
///
/// # Errors
/// What the database says.
pub async fn latest_hash(db: &mut impl Query, campaign: i64) -> Result<Option<String>, DbError> {
    let sql = "SELECT r.hash FROM revision r JOIN campaign c ON c.revision_id = r.id WHERE c.id = ?";
    Ok(db.optional::<(String,)>(sql, args![campaign]).await?.map(|(hash,)| hash))
}

/// The campaign's name and the content of a revision.
///
/// # Errors
/// When the revision is gone.
pub async fn content(db: &mut impl Query, revision: i64) -> Result<(String, Content), DbError> {
    let (name, manifest) = manifest(db, revision).await?;
    let mut files = BTreeMap::new();
    for (path, hash) in manifest.files {
        files.insert(path, blob(db, &hash).await?);
    }
    Ok((name, Content { files, campaign: manifest.campaign }))
}

/// A survey of a revision: of its files, this one alone is read.
///
/// # Errors
/// When the revision is gone.
pub async fn survey(db: &mut impl Query, revision: i64, name: &str) -> Result<Option<Survey>, DbError> {
    let path = format!("surveys/{name}.toml");
    let (_, manifest) = manifest(db, revision).await?;
    let Some(hash) = manifest.files.get(&path) else { return Ok(None) };
    let files = BTreeMap::from([(path, blob(db, hash).await?)]);
    Ok(Content { files, campaign: manifest.campaign }.surveys().remove(name))
}

/// What a revision is made of: each file's path, and the hash of its bytes.
#[derive(serde::Deserialize)]
struct Manifest {
    campaign: String,
    files: BTreeMap<String, String>,
}

async fn manifest(db: &mut impl Query, revision: i64) -> Result<(String, Manifest), DbError> {
    let sql = "SELECT c.name, r.manifest FROM revision r JOIN campaign c ON c.id = r.campaign_id WHERE r.id = ?";
    let (name, manifest): (String, String) = db.one(sql, args![revision]).await?;
    let manifest = serde_json::from_str(&manifest)
        .map_err(|e| DbError::Shape(format!("the manifest of revision {revision}: {e}")))?;
    Ok((name, manifest))
}

async fn blob(db: &mut impl Query, hash: &str) -> Result<Vec<u8>, DbError> {
    Ok(db.one::<(Vec<u8>,)>("SELECT content FROM blob WHERE hash = ?", args![hash]).await?.0)
}

/// The occurrence of a key: its state, whether it has begun to take its audience, and how many people somebody agreed to.
///
/// # Errors
/// What the database says.
pub async fn occurrence(
    db: &mut impl Query,
    campaign: i64,
    key: &str,
) -> Result<Option<(String, bool, Option<i64>)>, DbError> {
    let sql = "SELECT state, CAST(CASE WHEN last_id IS NULL THEN 0 ELSE 1 END AS BIGINT), agreed FROM occurrence \
               WHERE campaign_id = ? AND key = ?";
    db.optional(sql, args![campaign, key]).await
}

/// A new occurrence, or the same one, when it has not begun, under the newest revision. `agreed`: so many people somebody
/// was shown, and agreed to; what was agreed to at an earlier launch holds for the same revision only.
///
/// # Errors
/// What the database says.
pub async fn put_occurrence(
    tx: &mut Tx,
    campaign: i64,
    revision: i64,
    key: &str,
    due: Timestamp,
    agreed: Option<i64>,
) -> Result<(), DbError> {
    let sql = "INSERT INTO occurrence (campaign_id, revision_id, key, due_at, state) VALUES (?, ?, ?, ?, 'waiting') \
               ON CONFLICT (campaign_id, key) DO NOTHING";
    tx.execute(sql, args![campaign, revision, key, due]).await?;
    // newcomers, which before the end of enrolment are all that are still to come, get the newest
    let sql = "UPDATE occurrence SET revision_id = ?, due_at = CASE WHEN state IN ('waiting', 'stale', 'large') THEN ? ELSE due_at END, \
               state = CASE WHEN state IN ('stale', 'large') OR (state = 'cancelled' AND last_id IS NULL) THEN 'waiting' \
               WHEN state = 'cancelled' THEN 'enrolling' ELSE state END, finished_at = NULL, \
               agreed = COALESCE(CAST(? AS BIGINT), CASE WHEN revision_id = ? THEN agreed END) \
               WHERE campaign_id = ? AND key = ? AND state IN ('waiting', 'stale', 'large', 'enrolling', 'cancelled')";
    tx.execute(sql, args![revision, due, agreed, revision, campaign, key]).await?;
    Ok(())
}

/// Whether an occurrence of a campaign asks before anybody is taken in.
///
/// # Errors
/// What the database says.
pub async fn asks(db: &mut impl Query, campaign: i64) -> Result<bool, DbError> {
    let sql = "SELECT count(*) FROM occurrence WHERE campaign_id = ? AND state IN ('stale', 'large')";
    Ok(db.one::<(i64,)>(sql, args![campaign]).await?.0 > 0)
}

/// An occurrence that asks goes on: somebody said so, and its mail is worth sending from now on.
///
/// # Errors
/// What the database says.
pub async fn answer(tx: &mut Tx, campaign: i64, now: Timestamp) -> Result<(), DbError> {
    tx.execute(
        "UPDATE occurrence SET state = 'enrolling', due_at = ? WHERE campaign_id = ? AND state IN ('stale', 'large')",
        args![now, campaign],
    )
    .await?;
    tx.execute(
        "UPDATE occurrence SET last_id = (SELECT max(id) FROM customer) WHERE campaign_id = ? AND state = 'enrolling' AND last_id IS NULL",
        args![campaign],
    )
    .await?;
    Ok(())
}

/// No more newcomers.
///
/// # Errors
/// What the database says.
pub async fn stop_occurrences(tx: &mut Tx, campaign: i64, now: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE occurrence SET state = 'cancelled', finished_at = ? \
               WHERE campaign_id = ? AND state IN ('waiting', 'enrolling', 'stale', 'large')";
    tx.execute(sql, args![now, campaign]).await?;
    Ok(())
}
