//! What depends on other customers: medians and the buying percentile, taken at most daily and kept by version, so that
//! in between a customer's figures depend on their own events only.

use super::constants::{Model, NEUTRAL};
use super::error::RelationshipError;
use super::figures;
use super::store;
use super::sums::Sums;
use crate::config::model::Settings;
use crate::db::Db;
use crate::types::bucket::{PRIME, bucket};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How old a calibration gets: a day.
const LASTS: i64 = 86_400_000;
/// So long [`Patience::Waits`].
const AGAIN: i64 = 3_600_000;
/// A median of fewer says nothing: then the default stays.
pub const FEWEST: usize = 20;
/// So many customers are looked at; of more, a sample by bucket. Bounds memory to some 10 MB.
const SAMPLE: usize = 40_000;
/// Rows read at once.
const SLICE: i64 = 2_000;
const KNOTS: usize = 100;

/// Medians over active customers, and the knots of the buying percentile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Its id in the database; none for the defaults.
    #[serde(skip)]
    pub id: Option<i64>,
    /// When it was taken; none for the defaults.
    pub as_of: Option<Timestamp>,
    /// How many active customers were looked at.
    pub active: usize,
    /// Base of buying.
    pub buying: f64,
    /// Base of engagement.
    pub engagement: f64,
    /// Base of attitude.
    pub attitude: f64,
    /// logit(base): minus the median of Σc, so that the median active customer is at 50.
    pub logit: f64,
    /// Buying rates at the percentiles 0, 1, … 100 of all buyers; empty when there are none.
    pub rates: Vec<f64>,
}

impl Default for Calibration {
    /// Before there are customers to learn from: one purchase half a year ago; one human open in three mails or so; no
    /// opinion; 50.
    fn default() -> Self {
        Calibration {
            id: None,
            as_of: None,
            active: 0,
            buying: 0.25,
            engagement: 0.1,
            attitude: NEUTRAL,
            logit: 0.0,
            rates: Vec::new(),
        }
    }
}

impl Calibration {
    /// The share of buyers whose rate is lower (ties count half), between knots by a straight line. One half as long as
    /// there is nobody to compare with.
    pub fn rank(&self, rate: f64) -> f64 {
        let knots = &self.rates;
        let steps = knots.len().saturating_sub(1) as f64;
        if steps < 1.0 {
            return 0.5;
        }
        let below = knots.partition_point(|knot| *knot < rate);
        let not_above = knots.partition_point(|knot| *knot <= rate);
        if below < not_above {
            return (below + not_above - 1) as f64 / 2.0 / steps;
        }
        if below == 0 {
            return 0.0;
        }
        if below == knots.len() {
            return 1.0;
        }
        let (low, high) = (knots[below - 1], knots[below]);
        ((below - 1) as f64 + (rate - low) / (high - low)) / steps
    }

    /// Takes a calibration from customers as of `now`.
    pub fn of(customers: &[Sums], model: &Model, now: i64) -> Calibration {
        let mut found = Calibration { as_of: Timestamp::from_millisecond(now).ok(), ..Calibration::default() };
        let active: Vec<&Sums> = customers.iter().filter(|sums| is_active(sums, model, now)).collect();
        found.active = active.len();
        let bought = |sums: &&Sums| figures::buying(sums, model, now).map(|b| b.p);
        found.buying = median(active.iter().filter_map(bought)).unwrap_or(found.buying);

        let [trials, credit] = active.iter().fold([0.0; 2], |all, sums| {
            let one = sums.engagement.value(now, model.engagement_half_life);
            [all[0] + one[0], all[1] + one[1]]
        });
        if trials > 0.0 {
            // each reader is shrunk towards all of them, not towards the base that is being looked for
            let readers = active.iter().filter(|sums| sums.delivered > 0);
            let mean = credit / trials;
            let engaged = readers.map(|sums| figures::engagement(sums, mean, model, now).1);
            // nobody who never did anything is a base to measure others by: the floor is an unsure open in five mails
            found.engagement = median(engaged).map_or(found.engagement, |p| p.max(0.01));
        }
        let said = active.iter().filter(|sums| sums.attitude.value(now, model.attitude_half_life)[0] > 0.0);
        found.attitude = median(said.map(|sums| figures::attitude(sums, model, now).1)).unwrap_or(found.attitude);

        let total =
            |sums: &&Sums| figures::parts(sums, &found, model, now).map(|part| part.contribution()).iter().sum();
        found.logit = median(active.iter().map(total)).map_or(found.logit, |middle: f64| -middle);

        let mut rates: Vec<f64> =
            customers.iter().filter_map(|sums| figures::buying(sums, model, now).map(|b| b.rate)).collect();
        rates.sort_by(f64::total_cmp);
        if rates.len() > 1 {
            found.rates = (0..=KNOTS).map(|i| quantile(&rates, i as f64 / KNOTS as f64)).collect();
        }
        found
    }
}

