//! What a reader's program finds in a mail: the pixel, the links, and how to unsubscribe with one click. It goes by what
//! stands in the mail itself, as foreign programs do, and by the public routes under the site's address.

use lol_html::{RewriteStrSettings, element, rewrite_str, text};
use mail_parser::{HeaderName, Message, MessageParser, PartType};
use std::cell::RefCell;
use url::Url;

/// A mail, as its reader's program sees it.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// The decoded subject.
    pub subject: String,
    /// The picture that tells of an open.
    pub pixel: Option<Url>,
    /// In the order of the page, each address once.
    pub links: Vec<Link>,
    /// Where a POST unsubscribes (RFC 8058).
    pub one_click: Option<Url>,
    /// The address for unsubscribing by mail.
    pub mailto: Option<String>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it goes.
    pub url: Url,
    /// What it is for.
    pub kind: LinkKind,
    /// What the reader sees, pictures by their description.
    pub text: String,
    /// Nobody sees it; only machines follow it.
    pub hidden: bool,
}

/// By the first part of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// `/c/`: a tracked link.
    Click,
    /// `/s/`: a survey.
    Survey,
    /// `/u/`: unsubscribe.
    Unsubscribe,
    /// `/p/`: preferences.
    Preferences,
    /// `/v/`: view in browser.
    View,
    /// Any other address on the web.
    Other,
}

impl Letter {
    /// Reads a mail; what is not there is left empty.
    pub fn read(raw: &[u8]) -> Letter {
        let Some(mail) = MessageParser::default().parse(raw) else { return Letter::default() };
        let mut letter = Letter { subject: mail.subject().unwrap_or_default().to_owned(), ..Letter::default() };
        letter.read_unsubscribe(&mail);
        match mail.html_part(0).map(|part| &part.body) {
            Some(PartType::Html(html)) => letter.read_html(html),
            _ => letter.read_text(&mail.body_text(0).unwrap_or_default()),
        }
        letter
    }

    /// The visible links of a kind.
    pub fn visible(&self, kind: LinkKind) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |link| link.kind == kind && !link.hidden)
    }

    fn read_unsubscribe(&mut self, mail: &Message<'_>) {
        let header = |name: &'static str| {
            let raw = mail.header_raw(HeaderName::Other(name.into())).or_else(|| mail.header_raw(name))?;
            Some(raw.split_whitespace().collect::<String>())
        };
        let ways = header("List-Unsubscribe").unwrap_or_default();
        let ways = ways.split(',').filter_map(|way| way.strip_prefix('<')?.strip_suffix('>'));
        let one_click = header("List-Unsubscribe-Post").is_some_and(|post| post == "List-Unsubscribe=One-Click");
        for way in ways {
            match way.strip_prefix("mailto:") {
                Some(mailto) => self.mailto = Some(mailto.to_owned()),
                None if one_click => self.one_click = Url::parse(way).ok(),
                None => {}
            }
        }
    }

    fn read_html(&mut self, html: &str) {
        let found: RefCell<Vec<(String, String)>> = RefCell::default();
        let hidden: RefCell<Vec<String>> = RefCell::default();
        let pictures: RefCell<Vec<String>> = RefCell::default();
        let see = |text: &str| {
            if let Some((_, seen)) = found.borrow_mut().last_mut() {
                seen.push_str(text);
            }
        };
        let attribute = |element: &lol_html::html_content::Element<'_, '_>, name: &str| {
            element.get_attribute(name).map(|value| html_escape::decode_html_entities(value.trim()).into_owned())
        };
        let settings = RewriteStrSettings::new()
            .append_element_content_handler(element!("a[href]", |a| {
                found.borrow_mut().extend(attribute(a, "href").map(|href| (href, String::new())));
                Ok(())
            }))
            .append_element_content_handler(text!("a[href]", |chunk| {
                see(chunk.as_str());
                Ok(())
            }))
            .append_element_content_handler(element!("a[href] img[alt]", |img| {
                see(&img.get_attribute("alt").unwrap_or_default());
                Ok(())
            }))
            .append_element_content_handler(element!(HIDDEN, |a| {
                hidden.borrow_mut().extend(attribute(a, "href"));
                Ok(())
            }))
            .append_element_content_handler(element!("img[src]", |img| {
                pictures.borrow_mut().extend(attribute(img, "src"));
                Ok(())
            }));
        // a page that cannot be read to its end has shown what it has shown
        let _ = rewrite_str(html, settings);
        let (found, hidden) = (found.take(), hidden.take());
        for (href, text) in found {
            let text = html_escape::decode_html_entities(&text).split_whitespace().collect::<Vec<_>>().join(" ");
            let unseen = hidden.contains(&href) || text.is_empty();
            self.add(&href, text, unseen);
        }
        let on_site = |url: &Url| url.path_segments().and_then(|mut parts| parts.next()) == Some("o");
        self.pixel = pictures.take().iter().filter_map(|src| Url::parse(src).ok()).find(on_site);
    }

    fn read_text(&mut self, text: &str) {
        for word in text.split(|c: char| c.is_whitespace() || "<>()\"".contains(c)) {
            self.add(word.trim_end_matches(['.', ',', ';']), word.to_owned(), false);
        }
    }

    fn add(&mut self, href: &str, text: String, hidden: bool) {
        let Ok(url) = Url::parse(href) else { return };
        if !matches!(url.scheme(), "http" | "https") || self.links.iter().any(|link| link.url == url) {
            return;
        }
        let mut parts = url.path_segments().into_iter().flatten();
        let kind = match (parts.next(), parts.next()) {
            (Some("c"), Some(_)) => LinkKind::Click,
            (Some("s"), Some(_)) => LinkKind::Survey,
            (Some("u"), Some(_)) => LinkKind::Unsubscribe,
            (Some("p"), Some(_)) => LinkKind::Preferences,
            (Some("v"), Some(_)) => LinkKind::View,
            _ => LinkKind::Other,
        };
        self.links.push(Link { url, kind, text, hidden });
    }
}

/// Links that no eye meets, themselves or by what they stand in.
const HIDDEN: &str = "a[hidden], [hidden] a, a[aria-hidden=true], [aria-hidden=true] a, \
    a[style*=\"display:none\"], a[style*=\"display: none\"], [style*=\"display:none\"] a, [style*=\"display: none\"] a, \
    a[style*=\"visibility:hidden\"], a[style*=\"visibility: hidden\"], [style*=\"visibility:hidden\"] a, \
    a[style*=\"font-size:0\"], a[style*=\"font-size: 0\"], [style*=\"max-height:0\"] a, [style*=\"max-height: 0\"] a";
