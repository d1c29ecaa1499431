//! A campaign ready to run: its content compiled once, for as long as the process lives.

use super::content::Content;
use super::{CampaignError, store};
use crate::config::document::Document;
use crate::config::model::{Campaign, Sender, Settings, StepReward, Topic, TopicKind, Trigger};
use crate::config::{Problem, nearest};
use crate::db::{Db, Query};
use crate::permission::Rule;
use crate::render::{CompileOptions, Compiled};
use crate::reward::Reward;
use crate::segment::{Condition, Context, Expr, Names, Segments};
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
    /// What happens to whoever is inside, in this order; never empty.
    pub steps: Vec<LiveStep>,
    /// The rewards of its revision, by name.
    pub rewards: Vec<String>,
    /// At most so many marketing mails to one person.
    pub cap: Cap,
    /// Hours without it.
    pub quiet: Quiet,
    /// How long a mail is worth sending.
    pub expires: Period,
    segments: Segments,
}

/// A step, compiled.
#[derive(Debug)]
pub struct LiveStep {
    /// Its identity.
    pub id: String,
    /// How long after the step before it.
    pub wait: Period,
    /// What must be true of a customer for it.
    pub when: Option<Expr>,
    /// Its templates; none of a step that only grants.
    pub compiled: Option<Compiled>,
    /// What it grants.
    pub grant: Option<StepGrant>,
}

/// What a step grants.
#[derive(Debug)]
pub struct StepGrant {
    /// The reward, as it is pinned in the revision.
    pub reward: Reward,
    /// How many points.
    pub points: Option<i64>,
}

