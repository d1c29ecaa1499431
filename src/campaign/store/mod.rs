//! The SQL of campaigns: what is live, the audience's slices, and what a plan counts.

mod audience;
mod enrolment;
mod live;
mod mail;
mod pass;
mod queue;
mod slices;
mod watch;

pub use audience::{Counted, collisions, counted, eligible, enrolled, inside, last_audience, ordered, readers_zones};
pub use enrolment::{
    Asks, Due, Place, Slice, advance, ask, begin_enrolling, begin_overdue, begin_passes, cancel_occurrence,
    due_occurrences, insert_enrolments, insert_messages, overdue_occurrences, place, zones,
};
pub use live::{
    Campaign, answer, asks, campaign, campaigns, content, finish_all, insert_campaign, latest_hash, occurrence,
    put_occurrence, put_revision, rename, set_running, set_state, stop_occurrences, survey,
};
pub use mail::{Mail, Reader, events, latest_events, mail, readers};
pub use pass::{
    Candidate, Common, Moved, NewPass, Pass, addresses, begin, candidates, due_passes, lock_passes, move_on,
    open_occurrence, reached, true_of, waiting,
};
pub use queue::{NewMail, Unmade, out_of_arms, queue, revive, taken, unqueue};
pub use slices::{cancel_rest, half_cancelled, move_mails, move_passes};
pub use watch::{
    Running, Watch, Whom, difference, end_watch, happened, last_customer, last_event, move_watch, put_watch, running,
    stands, sweep_now, touched, watch, watched_segment,
};
