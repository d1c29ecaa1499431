//! A campaign ready to run: its content compiled once, for as long as the process lives.

use super::content::Content;
use super::{CampaignError, store};
use crate::config::model::{Campaign, Sender, Settings, Topic, TopicKind};
use crate::config::nearest;
use crate::db::{Db, Query};
use crate::permission::Rule;
use crate::render::{CompileOptions, Compiled};
use crate::segment::{Condition, Context, Names, Segments};
use crate::types::pace::{Cap, Quiet};
use crate::types::{Period, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// A compiled campaign.
#[derive(Debug)]
pub struct Live {
    /// Its identity in the files.
    pub name: String,
    /// Its file.
    pub campaign: Campaign,
    /// The sender of the settings.
    pub sender: Sender,
    /// The topic of the settings.
    pub topic: Topic,
    /// Its templates.
    pub compiled: Compiled,
    /// At most so many marketing mails to one person.
    pub cap: Cap,
    /// Hours without it.
    pub quiet: Quiet,
    /// How long a mail is worth sending.
    pub expires: Period,
    segments: Segments,
}

/// Who is asked for, and who is left out: conditions over `c` and `r`.
#[derive(Clone, Debug)]
pub struct Audience {
    /// In the segment.
    pub include: Condition,
    /// In one of the excluded segments; `None` when there are none.
    pub exclude: Vec<(String, Condition)>,
}

impl Live {
    /// Compiles a content.
    ///
    /// # Errors
    /// All mistakes that keep it from running.
    pub fn compile(name: &str, content: &Content, settings: &Settings) -> Result<Live, CampaignError> {
        let campaign = content.campaign()?;
        let document = content.document(&content.campaign);
        let missing = |path: &str, kind: &str, word: &str, known: Vec<&str>| {
            let problem = document.problem(path, "unknown-name", format!("there is no {kind} `{word}`"));
            CampaignError::Files(vec![problem.maybe_help(nearest(word, known))])
        };
        let topic = settings.topic.get(&campaign.topic).cloned().ok_or_else(|| {
            missing("topic", "topic", &campaign.topic, settings.topic.keys().map(String::as_str).collect())
        })?;
        let sender = settings.sender.get(&campaign.sender).cloned().ok_or_else(|| {
            missing("sender", "sender", &campaign.sender, settings.sender.keys().map(String::as_str).collect())
        })?;
        let files = content.segments();
        let list: Vec<_> = files.iter().map(|(name, document, segment)| (name.as_str(), document, segment)).collect();
        let (segments, problems) = Segments::check(&list, &super::check::catalogue(), &Names::default());
        if !problems.is_empty() {
            return Err(CampaignError::Files(problems));
        }
        for (path, segment) in asked(&campaign) {
            if segments.get(&segment).is_none() {
                let known = files.iter().map(|(name, ..)| name.as_str()).collect();
                return Err(missing(&path, "segment", &segment, known));
            }
        }
        let options = CompileOptions::new(settings, name, &sender, &campaign.topic, content.surveys());
        let compiled = Compiled::new(&content.library(), &campaign.send, &options).map_err(CampaignError::Files)?;
        let own = campaign.limits;
        let cap = own.and_then(|own| own.cap).unwrap_or(settings.limits.cap);
        let quiet = own.and_then(|own| own.quiet).unwrap_or(settings.limits.quiet);
        let expires = campaign.expires.unwrap_or(settings.delivery.expires);
        Ok(Live { name: name.to_owned(), campaign, sender, topic, compiled, cap, quiet, expires, segments })
    }

    /// Whether its mail is service mail.
    pub fn service(&self) -> bool {
        self.topic.kind == TopicKind::Service
    }

    /// The share that gets nothing.
    pub fn holdout(&self) -> f64 {
        if self.service() { 0.0 } else { self.campaign.holdout.map_or(0.0, |share| share.fraction()) }
    }

    /// The permission that its topic needs, at this moment.
    ///
    /// # Errors
    /// When the topic is gone from the settings.
    pub fn rule(&self, settings: &Settings, now: Timestamp) -> Result<Rule, CampaignError> {
        let topic = &self.campaign.topic;
        Rule::of(topic, settings, now).ok_or_else(|| {
            CampaignError::State(format!("the topic `{topic}` is no longer in dangol.toml: bring it back"))
        })
    }

    /// The audience as conditions for the database in use.
    ///
    /// # Errors
    /// When a segment is gone or too large.
    pub fn audience(&self, db: &impl Query, settings: &Settings, now: Timestamp) -> Result<Audience, CampaignError> {
        let site = &settings.site;
        let context = Context {
            dialect: db.dialect(),
            now,
            zone: site.timezone.tz(),
            currency: site.currency,
            segments: &self.segments,
        };
        let condition = |name: &str| {
            let expr = self.segments.get(name).ok_or_else(|| format!("the segment `{name}` is gone"))?;
            expr.compile(&context).map_err(|e| e.to_string())
        };
        let wrong = CampaignError::State;
        let include = condition(&self.campaign.audience.segment).map_err(wrong)?;
        let exclude = &self.campaign.audience.exclude;
        let exclude = exclude.iter().map(|name| Ok((name.clone(), condition(name)?))).collect::<Result<_, String>>();
        Ok(Audience { include, exclude: exclude.map_err(wrong)? })
    }
}

/// The segments that a campaign names, with where.
pub(super) fn asked(campaign: &Campaign) -> Vec<(String, String)> {
    let mut asked = vec![("audience.segment".to_owned(), campaign.audience.segment.clone())];
    for (i, name) in campaign.audience.exclude.iter().enumerate() {
        asked.push((format!("audience.exclude[{i}]"), name.clone()));
    }
    asked
}

/// Compiled revisions by id; each is compiled once.
#[derive(Debug, Default)]
pub struct LiveCache {
    live: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_revision: HashMap<i64, Arc<Live>>,
    /// How often the settings have changed: what was compiled under older ones is not kept.
    generation: u64,
}

impl LiveCache {
    /// The revision, compiled.
    ///
    /// # Errors
    /// When it is gone, or does not compile under the present settings.
    pub async fn get(&self, db: &Db, settings: &Settings, revision: i64) -> Result<Arc<Live>, CampaignError> {
        let generation = {
            let kept = self.lock();
            if let Some(live) = kept.by_revision.get(&revision) {
                return Ok(live.clone());
            }
            kept.generation
        };
        let (name, content) = store::content(&mut &*db, revision).await?;
        let live = Arc::new(Live::compile(&name, &content, settings)?);
        let mut kept = self.lock();
        if kept.generation == generation {
            kept.by_revision.insert(revision, live.clone());
        }
        Ok(live)
    }

    /// Forgets all: the settings have changed.
    pub fn clear(&self) {
        let mut kept = self.lock();
        kept.by_revision.clear();
        kept.generation += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        // a panic while holding it cannot leave the map half-changed
        self.live.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
