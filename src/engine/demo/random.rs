//! Chance for the demo: splitmix64 (Steele, Lea, Flood 2014) in integers alone, so that no rounding differs anywhere.

/// A stream of numbers that follows from its seed.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The stream for one thing: of the demo's seed, a purpose, and a number within it. Streams do not disturb each other,
    /// so a new draw for one person changes nobody else.
    pub(super) fn of(purpose: &str, number: u64) -> Random {
        // FNV-1a, enough to tell purposes apart
        let hash = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let mut random = Random(hash ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.next();
        random
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0..n, by the high half of a product.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// low..=high.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True `n` times of a thousand.
    pub(super) fn per_mille(&mut self, n: u64) -> bool {
        self.below(1_000) < n
    }

    /// One of them; there has to be one.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// Fisher and Yates.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_the_same_everywhere_and_apart_from_each_other() {
        // computed apart, in Python
        let mut first = Random::of("a", 1);
        assert_eq!([first.below(1_000), first.below(1_000), first.below(1_000)], [665, 73, 205]);
        assert_ne!(Random::of("a", 1).next(), Random::of("a", 2).next());
        assert_ne!(Random::of("a", 1).next(), Random::of("b", 1).next());
    }

    #[test]
    fn below_is_even() {
        let mut random = Random::of("even", 0);
        let mut counts = [0_i32; 10];
        (0..100_000).for_each(|_| counts[random.below(10) as usize] += 1);
        // six standard deviations of a binomial
        assert!(counts.iter().all(|count| (count - 10_000).abs() < 570), "{counts:?}");
    }
}
