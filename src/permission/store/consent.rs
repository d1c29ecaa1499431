//! The ledger of consent, and where everybody stands by it.

use super::super::standing::{self, Line, State};
use crate::args;
use crate::customer::{LEDGER_LOCK, Note, note};
use crate::db::{DbError, FromRow, Query, Row, Rows, Tx, Type};
use crate::types::Timestamp;
use std::collections::{HashMap, HashSet};

const CHUNK: usize = 512;

/// A line for the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct NewConsent {
    /// Whose.
    pub customer: i64,
    /// On what.
    pub topic: String,
    /// What they say.
    pub state: State,
    /// On which basis: their word, or `rule::SOFT`.
    pub basis: Option<String>,
    /// Which text they agreed to, or other evidence.
    pub text: Option<String>,
    /// Who says so: `preferences`, `unsubscribe`, `import`, a form's name.
    pub source: String,
    /// The address that they had.
    pub address: Option<String>,
    /// When.
    pub at: Timestamp,
    /// It tells of the person's own act at that time. A row that somebody reports without a time does not: it never
    /// overrides a withdrawal.
    pub own_act: bool,
    /// The import that brought it.
    pub batch: Option<i64>,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is new, and tells where the person stands now.
    Stands,
    /// It is new, and something stronger stands: a later act, or a withdrawal that it cannot override.
    Overruled,
    /// It was known.
    Known,
}

struct Kept {
    customer: i64,
    topic: String,
    line: Line,
    basis: Option<String>,
    text: Option<String>,
    source: String,
}

impl FromRow for Kept {
    fn from_row(row: &mut Row<'_>) -> Result<Kept, DbError> {
        Ok(Kept {
            customer: row.take()?,
            topic: row.take()?,
            line: Line {
                id: row.take()?,
                state: row.take::<String>()?.parse().map_err(DbError::Shape)?,
                at: row.take()?,
                own_act: row.take()?,
            },
            basis: row.take()?,
            text: row.take()?,
            source: row.take()?,
        })
    }
}

type Pair = (i64, String);

async fn ledgers(tx: &mut Tx, pairs: &[&Pair]) -> Result<HashMap<Pair, Vec<Kept>>, DbError> {
    // sorted here: asked to, SQLite reads the whole ledger by its ids, and the cross join tells it where to begin
    let sql = "WITH input(customer_id, topic) AS ({rows}) SELECT k.customer_id, k.topic, k.id, k.state, k.at, k.own_act, k.basis, \
               k.text_version, k.source FROM input CROSS JOIN consent k WHERE k.customer_id = input.customer_id AND k.topic = input.topic";
    let mut all: HashMap<Pair, Vec<Kept>> = HashMap::with_capacity(pairs.len());
    for chunk in Rows::pieces(pairs, CHUNK) {
        let mut rows = Rows::new(&[Type::Int, Type::Text]);
        chunk.iter().for_each(|(customer, topic)| rows.push(args![*customer, topic]));
        for kept in tx.all_with_rows::<Kept>(sql, rows, args![]).await? {
            all.entry((kept.customer, kept.topic.clone())).or_default().push(kept);
        }
    }
    all.values_mut().for_each(|ledger| ledger.sort_unstable_by_key(|kept| kept.line.id));
    Ok(all)
}

/// Whether the ledger says it already, so that the same file twice is the same ledger.
fn is_known(new: &NewConsent, ledger: &[Kept]) -> bool {
    if new.own_act {
        return ledger.iter().any(|k| k.line.own_act && k.line.state == new.state && k.line.at == new.at);
    }
    let lines: Vec<Line> = ledger.iter().map(|k| k.line).collect();
    let stands = standing::of(&lines)
        .is_some_and(|line| line.state == new.state || (line.state == State::Granted && new.state == State::Pending));
    let same = |k: &Kept| {
        !k.line.own_act
            && k.line.state == new.state
            && k.basis == new.basis
            && k.text == new.text
            && k.source == new.source
    };
    // a withdrawal without a time of its own counts each time, until it stands
    stands || (new.state != State::Withdrawn && ledger.iter().any(same))
}

