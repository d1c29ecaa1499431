//! What is no text at all is refused before a column is looked for, with a word on what it seems to be and what to do.

/// What the first bytes of a file that is no text seem to be, and what to do with it.
pub(super) fn seems(head: &[u8]) -> Option<(&'static str, &'static str)> {
    const SAVE: &str = "open it and save it as CSV, which Excel calls \"CSV UTF-8 (comma delimited)\"";
    const NOT: &str = "export the data as CSV where it comes from";
    let starts = |magic: &[u8]| head.starts_with(magic);
    let holds = |word: &str| head.windows(word.len()).any(|part| part == word.as_bytes());
    Some(if starts(b"PK\x03\x04") {
        match () {
            () if ["[Content_Types].xml", "_rels/", "docProps/", "xl/"].into_iter().any(holds) => {
                ("an Excel workbook (xlsx)", SAVE)
            }
            () if holds("opendocument.spreadsheet") => ("a LibreOffice spreadsheet (ods)", SAVE),
            () => ("a ZIP archive or an Excel workbook", "unpack it, or open it and save it as CSV"),
        }
    } else if starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        ("an old Excel workbook (xls)", SAVE)
    } else if starts(b"%PDF-") {
        ("a PDF", NOT)
    } else if starts(b"\x1f\x8b") {
        ("compressed with gzip", "unpack it first: gunzip FILE")
    } else if starts(b"\x28\xb5\x2f\xfd") || starts(b"BZh") && head.get(4..10) == Some(b"1AY&SY") {
        ("a compressed file", "unpack it first")
    } else if starts(b"7z\xbc\xaf\x27\x1c") || starts(b"Rar!\x1a\x07") {
        ("an archive", "unpack it first")
    } else if starts(b"SQLite format 3\0") {
        ("an SQLite database", NOT)
    } else if starts(b"PAR1") {
        ("a Parquet file", NOT)
    } else if starts(b"\x89PNG") || starts(b"\xff\xd8\xff") || starts(b"GIF8") {
        ("a picture", NOT)
    } else {
        return None;
    })
}

/// Whether the first line is none of a text: a column's name holds no NUL.
pub(super) fn no_text(first_line: &[u8]) -> bool {
    first_line.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_text_is_not_taken_for_anything_else() {
        for text in ["email\n", "PK,email\n", "BZh,email\n", "%PDF,x", "{\"PK\": 1}", "", "7z;email", "PAR,1"] {
            assert_eq!(seems(text.as_bytes()), None, "{text}");
        }
        assert_eq!(seems(b"PK\x03\x04..........[Content_Types].xml").unwrap().0, "an Excel workbook (xlsx)");
        assert_eq!(seems(b"PK\x03\x04......photo.jpg").unwrap().0, "a ZIP archive or an Excel workbook");
    }
}
