//! The mail of a claimed message: its revision's template, its reader's variables, its own links, its headers.

use super::links::MailLinks;
use super::{CampaignError, Live, LiveCache, reader, store};
use crate::config::model::Settings;
use crate::db::{Db, DbError};
use crate::deliver::lane::{self, Lane};
use crate::deliver::{Boxed, Claimed, Compose, Outgoing, Policy, Refusal};
use crate::render::mime::{self, Headers, MimeError};
use crate::render::{Links as _, Reader, RenderError, Rendered};
use crate::track::Tokens;
use crate::types::{Email, Shared, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// Makes mails for `deliver`, and for whoever wants to look at one.
#[derive(Clone, Debug)]
pub struct Composer {
    db: Db,
    settings: Shared<Settings>,
    cache: Arc<LiveCache>,
    tokens: Tokens,
}

/// A mail made for looking at.
#[derive(Clone, Debug)]
pub struct Made {
    /// Subject, HTML, text.
    pub rendered: Rendered,
    /// The bytes to send.
    pub bytes: Vec<u8>,
}

/// Why one reader's mail cannot be made; in words it begins with `render:`, as the reason of a skipped mail.
#[derive(Debug, thiserror::Error)]
pub enum Unmade {
    /// The template, for this reader.
    #[error("render: {0}")]
    Render(#[from] RenderError),
    /// Its headers.
    #[error("render: {0}")]
    Mail(#[from] MimeError),
}

impl Composer {
    /// A composer.
    pub fn new(db: Db, settings: Shared<Settings>, cache: Arc<LiveCache>, tokens: Tokens) -> Composer {
        Composer { db, settings, cache, tokens }
    }

    /// The mail of `live` to a reader, as message `message` (0 for a preview, whose links work but count for nothing).
    ///
    /// # Errors
    /// Why it cannot be made.
    pub fn make(
        &self,
        live: &Live,
        person: &store::Reader,
        to: &Email,
        message: i64,
        now: Timestamp,
    ) -> Result<Made, Unmade> {
        let settings = self.settings.get();
        let site = settings.site.url.trim_end_matches('/');
        let locale = reader::locale(person, &settings.site.locale);
        let links = MailLinks {
            tokens: &self.tokens,
            site,
            message,
            // the links of a preview or a test mail name nobody: trying them changes nothing of the customer's
            customer: if message == 0 { 0 } else { person.id },
            topic: &live.campaign.topic,
            links: u32::try_from(live.compiled.links(&locale).count()).unwrap_or(u32::MAX),
            tracked: !person.tracking_off,
        };
        let reader = Reader {
            locale,
            timezone: reader::zone(person, &settings.site.timezone),
            now,
            data: reader::data(person, &settings.site),
        };
        let rendered = live.compiled.render(&reader, &links)?;
        let from = &live.sender.from;
        let domain = from.email.domain();
        let list = (!live.service()).then(|| format!("{}.{domain}", live.campaign.topic));
        let headers = Headers {
            from: from.clone(),
            reply_to: live.sender.reply_to.clone(),
            to: to.clone(),
            to_name: reader::name(person),
            date: now,
            message_id: message_id(&self.tokens, message, domain),
            list_unsubscribe: (!live.service()).then(|| {
                let address = live.sender.reply_to.as_ref().unwrap_or(&from.email);
                (links.unsubscribe(), format!("mailto:{address}?subject=unsubscribe"))
            }),
            list_id: list,
            feedback_id: Some(format!("{}:{}:dangol:{domain}", plain(&live.name), live.campaign.topic)),
        };
        let bytes = mime::mail(&rendered, &headers)?;
        Ok(Made { rendered, bytes })
    }

    /// The HTML of a message that was made, as its reader sees it in a browser.
    ///
    /// # Errors
    /// When the database is away, or the mail can no longer be made.
    pub async fn view(&self, message: i64) -> Result<Option<String>, CampaignError> {
        let Some(mail) = store::mail(&mut &self.db, message).await? else { return Ok(None) };
        let settings = self.settings.get();
        let live = self.cache.get(&self.db, &settings, mail.revision).await?;
        let people = store::readers(&mut &self.db, &[mail.customer]).await?;
        let Some(person) = people.into_iter().next() else { return Ok(None) };
        let Some(Ok(to)) = person.email.as_deref().map(str::parse::<Email>) else { return Ok(None) };
        let made = self.make(&live, &person, &to, message, mail.at).map_err(|e| CampaignError::State(e.to_string()))?;
        Ok(Some(made.rendered.html))
    }

    async fn batch(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<Vec<Result<Outgoing, Refusal>>, DbError> {
        let settings = self.settings.get();
        let mut lives: HashMap<i64, Result<Arc<Live>, String>> = HashMap::new();
        for revision in claimed.iter().map(|c| c.revision) {
            if lives.contains_key(&revision) {
                continue;
            }
            let live = match self.cache.get(&self.db, &settings, revision).await {
                Ok(live) => Ok(live),
                Err(CampaignError::Db(e)) => return Err(e),
                Err(e) => {
                    // such as a topic that was renamed in dangol.toml: nobody's mail is lost for it
                    let reason = format!("its mail cannot be made: {e}");
                    tracing::error!(revision, "holding the campaign: {reason}");
                    let campaigns = claimed.iter().filter(|c| c.revision == revision).map(|c| c.campaign);
                    let mut tx = self.db.begin().await?;
                    for campaign in campaigns.collect::<std::collections::HashSet<i64>>() {
                        lane::set(&mut tx, campaign, &Lane::Held(reason.clone()), now).await?;
                    }
                    tx.commit().await?;
                    Err(reason)
                }
            };
            lives.insert(revision, live);
        }
        let ids: Vec<i64> = claimed.iter().map(|c| c.customer).collect();
        let people = store::readers(&mut &self.db, &ids).await?;
        let composer = self.clone();
        // rendering is work for a processor, not for the runtime's threads
        let made = tokio::task::spawn_blocking(move || {
            let people: HashMap<i64, store::Reader> = people.into_iter().map(|p| (p.id, p)).collect();
            claimed.into_iter().map(|claimed| composer.one(claimed, &lives, &people, &settings, now)).collect()
        });
        made.await.map_err(|e| DbError::Shape(format!("composing was interrupted: {e}")))
    }

    fn one(
        &self,
        claimed: Claimed,
        lives: &HashMap<i64, Result<Arc<Live>, String>>,
        people: &HashMap<i64, store::Reader>,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Outgoing, Refusal> {
        let refuse = |reason: String| Refusal {
            id: claimed.id,
            token: claimed.token,
            give_back: false,
            reason: reason.chars().take(500).collect(),
        };
        let live = match lives.get(&claimed.revision) {
            Some(Ok(live)) => live,
            Some(Err(why)) => return Err(Refusal { give_back: true, ..refuse(why.clone()) }),
            None => return Err(refuse("render: its revision is gone".into())),
        };
        let person = people.get(&claimed.customer).ok_or_else(|| refuse("erased".into()))?;
        let to: Email = claimed.address.parse().map_err(refuse)?;
        let made = self.make(live, person, &to, claimed.id, now).map_err(|e| refuse(e.to_string()))?;
        if person.email.as_deref() != Some(claimed.address.as_str()) {
            return Err(refuse("address changed".into()));
        }
        let rule = live.rule(settings, now).map_err(|e| refuse(format!("render: {e}")))?;
        let zone = reader::zone(person, &settings.site.timezone);
        let policy = Policy { rule, cap: live.cap, quiet: live.quiet, zone };
        let from = live.sender.from.email.clone();
        let relay = live.campaign.relay.clone();
        Ok(Outgoing { claimed, policy, from, to, bytes: made.bytes, relay })
    }
}

impl Compose for Composer {
    fn compose(
        &self,
        claimed: Vec<Claimed>,
        now: Timestamp,
    ) -> Boxed<'_, Result<Vec<Result<Outgoing, Refusal>>, DbError>> {
        Box::pin(self.batch(claimed, now))
    }
}

/// A campaign's name as a header can hold it: of another script, as a domain name would be written.
fn plain(name: &str) -> String {
    idna::domain_to_ascii(name).unwrap_or_else(|_| "campaign".to_owned())
}

/// The Message-ID: the same for every try of a message, and of no other; nobody can guess it.
fn message_id(tokens: &Tokens, message: i64, domain: &str) -> String {
    let mark = blake3::hash(tokens.view(message).as_bytes()).to_hex();
    format!("{message}.{}@{domain}", &mark[..16])
}
