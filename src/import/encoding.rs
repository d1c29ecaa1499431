//! Any of the encodings that Excel writes, as UTF-8; told by the bytes, and said in the report.
//!
//! A byte order mark decides. Without one, bytes are passed on as long as they are ASCII, which is the same in all; at
//! the first that is not, a look ahead tells UTF-8 from CP949 from Windows-1252 by which of them makes sense of it. What
//! is invalid becomes U+FFFD, by which the row is rejected later, and not the file.

use encoding_rs::{CoderResult, EUC_KR, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

const BLOCK: usize = 64 * 1024;
/// How far the look ahead goes.
const SAMPLE: usize = 256 * 1024;

/// The name of the encoding as people know it, readable while another thread decodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Arc<Mutex<Option<&'static str>>>);

impl Told {
    /// `UTF-8` when nothing but ASCII was seen.
    pub(super) fn name(&self) -> &'static str {
        self.0.lock().map_or(None, |name| *name).unwrap_or("UTF-8")
    }
    fn set(&self, name: &'static str) {
        if let Ok(mut told) = self.0.lock() {
            *told = Some(name);
        }
    }
}

enum State {
    Start,
    Ascii,
    Known(encoding_rs::Decoder),
}

/// Reads bytes of any encoding, gives UTF-8.
pub(super) struct Decoder<R> {
    inner: R,
    ended: bool,
    /// Read into, again and again.
    block: Vec<u8>,
    raw: Vec<u8>,
    /// Written into, again and again; `given..ready` of it waits to be read.
    out: Vec<u8>,
    ready: usize,
    given: usize,
    state: State,
    flushed: bool,
    pub(super) told: Told,
}

impl<R: Read> Decoder<R> {
    pub(super) fn new(inner: R) -> Decoder<R> {
        Decoder {
            inner,
            ended: false,
            block: vec![0; BLOCK],
            raw: Vec::new(),
            out: Vec::new(),
            ready: 0,
            given: 0,
            state: State::Start,
            flushed: false,
            told: Told::default(),
        }
    }

