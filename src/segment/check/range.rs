//! Whether arithmetic can leave the range of numbers: PostgreSQL fails a whole statement on overflow and underflow,
//! so what could come to that, whatever the customers' figures are, is refused beforehand.

use super::{Checker, Typed};
use crate::segment::ExprError;
use crate::segment::expr::{Sign, Value};

/// Powers of ten between which a value lies when it is not zero.
#[derive(Clone, Copy)]
struct Bounds {
    least: f64,
    most: f64,
    /// Operations so far.
    size: u32,
}

/// The most operations in one value.
const MOST: u32 = 40;
/// A sum of two doubles is zero or at least this much of the smaller: 2⁻⁵³.
const ULP: f64 = -16.0;

fn bounds(value: &Value) -> Bounds {
    match value {
        Value::Number(_) | Value::Field { .. } | Value::Attribute { .. } => Bounds { least: -9.0, most: 15.0, size: 0 },
        // whole numbers up to 2⁶³, and sums and means of them in major units
        Value::Arithmetic(left, sign, right) => {
            let (a, b) = (bounds(left), bounds(right));
            let size = a.size.saturating_add(b.size).saturating_add(1);
            let (least, most) = match sign {
                Sign::Plus | Sign::Minus => (a.least.min(b.least) + ULP, a.most.max(b.most) + 1.0),
                Sign::Times => (a.least + b.least, a.most + b.most),
                Sign::Over => (a.least - b.most, a.most - b.least),
            };
            Bounds { least, most, size }
        }
        _ => Bounds { least: -22.0, most: 32.0, size: 0 },
    }
}

impl Checker<'_> {
    pub(super) fn range_fits(&mut self, typed: &Typed) -> bool {
        let bounds = bounds(&typed.value);
        let fits = bounds.size <= MOST && bounds.least > -300.0 && bounds.most < 300.0;
        if !fits {
            let message = "this arithmetic is too long, or could leave the range of numbers";
            self.error(ExprError::new(typed.span.clone(), "arithmetic", message).help("take out a few operations"));
        }
        fits
    }
}