/// Who is asked for, and who is left out: conditions over `c` and `r`.
#[derive(Clone, Debug, Default)]
pub struct Audience {
    /// All of these are true of them; none: everyone.
    pub include: Vec<Condition>,
    /// Those whom the trigger of this campaign has seen in its segment already are left out.
    pub unseen_by: Option<i64>,
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
        let problems = super::check::shape(&campaign, &document);
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
        let library = content.library();
        let names = Names { segments: Some(files.iter().map(|(name, ..)| name.clone()).collect()), ..Names::default() };
        let mut steps = Vec::new();
        for (i, (path, step)) in campaign.steps().into_iter().enumerate() {
            let when = match &step.when {
                Some(text) => {
                    let path = format!("{path}when");
                    let checked = Segments::condition(&document, &path, text, &super::check::catalogue(), &names);
                    Some(checked.map_err(CampaignError::Files)?)
                }
                None => None,
            };
            let compiled = match &step.send {
                Some(send) => Some(Compiled::new(&library, send, &options).map_err(CampaignError::Files)?),
                None => None,
            };
            let wait = step.wait.unwrap_or(Period::millis(0));
            let grant = step.reward.as_ref().map(|wanted| granted(content, &document, &path, wanted, settings));
            let grant = grant.transpose().map_err(CampaignError::Files)?;
            steps.push(LiveStep { id: step.name(i + 1), wait, when, compiled, grant });
        }
        let rewards = content.rewards().into_iter().map(|(name, ..)| name).collect();
        let own = campaign.limits;
        let cap = own.and_then(|own| own.cap).unwrap_or(settings.limits.cap);
        let quiet = own.and_then(|own| own.quiet).unwrap_or(settings.limits.quiet);
        let expires = campaign.expires.unwrap_or(settings.delivery.expires);
        Ok(Live { name: name.to_owned(), campaign, sender, topic, steps, rewards, cap, quiet, expires, segments })
    }

    /// Whether its mail is service mail.
    pub fn service(&self) -> bool {
        self.topic.kind == TopicKind::Service
    }

    /// The share that gets nothing: of service mail none, and without a word in the file a tenth of what a trigger brings.
    pub fn holdout(&self) -> f64 {
        if self.service() {
            return 0.0;
        }
        let usual = if self.campaign.trigger.is_some() { 0.1 } else { 0.0 };
        self.campaign.holdout.map_or(usual, |share| share.fraction())
    }

    /// The step of an id, and its place.
    pub fn step(&self, id: &str) -> Option<(usize, &LiveStep)> {
        self.steps.iter().enumerate().find(|(_, step)| step.id == id)
    }

    /// Whether it grants a reward, or asks for it in a condition of its own.
    pub fn speaks_of(&self, reward: &str) -> bool {
        let grants = |step: &LiveStep| step.grant.as_ref().is_some_and(|grant| grant.reward.name == reward);
        let asks =
            |step: &LiveStep| step.when.as_ref().is_some_and(|when| when.text().contains(&format!("'{reward}'")));
        self.steps.iter().any(|step| grants(step) || asks(step))
    }

    /// The first step.
    pub fn first(&self) -> &LiveStep {
        &self.steps[0]
    }

    /// Whether all there is to do for a customer is one mail, at once: it is then queued with the audience, set-wise.
    pub fn is_one_mail(&self) -> bool {
        let plain = |step: &LiveStep| step.when.is_none() && step.grant.is_none() && step.wait.as_millis() == 0;
        self.campaign.trigger.is_none() && self.steps.len() == 1 && plain(self.first())
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
        let named = &self.campaign.audience;
        let include = named.segment.as_deref().map(|name| self.segment(name, db, settings, now)).transpose()?;
        let include = include.into_iter().collect();
        let exclude = named.exclude.iter();
        let exclude = exclude.map(|name| Ok((name.clone(), self.segment(name, db, settings, now)?)));
        Ok(Audience { include, unseen_by: None, exclude: exclude.collect::<Result<_, CampaignError>>()? })
    }

    /// The segment that its trigger watches, as a condition.
    ///
    /// # Errors
    /// When it is gone or too large.
    pub fn watched(
        &self,
        db: &impl Query,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Option<Condition>, CampaignError> {
        let Some(name) = self.campaign.trigger.as_ref().and_then(Trigger::segment) else { return Ok(None) };
        self.segment(name, db, settings, now).map(Some)
    }

    /// What a step asks of a customer, as a condition.
    ///
    /// # Errors
    /// When a segment in it is gone or too large.
    pub fn guard(
        &self,
        step: &LiveStep,
        db: &impl Query,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Option<Condition>, CampaignError> {
        let compile = |expr: &Expr| expr.compile(&self.context(db, settings, now));
        step.when.as_ref().map(compile).transpose().map_err(|e| CampaignError::State(e.to_string()))
    }

    fn segment(
        &self,
        name: &str,
        db: &impl Query,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Condition, CampaignError> {
        let gone = || CampaignError::State(format!("the segment `{name}` is gone"));
        let expr = self.segments.get(name).ok_or_else(gone)?;
        expr.compile(&self.context(db, settings, now)).map_err(|e| CampaignError::State(e.to_string()))
    }

    fn context<'a>(&'a self, db: &impl Query, settings: &'a Settings, now: Timestamp) -> Context<'a> {
        let site = &settings.site;
        let dialect = db.dialect();
        Context { dialect, now, zone: site.timezone.tz(), currency: site.currency, segments: &self.segments }
    }
}

/// The reward that a step names, of the same revision.
fn granted(
    content: &Content,
    document: &Document,
    path: &str,
    wanted: &StepReward,
    settings: &Settings,
) -> Result<StepGrant, Vec<Problem>> {
    let files = content.rewards();
    let Some((_, _, file)) = files.iter().find(|(name, ..)| *name == wanted.grant) else {
        let message = format!("there is no reward `{}`", wanted.grant);
        let known = files.iter().map(|(name, ..)| name.as_str());
        let problem = document.problem(&format!("{path}reward.grant"), "unknown-name", message);
        return Err(vec![problem.maybe_help(nearest(&wanted.grant, known))]);
    };
    let at = |message: String| vec![document.problem(&format!("{path}reward"), "value", message)];
    let reward = Reward::compile(&wanted.grant, file, settings).map_err(|e| at(e.to_string()))?;
    super::check::grant(&reward, wanted).map_err(at)?;
    Ok(StepGrant { reward, points: wanted.points })
}

/// The segments that a campaign names, with where.
pub(super) fn asked(campaign: &Campaign) -> Vec<(String, String)> {
    let mut asked: Vec<(String, String)> = Vec::new();
    let mut ask = |path: &str, name: &Option<String>| {
        if let Some(name) = name {
            asked.push((path.to_owned(), name.clone()));
        }
    };
    ask("audience.segment", &campaign.audience.segment);
    if let Some(trigger) = &campaign.trigger {
        ask("trigger.enters", &trigger.enters);
        ask("trigger.leaves", &trigger.leaves);
    }
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
        self.get_in(&mut &*db, settings, revision).await
    }

    /// The same inside a transaction, for whoever holds the one writer already.
    ///
    /// # Errors
    /// As [`get`](LiveCache::get).
    pub async fn get_in(
        &self,
        db: &mut impl Query,
        settings: &Settings,
        revision: i64,
    ) -> Result<Arc<Live>, CampaignError> {
        let generation = {
            let kept = self.lock();
            if let Some(live) = kept.by_revision.get(&revision) {
                return Ok(live.clone());
            }
            kept.generation
        };
        let (name, content) = store::content(db, revision).await?;
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
