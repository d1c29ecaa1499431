//! What a template is compiled with: the shop, the campaign, the law. The same for all readers of a revision.

use crate::config::model::{Profile, Sender, Settings, Survey, TopicKind, Words};
use crate::types::Currency;
use crate::types::email::Mailbox;
use crate::types::locale::{Locale, Zone};
use std::collections::BTreeMap;

/// The shop, as far as a mail shows it.
#[derive(Clone, Debug)]
pub struct SiteFacts {
    /// Its name.
    pub name: String,
    /// Where tracking and pictures live, without a slash at the end.
    pub url: String,
    /// Its postal address.
    pub address: Option<String>,
    /// Its telephone.
    pub phone: Option<String>,
    /// Its zone, for readers of whom none is known.
    pub timezone: Zone,
    /// Its language, for readers of whom none is known; also that of a template without a language in its name.
    pub locale: Locale,
    /// Its currency: of amounts that name none.
    pub currency: Currency,
}

/// The parameters that `[tracking] utm` adds to links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utm {
    /// `utm_source`.
    pub source: String,
    /// `utm_medium`.
    pub medium: String,
    /// `utm_campaign`.
    pub campaign: String,
}

/// What a template is compiled with.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// The shop.
    pub site: SiteFacts,
    /// Whose rules hold.
    pub profile: Profile,
    /// Marketing gets label and unsubscribe link; service mail neither.
    pub kind: TopicKind,
    /// The topic's name, for the reason in the footer.
    pub topic: Option<Words>,
    /// Who it comes from.
    pub from: Mailbox,
    /// `campaign.name`.
    pub campaign: String,
    /// A subject instead of the template's, such as a variant's.
    pub subject: Option<String>,
    /// `surveys/*.toml` by name.
    pub surveys: BTreeMap<String, Survey>,
    /// Whether opens are counted.
    pub opens: bool,
    /// Whether clicks are counted.
    pub clicks: bool,
    /// What is added to links.
    pub utm: Option<Utm>,
}

impl CompileOptions {
    /// From the settings, for a campaign's name, its sender and its topic (by name in `settings`).
    pub fn new(
        settings: &Settings,
        campaign: &str,
        sender: &Sender,
        topic: &str,
        surveys: BTreeMap<String, Survey>,
    ) -> CompileOptions {
        let site = &settings.site;
        let utm = settings.tracking.utm.then(|| Utm {
            source: site.name.clone(),
            medium: "email".into(),
            campaign: campaign.to_owned(),
        });
        let topic_model = settings.topic.get(topic);
        CompileOptions {
            site: SiteFacts {
                name: site.name.clone(),
                url: site.url.trim_end_matches('/').to_owned(),
                address: site.address.clone(),
                phone: site.phone.clone(),
                timezone: site.timezone.clone(),
                locale: site.locale.clone(),
                currency: site.currency,
            },
            profile: settings.law.profile,
            kind: topic_model.map_or(TopicKind::Marketing, |t| t.kind),
            topic: topic_model.map(|t| t.title.clone().unwrap_or_else(|| Words::One(topic.to_owned()))),
            from: sender.from.clone(),
            campaign: campaign.to_owned(),
            subject: None,
            surveys,
            opens: settings.tracking.opens,
            clicks: settings.tracking.clicks,
            utm,
        }
    }
}
