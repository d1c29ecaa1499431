//! The statistics of a comparison.

/// A difference of two shares with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Share of the first less share of the second.
    pub difference: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided p that there is none.
    pub p: f64,
}

/// 97.5 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The difference of `a` of `n` and `b` of `m`, with Newcombe's hybrid score interval (Newcombe 1998, method 10) and the
/// pooled z-test. `None` when one side is empty.
pub fn difference(a: u64, n: u64, b: u64, m: u64) -> Option<Difference> {
    if n == 0 || m == 0 {
        return None;
    }
    let (p, q) = (a as f64 / n as f64, b as f64 / m as f64);
    let ((low_p, high_p), (low_q, high_q)) = (wilson(a, n), wilson(b, m));
    let difference = p - q;
    let low = difference - ((p - low_p).powi(2) + (high_q - q).powi(2)).sqrt();
    let high = difference + ((high_p - p).powi(2) + (q - low_q).powi(2)).sqrt();
    let pooled = (a + b) as f64 / (n + m) as f64;
    let error = (pooled * (1.0 - pooled) * (1.0 / n as f64 + 1.0 / m as f64)).sqrt();
    let p_value = if error > 0.0 { erfc((difference / error).abs() / std::f64::consts::SQRT_2) } else { 1.0 };
    Some(Difference { difference, low, high, p: p_value })
}

/// A sample of amounts, by its sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// How many.
    pub n: f64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub squares: f64,
}

impl Sample {
    fn mean(&self) -> f64 {
        self.sum / self.n
    }

    /// The square of the mean's standard error.
    fn error2(&self) -> f64 {
        ((self.squares - self.sum * self.sum / self.n) / (self.n - 1.0)).max(0.0) / self.n
    }
}

/// The difference of two means with Welch's 95 % interval (Welch 1947), variances unequal; p by the normal distribution.
/// `None` when a sample has fewer than two, or none of them differs from another.
pub fn welch(a: &Sample, b: &Sample) -> Option<Difference> {
    if a.n < 2.0 || b.n < 2.0 {
        return None;
    }
    let difference = a.mean() - b.mean();
    let (va, vb) = (a.error2(), b.error2());
    let error = (va + vb).sqrt();
    // where all are alike, nothing is known of how they vary
    if error == 0.0 {
        return None;
    }
    let freedom = (va + vb).powi(2) / (va.powi(2) / (a.n - 1.0) + vb.powi(2) / (b.n - 1.0));
    let half = student(freedom) * error;
    let p = erfc((difference / error).abs() / std::f64::consts::SQRT_2);
    Some(Difference { difference, low: difference - half, high: difference + half, p })
}

/// The 97.5 % point of Student's t (Cornish and Fisher's expansion; Abramowitz and Stegun 26.7.5): to 0.5 % from four
/// degrees of freedom on.
fn student(freedom: f64) -> f64 {
    let z = Z;
    let terms = [
        (z.powi(3) + z) / 4.0,
        (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0,
        (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0,
        (79.0 * z.powi(9) + 776.0 * z.powi(7) + 1_482.0 * z.powi(5) - 1_920.0 * z.powi(3) - 945.0 * z) / 92_160.0,
    ];
    let freedom = freedom.max(1.0);
    z + terms.iter().enumerate().map(|(k, term)| term / freedom.powi(k as i32 + 1)).sum::<f64>()
}

/// Wilson's score interval.
fn wilson(x: u64, n: u64) -> (f64, f64) {
    let (n, p) = (n as f64, x as f64 / n as f64);
    let centre = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    ((centre - half) / scale, (centre + half) / scale)
}

/// The complementary error function, to 1.2e-7 everywhere (Press et al., Numerical Recipes, 6.2).
fn erfc(x: f64) -> f64 {
    let z = x.abs();
    let t = 1.0 / (1.0 + 0.5 * z);
    let series = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let polynomial = series.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let value = t * (-z * z + polynomial).exp();
    if x >= 0.0 { value } else { 2.0 - value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welch_as_published() {
        // t tables: 2.262 at 9 degrees of freedom, 2.042 at 30
        assert!((student(9.0) - 2.262).abs() < 2e-3 && (student(30.0) - 2.042).abs() < 1e-3);
        // R's `sleep` data: t.test(extra ~ group) gives -3.3654832 .. 0.2054832
        let sample =
            |of: &[f64]| Sample { n: of.len() as f64, sum: of.iter().sum(), squares: of.iter().map(|x| x * x).sum() };
        let one = sample(&[0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]);
        let two = sample(&[1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]);
        let d = welch(&one, &two).unwrap();
        assert!((d.difference + 1.58).abs() < 1e-9, "{d:?}");
        assert!((d.low + 3.365).abs() < 5e-3 && (d.high - 0.205).abs() < 5e-3, "{d:?}");
        assert_eq!(welch(&sample(&[1.0]), &two), None);
    }

    #[test]
    fn newcombes_own_example() {
        // Newcombe 1998, table II, (a): 56/70 against 48/80, method 10
        let d = difference(56, 70, 48, 80).unwrap();
        assert!((d.difference - 0.2).abs() < 1e-12);
        assert!((d.low - 0.0524).abs() < 5e-5 && (d.high - 0.3339).abs() < 5e-5, "{d:?}");
        assert!((d.p - 0.0081).abs() < 5e-4, "{d:?}");
        assert_eq!(difference(1, 0, 1, 1), None);
        assert_eq!(difference(0, 5, 0, 5).unwrap().p, 1.0);
    }
}
