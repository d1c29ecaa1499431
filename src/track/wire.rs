//! Numbers and texts as the bytes of a token: LEB128, and a length before each text.

/// Writes a token's body.
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins with the key's id.
    pub(super) fn new(key: u8) -> Writer {
        Writer { bytes: vec![key] }
    }

    /// A number; small ones take one byte.
    pub(super) fn int(&mut self, value: i64) {
        let mut rest = value.cast_unsigned();
        while rest >= 0x80 {
            self.bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push((rest & 0x7f) as u8);
    }

    /// A text.
    pub(super) fn text(&mut self, text: &str) {
        self.int(i64::try_from(text.len()).unwrap_or(i64::MAX));
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// The body.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads a token's body; `None` where it ends too early.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the first field.
    pub(super) fn new(rest: &'a [u8]) -> Reader<'a> {
        Reader { rest }
    }

    /// A number.
    pub(super) fn int(&mut self) -> Option<i64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            let bits = u64::from(first & 0x7f);
            value |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
            if first & 0x80 == 0 {
                return Some(value.cast_signed());
            }
        }
        None
    }

    /// A number that fits a `u32`.
    pub(super) fn small(&mut self) -> Option<u32> {
        u32::try_from(self.int()?).ok()
    }

    /// A text.
    pub(super) fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.int()?).ok()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    /// Whether all has been read.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}
