//! The score: evidence of three kinds added up on the logit scale, and taken apart into points that add up exactly.

/// 1/(1+e^(−x)).
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ln(p/(1−p)), with p kept a millionth away from 0 and 1.
pub fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

/// What one kind of evidence says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// n: how much evidence there is.
    pub n: f64,
    /// What it says, 0..1.
    pub p: f64,
    /// What it says of the median active customer.
    pub base: f64,
    /// w.
    pub weight: f64,
    /// κ.
    pub kappa: f64,
}

impl Part {
    /// c = w · n/(n+κ) · (logit p − logit base); nothing without evidence.
    pub fn contribution(&self) -> f64 {
        if self.n <= 0.0 {
            return 0.0;
        }
        self.weight * self.n / (self.n + self.kappa) * (logit(self.p) - logit(self.base))
    }
}

/// A score and where it comes from; all of 0–100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Base and points together.
    pub score: f64,
    /// Where somebody starts of whom nothing is known.
    pub base: f64,
    /// What each part adds.
    pub points: [f64; 3],
}

/// logit s = logit(base) + Σ c; the points of a part are c·(score − base)/Σc, or its limit c·100·b·(1−b) as Σc → 0, so
/// that base and points add up to the score.
pub fn score(base: f64, parts: [f64; 3]) -> Score {
    let start = 100.0 * sigmoid(base);
    let sum: f64 = parts.iter().sum();
    let score = 100.0 * sigmoid(base + sum);
    let per_unit = if sum.abs() < 1e-7 {
        let b = sigmoid(base);
        100.0 * b * (1.0 - b)
    } else {
        (score - start) / sum
    };
    Score { score, base: start, points: parts.map(|c| c * per_unit) }
}

/// Rounds numbers to tenths so that the rounded ones add up to the rounded sum: largest remainder. Gives tenths.
pub fn tenths(numbers: &[f64]) -> Vec<i64> {
    let total = (numbers.iter().sum::<f64>() * 10.0).round() as i64;
    let mut rounded: Vec<i64> = numbers.iter().map(|n| (n * 10.0).floor() as i64).collect();
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    let remainder = |i: &usize| numbers[*i] * 10.0 - (numbers[*i] * 10.0).floor();
    order.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)));
    let missing = total - rounded.iter().sum::<i64>();
    for i in order.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        rounded[i] += 1;
    }
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn opposite_evidence_of_equal_strength_cancels_and_still_has_points() {
        let s = score(0.0, [0.5, -0.5, 0.0]);
        assert!((s.score - 50.0).abs() < 1e-12);
        assert!((s.points[0] - 12.5).abs() < 1e-9 && (s.points[1] + 12.5).abs() < 1e-9, "{s:?}");
    }

    #[test]
    fn no_evidence_counts_nothing_whatever_it_says() {
        assert_eq!(Part { n: 0.0, p: 0.99, base: 0.1, weight: 5.0, kappa: 0.0 }.contribution(), 0.0);
        let half = Part { n: 5.0, p: 0.5, base: 0.25, weight: 1.0, kappa: 5.0 };
        assert!((half.contribution() - 0.5 * 3.0_f64.ln()).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn points_add_up_exactly(base in -8.0..8.0_f64, parts in prop::array::uniform3(-12.0..12.0_f64), tiny in any::<bool>()) {
            let parts = if tiny { parts.map(|c| c * 1e-8) } else { parts };
            let s = score(base, parts);
            prop_assert!((s.base + s.points.iter().sum::<f64>() - s.score).abs() < 1e-9, "{:?}", s);
            // beyond a logit of 36 a double rounds to the end itself
            prop_assert!((0.0..=100.0).contains(&s.score));
            prop_assert!(parts.iter().zip(s.points).all(|(c, p)| c * p >= 0.0), "a point has the sign of its evidence");
            let shown = tenths(&[s.base, s.points[0], s.points[1], s.points[2]]);
            prop_assert_eq!(shown.iter().sum::<i64>(), (s.score * 10.0).round() as i64);
            for (shown, exact) in shown.iter().zip([s.base, s.points[0], s.points[1], s.points[2]]) {
                prop_assert!((*shown as f64 / 10.0 - exact).abs() < 0.1 + 1e-9);
            }
        }
    }
}
