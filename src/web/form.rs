//! What a POST carries.

use url::form_urlencoded;

/// The fields of a form, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads `application/x-www-form-urlencoded`, or the text fields of `multipart/form-data`, which RFC 8058 (3.2)
    /// allows for one-click unsubscribe; anything else has no fields.
    pub(super) fn read(content_type: Option<&str>, body: &[u8]) -> Form {
        let content_type = content_type.unwrap_or("application/x-www-form-urlencoded");
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let fields = match kind.as_str() {
            "application/x-www-form-urlencoded" | "" => form_urlencoded::parse(body).into_owned().collect(),
            "multipart/form-data" => multipart(content_type, &String::from_utf8_lossy(body)),
            _ => Vec::new(),
        };
        Form { fields }
    }

    /// The first field of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// All fields of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

fn multipart(content_type: &str, body: &str) -> Vec<(String, String)> {
    let boundary = content_type.split(';').find_map(|part| {
        let (name, value) = part.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then(|| value.trim_matches('"'))
    });
    let Some(boundary) = boundary.filter(|boundary| !boundary.is_empty()) else { return Vec::new() };
    let part = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"))?;
        let name = head.split_once("name=\"")?.1.split_once('"')?.0;
        Some((name.to_owned(), value.trim_end_matches(['\r', '\n']).to_owned()))
    };
    body.split(&format!("--{boundary}")).filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_of_one_click_are_read() {
        let plain = Form::read(Some("application/x-www-form-urlencoded"), b"List-Unsubscribe=One-Click");
        assert_eq!(plain.get("List-Unsubscribe"), Some("One-Click"));
        let body = "--xyz\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--xyz--\r\n";
        let multi = Form::read(Some("multipart/form-data; boundary=\"xyz\""), body.as_bytes());
        assert_eq!(multi.get("List-Unsubscribe"), Some("One-Click"));
        assert_eq!(
            Form::read(Some("application/json"), b"{\"List-Unsubscribe\":\"One-Click\"}").get("List-Unsubscribe"),
            None
        );
    }
}
