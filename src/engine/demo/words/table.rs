//! Lines in columns that stand beneath each other in Korean, too, whose letters are two columns wide.

use unicode_width::UnicodeWidthStr as _;

/// Rows with the first column to the left and the numbers to the right.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let mut text = String::from("  ");
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let space = " ".repeat(width - cell.width());
            let (before, after) = if at == 0 { ("", space.as_str()) } else { (space.as_str(), "") };
            let gap = if at == 0 { "" } else { "  " };
            text += &format!("{gap}{before}{cell}{after}");
        }
        text.trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn wide_letters_take_two_columns() {
        let rows = [["단골", "1"], ["all", "1,000"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows), "  단골      1\n  all   1,000");
    }
}
