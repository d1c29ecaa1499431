//! What the web door asks of the stages: permission, the mail as a page, the questions of a launched campaign.

mod api;

use super::App;
use crate::campaign::store as campaigns;
use crate::config::model::Survey;
use crate::customer::{self, Preferences as Stored};
use crate::event::{self, Kind, NewEvent};
use crate::permission::{self, NewConsent, Rule, State};
use crate::web::{Change, Deeds, Pause, Preferences, Scope, Surveys, TopicState, View, Withdrawal};
use anyhow::Context as _;
use futures_util::future::BoxFuture;

impl Deeds for App {
    fn unsubscribe<'a>(&'a self, withdrawal: &'a Withdrawal) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move {
            let now = self.clock.now();
            let settings = self.settings();
            let topics: Vec<&str> = match &withdrawal.scope {
                Scope::Topic(topic) => vec![topic.as_str()],
                Scope::All => settings.topic.keys().map(String::as_str).collect(),
            };
            let mut tx = self.db.begin().await?;
            let known = customer::load(&mut tx, withdrawal.customer).await?.is_some_and(|c| c.erased_at.is_none());
            if !known {
                return Ok(());
            }
            let source = &withdrawal.source;
            permission::withdraw(&mut tx, withdrawal.customer, &topics, source, withdrawal.at, now).await?;
            let campaign = match withdrawal.message {
                Some(message) => campaigns::mail(&mut tx, message).await?.map(|mail| mail.campaign),
                None => None,
            };
            let topic = match &withdrawal.scope {
                Scope::Topic(topic) => topic.as_str(),
                Scope::All => "all",
            };
            let about = withdrawal.message.unwrap_or(0);
            let key = format!("unsubscribe:{}:{about}:{topic}", withdrawal.customer);
            let mut event = NewEvent::new(Kind::Unsubscribe, withdrawal.customer, withdrawal.at, "track", key);
            event.campaign = campaign;
            event.message = withdrawal.message;
            event.data = serde_json::json!({ "topic": topic, "source": source });
            event::append(tx, &[event], now).await?;
            Ok(())
        })
    }

    fn preferences(&self, customer: i64) -> BoxFuture<'_, anyhow::Result<Option<Preferences>>> {
        Box::pin(async move {
            let mut db = &self.db;
            let Some(found) = customer::load(&mut db, customer).await? else { return Ok(None) };
            if found.erased_at.is_some() {
                return Ok(None);
            }
            // what the rule says, not the ledger alone: a purchase may stand for consent
            let settings = self.settings();
            let mut topics = Vec::new();
            for topic in settings.topic.keys() {
                let Some(rule) = Rule::of(topic, &settings, self.clock.now()) else { continue };
                let Some(facts) = permission::facts(&mut db, customer, &rule).await? else { continue };
                topics.push(TopicState { topic: topic.clone(), granted: rule.consents(&facts) });
            }
            Ok(Some(Preferences {
                email: found.email,
                locale: found.locale,
                topics,
                paused_until: found.paused_until,
                tracking_off: found.tracking_off,
            }))
        })
    }

    fn change<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move {
            let now = self.clock.now();
            let settings = self.settings();
            let mut tx = self.db.begin().await?;
            let Some(found) = customer::load(&mut tx, change.customer).await? else { return Ok(()) };
            if found.erased_at.is_some() {
                return Ok(());
            }
            for topic in &change.grant {
                let set = settings.topic.get(topic).with_context(|| format!("there is no topic {topic}"))?;
                let consent = NewConsent {
                    customer: change.customer,
                    topic: topic.clone(),
                    state: State::Granted,
                    basis: None,
                    text: None,
                    source: "preferences".into(),
                    address: found.email.as_ref().map(ToString::to_string),
                    at: change.at,
                    own_act: true,
                    batch: None,
                };
                // whoever reached this page came by a link in a mail to the address: that is the second opt-in
                permission::request(&mut tx, set, consent, now).await?;
                permission::confirm(&mut tx, change.customer, topic, "preferences", now).await?;
            }
            let withdrawn: Vec<&str> = change.withdraw.iter().map(String::as_str).collect();
            permission::withdraw(&mut tx, change.customer, &withdrawn, "preferences", change.at, now).await?;
            let paused_until = match change.pause {
                Some(Pause::Until(until)) => Some(until),
                Some(Pause::End) => None,
                None => found.paused_until,
            };
            let stored = Stored { tracking_off: change.tracking_off, paused_until };
            customer::set_preferences(&mut tx, change.customer, stored, now).await?;
            tx.commit().await?;
            Ok(())
        })
    }
}

impl View for App {
    fn view(&self, message: i64) -> BoxFuture<'_, anyhow::Result<Option<String>>> {
        Box::pin(async move { Ok(self.composer.view(message).await?) })
    }
}

impl Surveys for App {
    fn survey<'a>(&'a self, message: i64, name: &'a str) -> BoxFuture<'a, anyhow::Result<Option<Survey>>> {
        Box::pin(async move {
            // a preview has no message: its questions are those of the files
            if message == 0 {
                return Ok(self.workspace.surveys.get(name).map(|file| file.value.clone()));
            }
            let mut db = &self.db;
            let Some(mail) = campaigns::mail(&mut db, message).await? else { return Ok(None) };
            Ok(campaigns::survey(&mut db, mail.revision, name).await?)
        })
    }
}
