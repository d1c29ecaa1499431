//! Tokens: given out, listed, taken back, and judged at the door.

use super::scope::Scope;
use super::secret::{Malformed, Secret};
use super::store::{self, Stored};
use crate::customer::audit;
use crate::db::{Db, DbError};
use crate::types::Timestamp;
use serde::Serialize;

/// Longer names help nobody.
const LONGEST_NAME: usize = 60;
const DAY: i64 = 86_400_000;

/// What keeps a token from being made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The name is none.
    #[error(
        "`{0}` is no name for a token: up to {LONGEST_NAME} characters, without line breaks, and not a number alone"
    )]
    Name(String),
    /// Another has it.
    #[error("there is a token `{0}` already: choose another name, or `dangol token revoke {0}` first")]
    Taken(String),
    /// It would be good for nothing.
    #[error("a token needs a scope: --scope with some of customers, orders, events, consents, rewards")]
    NoScope,
    /// Nobody has it.
    #[error("there is no token `{0}`: `dangol token list` shows them")]
    Unknown(String),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A token as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// Its name; one that was taken back leaves its name to others.
    pub name: String,
    /// What it is for.
    pub scopes: Vec<String>,
    /// When it was given out.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// The last day (UTC) on which it was used, at its midnight.
    pub used_on: Option<Timestamp>,
}

/// A token just made, with the only copy of its secret.
#[derive(Debug)]
pub struct Created {
    /// The token.
    pub token: Token,
    /// Its secret: to be shown now, or never.
    pub secret: Secret,
}

/// Somebody with a good token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The token's number.
    pub id: i64,
    /// What it is for.
    pub scopes: Vec<Scope>,
}

/// Why a token opens nothing. Whoever holds it may know.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// No token can look so.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// None that this site gave out.
    #[error("this token was not given out by this site")]
    Unknown,
    /// It was taken back.
    #[error("this token was revoked")]
    Revoked,
    /// Its time is over.
    #[error("this token has expired")]
    Expired,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Gives out a token.
///
/// # Errors
/// When the name is none or taken, there is no scope, or the database fails.
pub async fn create(
    db: &Db,
    name: &str,
    scopes: &[Scope],
    expires_at: Option<Timestamp>,
    actor: &str,
    now: Timestamp,
) -> Result<Created, AccessError> {
    let name = name.trim();
    let number = !name.is_empty() && name.trim_start_matches('#').bytes().all(|b| b.is_ascii_digit());
    if name.is_empty() || number || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(AccessError::Name(name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()));
    }
    let mut scopes = scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(AccessError::NoScope);
    }
    let secret = Secret::random()?;
    let joined = Scope::joined(&scopes);
    let mut tx = db.begin().await?;
    let made = store::insert(&mut tx, name, &joined, &secret.hash(), expires_at, now).await;
    let id = match made {
        Err(e) if e.is_unique_violation() => return Err(AccessError::Taken(name.to_owned())),
        made => made?,
    };
    audit(&mut tx, actor, "token create", &format!("token {id}"), Some(&format!("{name}: {joined}")), now).await?;
    tx.commit().await?;
    let scopes = scopes.iter().map(ToString::to_string).collect();
    let token =
        Token { id, name: name.to_owned(), scopes, created_at: now, expires_at, revoked_at: None, used_on: None };
    Ok(Created { token, secret })
}

/// All tokens, those taken back among them, in the order in which they were given out.
///
/// # Errors
/// What the database says.
pub async fn list(db: &Db) -> Result<Vec<Token>, DbError> {
    Ok(store::all(&mut &*db).await?.into_iter().map(|stored| stored.token).collect())
}

/// Takes a token back, by its name or its number. Gives it, and whether it was good until now.
///
/// # Errors
/// When there is none, or the database fails.
pub async fn revoke(db: &Db, which: &str, actor: &str, now: Timestamp) -> Result<(Token, bool), AccessError> {
    let which = which.trim();
    let number = which.trim_start_matches('#').parse::<i64>().ok();
    let mut tx = db.begin().await?;
    let all = store::all(&mut tx).await?;
    let named = |stored: &&Stored| number == Some(stored.token.id) || stored.token.name == which;
    // of several of a name, all but the last were taken back
    let found = all.iter().filter(named).max_by_key(|stored| (stored.token.revoked_at.is_none(), stored.token.id));
    let Some(mut token) = found.map(|stored| stored.token.clone()) else {
        return Err(AccessError::Unknown(which.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()));
    };
    let revoked = store::revoke(&mut tx, token.id, now).await?;
    if revoked {
        token.revoked_at = Some(now);
        audit(&mut tx, actor, "token revoke", &format!("token {}", token.id), Some(&token.name), now).await?;
    }
    tx.commit().await?;
    Ok((token, revoked))
}

/// Whose token this is, when it is good. Notes the day of use, once a day.
///
/// # Errors
/// Why it opens nothing.
pub async fn check(db: &Db, text: &str, now: Timestamp) -> Result<Bearer, Denied> {
    let hash = Secret::read(text)?.hash();
    let found = store::by_hash(&mut &*db, &hash).await?;
    // the index finds by a part of the hash; the whole is compared in constant time, as blake3 does
    let is_hers = |stored: &Stored| blake3::Hash::from_hex(&stored.hash).is_ok_and(|known| known == hash);
    let Some(Stored { token, .. }) = found.filter(is_hers) else { return Err(Denied::Unknown) };
    if token.revoked_at.is_some() {
        return Err(Denied::Revoked);
    }
    if token.expires_at.is_some_and(|until| until <= now) {
        return Err(Denied::Expired);
    }
    let today = now.as_millisecond().div_euclid(DAY) * DAY;
    if token.used_on.is_none_or(|day| day.as_millisecond() < today) {
        store::used(db, token.id, today).await?;
    }
    Ok(Bearer { id: token.id, scopes: Scope::split(&token.scopes.join(",")) })
}
