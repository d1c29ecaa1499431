//! Single rows and small batches, as the API takes them: judged by the code that judges files, all in one transaction,
//! with an outcome for each. Called by the engine for the web's door.

use super::door::Door;
use super::kinds::{Consents, Context, Customers, Events, Landed, Orders, Rows, Suppressions};
use super::reader::Keys;
use super::{ImportError, Kind, Options};
use crate::db::{Db, DbError};
use crate::types::Timestamp;
use serde_json::Value as Json;

/// Takes rows in: each is an object with the members that the columns of a file of this kind have, or the reason why it
/// could not even be read. They land together or, when the database fails, not at all; refused ones keep no other from
/// landing. What became of each comes back in the order given. The same rows again change nothing.
///
/// `request` tells this call from every other one.
///
/// # Errors
/// What the database says, and an option that does not fit.
pub async fn rows(
    db: &Db,
    kind: Kind,
    rows: Vec<Result<Json, String>>,
    options: &Options<'_>,
    request: &str,
    now: Timestamp,
) -> Result<Vec<Landed>, ImportError> {
    let context = Context { door: Door::Api { request: request.to_owned() }, ..Context::new(options, now)? };
    let landed = match kind {
        Kind::Customers => land::<Customers>(db, rows, &context).await,
        Kind::Orders => land::<Orders>(db, rows, &context).await,
        Kind::Events => land::<Events>(db, rows, &context).await,
        Kind::Consents => land::<Consents>(db, rows, &context).await,
        Kind::Suppressions => land::<Suppressions>(db, rows, &context).await,
    };
    Ok(landed?)
}

async fn land<K: Rows>(db: &Db, rows: Vec<Result<Json, String>>, context: &Context) -> Result<Vec<Landed>, DbError> {
    let mut keys = Keys::strict(&K::SHAPE);
    let parsed: Vec<Result<K::Row, String>> = rows
        .into_iter()
        .map(|row| match row? {
            Json::Object(object) => K::parse(keys.record(object)?, context),
            _ => Err("this row is no JSON object such as {\"customer\": \"7\"}".into()),
        })
        .collect();
    let good: Vec<(u64, &K::Row)> = (1..).zip(&parsed).filter_map(|(n, row)| Some((n, row.as_ref().ok()?))).collect();
    let mut tries = 0;
    let mut landed = loop {
        match attempt::<K>(db, &good, context).await {
            Ok(landed) => break landed.into_iter(),
            // it met somebody else's row, or a database that was busy
            Err(e) if tries < 3 && (e.is_unique_violation() || e.is_transient()) => tries += 1,
            Err(e) => return Err(e),
        }
    };
    let outcomes = parsed.into_iter().map(|row| match row {
        Ok(_) => landed.next().unwrap_or_else(|| Landed::Rejected("this row was lost; send it again".into())),
        Err(reason) => Landed::Rejected(reason),
    });
    Ok(outcomes.collect())
}

async fn attempt<K: Rows>(db: &Db, rows: &[(u64, &K::Row)], context: &Context) -> Result<Vec<Landed>, DbError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = db.begin().await?;
    crate::customer::one_at_a_time(&mut tx).await?;
    let landing = K::default().land(&mut tx, rows, context, None).await?;
    tx.commit().await?;
    Ok(landing.outcomes)
}

/// The members of a kind's rows, for those who describe them.
pub fn members(kind: Kind) -> Vec<&'static str> {
    let shape = match kind {
        Kind::Customers => Customers::SHAPE,
        Kind::Orders => Orders::SHAPE,
        Kind::Events => Events::SHAPE,
        Kind::Consents => Consents::SHAPE,
        Kind::Suppressions => Suppressions::SHAPE,
    };
    shape.fields.iter().map(|field| field.name).collect()
}
