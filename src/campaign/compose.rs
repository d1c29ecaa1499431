//! The mail of a claimed message: its revision's template, its reader's variables, its own links, its headers.

use super::links::MailLinks;
use super::live::LiveStep;
use super::reader::More;
use super::{CampaignError, Live, LiveCache, parallel, reader, store};
use crate::config::model::Settings;
use crate::db::{Db, DbError};
use crate::deliver::lane;
use crate::deliver::{Boxed, Claimed, Compose, Content, Outgoing, Policy, Refusal};
use crate::render::dkim;
use crate::render::mime::{self, Headers, MimeError};
use crate::render::{Links as _, Merged, Reader, RenderError, Rendered};
use crate::reward::{self, RewardError};
use crate::track::Tokens;
use crate::types::{Email, Shared, Timestamp};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Makes mails for `deliver`, and for whoever wants to look at one.
#[derive(Clone, Debug)]
pub struct Composer {
    db: Db,
    settings: Shared<Settings>,
    cache: Arc<LiveCache>,
    tokens: Tokens,
    keys: Shared<dkim::Keys>,
}

/// A mail made for looking at.
#[derive(Clone, Debug)]
pub struct Made {
    /// Subject, HTML, text.
    pub rendered: Rendered,
    /// The bytes to send.
    pub bytes: Vec<u8>,
}

/// Which mail is made: a step of a campaign, to a reader.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The campaign.
    pub live: &'a Live,
    /// Its step.
    pub step: &'a LiveStep,
    /// The reader.
    pub person: &'a store::Reader,
    /// What is known of this very mail beside its reader.
    pub more: More,
    /// Where it goes.
    pub to: &'a Email,
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
    /// It is to be signed, and cannot be.
    #[error("render: {0}")]
    Unsigned(String),
    /// The step sends none.
    #[error("render: this step sends nothing")]
    Nothing,
}

impl Composer {
    /// A composer.
    pub fn new(
        db: Db,
        settings: Shared<Settings>,
        cache: Arc<LiveCache>,
        tokens: Tokens,
        keys: Shared<dkim::Keys>,
    ) -> Composer {
        Composer { db, settings, cache, tokens, keys }
    }

