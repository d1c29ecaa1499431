//! The figures of a customer as of a moment, from their sums and the calibration; and when time alone will change them.

use super::calibration::Calibration;
use super::constants::{Model, NEUTRAL, PSEUDO};
use super::lifecycle::Lifecycle;
use super::score::{self, Part};
use super::sums::Sums;

const DAY: i64 = 86_400_000;
/// How much the score may drift before it is computed again.
const DRIFT: f64 = 0.5;
/// After so long the figures are computed again even if nothing much changed.
const LONGEST: i64 = 64 * DAY;

/// What segments, guards, triggers and reports read. Absent where there is no evidence.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the columns of `relationship`")]
pub struct Figures {
    pub as_of: i64,
    pub refresh_at: Option<i64>,
    pub calibration: Option<i64>,
    pub score: f64,
    pub base: f64,
    pub buying: Option<f64>,
    pub buying_rank: Option<f64>,
    pub engagement: Option<f64>,
    pub attitude: Option<f64>,
    /// Of buying, engagement, attitude.
    pub points: [f64; 3],
    pub lifecycle: Lifecycle,
}

/// Buying in figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Buying {
    /// Purchases per week.
    pub rate: f64,
    /// 1 − e^(−rate·horizon).
    pub p: f64,
}

/// The buying rate at `now`; none for those who never bought.
pub fn buying(sums: &Sums, model: &Model, now: i64) -> Option<Buying> {
    Some(buying_since(model.day(sums.first_purchase_at?).0, sums, model, now))
}

/// The same, given the midnight of the first purchase: the calendar is asked once, not at each of many moments.
fn buying_since(first: i64, sums: &Sums, model: &Model, now: i64) -> Buying {
    let [repeats] = sums.buying.value(now, model.half_life);
    let rate = model.rate(repeats, now.saturating_sub(first));
    Buying { rate, p: 1.0 - (-rate * model.horizon).exp() }
}

/// Engagement at `now`: discounted trials, and (credit + 2·prior)/(trials + 2).
pub fn engagement(sums: &Sums, prior: f64, model: &Model, now: i64) -> (f64, f64) {
    let [trials, credit] = sums.engagement.value(now, model.engagement_half_life);
    (trials, (credit + PSEUDO * prior) / (trials + PSEUDO))
}

/// Attitude at `now`: discounted weight, and (value + 2·0.5)/(weight + 2).
pub fn attitude(sums: &Sums, model: &Model, now: i64) -> (f64, f64) {
    let [weight, value] = sums.attitude.value(now, model.attitude_half_life);
    (weight, (value + PSEUDO * NEUTRAL) / (weight + PSEUDO))
}

/// The three parts of the score at `now`: buying, engagement, attitude.
pub fn parts(sums: &Sums, calibration: &Calibration, model: &Model, now: i64) -> [Part; 3] {
    parts_with(buying(sums, model, now), sums, calibration, model, now)
}

fn parts_with(bought: Option<Buying>, sums: &Sums, calibration: &Calibration, model: &Model, now: i64) -> [Part; 3] {
    let (w, k) = (model.weights, model.evidence);
    let (trials, engaged) = engagement(sums, calibration.engagement, model, now);
    let (said, liked) = attitude(sums, model, now);
    [
        Part {
            n: sums.purchases as f64,
            p: bought.map_or(calibration.buying, |b| b.p),
            base: calibration.buying,
            weight: w.buying,
            kappa: k.buying,
        },
        Part { n: trials, p: engaged, base: calibration.engagement, weight: w.engagement, kappa: k.engagement },
        Part { n: said, p: liked, base: calibration.attitude, weight: w.attitude, kappa: k.attitude },
    ]
}

impl Figures {
    /// The figures at `now`.
    pub fn at(sums: &Sums, calibration: &Calibration, model: &Model, now: i64) -> Figures {
        let first_day = sums.first_purchase_at.map(|first| model.day(first).0);
        let at = |now| Figures::without_refresh(first_day, sums, calibration, model, now);
        let mut figures = at(now);
        let decays = sums.purchases > 0 || sums.delivered > 0 || sums.attitude.at.is_some();
        figures.refresh_at = decays.then(|| next_refresh(&figures, at, now));
        figures
    }

    fn without_refresh(
        first_day: Option<i64>,
        sums: &Sums,
        calibration: &Calibration,
        model: &Model,
        now: i64,
    ) -> Figures {
        let bought = first_day.map(|first| buying_since(first, sums, model, now));
        let parts = parts_with(bought, sums, calibration, model, now);
        let result = score::score(calibration.logit, parts.map(|part| part.contribution()));
        let buying_rank = bought.map(|b| calibration.rank(b.rate));
        let known = |part: &Part, any: bool| any.then_some(part.p);
        Figures {
            as_of: now,
            refresh_at: None,
            calibration: calibration.id,
            score: result.score,
            base: result.base,
            buying: bought.map(|b| b.p),
            buying_rank,
            engagement: known(&parts[1], sums.delivered > 0),
            attitude: known(&parts[2], sums.attitude.sums[0] > 1e-9),
            points: result.points,
            lifecycle: Lifecycle::at(sums, buying_rank, model, now),
        }
    }
}

/// When decay alone will have moved the score by half a point or changed the lifecycle: found by doubling, then halving,
/// to the hour.
fn next_refresh(present: &Figures, at: impl Fn(i64) -> Figures, now: i64) -> i64 {
    let changed = |after: i64| {
        let then = at(now.saturating_add(after));
        (then.score - present.score).abs() >= DRIFT || then.lifecycle != present.lifecycle
    };
    let (mut low, mut high) = (0, DAY);
    while !changed(high) {
        if high >= LONGEST {
            return now.saturating_add(LONGEST);
        }
        (low, high) = (high, high * 2);
    }
    while high - low > 3_600_000 {
        let middle = low + (high - low) / 2;
        if changed(middle) { high = middle } else { low = middle }
    }
    now.saturating_add(high)
}
