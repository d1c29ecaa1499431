//! Randomness as arithmetic: who falls into which arm follows from ids alone, in plain integer SQL, the same everywhere.

/// The prime 2³¹−1.
pub const PRIME: i64 = 2_147_483_647;

/// A customer's bucket, 0..2³¹−2: splitmix64 of the id (Steele, Lea, Flood 2014), folded into the prime.
pub fn bucket(id: i64) -> i64 {
    let mut z = id.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z % PRIME.cast_unsigned()).cast_signed()
}

/// A draw for one purpose: `(bucket * a + b) % PRIME` is uniform over 0..2³¹−2 and independent of other purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// 1..PRIME−1.
    pub a: i64,
    /// 0..PRIME−1.
    pub b: i64,
}

impl Draw {
    /// The draw of a campaign (by its id in the database, which a rename does not change) for a purpose such as `holdout`.
    pub fn new(campaign: i64, purpose: &str) -> Draw {
        let mut hasher = blake3::Hasher::new_derive_key("dangol draw v1");
        hasher.update(&campaign.to_be_bytes());
        hasher.update(purpose.as_bytes());
        let hash = hasher.finalize();
        let word = |at: usize| {
            let bytes: [u8; 8] = std::array::from_fn(|i| hash.as_bytes()[at + i]);
            i64::from_be_bytes(bytes) & i64::MAX
        };
        Draw { a: 1 + word(0) % (PRIME - 1), b: word(8) % PRIME }
    }

    /// The customer's number in this draw.
    pub fn of(self, bucket: i64) -> i64 {
        (bucket * self.a + self.b) % PRIME
    }

    /// The number below which a share (0..=1) of all draws lies.
    pub fn threshold(share: f64) -> i64 {
        (share.clamp(0.0, 1.0) * PRIME as f64).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_out_and_purposes_are_independent() {
        let (holdout, variant) = (Draw::new(7, "holdout"), Draw::new(7, "variant"));
        let n = 200_000;
        let (mut in_holdout, mut both) = (0, 0);
        for id in 1..=n {
            let held = holdout.of(bucket(id)) < Draw::threshold(0.1);
            in_holdout += i64::from(held);
            both += i64::from(held && variant.of(bucket(id)) < Draw::threshold(0.5));
        }
        // five standard deviations of a binomial
        assert!((in_holdout - n / 10).abs() < 5 * 134, "{in_holdout}");
        assert!((both - n / 20).abs() < 5 * 97, "{both}");
    }
}
