//! Codes: the pool, and who has which.

use super::CHUNK;
use crate::args;
use crate::db::{DbError, Query, Rows, Tx, Type};

/// A code: its state, and the lot that it was given with.
pub(in crate::reward) type Code = (String, Option<i64>);

/// The first free codes of a reward, held for this transaction; codes that another is taking are passed over.
pub(in crate::reward) async fn free(tx: &mut Tx, reward: &str, n: i64) -> Result<Vec<String>, DbError> {
    let sql = format!(
        "SELECT code FROM reward_coupon WHERE reward = ? AND state = 'free' ORDER BY code LIMIT ? {}",
        tx.dialect().skip_locked()
    );
    Ok(tx.all::<(String,)>(&sql, args![reward, n]).await?.into_iter().map(|(code,)| code).collect())
}

/// Adds free codes; gives those that are new.
pub(in crate::reward) async fn add(
    tx: &mut Tx,
    reward: &str,
    codes: &[String],
    now: i64,
) -> Result<Vec<String>, DbError> {
    let sql = "WITH input(code, w) AS ({rows}) INSERT INTO reward_coupon (reward, code, state, added_at) \
               SELECT w, code, 'free', CAST(? AS BIGINT) FROM input WHERE true ON CONFLICT (reward, code) DO NOTHING RETURNING code";
    let mut all = Vec::new();
    for chunk in Rows::pieces(codes, CHUNK) {
        let mut rows = Rows::new(&[Type::Text, Type::Text]);
        chunk.iter().for_each(|code| rows.push(args![code, reward]));
        all.extend(tx.all_with_rows::<(String,)>(sql, rows, args![now]).await?.into_iter().map(|(code,)| code));
    }
    Ok(all)
}

/// Gives free codes away with lots; says how many were still free.
pub(in crate::reward) async fn give(tx: &mut Tx, reward: &str, codes: &[(String, i64)]) -> Result<u64, DbError> {
    let sql = "WITH input(code, l) AS ({rows}) UPDATE reward_coupon SET state = 'given', lot_id = input.l FROM input \
               WHERE reward_coupon.code = input.code AND reward_coupon.reward = ? AND reward_coupon.state = 'free'";
    let mut all = 0;
    for chunk in Rows::pieces(codes, CHUNK) {
        let mut rows = Rows::new(&[Type::Text, Type::Int]);
        chunk.iter().for_each(|(code, lot)| rows.push(args![code, *lot]));
        all += tx.execute_rows(sql, rows, args![reward]).await?;
    }
    Ok(all)
}

/// Puts the codes of these lots back into the pool.
pub(in crate::reward) async fn free_again(tx: &mut Tx, lots: &[i64]) -> Result<(), DbError> {
    let sql = "WITH input(k) AS ({rows}) UPDATE reward_coupon SET state = 'free', lot_id = NULL \
               WHERE state = 'given' AND lot_id IN (SELECT k FROM input)";
    for chunk in Rows::pieces(lots, CHUNK) {
        tx.execute_rows(sql, super::ints(chunk), args![]).await?;
    }
    Ok(())
}

/// A code of a reward.
pub(in crate::reward) async fn coupon(db: &mut impl Query, reward: &str, code: &str) -> Result<Option<Code>, DbError> {
    db.optional("SELECT state, lot_id FROM reward_coupon WHERE reward = ? AND code = ?", args![reward, code]).await
}

/// How many codes nobody has yet.
pub(in crate::reward) async fn count_free(db: &mut impl Query, reward: &str) -> Result<i64, DbError> {
    let sql = "SELECT count(*) FROM reward_coupon WHERE reward = ? AND state = 'free'";
    Ok(db.one::<(i64,)>(sql, args![reward]).await?.0)
}
