//! A relay used directly, outside of the queue: to see whether it can be used, and to send one mail that is not counted.

use super::connection::Connection;
use super::content::Content;
use super::relay::Relay;
use super::verdict::{Outcome, Phase};
use crate::types::Email;

/// Whether a relay takes our connection and login now; for `check --online`.
///
/// # Errors
/// In which phase it failed, and why.
pub async fn try_relay(relay: &Relay, hello: &str) -> Result<(), (Phase, String)> {
    let connection = Connection::open(&relay.server, hello).await.map_err(|e| (e.phase, e.why))?;
    connection.quit().await;
    Ok(())
}

/// Sends one mail now, outside of the queue; gives the server's words. For `send-test`.
///
/// # Errors
/// Why it did not go, in words.
pub async fn send_one(relay: &Relay, from: &Email, to: &Email, content: &Content) -> Result<String, String> {
    let mut connection = Connection::open(&relay.server, from.domain()).await.map_err(|e| e.why)?;
    let (outcome, usable) = connection.transmit(from, to, content).await;
    if usable {
        connection.quit().await;
    }
    match outcome {
        Outcome::Accepted { reply } => Ok(reply),
        Outcome::Deferred { reply, .. } | Outcome::Refused { reply } | Outcome::Blamed { reply } => Err(reply),
        Outcome::NotSent { why } | Outcome::Unknown { why } | Outcome::Unfit { why } => Err(why),
    }
}
