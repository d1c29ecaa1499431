//! How the demo's people buy: each day a throw, and after each purchase another that may end it for good. That is the
//! process which BG/NBD assumes (Fader, Hardie, Lee 2005), in days and integers.

use super::Lang;
use super::goods::PRODUCTS;
use super::person::{Item, Order, Person, Truth};
use super::random::Random;
use crate::types::Timestamp;
use jiff::SignedDuration;

const DAY: i64 = 86_400;

/// Orders of one customer on the days `first..days`, of which day 0 begins at `start`; the customer's `truth.alive` is
/// true before, and says afterwards whether they are still there. `now` decides how far a parcel has come.
pub(super) fn history(
    lang: Lang,
    truth: &mut Truth,
    random: &mut Random,
    (start, first, days): (Timestamp, i64, i64),
    now: Timestamp,
) -> Vec<Order> {
    let mut orders = Vec::new();
    for day in first..days {
        // most became customers by buying
        let buys = if day == first { random.per_mille(700) } else { random.below(1_000_000) < truth.buying };
        if buys && truth.alive {
            let at = moment(start, day, random);
            let mut order = order(lang, truth, random, at);
            settle(&mut order, now, random);
            orders.push(order);
            truth.alive = !random.per_mille(truth.dropout);
        }
    }
    orders
}

/// A campaign's planted effect.
#[derive(Clone, Copy, Debug)]
pub struct Effect<'a> {
    /// The campaign; two campaigns move different people.
    pub occasion: &'a str,
    /// Of a thousand treated customers, how many buy once more because of it; 0 for a campaign that does nothing.
    pub lift: u64,
}

/// An order after the campaign.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The order.
    pub order: Order,
    /// Made because of the campaign.
    pub planted: bool,
}

/// What `person` buys in the `days` days from `from`: the same with and without the campaign, and then, if `treated`, for
/// some, one order that would not have been. The orders' numbers hold the day of `from` and the person: two campaigns over
/// the same days are not to be asked for one after the other.
pub fn purchases_after(
    lang: Lang,
    person: &Person,
    treated: bool,
    effect: Effect<'_>,
    from: Timestamp,
    days: u16,
) -> Vec<Purchase> {
    let mut random = Random::of(effect.occasion, person.number as u64);
    // drawn first and always, so that being treated changes nothing else
    let moved = random.per_mille(effect.lift) && treated;
    let moved_on = random.below(u64::from(days).max(1)) as i64;
    let mut later = Random::of("later", person.number as u64);
    let mut truth = person.truth.clone();
    let mut purchases = Vec::new();
    for day in 0..i64::from(days) {
        if later.below(1_000_000) < truth.buying && truth.alive {
            let order = order(lang, &truth, &mut later, moment(from, day, &mut random_of_day(person, day)));
            purchases.push(Purchase { order, planted: false });
            truth.alive = !later.per_mille(truth.dropout);
        }
        if moved && day == moved_on {
            let order = order(lang, &truth, &mut random, moment(from, day, &mut random_of_day(person, day + DAY)));
            purchases.push(Purchase { order, planted: true });
        }
    }
    purchases.sort_by_key(|purchase| purchase.order.at);
    for (at, purchase) in purchases.iter_mut().enumerate() {
        purchase.order.id = format!("L{}-{:05}-{}", from.as_second() / DAY, person.number + 1, at + 1);
    }
    purchases
}

fn random_of_day(person: &Person, day: i64) -> Random {
    Random::of("moment", (person.number as u64) << 32 | day.unsigned_abs())
}

/// Between eight in the morning and eleven at night of a day, to the minute.
fn moment(start: Timestamp, day: i64, random: &mut Random) -> Timestamp {
    let minutes = random.between(8 * 60, 23 * 60 - 1) as i64;
    start.saturating_add(SignedDuration::from_secs(day * DAY + minutes * 60)).unwrap_or(start)
}

fn order(lang: Lang, truth: &Truth, random: &mut Random, at: Timestamp) -> Order {
    let mut items: Vec<Item> = Vec::new();
    for _ in 0..random.between(1, 3) {
        let product = random.pick(PRODUCTS);
        if items.iter().any(|item| item.product.sku == product.sku) {
            continue;
        }
        let quantity = if random.per_mille(250) { random.between(2, 4) as i64 } else { 1 };
        items.push(Item { product, quantity, amount: product.price(lang) * quantity });
    }
    let sum: i64 = items.iter().map(|item| item.amount).sum();
    let kept: i64 = items.iter().map(|item| item.amount * item.product.margin / 100).sum();
    let discount = if random.per_mille(truth.price_sensitivity) {
        let share = 10 + 5 * random.below(5) as i64;
        // to ten won
        sum * share / 100 / lang.pick(10, 1) * lang.pick(10, 1)
    } else {
        0
    };
    let (amount, margin) = (sum - discount, kept - discount);
    Order { id: String::new(), at, amount, margin, discount, status: "paid", refunded: 0, items }
}

/// How far the parcel has come, and whether it came back.
fn settle(order: &mut Order, now: Timestamp, random: &mut Random) {
    let fate = random.below(1_000);
    let days = now.duration_since(order.at).as_secs() / DAY;
    order.status = match days {
        ..3 => "paid",
        3..7 => "shipped",
        7..14 => "delivered",
        _ if fate < 20 => "returned",
        _ if fate < 30 => "cancelled",
        _ => "confirmed",
    };
    if matches!(order.status, "returned" | "cancelled") {
        order.refunded = order.amount;
    }
}