/// Whether a customer counts for the medians: bought, or was seen as a person, within two horizons.
pub fn is_active(sums: &Sums, model: &Model, now: i64) -> bool {
    let last = sums.last_purchase_at.max(sums.last_human_at);
    last.is_some_and(|last| now.saturating_sub(last) < 2 * model.horizon_millis())
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (values.len() >= FEWEST).then(|| quantile(&values, 0.5))
}

/// Whether a look that was in vain is soon repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Where there are many customers, not within an hour: to look is to read the whole table.
    Waits,
    /// Somebody asked for it.
    Now,
}

/// Takes a new calibration when there are customers enough and the last one is a day old; gives the one that holds.
/// Reads the table in slices, and keeps a sample of at most 40,000 in memory.
///
/// # Errors
/// What the database says.
pub async fn calibrate_if_due(
    db: &Db,
    settings: &Settings,
    now: Timestamp,
    patience: Patience,
) -> Result<Calibration, RelationshipError> {
    let current = store::calibration(&mut &*db).await?;
    let age = current.as_of.map(|at| now.as_millisecond() - at.as_millisecond());
    if age.is_some_and(|age| age < LASTS) {
        return Ok(current);
    }
    let all = usize::try_from(store::count(&mut &*db).await?).unwrap_or(usize::MAX);
    let in_vain = store::sampled_in_vain(&mut &*db).await?;
    let lately = in_vain.is_some_and(|at| (0..AGAIN).contains(&(now.as_millisecond() - at.as_millisecond())));
    if all > SAMPLE && lately && patience == Patience::Waits {
        return Ok(current);
    }
    let model = Model::new(settings);
    let sample = sample(db, all).await?;
    let taken = Calibration::of(&sample, &model, now.as_millisecond());
    if taken.active < FEWEST {
        if all > SAMPLE {
            store::note_sampled_in_vain(db, now).await?;
        }
        return Ok(current);
    }
    store::keep_calibration(db, current.id, &taken, now).await?;
    store::calibration(&mut &*db).await
}

/// Those on whom a calibration can hang, of whom something is known: many shops have many more addresses than customers.
async fn sample(db: &Db, all: usize) -> Result<Vec<Sums>, RelationshipError> {
    // buckets are uniform, so a part of them is a fair sample, and the same one on every node
    let below = match all {
        0..=SAMPLE => PRIME,
        _ => (PRIME as f64 * SAMPLE as f64 / all as f64) as i64,
    };
    let (mut found, mut position) = (Vec::new(), 0);
    loop {
        let slice = store::slice(&mut &*db, position, SLICE).await?;
        let Some((last, _)) = slice.last() else { return Ok(found) };
        position = *last;
        let known = |sums: &Sums| sums.last_purchase_at.is_some() || sums.last_human_at.is_some();
        let chosen = slice.into_iter().filter(|(id, sums)| bucket(*id) < below && known(sums));
        found.extend(chosen.map(|(_, sums)| sums));
    }
}
