//! Signed tokens: all that a link in a mail knows travels in the link, so that it is believed or refused without a
//! look-up, and works with the database gone.
//!
//! A token is URL-safe base64 of `key id · numbers and texts · MAC`. The MAC is 12 bytes of keyed blake3 under a key
//! that is derived for the route, so that a pixel's token opens nothing else; a click's destination is covered by it
//! and cannot be altered. Tokens made with an earlier secret verify as long as that secret is listed.

use super::wire::{Reader, Writer};
use crate::config::secret::{Key, SiteSecret};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use std::sync::Arc;

/// Bytes of the MAC: 96 bits are beyond guessing over a network.
const MAC: usize = 12;
/// No token of ours is longer, and nothing longer is looked at.
const LONGEST: usize = 8_192;
/// The longest destination that is tracked; a longer one stays as the marketer wrote it.
const LONGEST_URL: usize = 4_096;

/// The number of a link that no reader sees: who follows it is a machine. Real links are numbered from 1.
pub const HONEYPOT: u32 = 0;

/// What a token opens. Each has its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The pixel.
    Open,
    /// A link.
    Click,
    /// The unsubscribe page and one-click unsubscribe.
    Unsubscribe,
    /// The preference page.
    Preferences,
    /// A question.
    Survey,
    /// The mail as a page.
    View,
    /// What we know, export and erase: mailed to the address, and good for a limited time.
    Manage,
}

impl Route {
    const ALL: [Route; 7] =
        [Route::Open, Route::Click, Route::Unsubscribe, Route::Preferences, Route::Survey, Route::View, Route::Manage];

    fn purpose(self) -> &'static str {
        match self {
            Route::Open => "token open",
            Route::Click => "token click",
            Route::Unsubscribe => "token unsubscribe",
            Route::Preferences => "token preferences",
            Route::Survey => "token survey",
            Route::View => "token view",
            Route::Manage => "token manage",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Route::Open => "/o/",
            Route::Click => "/c/",
            Route::Unsubscribe => "/u/",
            Route::Preferences => "/p/",
            Route::Survey => "/s/",
            Route::View => "/v/",
            Route::Manage => "/m/",
        }
    }

    /// The path under the site's address: `/c/TOKEN`.
    pub fn path(self, token: &str) -> String {
        [self.prefix(), token].concat()
    }

    /// The whole address, `site` being `[site] url` of dangol.toml.
    pub fn url(self, site: &str, token: &str) -> String {
        [site.trim_end_matches('/'), self.prefix(), token].concat()
    }
}

/// A link of a mail, as its token tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickToken {
    /// The message; 0 is none, and is not counted.
    pub message: i64,
    /// Which link, from 1; [`HONEYPOT`] is none that a reader sees.
    pub link: u32,
    /// How many links the mail has.
    pub links: u32,
    /// Where it leads: http or https, ASCII, without control characters.
    pub url: String,
}

/// Who stops what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsubscribeToken {
    /// The message in which the link stood; 0 is none.
    pub message: i64,
    /// Who.
    pub customer: i64,
    /// From which topic; without one, from all.
    pub topic: Option<String>,
}

/// Who is asked what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyToken {
    /// The message that asks; 0 is none, and no answer to it is kept.
    pub message: i64,
    /// Who.
    pub customer: i64,
    /// The survey's name.
    pub survey: String,
}

/// Makes and reads tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For each route, the signing key first.
    keys: Arc<[Vec<Key>; 7]>,
    /// For the envelope's sender; see [`super::bounce`].
    pub(super) bounce: Arc<[Key]>,
}

impl Tokens {
    /// With the keys of `secret`.
    pub fn new(secret: &SiteSecret) -> Tokens {
        Tokens {
            keys: Arc::new(Route::ALL.map(|route| secret.keys(route.purpose()))),
            bounce: secret.keys("bounce").into(),
        }
    }

    /// The pixel of a message.
    pub fn open(&self, message: i64) -> String {
        self.sign(Route::Open, |w| w.int(message))
    }

    /// The message of a pixel.
    pub fn parse_open(&self, token: &str) -> Option<i64> {
        self.verify(Route::Open, token, |r| r.int())
    }

    /// Link number `link` of `links` of a message, to `url`. `None` when `url` is nothing to be redirected to: another
    /// scheme than http and https, a control character, or too long; leave it in the mail as it is.
    pub fn click(&self, message: i64, link: u32, links: u32, url: &str) -> Option<String> {
        let url = destination(url)?;
        Some(self.sign(Route::Click, |w| {
            w.int(message);
            w.int(i64::from(link));
            w.int(i64::from(links));
            w.text(&url);
        }))
    }

    /// What a click leads to.
    pub fn parse_click(&self, token: &str) -> Option<ClickToken> {
        let click = self.verify(Route::Click, token, |r| {
            let (message, link, links) = (r.int()?, r.small()?, r.small()?);
            Some(ClickToken { message, link, links, url: r.text()? })
        })?;
        // signed by us, and looked at again all the same: it becomes a header
        (destination(&click.url)? == click.url).then_some(click)
    }

    /// Stops mail to `customer` on `topic`, or all marketing mail without one. The topic is in the token, so that a
    /// withdrawal can be taken down with the database gone.
    pub fn unsubscribe(&self, message: i64, customer: i64, topic: Option<&str>) -> String {
        self.sign(Route::Unsubscribe, |w| {
            w.int(message);
            w.int(customer);
            w.text(topic.unwrap_or_default());
        })
    }

    /// Who stops what.
    pub fn parse_unsubscribe(&self, token: &str) -> Option<UnsubscribeToken> {
        self.verify(Route::Unsubscribe, token, |r| {
            let (message, customer) = (r.int()?, r.int()?);
            Some(UnsubscribeToken { message, customer, topic: Some(r.text()?).filter(|topic| !topic.is_empty()) })
        })
    }

