//! How a number is written for people.

/// `12,000`.
pub fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::from(if n < 0 { "-" } else { "" });
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_stand_together() {
        let written = [0, 999, 1_000, 12_000, 1_234_567, -1_000].map(grouped);
        assert_eq!(written, ["0", "999", "1,000", "12,000", "1,234,567", "-1,000"]);
    }
}
