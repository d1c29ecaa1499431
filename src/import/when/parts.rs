//! A written date and time, taken apart and not yet judged.

use super::wrong;
use jiff::civil::Time;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Long {
    First,
    Last,
}

/// A text taken apart, nothing judged yet.
pub(super) struct Parts {
    pub(super) date: [u32; 3],
    pub(super) long: Long,
    pub(super) mark: char,
    clock: [u32; 3],
    millis: u32,
    /// 0 or 12, where 오전/오후 or AM/PM stands.
    half: Option<u32>,
    pub(super) offset: Option<i32>,
}

impl Parts {
    pub(super) fn read(text: &str) -> Option<Parts> {
        if text.len() > 60 {
            return None;
        }
        let mut rest = Rest(text);
        let (a, digits) = rest.digits()?;
        let mark = rest.between()?;
        let (b, _) = rest.digits()?;
        rest.between()?;
        let (c, last) = rest.digits()?;
        let long = match (digits, last) {
            (4, 1 | 2) => Long::First,
            (1 | 2, 4) => Long::Last,
            _ => return None,
        };
        let mut parts = Parts { date: [a, b, c], long, mark, clock: [0; 3], millis: 0, half: None, offset: None };
        // "2026. 3. 3." and "2026년 3월 3일" end with a mark; T or blanks or a day's name in brackets come before the time
        rest.skip(|c| matches!(c, '.' | '일' | '日') || c.is_whitespace());
        rest.weekday()?;
        rest.skip(|c| c == 'T' || c == 't' || c == ',' || c.is_whitespace());
        parts.half = rest.half();
        if rest.0.is_empty() {
            return parts.half.is_none().then_some(parts);
        }
        parts.read_clock(&mut rest)?;
        rest.skip(char::is_whitespace);
        parts.half = parts.half.or_else(|| rest.half());
        rest.skip(char::is_whitespace);
        parts.offset = rest.offset()?;
        rest.0.trim().is_empty().then_some(parts)
    }

    fn read_clock(&mut self, rest: &mut Rest<'_>) -> Option<()> {
        let (hour, digits) = rest.digits()?;
        (digits <= 2).then_some(())?;
        self.clock[0] = hour;
        for place in 1..3 {
            let before = rest.0;
            rest.skip(|c| matches!(c, ':' | '시' | '분' | '時') || c.is_whitespace());
            if before.len() == rest.0.len() || !rest.0.starts_with(|c: char| c.is_ascii_digit()) {
                // nothing more of the clock: what was skipped may stand before an offset or AM
                break;
            }
            let (n, digits) = rest.digits()?;
            (digits <= 2).then_some(())?;
            self.clock[place] = n;
        }
        if let Some(fraction) = rest.0.strip_prefix(['.', ',']) {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            let digits = &fraction[..end];
            (!digits.is_empty() && digits.len() <= 9).then_some(())?;
            self.millis = format!("{digits:0<3}")[..3].parse().ok()?;
            rest.0 = &fraction[end..];
        }
        rest.skip(|c| c == '초');
        Some(())
    }

    pub(super) fn time(&self, text: &str) -> Result<Time, String> {
        let [hour, minute, second] = self.clock;
        let hour = match self.half {
            None => hour,
            Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
            // 오후 14:10 says the same twice
            Some(12) if (13..24).contains(&hour) => hour,
            Some(_) => return Err(wrong(text)),
        };
        let small = |n: u32| i8::try_from(n).map_err(|_| wrong(text));
        let nanos = i32::try_from(self.millis * 1_000_000).map_err(|_| wrong(text))?;
        // a leap second is the second before it
        let second = if second == 60 { 59 } else { second };
        Time::new(small(hour)?, small(minute)?, small(second)?, nanos).map_err(|_| wrong(text))
    }
}

struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn skip(&mut self, what: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(what);
    }

    fn digits(&mut self) -> Option<(u32, usize)> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        if end == 0 || end > 4 {
            return None;
        }
        let n = self.0[..end].parse().ok()?;
        self.0 = &self.0[end..];
        Some((n, end))
    }

    /// What stands between the parts of a date.
    fn between(&mut self) -> Option<char> {
        let mark = self.0.chars().find(|c| !c.is_whitespace())?;
        self.skip(char::is_whitespace);
        if !matches!(mark, '-' | '/' | '.' | '년' | '월' | '年' | '月') {
            return None;
        }
        self.0 = &self.0[mark.len_utf8()..];
        self.skip(char::is_whitespace);
        Some(mark)
    }

    /// `(화)` or `화요일`, passed over; `None` when a bracket does not close.
    fn weekday(&mut self) -> Option<()> {
        if let Some(inside) = self.0.strip_prefix('(') {
            self.0 = &inside[inside.find(')')? + 1..];
        } else if let Some(at) = self.0.find("요일").filter(|at| *at <= 3) {
            self.0 = &self.0[at + "요일".len()..];
        }
        Some(())
    }

    fn half(&mut self) -> Option<u32> {
        for (word, half) in [("오전", 0), ("오후", 12), ("AM", 0), ("PM", 12), ("a.m.", 0), ("p.m.", 12)] {
            if self.0.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) {
                self.0 = self.0[word.len()..].trim_start();
                return Some(half);
            }
        }
        None
    }

    /// `Z`, `+09:00`, `+0900`, `UTC`, `GMT`, `KST`; outer `None` when it is none of these.
    fn offset(&mut self) -> Option<Option<i32>> {
        let text = std::mem::take(&mut self.0).trim();
        // RFC 9557's zone in brackets repeats the offset
        let text = text.split('[').next().unwrap_or_default();
        match text {
            "" => return Some(None),
            "Z" | "z" | "UTC" | "GMT" => return Some(Some(0)),
            "KST" => return Some(Some(9 * 3600)),
            _ => {}
        }
        let sign = match text.chars().next()? {
            '+' => 1,
            '-' | '−' => -1,
            _ => return None,
        };
        let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
        if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 2 | 4) {
            return None;
        }
        let hours: i32 = digits[..2].parse().ok()?;
        let minutes: i32 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
        (hours <= 18 && minutes < 60).then_some(Some(sign * (hours * 3600 + minutes * 60)))
    }
}
