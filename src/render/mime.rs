//! A mail as bytes: headers and both alternatives, written in one pass. The last line of defence against header
//! injection: nothing with a control character in it becomes a header.
//!
//! Written by hand because it is the hot spot of a campaign: a general message builder copies each part several times.

use super::merge::Merged;
use super::pieces::Text;
use super::transfer::Encoding;
use crate::types::{Email, Timestamp, email::Mailbox};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// What stands above the contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Who it comes from.
    pub from: Mailbox,
    /// Where answers go, when not to `from`.
    pub reply_to: Option<Email>,
    /// Who gets it.
    pub to: Email,
    /// Their name.
    pub to_name: Option<String>,
    /// When it was written.
    pub date: Timestamp,
    /// Without angle brackets, `id@domain`; an id alone gets the sender's domain.
    pub message_id: String,
    /// The one-click address (https) and the mailto address; a marketing mail has both.
    pub list_unsubscribe: Option<(String, String)>,
    /// Such as `newsletter.haru.example`, without angle brackets.
    pub list_id: Option<String>,
    /// Such as `spring:newsletter:dangol`, by which Gmail groups complaints.
    pub feedback_id: Option<String>,
}

/// Why a mail cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MimeError {
    /// It would end the header and begin another.
    #[error("the header {header} holds a line break or another control character")]
    Control {
        /// Its name.
        header: &'static str,
    },
    /// What stands in it is not what has to stand there.
    #[error("the header {header} holds {value:?}, which cannot stand there")]
    Value {
        /// Its name.
        header: &'static str,
        /// Its beginning.
        value: String,
    },
}

