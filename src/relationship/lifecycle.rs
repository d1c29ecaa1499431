//! Where a customer stands in their life with the shop: simple rules over the time since the last purchase, counted in
//! horizons (26 weeks unless `[scoring]` says otherwise).

use super::constants::Model;
use super::sums::Sums;

/// The stage of life; the first rule that fits, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// Has never bought.
    Prospect,
    /// No purchase for two horizons.
    Lapsed,
    /// No purchase for one horizon.
    Slipping,
    /// Bought within a horizon, after two horizons without.
    WonBack,
    /// One purchase, less than half a horizon ago.
    New,
    /// At least three purchases, and a buying rank of .75 or more.
    Core,
    /// All others.
    Active,
}

/// From which buying rank on a customer is of the core.
pub const CORE_RANK: f64 = 0.75;
/// With how many purchases.
pub const CORE_PURCHASES: i64 = 3;

impl Lifecycle {
    /// All of them, as in `relationship.lifecycle`.
    pub const NAMES: &[&str] = &["prospect", "new", "active", "core", "slipping", "lapsed", "won_back"];

    /// Its name in the database and in segments.
    pub fn name(self) -> &'static str {
        match self {
            Lifecycle::Prospect => "prospect",
            Lifecycle::New => "new",
            Lifecycle::Active => "active",
            Lifecycle::Core => "core",
            Lifecycle::Slipping => "slipping",
            Lifecycle::Lapsed => "lapsed",
            Lifecycle::WonBack => "won_back",
        }
    }

    /// The stage at `now`, given the buying rank then.
    pub fn at(sums: &Sums, rank: Option<f64>, model: &Model, now: i64) -> Lifecycle {
        let Some(last) = sums.last_purchase_at else { return Lifecycle::Prospect };
        let horizon = model.horizon_millis();
        let since = now.saturating_sub(last);
        let gap = sums.previous_purchase_at.map_or(0, |previous| last.saturating_sub(previous));
        if since >= 2 * horizon {
            Lifecycle::Lapsed
        } else if since >= horizon {
            Lifecycle::Slipping
        } else if gap >= 2 * horizon {
            Lifecycle::WonBack
        } else if sums.purchases == 1 && since < horizon / 2 {
            Lifecycle::New
        } else if sums.purchases >= CORE_PURCHASES && rank.is_some_and(|rank| rank >= CORE_RANK) {
            Lifecycle::Core
        } else {
            Lifecycle::Active
        }
    }
}
