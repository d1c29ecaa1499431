//! The links of one mail: signed, so that nobody can forge an open or be sent somewhere else.

use crate::render::Links;
use crate::track::Tokens;
use crate::track::token::{HONEYPOT, Route};

/// Links of one message to one customer.
#[derive(Clone, Copy, Debug)]
pub struct MailLinks<'a> {
    /// The site's signer.
    pub tokens: &'a Tokens,
    /// The site's public address.
    pub site: &'a str,
    /// The message.
    pub message: i64,
    /// Its reader.
    pub customer: i64,
    /// Its topic, which a one-click unsubscribe withdraws.
    pub topic: &'a str,
    /// How many links the mail has: a scanner is known by following most of them.
    pub links: u32,
    /// Whether opens and clicks of this reader may be counted.
    pub tracked: bool,
    /// Whether this goes out to the reader. What is only looked at, such as the page of a mail, holds no honeypot: there
    /// a machine is known by other things, and whoever reads a page's source follows what they find.
    pub sent: bool,
}

impl Links for MailLinks<'_> {
    fn click(&self, link: u16, url: &str) -> String {
        let token = self.tracked.then(|| self.tokens.click(self.message, link.into(), self.links, url)).flatten();
        // a destination that cannot be signed, such as one that is too long, is left as it is
        token.map_or_else(|| url.to_owned(), |token| Route::Click.url(self.site, &token))
    }
    fn open_pixel(&self) -> Option<String> {
        self.tracked.then(|| Route::Open.url(self.site, &self.tokens.open(self.message)))
    }
    fn honeypot(&self) -> Option<String> {
        if !self.tracked || !self.sent || self.message <= 0 {
            return None;
        }
        // who gets there all the same ends at the site's page
        let token = self.tokens.click(self.message, HONEYPOT, self.links, &format!("{}/", self.site))?;
        Some(Route::Click.url(self.site, &token))
    }
    fn unsubscribe(&self) -> String {
        let token = self.tokens.unsubscribe(self.message, self.customer, Some(self.topic));
        Route::Unsubscribe.url(self.site, &token)
    }
    fn preferences(&self) -> String {
        Route::Preferences.url(self.site, &self.tokens.preferences(self.customer))
    }
    fn view(&self) -> String {
        Route::View.url(self.site, &self.tokens.view(self.message))
    }
    fn survey(&self, survey: &str, answer: Option<&str>) -> String {
        let url = Route::Survey.url(self.site, &self.tokens.survey(self.message, self.customer, survey));
        match answer {
            Some(answer) => {
                let answer: String = url::form_urlencoded::byte_serialize(answer.as_bytes()).collect();
                format!("{url}?answer={answer}")
            }
            None => url,
        }
    }
}