/// Writes the mail: CRLF, ASCII but for a local part that is not, no line longer than 998 octets.
///
/// # Errors
/// When something cannot be a header.
pub fn mail(content: &Merged<'_>, headers: &Headers) -> Result<Vec<u8>, MimeError> {
    let mut head = String::with_capacity(2048);
    mailbox(&mut head, "From", headers.from.name.as_deref(), &headers.from.email)?;
    mailbox(&mut head, "To", headers.to_name.as_deref(), &headers.to)?;
    if let Some(reply_to) = &headers.reply_to {
        mailbox(&mut head, "Reply-To", None, reply_to)?;
    }
    text(&mut head, "Subject", &content.subject)?;
    let date = jiff::fmt::rfc2822::to_string(&headers.date.to_zoned(jiff::tz::TimeZone::UTC));
    let date = date.map_err(|_| MimeError::Value { header: "Date", value: headers.date.to_string() })?;
    let _ = write!(head, "Date: {date}\r\n");
    let id = match headers.message_id.contains('@') {
        true => headers.message_id.clone(),
        false => format!("{}@{}", headers.message_id, headers.from.email.domain()),
    };
    bracketed(&mut head, "Message-ID", &id)?;
    if let Some((https, mailto)) = &headers.list_unsubscribe {
        for (value, scheme) in [(https, "https://"), (mailto, "mailto:")] {
            // a plain-http site is one on a developer's own machine
            let local = scheme == "https://" && value.starts_with("http://");
            if !value.starts_with(scheme) && !local {
                return Err(wrong("List-Unsubscribe", value));
            }
            graphic("List-Unsubscribe", value)?;
        }
        let _ = write!(head, "List-Unsubscribe: <{https}>,\r\n <{mailto}>\r\n");
        head.push_str("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
    }
    if let Some(id) = &headers.list_id {
        bracketed(&mut head, "List-ID", id)?;
    }
    if let Some(id) = &headers.feedback_id {
        graphic("Feedback-ID", id)?;
        let _ = write!(head, "Feedback-ID: {id}\r\n");
    }
    let parts = [("plain", &content.text), ("html", &content.html)];
    let parts = parts.map(|(kind, text)| (kind, text, Encoding::of(text)));
    let size: usize = parts.iter().map(|(_, text, encoding)| encoding.size(text) + 256).sum();
    let mut out = Vec::with_capacity(head.len() + size);
    let mut mark = blake3::hash(id.as_bytes());
    loop {
        let boundary = format!("=_{}", &mark.to_hex()[..24]);
        out.extend_from_slice(head.as_bytes());
        if alternatives(&parts, &boundary, &mut out) {
            return Ok(out);
        }
        out.clear();
        mark = blake3::hash(mark.as_bytes());
    }
}

/// Writes the parts between lines of `boundary`; whether that stands in none of them.
fn alternatives(parts: &[(&str, &Text<'_>, Encoding)], boundary: &str, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"");
    out.extend_from_slice(boundary.as_bytes());
    out.extend_from_slice(b"\"\r\n\r\n");
    for (kind, text, encoding) in parts {
        out.extend_from_slice(b"--");
        out.extend_from_slice(boundary.as_bytes());
        out.extend_from_slice(b"\r\nContent-Type: text/");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"; charset=utf-8\r\nContent-Transfer-Encoding: ");
        out.extend_from_slice(encoding.name().as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
        let start = out.len();
        encoding.write(text, out);
        // quoted-printable writes no `=_`
        if *encoding == Encoding::SevenBit && memchr::memmem::find(&out[start..], boundary.as_bytes()).is_some() {
            return false;
        }
        // the line break before a boundary is the boundary's, not the text's
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"--");
    out.extend_from_slice(boundary.as_bytes());
    out.extend_from_slice(b"--\r\n");
    true
}

fn wrong(header: &'static str, value: &str) -> MimeError {
    MimeError::Value { header, value: value.chars().take(60).collect() }
}

fn no_control(header: &'static str, value: &str) -> Result<(), MimeError> {
    if value.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(MimeError::Control { header });
    }
    Ok(())
}

/// ASCII without spaces and angle brackets, and short enough for a line.
fn graphic(header: &'static str, value: &str) -> Result<(), MimeError> {
    no_control(header, value)?;
    let good = !value.is_empty()
        && value.len() <= 900
        && value.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
    if good { Ok(()) } else { Err(wrong(header, value)) }
}

fn bracketed(out: &mut String, header: &'static str, value: &str) -> Result<(), MimeError> {
    graphic(header, value)?;
    let _ = write!(out, "{header}: <{value}>\r\n");
    Ok(())
}

fn mailbox(out: &mut String, header: &'static str, name: Option<&str>, email: &Email) -> Result<(), MimeError> {
    no_control(header, email.as_str())?;
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
        let _ = write!(out, "{header}: {email}\r\n");
        return Ok(());
    };
    no_control(header, name)?;
    let atoms = name.bytes().all(|b| b.is_ascii_alphanumeric() || b" !#$%&'*+-/=?^_`{|}~".contains(&b));
    let printable = name.bytes().all(|b| (0x20..0x7f).contains(&b));
    let _ = write!(out, "{header}:");
    if !printable || name.len() > 60 || name.contains("=?") {
        encoded_words(out, header.len() + 1, name);
    } else if atoms {
        let _ = write!(out, " {name}");
    } else {
        let _ = write!(out, " \"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    }
    let line = out.rfind('\n').map_or(out.len(), |at| out.len() - at - 1);
    let fold = if line + email.as_str().len() + 3 > 76 { "\r\n " } else { " " };
    let _ = write!(out, "{fold}<{email}>\r\n");
    Ok(())
}

/// A header of free text: as it is when it is short ASCII, else in encoded words.
fn text(out: &mut String, header: &'static str, value: &str) -> Result<(), MimeError> {
    no_control(header, value)?;
    let _ = write!(out, "{header}:");
    let plain = value.bytes().all(|b| (0x20..0x7f).contains(&b)) && !value.contains("=?") && !value.contains("  ");
    if plain && value.split(' ').all(|word| word.len() <= 70) {
        let mut column = header.len() + 1;
        for word in value.split(' ') {
            if column + 1 + word.len() > 76 && column > header.len() + 1 {
                out.push_str("\r\n");
                column = 0;
            }
            out.push(' ');
            out.push_str(word);
            column += 1 + word.len();
        }
    } else {
        encoded_words(out, header.len() + 1, value);
    }
    out.push_str("\r\n");
    Ok(())
}

/// ` =?UTF-8?B?…?=` (RFC 2047), each at most 75 characters and of whole characters, folded.
fn encoded_words(out: &mut String, column: usize, value: &str) {
    let mut room = (75 - 12 - column.min(30)) / 4 * 3;
    let mut rest = value;
    let mut first = true;
    while !rest.is_empty() {
        let mut end = room.min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        if end == 0 {
            end = rest.chars().next().map_or(rest.len(), char::len_utf8);
        }
        if !first {
            out.push_str("\r\n");
        }
        let _ = write!(out, " =?UTF-8?B?{}?=", STANDARD.encode(&rest[..end]));
        rest = &rest[end..];
        first = false;
        room = 45;
    }
}
