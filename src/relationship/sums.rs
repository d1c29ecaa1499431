//! The sums that the table `relationship` keeps for a customer, and how each event moves them: in O(1), in any order.

use super::constants::Model;
use super::decay::Decaying;

/// The sums of one customer; times in milliseconds. As columns: [`COLUMNS`](super::store::SUMS).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// Days (of the site's zone) with a purchase.
    pub purchases: i64,
    /// The first purchase.
    pub first_purchase_at: Option<i64>,
    /// The last purchase on a day before that of the last one.
    pub previous_purchase_at: Option<i64>,
    /// The last purchase.
    pub last_purchase_at: Option<i64>,
    /// Σ 2^(−age/h) over the days with a purchase, the first excluded; a day counts from its midnight.
    pub buying: Decaying<1>,
    /// Paid less refunded, in minor units of the site's currency; other currencies are not added.
    pub revenue: i64,
    /// Its margin, as far as the shop says it.
    pub margin: i64,
    /// Days with a purchase at a discount.
    pub discounted: i64,
    /// Discounted trials (delivered mails) and credit, by the time of the delivery.
    pub engagement: Decaying<2>,
    /// Mails delivered and not bounced.
    pub delivered: i64,
    /// When a person was last seen behind an open, a click, a reply or an answer.
    pub last_human_at: Option<i64>,
    /// Discounted weight and weighted value of what they said.
    pub attitude: Decaying<2>,
}

/// What an event does to the sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// An order that counts.
    Purchase {
        /// When.
        at: i64,
        /// Whether none before it counts on the same day.
        first_of_day: bool,
        /// Whether it is at a discount, and none before it on the same day is.
        first_discount_of_day: bool,
        /// Paid less refunded, in minor units; 0 in a foreign currency.
        revenue: i64,
        /// Its margin.
        margin: i64,
    },
    /// A mail was delivered; it may have earned credit already.
    Trial {
        /// When it was delivered.
        at: i64,
        /// 0..=1.
        credit: f64,
    },
    /// It bounced after all.
    TakeBack {
        /// When it had been delivered.
        at: i64,
        /// What it had earned.
        credit: f64,
    },
    /// A delivered mail earned more credit.
    Credit {
        /// When it was delivered.
        at: i64,
        /// How much more.
        more: f64,
    },
    /// A person was seen.
    Human {
        /// When.
        at: i64,
    },
    /// Something was said about the shop.
    Opinion {
        /// When.
        at: i64,
        /// How much it counts.
        weight: f64,
        /// 0 bad ..= 1 good.
        value: f64,
    },
}

impl Sums {
    /// Moves the sums by one event. Any order of the same events gives the same sums, up to rounding.
    pub fn apply(&mut self, input: &Input, model: &Model) {
        match *input {
            Input::Purchase { at, first_of_day, first_discount_of_day, revenue, margin } => {
                if first_of_day {
                    self.new_purchase_day(at, model);
                }
                self.discounted += i64::from(first_discount_of_day);
                self.revenue = self.revenue.saturating_add(revenue);
                self.margin = self.margin.saturating_add(margin);
                self.mark_purchase(at, model);
            }
            Input::Trial { at, credit } => {
                self.delivered += 1;
                self.engagement.add([1.0, credit], at, model.engagement_half_life);
            }
            Input::TakeBack { at, credit } => {
                self.delivered -= 1;
                self.engagement.add([-1.0, -credit], at, model.engagement_half_life);
            }
            Input::Credit { at, more } => self.engagement.add([0.0, more], at, model.engagement_half_life),
            Input::Human { at } => self.last_human_at = self.last_human_at.max(Some(at)),
            Input::Opinion { at, weight, value } => {
                self.attitude.add([weight, weight * value], at, model.attitude_half_life);
            }
        }
    }

    /// Counts a day. The earliest day is no repeat: when an earlier one turns up, the old first becomes one.
    fn new_purchase_day(&mut self, at: i64, model: &Model) {
        self.purchases += 1;
        let day = model.day(at).0;
        if let Some(first) = self.first_purchase_at {
            let first = model.day(first).0;
            self.buying.add([1.0], day.max(first), model.half_life);
        }
    }

    fn mark_purchase(&mut self, at: i64, model: &Model) {
        let (Some(first), Some(last)) = (self.first_purchase_at, self.last_purchase_at) else {
            (self.first_purchase_at, self.last_purchase_at) = (Some(at), Some(at));
            return;
        };
        self.first_purchase_at = Some(first.min(at));
        let (day, last_day) = (model.day(at).0, model.day(last).0);
        if day > last_day {
            self.previous_purchase_at = Some(last);
        } else if day < last_day {
            self.previous_purchase_at = self.previous_purchase_at.max(Some(at));
        }
        self.last_purchase_at = Some(last.max(at));
    }

    /// Forgets the purchases, so that they can be counted anew.
    pub fn reset_buying(&mut self) {
        *self = Sums {
            engagement: self.engagement,
            delivered: self.delivered,
            last_human_at: self.last_human_at,
            attitude: self.attitude,
            ..Sums::default()
        };
    }

    /// Forgets the mails, so that they can be counted anew.
    pub fn reset_engagement(&mut self) {
        (self.engagement, self.delivered, self.last_human_at) = (Decaying::default(), 0, None);
    }

    /// Forgets the opinions, so that they can be counted anew.
    pub fn reset_attitude(&mut self) {
        self.attitude = Decaying::default();
    }
}
