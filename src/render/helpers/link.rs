//! Where a link of a template leads: what a marketer wrote, looked at once it is merged, with the campaign's UTM
//! parameters. What no reader's data changes is looked at once for all mails.

use super::Lent;
use crate::render::options::{CompileOptions, Utm};
use handlebars::Output;

/// An address longer than this is cut by mail programs.
const LONGEST_URL: usize = 2_000;

/// Where a link leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    url: String,
    /// Whether clicks on it are counted.
    counted: bool,
}

impl Target {
    /// Of a link as it is written in HTML, where `&` is `&amp;`, or in text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn of(written: &str, html: bool, options: &CompileOptions) -> Result<Target, String> {
        let written = if html { html_escape::decode_html_entities(written) } else { written.into() };
        let written = written.trim();
        let shown = || written.chars().take(80).filter(|c| !c.is_control()).collect::<String>();
        let scheme = |s: &str| written.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s));
        if written.is_empty() || written.starts_with('#') || scheme("mailto:") || scheme("tel:") {
            return match written.chars().any(char::is_control) {
                true => Err(format!("`{}` is not a link", shown())),
                false => Ok(Target { url: written.to_owned(), counted: false }),
            };
        }
        if !scheme("http://") && !scheme("https://") {
            return Err(format!("the link `{}` does not begin with https:// or http://", shown()));
        }
        // what is plainly an address need not be parsed, which is most links of most mails
        let host =
            written.find("//").and_then(|at| written.as_bytes().get(at + 2)).is_some_and(u8::is_ascii_alphanumeric);
        let clean =
            host && written.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`'));
        let mut url = match clean {
            true => written.to_owned(),
            false => url::Url::parse(written).map_err(|e| format!("`{}` is not a link: {e}", shown()))?.to_string(),
        };
        if let Some(utm) = &options.utm {
            url = with_utm(&url, utm);
        }
        if url.len() > LONGEST_URL {
            return Err(format!("the link `{}…` is longer than {LONGEST_URL} characters", shown()));
        }
        Ok(Target { url, counted: options.clicks })
    }

    /// Writes it as one mail has it, as its link of this number.
    ///
    /// # Errors
    /// When the mail is too large.
    pub(crate) fn write(&self, number: u16, lent: &Lent<'_>, out: &mut dyn Output) -> Result<(), std::io::Error> {
        let signed;
        let url = if self.counted {
            signed = lent.links.click(number, &self.url);
            &signed
        } else {
            &self.url
        };
        match lent.html {
            true => out.write(&html_escape::encode_double_quoted_attribute(url)),
            false => out.write(url),
        }
    }
}

/// Adds the parameters that the address does not have yet, before its fragment.
fn with_utm(url: &str, utm: &Utm) -> String {
    let (address, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
    let has = |name: &str| {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        query.split('&').any(|pair| pair.split('=').next() == Some(name))
    };
    let mut out = address.to_owned();
    for (name, value) in [("utm_source", &utm.source), ("utm_medium", &utm.medium), ("utm_campaign", &utm.campaign)] {
        if !has(name) {
            match out.find('?') {
                None => out.push('?'),
                Some(_) if out.ends_with(['?', '&']) => {}
                Some(_) => out.push('&'),
            }
            out.push_str(name);
            out.push('=');
            out.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        }
    }
    out + fragment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utm_goes_before_the_fragment_and_never_twice() {
        let utm = Utm { source: "Haru Garden".into(), medium: "email".into(), campaign: "봄".into() };
        let all = "utm_source=Haru+Garden&utm_medium=email&utm_campaign=%EB%B4%84";
        assert_eq!(with_utm("https://x.example", &utm), format!("https://x.example?{all}"));
        assert_eq!(with_utm("https://x.example/?a=1#top", &utm), format!("https://x.example/?a=1&{all}#top"));
        assert_eq!(with_utm("https://x.example/?", &utm), format!("https://x.example/?{all}"));
        let own = "https://x.example/?utm_source=a&utm_medium=b&utm_campaign=c#d";
        assert_eq!(with_utm(own, &utm), own);
    }
}