    /// A mail to be looked at, as message `message` (0 for a preview, whose links work but count for nothing), not signed.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub fn make(&self, wanted: Wanted<'_>, message: i64, now: Timestamp) -> Result<Made, Unmade> {
        let (merged, bytes) = self.write(wanted, (message, false), now)?;
        Ok(Made { rendered: merged.rendered(), bytes })
    }

    /// Signs a mail with its sender's keys, when it has any.
    ///
    /// # Errors
    /// When it has, and they cannot be used.
    pub fn sign(&self, live: &Live, bytes: &mut Vec<u8>, now: Timestamp) -> Result<(), Unmade> {
        let keys = self.keys.get();
        match keys.of(&live.campaign.sender).map_err(Unmade::Unsigned)? {
            Some(signer) => signer.sign(bytes, now).map_err(Unmade::Unsigned),
            None => Ok(()),
        }
    }

    /// The envelope's sender of a message: an address of its own where `bounce` names a domain, else that of `from`.
    pub fn envelope(&self, live: &Live, message: i64) -> Email {
        let own = live.sender.bounce.as_ref().map(|domain| format!("{}@{domain}", self.tokens.bounce(message)));
        own.and_then(|own| own.parse().ok()).unwrap_or_else(|| live.sender.from.email.clone())
    }

    /// The mail as message `message`, which is sent or only looked at.
    fn write<'t>(
        &self,
        wanted: Wanted<'t>,
        (message, sent): (i64, bool),
        now: Timestamp,
    ) -> Result<(Merged<'t>, Vec<u8>), Unmade> {
        let Wanted { live, step, person, more, to } = wanted;
        let compiled = step.compiled.as_ref().ok_or(Unmade::Nothing)?;
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
            links: u32::try_from(compiled.links(&locale).count()).unwrap_or(u32::MAX),
            tracked: !person.tracking_off,
            sent,
        };
        let timezone = reader::zone(person, &settings.site.timezone);
        let needs = compiled.needs(&locale);
        let data = reader::data(person, more, (&locale, &timezone), settings.site.currency, needs);
        let reader = Reader { locale, timezone, now, data };
        let merged = compiled.merge(reader, &links)?;
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
                (links.unsubscribe(), mailto(address))
            }),
            list_id: list,
            feedback_id: Some(format!("{}:{}:dangol:{domain}", plain(&live.name), live.campaign.topic)),
        };
        let bytes = mime::mail(&merged, &headers)?;
        Ok((merged, bytes))
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
        let Some((_, step)) = live.step(&mail.step) else { return Ok(None) };
        let mut more = self.more(&live, &[(message, mail.customer)], mail.at).await?;
        let more = more.remove(&message).unwrap_or_default();
        let made = self
            .make(Wanted { live: &live, step, person: &person, more, to: &to }, message, mail.at)
            .map_err(|e| CampaignError::State(e.to_string()))?;
        Ok(Some(made.rendered.html))
    }

    /// What is known of each of these mails (message, customer) beside its reader.
    async fn more(&self, live: &Live, mails: &[(i64, i64)], now: Timestamp) -> Result<HashMap<i64, More>, DbError> {
        let mut more: HashMap<i64, More> = HashMap::new();
        let ids: Vec<i64> = mails.iter().map(|(message, _)| *message).collect();
        if live.campaign.trigger.as_ref().is_some_and(|trigger| trigger.event.is_some()) {
            for (message, event) in store::events(&mut &self.db, &ids).await? {
                more.entry(message).or_default().event = Some(event);
            }
        }
        if live.steps.iter().any(|step| step.grant.is_some()) {
            for (message, grant) in reward::of_messages(&mut &self.db, &ids).await? {
                let granted = reader::attached(grant.points, grant.coupon.as_deref(), grant.expires_at);
                more.entry(message).or_default().grant = Some(granted);
            }
        }
        let customers: Vec<i64> = mails.iter().map(|(_, customer)| *customer).collect();
        let rewards = self.rewards(live, &customers, now).await?;
        for (message, customer) in mails {
            if let Some(rewards) = rewards.get(customer) {
                more.entry(*message).or_default().rewards = rewards.clone();
            }
        }
        Ok(more)
    }

    /// The last event of the kind that begins a pass, of each of these customers who has one; of another trigger nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn latest_events(&self, live: &Live, customers: &[i64]) -> Result<HashMap<i64, Value>, DbError> {
        let Some(kind) = live.campaign.trigger.as_ref().and_then(|trigger| trigger.event.as_deref()) else {
            return Ok(HashMap::new());
        };
        Ok(store::latest_events(&mut &self.db, kind, customers).await?.into_iter().collect())
    }

    /// What these customers have of each reward that the campaign's revision knows; of one that is not live, nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rewards(
        &self,
        live: &Live,
        customers: &[i64],
        now: Timestamp,
    ) -> Result<HashMap<i64, Map<String, Value>>, DbError> {
        if live.rewards.is_empty() {
            return Ok(HashMap::new());
        }
        let running = reward::live(&mut &self.db, &self.settings.get()).await.map_err(RewardError::into_db)?;
        let found = reward::balances(&mut &self.db, customers, &running, now).await.map_err(RewardError::into_db)?;
        let mut rewards: HashMap<i64, Map<String, Value>> = HashMap::new();
        for customer in customers {
            let theirs = rewards.entry(*customer).or_default();
            for name in &live.rewards {
                let has = found.get(customer).and_then(|has| has.get(name)).cloned().unwrap_or_default();
                theirs.insert(name.clone(), reader::balance(&has));
            }
        }
        Ok(rewards)
    }

    async fn batch(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<Vec<Result<Outgoing, Refusal>>, DbError> {
        let (settings, keys) = (self.settings.get(), self.keys.get());
        let mut lives: HashMap<i64, Result<Arc<Live>, String>> = HashMap::new();
        for revision in claimed.iter().map(|c| c.revision) {
            if lives.contains_key(&revision) {
                continue;
            }
            let live = match self.cache.get(&self.db, &settings, revision).await {
                Ok(live) => Ok(live),
                Err(CampaignError::Db(e)) => return Err(e),
                // such as a topic that was renamed in dangol.toml: nobody's mail is lost for it
                Err(e) => Err(format!("its mail cannot be made: {e}")),
            };
            // nor does it go unsigned, to be taken for forged
            let live = live.and_then(|live| keys.of(&live.campaign.sender).map(|_| live));
            let live = match live {
                Ok(live) => Ok(live),
                Err(reason) => {
                    tracing::error!(revision, "holding the campaign: {reason}");
                    let campaigns = claimed.iter().filter(|c| c.revision == revision).map(|c| c.campaign);
                    let mut tx = self.db.begin().await?;
                    for campaign in campaigns.collect::<std::collections::HashSet<i64>>() {
                        lane::hold(&mut tx, campaign, &reason, now).await?;
                    }
                    tx.commit().await?;
                    Err(reason)
                }
            };
            lives.insert(revision, live);
        }
        let ids: Vec<i64> = claimed.iter().map(|c| c.customer).collect();
        let people = store::readers(&mut &self.db, &ids).await?;
        let mut more: HashMap<i64, More> = HashMap::new();
        for (revision, live) in &lives {
            let Ok(live) = live else { continue };
            let theirs = claimed.iter().filter(|c| c.revision == *revision).map(|c| (c.id, c.customer));
            more.extend(self.more(live, &theirs.collect::<Vec<_>>(), now).await?);
        }
        let composer = self.clone();
        let people: HashMap<i64, store::Reader> = people.into_iter().map(|p| (p.id, p)).collect();
        let with_more = |claimed: Claimed| {
            let more = more.remove(&claimed.id).unwrap_or_default();
            (claimed, more)
        };
        let work = claimed.into_iter().map(with_more).collect();
        // rendering is work for a processor, not for the runtime's threads
        let made = parallel::map(work, move |(claimed, more): (Claimed, More)| {
            let (id, token) = (claimed.id, claimed.token);
            let made = std::panic::AssertUnwindSafe(|| composer.one(claimed, &lives, &people, more, &settings, now));
            // a mistake of ours that one reader's values bring out must not stop everybody's mail
            std::panic::catch_unwind(made).unwrap_or_else(|_| {
                tracing::error!(message = id, "making this mail failed inside Dangol: please report it");
                Err(Refusal { id, token, give_back: false, reason: "render: a mistake inside Dangol".into() })
            })
        });
        made.await.map_err(|e| DbError::Shape(format!("composing was interrupted: {e}")))
    }

    fn one(
        &self,
        claimed: Claimed,
        lives: &HashMap<i64, Result<Arc<Live>, String>>,
        people: &HashMap<i64, store::Reader>,
        more: More,
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
        let (_, step) = live.step(&claimed.step).ok_or_else(|| refuse("render: its step is gone".into()))?;
        let wanted = Wanted { live, step, person, more, to: &to };
        let (_, mut bytes) = self.write(wanted, (claimed.id, true), now).map_err(|e| refuse(e.to_string()))?;
        if person.email.as_deref() != Some(claimed.address.as_str()) {
            return Err(refuse("address changed".into()));
        }
        let rule = live.rule(settings, now).map_err(|e| refuse(format!("render: {e}")))?;
        let zone = reader::zone(person, &settings.site.timezone);
        let policy = Arc::new(Policy { rule, cap: live.cap, quiet: live.quiet, zone });
        self.sign(live, &mut bytes, now).map_err(|e| refuse(e.to_string()))?;
        let from = self.envelope(live, claimed.id);
        let relay = live.campaign.relay.clone();
        Ok(Outgoing { claimed: Arc::new(claimed), policy, from, to, content: Content::new(bytes), relay })
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

/// Where a mail of unsubscribe goes (RFC 6068): what an address may hold and a URL may not is percent-encoded.
fn mailto(address: &Email) -> String {
    let mut url = "mailto:".to_owned();
    for b in address.local().bytes() {
        match b {
            b if b.is_ascii_alphanumeric() || b"-._~!$'*+".contains(&b) => url.push(char::from(b)),
            b => url += &format!("%{b:02X}"),
        }
    }
    url + "@" + address.domain() + "?subject=unsubscribe"
}

/// The Message-ID: the same for every try of a message, and of no other; nobody can guess it.
fn message_id(tokens: &Tokens, message: i64, domain: &str) -> String {
    let mark = blake3::hash(tokens.view(message).as_bytes()).to_hex();
    format!("{message}.{}@{domain}", &mark[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_any_script_can_be_written_to() {
        let of = |address: &str| mailto(&address.parse().unwrap());
        assert_eq!(of("hello@haru.example"), "mailto:hello@haru.example?subject=unsubscribe");
        assert_eq!(of("a+b&c?d%e#@haru.example"), "mailto:a+b%26c%3Fd%25e%23@haru.example?subject=unsubscribe");
        assert_eq!(of("홍@예시.한국"), "mailto:%ED%99%8D@xn--vv4b11d.xn--3e0b707e?subject=unsubscribe");
    }
}