    /// Reads until `raw` holds `wanted` bytes or the input ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.raw.len() < wanted && !self.ended {
            match self.inner.read(&mut self.block) {
                Ok(n) => {
                    self.raw.extend_from_slice(&self.block[..n]);
                    self.ended = n == 0;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Puts the next text into `out`; nothing more comes when none is ready then.
    fn advance(&mut self) -> io::Result<()> {
        (self.given, self.ready) = (0, 0);
        while self.ready == 0 && !self.flushed {
            match &mut self.state {
                State::Start => {
                    self.fill(4096)?;
                    match marked(&self.raw) {
                        Some((encoding, name, mark)) => {
                            self.raw.drain(..mark);
                            self.told.set(name);
                            self.state = State::Known(encoding.new_decoder_without_bom_handling());
                        }
                        None => self.state = State::Ascii,
                    }
                }
                State::Ascii => {
                    self.fill(1)?;
                    let ascii = Encoding::ascii_valid_up_to(&self.raw);
                    self.room(ascii);
                    self.out[..ascii].copy_from_slice(&self.raw[..ascii]);
                    self.raw.drain(..ascii);
                    self.ready = ascii;
                    if !self.raw.is_empty() {
                        self.fill(SAMPLE)?;
                        let (encoding, name) = tell(&self.raw, self.ended);
                        self.told.set(name);
                        self.state = State::Known(encoding.new_decoder_without_bom_handling());
                    } else if self.ended {
                        self.flushed = true;
                    }
                }
                State::Known(_) => {
                    self.fill(1)?;
                    self.decode();
                }
            }
        }
        Ok(())
    }

    fn decode(&mut self) {
        // no encoding takes more than three bytes for one of its own
        self.room(self.raw.len() * 3 + 16);
        let State::Known(decoder) = &mut self.state else { return };
        let last = self.ended;
        let (result, read, written, _) = decoder.decode_to_utf8(&self.raw, &mut self.out, last);
        self.ready = written;
        self.raw.drain(..read);
        self.flushed = last && result == CoderResult::InputEmpty;
    }

    fn room(&mut self, wanted: usize) {
        if self.out.len() < wanted {
            self.out.resize(wanted, 0);
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready {
            self.advance()?;
        }
        let n = buffer.len().min(self.ready - self.given);
        buffer[..n].copy_from_slice(&self.out[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

/// The encoding that a mark or the zeros of UTF-16 tell, and how long the mark is.
fn marked(head: &[u8]) -> Option<(&'static Encoding, &'static str, usize)> {
    if head.starts_with(b"\xef\xbb\xbf") {
        return Some((UTF_8, "UTF-8 with BOM", 3));
    }
    if head.starts_with(b"\xff\xfe") {
        return Some((UTF_16LE, "UTF-16 LE", 2));
    }
    if head.starts_with(b"\xfe\xff") {
        return Some((UTF_16BE, "UTF-16 BE", 2));
    }
    // without a mark, a header in UTF-16 has a zero beside each of its commas and line ends
    let head = &head[..head.len().min(4096)];
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let pairs = head.len() / 2;
    if pairs >= 2 && odd * 4 > pairs && even * 8 < odd {
        return Some((UTF_16LE, "UTF-16 LE", 0));
    }
    if pairs >= 2 && even * 4 > pairs && odd * 8 < even {
        return Some((UTF_16BE, "UTF-16 BE", 0));
    }
    None
}

/// Which encoding makes sense of a sample that begins with a byte that is not ASCII.
fn tell(sample: &[u8], whole: bool) -> (&'static Encoding, &'static str) {
    let (mut valid, mut invalid) = (0_usize, 0_usize);
    let mut chunks = sample.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        let cut = !whole && chunks.peek().is_none();
        invalid += usize::from(!chunk.invalid().is_empty() && !cut);
    }
    if valid > invalid {
        return (UTF_8, "UTF-8");
    }
    let (text, _) = EUC_KR.decode_without_bom_handling(sample);
    let lost = text.chars().filter(|c| *c == '\u{fffd}').count();
    let read = text.chars().filter(|c| !c.is_ascii() && *c != '\u{fffd}').count();
    if lost * 3 <= read { (EUC_KR, "CP949") } else { (WINDOWS_1252, "Windows-1252") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives few bytes at a time, as a pipe does.
    struct Drip<'a>(&'a [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(3).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn read(bytes: &[u8]) -> (String, &'static str) {
        let mut decoder = Decoder::new(Drip(bytes));
        let mut text = String::new();
        decoder.read_to_string(&mut text).unwrap();
        (text, decoder.told.name())
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    }

    #[test]
    fn each_encoding_is_told_by_its_bytes() {
        let text = "이름,email\r\n홍길동,hong@haru.example\r\n";
        let (cp949, _, lost) = EUC_KR.encode(text);
        assert!(!lost);
        assert_eq!(read(text.as_bytes()), (text.into(), "UTF-8"));
        assert_eq!(read(&[b"\xef\xbb\xbf", text.as_bytes()].concat()), (text.into(), "UTF-8 with BOM"));
        assert_eq!(read(&cp949), (text.into(), "CP949"));
        assert_eq!(read(&[b"\xff\xfe".as_slice(), &utf16(text, false)].concat()), (text.into(), "UTF-16 LE"));
        assert_eq!(read(&[b"\xfe\xff".as_slice(), &utf16(text, true)].concat()), (text.into(), "UTF-16 BE"));
        let ascii = "email,name\r\na@haru.example,Ann\r\n";
        assert_eq!(read(&utf16(ascii, false)), (ascii.into(), "UTF-16 LE"));
        assert_eq!(read(&utf16(ascii, true)), (ascii.into(), "UTF-16 BE"));
        assert_eq!(read(b"name\r\nJos\xe9,M\xfcller\r\n"), ("name\r\nJosé,Müller\r\n".into(), "Windows-1252"));
        assert_eq!(read(b""), (String::new(), "UTF-8"));
    }

    #[test]
    fn korean_late_in_the_file_is_still_told() {
        let mut bytes = b"email,name\n".to_vec();
        bytes.extend(b"a@haru.example,Ann\n".repeat(20_000));
        let (korean, _, _) = EUC_KR.encode("b@haru.example,뷁홍길동\n");
        bytes.extend_from_slice(&korean);
        let mut decoder = Decoder::new(bytes.as_slice());
        let mut text = String::new();
        decoder.read_to_string(&mut text).unwrap();
        assert!(text.ends_with("b@haru.example,뷁홍길동\n"));
        assert_eq!(decoder.told.name(), "CP949");
    }

    #[test]
    fn what_is_invalid_is_marked_and_the_rest_is_read() {
        let (text, name) = read("홍길동\n\u{0}김민지 이름\n".replace('\u{0}', "!").as_bytes());
        assert_eq!((text.as_str(), name), ("홍길동\n!김민지 이름\n", "UTF-8"));
        let mut bytes = "홍길동\n".as_bytes().to_vec();
        bytes.extend_from_slice(b"\xff\xfeX\n");
        bytes.extend_from_slice("김민지\n".as_bytes());
        let (text, name) = read(&bytes);
        assert_eq!(name, "UTF-8");
        assert!(text.starts_with("홍길동\n\u{fffd}") && text.ends_with("X\n김민지\n"), "{text:?}");
    }
}