/// Writes lines into the ledger and moves where people stand. What became of each comes back in the order given.
///
/// # Errors
/// What the database says.
pub async fn record_consents(tx: &mut Tx, consents: &[NewConsent], now: Timestamp) -> Result<Vec<Recorded>, DbError> {
    if consents.is_empty() {
        return Ok(Vec::new());
    }
    // one at a time folds a ledger, or two would each miss the other's line
    tx.serialise(LEDGER_LOCK).await?;
    let pairs: Vec<Pair> = consents.iter().map(|new| (new.customer, new.topic.clone())).collect();
    let distinct: HashSet<&Pair> = pairs.iter().collect();
    let distinct: Vec<&Pair> = distinct.into_iter().collect();
    let mut ledger = ledgers(tx, &distinct).await?;
    let ids = tx.next_ids("consent", consents.len()).await?;
    let mut written = Vec::with_capacity(consents.len());
    let mut fresh: Vec<Option<i64>> = Vec::with_capacity(consents.len());
    for ((new, pair), id) in consents.iter().zip(&pairs).zip(ids) {
        let kept = ledger.entry(pair.clone()).or_default();
        if is_known(new, kept) {
            fresh.push(None);
            continue;
        }
        kept.push(Kept {
            customer: new.customer,
            topic: new.topic.clone(),
            line: Line { id, state: new.state, at: new.at, own_act: new.own_act },
            basis: new.basis.clone(),
            text: new.text.clone(),
            source: new.source.clone(),
        });
        written.push((id, new));
        fresh.push(Some(id));
    }
    insert(tx, &written, now).await?;
    let withdrawn: Vec<i64> =
        written.iter().filter(|(_, new)| new.state == State::Withdrawn).map(|(id, _)| *id).collect();
    note(tx, Note::Withdrawal, &withdrawn, None, now).await?;
    let touched: Vec<&Pair> = {
        let mut seen = HashSet::new();
        let news = pairs.iter().zip(&fresh).filter(|(_, id)| id.is_some()).map(|(pair, _)| pair);
        news.filter(|pair| seen.insert(*pair)).collect()
    };
    let standings = stand(tx, &touched, &ledger).await?;
    let became = pairs.iter().zip(fresh).map(|(pair, id)| match id {
        None => Recorded::Known,
        Some(id) if standings.get(pair) == Some(&id) => Recorded::Stands,
        Some(_) => Recorded::Overruled,
    });
    Ok(became.collect())
}

async fn insert(tx: &mut Tx, written: &[(i64, &NewConsent)], now: Timestamp) -> Result<(), DbError> {
    const TYPES: &[Type] = &[
        Type::Int,
        Type::Int,
        Type::Text,
        Type::Text,
        Type::Text,
        Type::Text,
        Type::Text,
        Type::Text,
        Type::Int,
        Type::Int,
        Type::Int,
    ];
    const NAMES: &str = "id, customer_id, topic, state, basis, text_version, source, address, at, own_act, batch_id";
    let sql = format!(
        "WITH input({NAMES}) AS ({{rows}}) INSERT INTO consent ({NAMES}, recorded_at) SELECT {NAMES}, CAST(? AS BIGINT) FROM input"
    );
    for chunk in Rows::pieces(written, CHUNK) {
        let mut rows = Rows::new(TYPES);
        for (id, new) in chunk {
            rows.push(args![
                *id,
                new.customer,
                &new.topic,
                new.state.name(),
                new.basis.as_deref(),
                new.text.as_deref(),
                &new.source,
                new.address.as_deref(),
                new.at,
                new.own_act,
                new.batch,
            ]);
        }
        tx.execute_rows(&sql, rows, args![now]).await?;
    }
    Ok(())
}

/// Folds the ledgers of `pairs` and writes where they stand; gives the line that does.
async fn stand(tx: &mut Tx, pairs: &[&Pair], ledger: &HashMap<Pair, Vec<Kept>>) -> Result<HashMap<Pair, i64>, DbError> {
    const TYPES: &[Type] = &[Type::Int, Type::Text, Type::Text, Type::Text, Type::Int, Type::Int];
    let sql = "INSERT INTO consent_state (customer_id, topic, state, basis, at, consent_id) SELECT * FROM ({rows}) AS input WHERE true \
               ON CONFLICT (customer_id, topic) DO UPDATE SET state = excluded.state, basis = excluded.basis, at = excluded.at, consent_id = excluded.consent_id";
    let mut standings = HashMap::with_capacity(pairs.len());
    for chunk in Rows::pieces(pairs, CHUNK) {
        let mut rows = Rows::new(TYPES);
        for pair in chunk {
            let kept = ledger.get(*pair).map_or(&[][..], Vec::as_slice);
            let lines: Vec<Line> = kept.iter().map(|k| k.line).collect();
            let Some(line) = standing::of(&lines) else {
                let sql = "DELETE FROM consent_state WHERE customer_id = ? AND topic = ?";
                tx.execute(sql, args![pair.0, &pair.1]).await?;
                continue;
            };
            let basis = kept.iter().find(|k| k.line.id == line.id).and_then(|k| k.basis.as_deref());
            rows.push(args![pair.0, &pair.1, line.state.name(), basis, line.at, line.id]);
            standings.insert((*pair).clone(), line.id);
        }
        tx.execute_rows(sql, rows, args![]).await?;
    }
    Ok(standings)
}

