//! What happened: the append-only log that every later stage reads from its own cursor.
//!
//! ```no_run
//! # async fn f(db: dangol::db::Db, now: jiff::Timestamp) -> Result<(), dangol::db::DbError> {
//! use dangol::event::{self, Kind, NewEvent};
//! let mut tx = db.begin().await?;
//! // … what causes the event …
//! let visit = NewEvent::new(Kind::Visit, 1, now, "api", "visit:abc");
//! event::append(tx, &[visit], now).await?; // the last act of its transaction
//! # Ok(()) }
//! ```

mod kind;
mod store;

pub use kind::Kind;
pub use store::{
    Event, NewEvent, append, append_in, append_only, begin_cursor, by_keys, cursor, end_cursor, kinds_seen,
    move_cursor, purchase, read_after,
};
