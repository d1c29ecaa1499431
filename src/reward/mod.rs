//! Rewards: points, coupons and perks in one ledger that always balances, within budgets. docs/rewards.md tells it to
//! marketers; `lot.rs` holds the arithmetic.
//!
//! Every movement is a line of `reward_entry` and none is ever changed. A grant is a lot, whose points are pending,
//! active, spent, expired or reversed. All functions that write take the caller's transaction, so that a grant stands
//! or falls with the mail that it is granted with. Campaigns grant, delivery settles, import and the API redeem, the
//! engine calls [`catch_up`] and [`upkeep`] again and again.

mod book;
mod coupon;
mod definition;
mod earn;
mod error;
mod grant;
mod judge;
mod limits;
mod live;
mod look;
mod lot;
mod overview;
mod reader;
mod redeem;
mod settle;
mod store;
mod upkeep;

pub use coupon::{Added, add_codes};
pub use definition::{Codes, Reward, Tier};
pub use error::RewardError;
pub use grant::{Grant, Granted, No, Yes, grant};
pub use judge::{Finding, judge};
pub use live::{Live, live, margins_known, not_in, put_live, unusable};
pub use look::{
    Attached, Balance, Entry, Liability, Sum, balances, budget_used, entries, granted, liability, of_messages,
    redemptions,
};
pub use lot::{Amounts, Kind};
pub use overview::{Overview, overview};
pub use reader::{CURSOR, Progress, catch_up};
pub use redeem::{EVENT, Redeem, Redeemed, Redemption, Refusal, redeem, redeem_in};
pub use settle::{Settled, attach, settle};
pub use upkeep::{Upkeep, upkeep};
