//! Forgetting: what is personal goes, what happened stays under a tombstone.

use super::super::hash::ErasureKey;
use super::audit::audit;
use super::journal::{LEDGER_LOCK, Note, note};
use crate::args;
use crate::db::{DbError, Query, Tx};
use crate::types::Timestamp;

/// Erases a customer. The row stays with id, bucket and times; events and messages keep kind, time, amount and
/// campaign; a keyed hash keeps an import from bringing the person back. A suppression of the address stays: it is what
/// keeps others from mailing it. False when there is no such customer; true, and nothing done, when already erased.
///
/// # Errors
/// What the database says; then nothing is erased.
pub async fn erase(tx: &mut Tx, customer: i64, key: &ErasureKey, actor: &str, now: Timestamp) -> Result<bool, DbError> {
    // before any row is locked, as everybody takes it
    tx.serialise(LEDGER_LOCK).await?;
    let lock = tx.dialect().for_update();
    let sql = format!("SELECT external_id, email, erased_at FROM customer WHERE id = ? {lock}");
    let row: Option<(Option<String>, Option<String>, Option<i64>)> = tx.optional(&sql, args![customer]).await?;
    let Some((external, email, erased)) = row else { return Ok(false) };
    if erased.is_some() {
        return Ok(true);
    }
    forget_answers(tx, [external.as_deref(), email.as_deref()]).await?;
    let hashes = [external.map(|id| key.external(&id)), email.map(|email| key.address(&email))];
    let hashes: Vec<String> = hashes.into_iter().flatten().collect();
    for hash in &hashes {
        let sql = "INSERT INTO erased (hash, at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING";
        tx.execute(sql, args![hash, now]).await?;
    }
    tx.execute(
        "UPDATE customer SET external_id = NULL, email = NULL, email_domain = NULL, name = NULL, first_name = NULL, \
         last_name = NULL, locale = NULL, timezone = NULL, birthday = NULL, source = NULL, attributes = '{}', \
         tracking_off = 1, paused_until = NULL, updated_at = ?, erased_at = ? WHERE id = ?",
        args![now, now, customer],
    )
    .await?;
    for sql in [
        "DELETE FROM relationship WHERE customer_id = ?",
        "DELETE FROM segment_member WHERE customer_id = ?",
        "DELETE FROM consent_state WHERE customer_id = ?",
        "UPDATE consent SET address = NULL WHERE customer_id = ?",
        "UPDATE hit SET ip = NULL, agent = NULL WHERE message_id IN (SELECT id FROM message WHERE customer_id = ?)",
        "UPDATE survey_answer SET comment = NULL WHERE customer_id = ?",
        // what waits to be sent never will be; mail in flight is with the server already
        "UPDATE message SET state = 'skipped', reason = 'erased', node_id = NULL, token = NULL \
         WHERE customer_id = ? AND state IN ('queued', 'deferred', 'claimed')",
        // and whoever is on the way through a campaign is out of it
        "UPDATE enrolment SET state = 'exited', reason = 'erased', next_at = NULL WHERE customer_id = ? AND state = 'active'",
        // a server's last words often repeat the address
        "UPDATE message SET address = NULL, reply = NULL WHERE customer_id = ?",
        // the ledger keeps its amounts; a code could be looked up in the shop, and nobody gets it again
        "UPDATE reward_coupon SET state = 'void', lot_id = NULL WHERE lot_id IN (SELECT id FROM reward_lot WHERE customer_id = ?)",
        "UPDATE reward_lot SET coupon = NULL WHERE customer_id = ?",
        "UPDATE reward_redemption SET key = 'erased:' || CAST(id AS TEXT) WHERE customer_id = ?",
        "DELETE FROM order_item WHERE event_id IN (SELECT event_id FROM purchase WHERE customer_id = ?)",
        "UPDATE event SET data = '{}' WHERE customer_id = ?",
        // keys that others chose may hold anything; orders keep theirs, so that a return finds its order
        "UPDATE event SET dedupe_key = 'erased:' || CAST(id AS TEXT) WHERE customer_id = ? AND source IN ('import', 'api', 'cli') AND kind <> 'order'",
    ] {
        tx.execute(sql, args![customer]).await?;
    }
    note(tx, Note::Erasure, &[customer], Some(&serde_json::json!(hashes).to_string()), now).await?;
    audit(tx, actor, "customer erase", &format!("customer #{customer}"), None, now).await?;
    Ok(true)
}

/// Answers that the API keeps for a day may repeat the names that a row was sent with. Whoever sends such a request again
/// has it done again, and hears what is true then.
async fn forget_answers(tx: &mut Tx, names: [Option<&str>; 2]) -> Result<(), DbError> {
    for name in names.into_iter().flatten() {
        let written = serde_json::json!(name).to_string();
        let mut pattern = String::from("%");
        for c in written.trim_matches('"').to_lowercase().chars() {
            if matches!(c, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(c);
        }
        pattern.push('%');
        tx.execute("DELETE FROM api_answer WHERE lower(answer) LIKE ? ESCAPE '!'", args![pattern]).await?;
    }
    Ok(())
}