    /// The preference page of a customer.
    pub fn preferences(&self, customer: i64) -> String {
        self.sign(Route::Preferences, |w| w.int(customer))
    }

    /// Whose preference page.
    pub fn parse_preferences(&self, token: &str) -> Option<i64> {
        self.verify(Route::Preferences, token, |r| r.int())
    }

    /// A question of a message; the answer goes beside it as `?answer=9`.
    pub fn survey(&self, message: i64, customer: i64, survey: &str) -> String {
        self.sign(Route::Survey, |w| {
            w.int(message);
            w.int(customer);
            w.text(survey);
        })
    }

    /// Which question, to whom.
    pub fn parse_survey(&self, token: &str) -> Option<SurveyToken> {
        self.verify(Route::Survey, token, |r| {
            let (message, customer) = (r.int()?, r.int()?);
            Some(SurveyToken { message, customer, survey: r.text()? })
        })
    }

    /// A message as a page.
    pub fn view(&self, message: i64) -> String {
        self.sign(Route::View, |w| w.int(message))
    }

    /// Which message.
    pub fn parse_view(&self, token: &str) -> Option<i64> {
        self.verify(Route::View, token, |r| r.int())
    }

    /// What we know about `customer`, until `until`; to be mailed to the address, never shown on a page.
    pub fn manage(&self, customer: i64, until: Timestamp) -> String {
        self.sign(Route::Manage, |w| {
            w.int(customer);
            w.int(until.as_millisecond());
        })
    }

    /// About whom, when `now` is not too late.
    pub fn parse_manage(&self, token: &str, now: Timestamp) -> Option<i64> {
        let (customer, until) = self.verify(Route::Manage, token, |r| Some((r.int()?, r.int()?)))?;
        (now.as_millisecond() <= until).then_some(customer)
    }

    fn sign(&self, route: Route, fill: impl FnOnce(&mut Writer)) -> String {
        URL_SAFE_NO_PAD.encode(seal(&self.keys[route as usize][0], fill))
    }

    fn verify<T>(&self, route: Route, token: &str, read: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Option<T> {
        if token.len() > LONGEST {
            return None;
        }
        // one spelling for one token: this decoder refuses padding and stray bits at the end
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        open(&self.keys[route as usize], &bytes, read)
    }
}

/// The bytes of a token: key id, what `fill` writes, MAC.
pub(super) fn seal(key: &Key, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new(key.id);
    fill(&mut writer);
    let mut bytes = writer.finish();
    let mac = blake3::keyed_hash(&key.bytes, &bytes);
    bytes.extend_from_slice(&mac.as_bytes()[..MAC]);
    bytes
}

/// What `read` reads of a token's bytes, when one of `keys` made them.
pub(super) fn open<T>(keys: &[Key], bytes: &[u8], read: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Option<T> {
    let (body, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
    let id = *body.first()?;
    let genuine = keys.iter().filter(|key| key.id == id).any(|key| {
        let expected = blake3::keyed_hash(&key.bytes, body);
        equal(&expected.as_bytes()[..MAC], mac)
    });
    if !genuine {
        return None;
    }
    let mut reader = Reader::new(&body[1..]);
    let found = read(&mut reader)?;
    reader.is_at_end().then_some(found)
}

/// Compares without telling by its duration where the first difference is.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// `url` as it can stand in a `Location` header, if it may.
fn destination(url: &str) -> Option<String> {
    if url.len() <= LONGEST_URL && is_canonical(url) {
        return Some(url.to_owned());
    }
    // the parser would drop line breaks and tabs in silence
    if url.len() > LONGEST_URL || url.chars().any(char::is_control) {
        return None;
    }
    let parsed = url::Url::parse(url).ok()?;
    let web = matches!(parsed.scheme(), "http" | "https") && parsed.host_str().is_some_and(|host| !host.is_empty());
    // the parser percent-encodes what is not ASCII, and a path of Hangul grows threefold
    (web && parsed.as_str().len() <= LONGEST_URL && parsed.as_str().bytes().all(|b| b.is_ascii_graphic()))
        .then(|| parsed.into())
}

/// Whether the parser would plainly leave `url` as it is, which is so for most links: said without it, because each mail
/// has many of them. What this does not know is not said to be otherwise.
fn is_canonical(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else { return false };
    let Some((host, path)) = rest.split_once('/') else { return false };
    let label = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && !label.starts_with("xn--")
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    // a segment of dots leads somewhere else
    let dots = path.starts_with('.') || path.contains("/.") || path.contains("%2");
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/?=&%+,;:@!$*()#".contains(&b);
    host.split('.').all(label) && !dots && path.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn common_links_need_no_parser() {
        for url in ["https://haru.example/", "https://haru.example/seeds?season=spring&utm_source=a+b#top"] {
            assert!(is_canonical(url), "{url}");
        }
        for url in ["https://haru.example", "https://haru.example/a/../b", "https://1.2.3.4/", "https://HARU.example/"]
        {
            assert!(!is_canonical(url), "{url}");
        }
    }

    proptest! {
        #[test]
        fn what_is_canonical_the_parser_leaves_as_it_is(
            host in "[a-zA-Z0-9x.-]{1,12}(:[0-9]{1,3})?", path in "[/a-z.%2eE?#=&+,;:@!$*()~_ \"'|\\\\<>^`{}-]{0,24}"
        ) {
            let url = format!("https://{host}/{path}");
            if is_canonical(&url) {
                prop_assert_eq!(url::Url::parse(&url).map(String::from), Ok(url));
            }
        }
    }
}
