//! The SQL of delivery: claims, compare-and-set changes of state, lanes, nodes, daily quotas.

mod claim;
mod lane;
mod node;
mod obstacle;
mod states;
mod tally;

pub(super) use claim::{
    Change, Changed, Check, claim, claim_these, finish, lanes_with_due, lock_customers, ranked, sent_since, transmit,
    unclaim,
};
pub(super) use lane::{count, hold_open, release, set_lane};
pub use lane::{hold_paused, lane, open_lane, open_lane_counts};
pub(super) use node::{other_nodes, recover, register_node, stop_node, unstopped_nodes};
pub use obstacle::obstacles;
pub(super) use obstacle::set_obstacles;
pub use states::states;
pub use tally::{Listed, counts, distrust_due, list, next_due, relay_day};
pub(super) use tally::{add_relay_day, settle_unknown, unknown};
