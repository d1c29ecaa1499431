//! Orders as evidence. `purchase` holds the present state of each order; the log says when to look.
//!
//! The ordinary event, a new order, is O(1): its row and a look whether another order stands on the same day. A
//! correction (cancelled, returned, another amount) makes the customer's sums anew from their own orders, which is
//! bounded, exact, and the same whatever came before.

use super::constants::Model;
use super::sums::Input;
use crate::db::{DbError, FromRow, Row};
use std::collections::HashMap;

/// An order as it stands now.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the columns of `purchase`")]
pub struct Purchase {
    pub event_id: i64,
    pub customer: i64,
    pub at: i64,
    pub amount: i64,
    pub currency: String,
    pub margin: Option<i64>,
    pub discount: Option<i64>,
    pub refunded: i64,
    pub status: String,
}

impl FromRow for Purchase {
    fn from_row(row: &mut Row<'_>) -> Result<Purchase, DbError> {
        Ok(Purchase {
            event_id: row.take()?,
            customer: row.take()?,
            at: row.take()?,
            amount: row.take()?,
            currency: row.take()?,
            margin: row.take()?,
            discount: row.take()?,
            refunded: row.take()?,
            status: row.take()?,
        })
    }
}

impl Purchase {
    /// Whether it counts: not cancelled, not returned, not refunded in full. [`COUNTS`] says the same in SQL.
    pub fn counts(&self) -> bool {
        self.status != "cancelled" && self.status != "returned" && !(self.amount > 0 && self.refunded >= self.amount)
    }

    /// Whether it was bought at a discount.
    pub fn discounted(&self) -> bool {
        self.discount.is_some_and(|discount| discount > 0)
    }

    /// Paid less refunded, in the order's own currency.
    pub fn net(&self) -> i64 {
        self.amount.saturating_sub(self.refunded)
    }

    /// What it does to the sums, given what stands before it on the same day; nothing when it does not count.
    pub fn input(&self, earlier: Day, model: &Model) -> Option<Input> {
        if !self.counts() {
            return None;
        }
        let home = self.currency == model.currency;
        // a part refund takes its share of the margin along
        let margin = match (self.margin, self.amount) {
            (Some(margin), amount) if amount > 0 => {
                let share = i128::from(margin) * i128::from(self.net()) / i128::from(amount);
                i64::try_from(share).unwrap_or(margin)
            }
            (margin, _) => margin.unwrap_or(0),
        };
        Some(Input::Purchase {
            at: self.at,
            first_of_day: earlier.orders == 0,
            first_discount_of_day: self.discounted() && earlier.discounted == 0,
            revenue: if home { self.net() } else { 0 },
            margin: if home { margin } else { 0 },
        })
    }
}

/// Which orders count, in SQL, over the alias `p`; [`Purchase::counts`] says the same.
pub const COUNTS: &str = "p.status NOT IN ('cancelled', 'returned') AND NOT (p.amount > 0 AND p.refunded >= p.amount)";

/// What stands before an order on its day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Orders that count.
    pub orders: i64,
    /// Those of them at a discount.
    pub discounted: i64,
}

/// All inputs of one customer's orders, given in the order of their events.
pub fn inputs(purchases: &[Purchase], model: &Model) -> Vec<Input> {
    let mut days: HashMap<i64, Day> = HashMap::new();
    let mut inputs = Vec::with_capacity(purchases.len());
    for purchase in purchases {
        let day = days.entry(model.day(purchase.at).0).or_default();
        if let Some(input) = purchase.input(*day, model) {
            day.orders += 1;
            day.discounted += i64::from(purchase.discounted());
            inputs.push(input);
        }
    }
    inputs
}