/// Waits until nobody else folds the ledger.
pub(in crate::permission) async fn hold(tx: &mut Tx) -> Result<(), DbError> {
    tx.serialise(LEDGER_LOCK).await
}

/// The text and the address of a line.
pub(in crate::permission) async fn evidence(
    tx: &mut Tx,
    consent: i64,
) -> Result<(Option<String>, Option<String>), DbError> {
    tx.one("SELECT text_version, address FROM consent WHERE id = ?", args![consent]).await
}

/// Where a person stands on a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// On what.
    pub topic: String,
    /// How.
    pub state: State,
    /// On which basis.
    pub basis: Option<String>,
    /// Since when.
    pub at: Timestamp,
    /// The line of the ledger that says so.
    pub consent: i64,
}

impl FromRow for Standing {
    fn from_row(row: &mut Row<'_>) -> Result<Standing, DbError> {
        Ok(Standing {
            topic: row.take()?,
            state: row.take::<String>()?.parse().map_err(DbError::Shape)?,
            basis: row.take()?,
            at: row.take()?,
            consent: row.take()?,
        })
    }
}

/// Where a customer stands on every topic on which there is a line, by name.
///
/// # Errors
/// What the database says.
pub async fn state(db: &mut impl Query, customer: i64) -> Result<Vec<Standing>, DbError> {
    let sql = "SELECT topic, state, basis, at, consent_id FROM consent_state WHERE customer_id = ? ORDER BY topic";
    db.all(sql, args![customer]).await
}

/// A customer's ledger, oldest line first.
///
/// # Errors
/// What the database says.
pub async fn ledger(db: &mut impl Query, customer: i64) -> Result<Vec<NewConsent>, DbError> {
    struct Entry(NewConsent);
    impl FromRow for Entry {
        fn from_row(row: &mut Row<'_>) -> Result<Entry, DbError> {
            Ok(Entry(NewConsent {
                customer: row.take()?,
                topic: row.take()?,
                state: row.take::<String>()?.parse().map_err(DbError::Shape)?,
                basis: row.take()?,
                text: row.take()?,
                source: row.take()?,
                address: row.take()?,
                at: row.take()?,
                own_act: row.take()?,
                batch: row.take()?,
            }))
        }
    }
    let sql = "SELECT customer_id, topic, state, basis, text_version, source, address, at, own_act, batch_id FROM consent \
               WHERE customer_id = ? ORDER BY at, id";
    Ok(db.all::<Entry>(sql, args![customer]).await?.into_iter().map(|entry| entry.0).collect())
}

/// Takes back the lines that an import brought to `customers`, except on topics on which a mail went out since, and
/// moves where people stand. Gives how many lines were taken back.
///
/// # Errors
/// What the database says.
pub async fn forget_batch(tx: &mut Tx, batch: i64, customers: &[i64], now: Timestamp) -> Result<u64, DbError> {
    tx.serialise(LEDGER_LOCK).await?;
    let unused = "batch_id = ? AND NOT EXISTS (SELECT 1 FROM message m WHERE m.customer_id = consent.customer_id \
                  AND m.topic = consent.topic AND m.created_at >= consent.recorded_at)";
    let mut forgotten = 0;
    for chunk in Rows::pieces(customers, CHUNK) {
        let rows = Rows::ids(chunk);
        let of = "WITH input(wanted) AS ({rows})";
        let sql = format!(
            "{of} SELECT DISTINCT customer_id, topic FROM consent WHERE customer_id IN (SELECT wanted FROM input) AND {unused}"
        );
        let pairs: Vec<Pair> = tx.all_with_rows(&sql, rows.clone(), args![batch]).await?;
        let sql = format!(
            "{of} DELETE FROM consent WHERE customer_id IN (SELECT wanted FROM input) AND {unused} RETURNING id, state"
        );
        let gone: Vec<(i64, String)> = tx.all_with_rows(&sql, rows, args![batch]).await?;
        forgotten += gone.len() as u64;
        let withdrawals: Vec<i64> =
            gone.iter().filter(|(_, state)| state == State::Withdrawn.name()).map(|(id, _)| *id).collect();
        note(tx, Note::Undone, &withdrawals, None, now).await?;
        let pairs: Vec<&Pair> = pairs.iter().collect();
        let ledger = ledgers(tx, &pairs).await?;
        stand(tx, &pairs, &ledger).await?;
    }
    Ok(forgotten)
}
