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
