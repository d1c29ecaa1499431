//! Questions and answers of DNS as bytes (RFC 1035, section 4). What comes in is anybody's: nothing is read past its end,
//! and no name goes round in a circle.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    A = 1,
    Ptr = 12,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Address(IpAddr),
    Name(String),
    Exchange(u16, String),
    Text(String),
}

/// How a packet is taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Not the answer to this question.
    Stranger,
    /// Too long for UDP.
    Cut,
    /// These; none when there is nothing of that kind, or no such name.
    Values(Vec<Value>),
    /// The server could not, in its word for it.
    Refused(String),
}

const HEAD: usize = 12;

/// A question; none when the name cannot stand in one.
pub(super) fn query(id: [u8; 2], name: &str, kind: Kind) -> Option<Vec<u8>> {
    // recursion desired, one question, one additional record
    let mut out = vec![id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    let name = name.trim_end_matches('.');
    if name.is_empty() || name.len() > 253 {
        return None;
    }
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        out.push(length);
        out.extend_from_slice(label.as_bytes());
    }
    out.extend_from_slice(&[0, 0, kind as u8, 0, 1]);
    // EDNS (RFC 6891): answers of up to 1,232 octets fit a packet
    out.extend_from_slice(&[0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
    Some(out)
}

/// The values of `kind` in a packet that is to answer `query`. A server that recurses puts them behind a CNAME in the same
/// answer, so whose name they stand under is not asked.
pub(super) fn answer(packet: &[u8], query: &[u8], kind: Kind) -> Answer {
    read(packet, query, kind).unwrap_or(Answer::Stranger)
}

fn read(packet: &[u8], query: &[u8], kind: Kind) -> Option<Answer> {
    let number = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    let is_answer = packet.get(2)? & 0x80 != 0 && packet.get(..2)? == query.get(..2)?;
    if !is_answer || number(4)? != 1 {
        return None;
    }
    let (asked, mut at) = name(packet, HEAD)?;
    let (wanted, _) = name(query, HEAD)?;
    if !asked.eq_ignore_ascii_case(&wanted) || number(at)? != kind as u16 {
        return None;
    }
    at += 4;
    match packet.get(3)? & 15 {
        0 => {}
        // there is no such name
        3 => return Some(Answer::Values(Vec::new())),
        2 => return Some(Answer::Refused("SERVFAIL".into())),
        5 => return Some(Answer::Refused("REFUSED".into())),
        other => return Some(Answer::Refused(format!("error {other}"))),
    }
    if packet.get(2)? & 2 != 0 {
        return Some(Answer::Cut);
    }
    let mut values = Vec::new();
    for _ in 0..number(6)? {
        at = name(packet, at)?.1;
        let (found, length) = (number(at)?, usize::from(number(at + 8)?));
        let data = at + 10..at + 10 + length;
        at = data.end;
        if packet.len() < at {
            return None;
        }
        if found == kind as u16 {
            values.push(value(packet, data, kind)?);
        }
    }
    Some(Answer::Values(values))
}

fn value(packet: &[u8], at: std::ops::Range<usize>, kind: Kind) -> Option<Value> {
    let data = packet.get(at.clone())?;
    Some(match kind {
        Kind::A => Value::Address(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
        Kind::Aaaa => Value::Address(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
        Kind::Ptr => Value::Name(name(packet, at.start)?.0),
        Kind::Mx => {
            let preference = u16::from_be_bytes([*data.first()?, *data.get(1)?]);
            Value::Exchange(preference, name(packet, at.start + 2)?.0)
        }
        Kind::Txt => {
            let (mut text, mut rest) = (Vec::new(), data);
            while let Some((length, more)) = rest.split_first() {
                let (part, more) = more.split_at_checked(usize::from(*length))?;
                text.extend_from_slice(part);
                rest = more;
            }
            Value::Text(String::from_utf8_lossy(&text).into_owned())
        }
    })
}

/// The name at a place, without the dot at its end but for the root's, and what follows it.
fn name(packet: &[u8], at: usize) -> Option<(String, usize)> {
    let (mut out, mut here, mut end) = (String::new(), at, None);
    // each jump goes backwards in an honest packet, and no name has more labels
    for _ in 0..128 {
        let length = *packet.get(here)?;
        match length >> 6 {
            0 if length == 0 => {
                let name = if out.is_empty() { ".".to_owned() } else { out };
                return Some((name, end.unwrap_or(here + 1)));
            }
            0 => {
                let label = packet.get(here + 1..here + 1 + usize::from(length))?;
                if !out.is_empty() {
                    out.push('.');
                }
                out.extend(label.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '?' }));
                here += 1 + usize::from(length);
            }
            3 => {
                let to = usize::from(length & 0x3f) << 8 | usize::from(*packet.get(here + 1)?);
                end = end.or(Some(here + 2));
                here = to;
            }
            _ => return None,
        }
        if out.len() > 255 {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An answer to `query` whose answer section is `records`.
    fn packet(query: &[u8], flags: [u8; 2], records: &[Vec<u8>]) -> Vec<u8> {
        let question = &query[HEAD..query.len() - 11];
        let mut out = vec![query[0], query[1], flags[0], flags[1], 0, 1, 0, records.len() as u8, 0, 0, 0, 0];
        out.extend_from_slice(question);
        out.extend(records.concat());
        out
    }

    fn record(kind: Kind, data: &[u8]) -> Vec<u8> {
        // the name is a pointer to the question's
        let mut out = vec![0xc0, 12, 0, kind as u8, 0, 1, 0, 0, 0, 60, 0, data.len() as u8];
        out.extend_from_slice(data);
        out
    }

    #[test]
    fn answers_are_read() {
        let ask = |kind| query([7, 8], "haru.example", kind).unwrap();
        let txt = ask(Kind::Txt);
        let answered =
            packet(&txt, [0x81, 0x80], &[record(Kind::Txt, b"\x03v=s\x02pf"), record(Kind::A, &[1, 2, 3, 4])]);
        assert_eq!(answer(&answered, &txt, Kind::Txt), Answer::Values(vec![Value::Text("v=spf".into())]));
        let mx = ask(Kind::Mx);
        let answered = packet(&mx, [0x81, 0x80], &[record(Kind::Mx, b"\x00\x0a\x02mx\xc0\x0c")]);
        assert_eq!(
            answer(&answered, &mx, Kind::Mx),
            Answer::Values(vec![Value::Exchange(10, "mx.haru.example".into())])
        );
        let answered = packet(&mx, [0x81, 0x80], &[record(Kind::Mx, b"\x00\x00\x00")]);
        assert_eq!(answer(&answered, &mx, Kind::Mx), Answer::Values(vec![Value::Exchange(0, ".".into())]));
        assert_eq!(answer(&packet(&mx, [0x81, 0x83], &[]), &mx, Kind::Mx), Answer::Values(vec![]));
        assert_eq!(answer(&packet(&mx, [0x83, 0x80], &[]), &mx, Kind::Mx), Answer::Cut);
        assert_eq!(answer(&packet(&mx, [0x81, 0x82], &[]), &mx, Kind::Mx), Answer::Refused("SERVFAIL".into()));
    }

    #[test]
    fn what_answers_another_question_is_nothing() {
        let mine = query([7, 8], "haru.example", Kind::Txt).unwrap();
        for other in [
            query([7, 9], "haru.example", Kind::Txt).unwrap(),
            query([7, 8], "evil.example", Kind::Txt).unwrap(),
            query([7, 8], "haru.example", Kind::Mx).unwrap(),
        ] {
            assert_eq!(answer(&packet(&other, [0x81, 0x80], &[]), &mine, Kind::Txt), Answer::Stranger);
        }
        // a question is no answer, and a name that points to itself has no end
        assert_eq!(answer(&mine, &mine, Kind::Txt), Answer::Stranger);
        let circle = packet(&mine, [0x81, 0x80], &[vec![0xc0, 30, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0]]);
        assert_eq!(answer(&circle, &mine, Kind::Txt), Answer::Stranger);
    }

    #[test]
    fn names_that_dns_cannot_hold_are_not_asked() {
        let long = format!("{}.example", "a".repeat(64));
        for wrong in ["", ".", "a..example", long.as_str(), &"a.".repeat(130)] {
            assert_eq!(query([0, 0], wrong, Kind::A), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_packet_is_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..300), keep in 0_usize..40) {
            let query = query([7, 8], "haru.example", Kind::Mx).unwrap();
            let mut whole = packet(&query, [0x81, 0x80], &[record(Kind::Mx, b"\x00\x0a\xc0\x0c")]);
            whole.truncate(keep);
            whole.extend(bytes);
            let _ = answer(&whole, &query, Kind::Mx);
        }
    }
}
