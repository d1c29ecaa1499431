//! The SQL of the event log: appending and reading it, the cursors of its readers, and what the orders in it come to.

mod log;
pub mod purchase;

pub use log::{
    Event, NewEvent, append, append_in, append_only, begin_cursor, by_keys, cursor, end_cursor, kinds_seen,
    move_cursor, read_after,
};
