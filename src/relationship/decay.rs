//! Discounted sums that take events in any order at O(1): beside the sums stands the time for which they hold.
//!
//! An event later than that time moves it forward (the sums shrink by the decay between); an earlier event is added at
//! what is left of it. Either way the result is Σ amountᵢ · 2^(−(at−tᵢ)/h). Used by [`Sums`](super::Sums).

/// What is left of something of `at` when it is `now` (milliseconds): 2^(−age/half-life). What is dated in the future
/// counts in full until its time comes.
pub fn weight(at: i64, now: i64, half_life: f64) -> f64 {
    (-(now.saturating_sub(at).max(0) as f64) / half_life).exp2()
}

/// `N` sums that decay together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decaying<const N: usize> {
    /// The sums as of `at`.
    pub sums: [f64; N],
    /// The time of the latest event; none when there was no event.
    pub at: Option<i64>,
}

impl<const N: usize> Default for Decaying<N> {
    fn default() -> Self {
        Decaying { sums: [0.0; N], at: None }
    }
}

impl<const N: usize> Decaying<N> {
    /// Adds `amounts` of the time `at`; negative ones take back what was added with the same time.
    pub fn add(&mut self, amounts: [f64; N], at: i64, half_life: f64) {
        let reference = self.at.map_or(at, |reference| reference.max(at));
        let shrink = self.at.map_or(1.0, |old| weight(old, reference, half_life));
        let share = weight(at, reference, half_life);
        for (sum, amount) in self.sums.iter_mut().zip(amounts) {
            *sum = *sum * shrink + amount * share;
        }
        self.at = Some(reference);
    }

    /// The sums as of `now`; as of the latest event when that is later.
    pub fn value(&self, now: i64, half_life: f64) -> [f64; N] {
        let share = self.at.map_or(0.0, |at| weight(at, now, half_life));
        // taking back leaves dust of the size of rounding errors: never let it be negative
        self.sums.map(|sum| (sum * share).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn a_half_life_halves() {
        let h = 60.0 * DAY as f64;
        let mut sum = Decaying::<1>::default();
        sum.add([1.0], 0, h);
        assert!((sum.value(60 * DAY, h)[0] - 0.5).abs() < 1e-12);
        sum.add([1.0], 120 * DAY, h);
        assert!((sum.value(120 * DAY, h)[0] - 1.25).abs() < 1e-12);
        sum.add([-1.0], 0, h);
        assert!((sum.value(180 * DAY, h)[0] - 0.5).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn any_order_gives_the_same_sum(
            events in prop::collection::vec((0..4_000 * DAY, -2.0..5.0_f64), 1..60),
            order in any::<u64>(),
            days in 1..800_i64,
        ) {
            let h = (days * DAY) as f64;
            let mut shuffled = events.clone();
            shuffled.sort_by_key(|(at, _)| blake3::hash(&(at.cast_unsigned() ^ order).to_le_bytes()).as_bytes()[..8].to_vec());
            let sum_of = |events: &[(i64, f64)]| {
                let mut sum = Decaying::<1>::default();
                events.iter().for_each(|(at, amount)| sum.add([*amount], *at, h));
                sum
            };
            let (a, b) = (sum_of(&events), sum_of(&shuffled));
            prop_assert_eq!(a.at, b.at);
            prop_assert!((a.sums[0] - b.sums[0]).abs() < 1e-9, "{:?} {:?}", a, b);
            let direct: f64 = events.iter().map(|(at, amount)| amount * weight(*at, a.at.unwrap(), h)).sum();
            prop_assert!((a.sums[0] - direct).abs() < 1e-9);
        }
    }
}
