//! The segments of a workspace, asked of the database.

use super::CampaignError;
use super::check::catalogue;
use crate::config::model::Settings;
use crate::config::{Workspace, nearest};
use crate::db::{Db, Query};
use crate::segment::store::{self, Member};
use crate::segment::{Condition, Context, Expr, Names, Segments};
use crate::types::Timestamp;
use std::collections::BTreeMap;

/// The segments of a workspace.
#[derive(Debug)]
pub struct Book {
    segments: Segments,
    titles: BTreeMap<String, Option<String>>,
}

impl Book {
    /// Those of the files.
    ///
    /// # Errors
    /// Their mistakes.
    pub fn of(workspace: &Workspace) -> Result<Book, CampaignError> {
        let files = &workspace.segments;
        let list: Vec<_> = files.iter().map(|(name, file)| (name.as_str(), &file.document, &file.value)).collect();
        let (segments, problems) = Segments::check(&list, &catalogue(), &Names::default());
        if !problems.is_empty() {
            return Err(CampaignError::Files(problems));
        }
        let titles = files.iter().map(|(name, file)| (name.clone(), file.value.title.clone())).collect();
        Ok(Book { segments, titles })
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.titles.keys().map(String::as_str)
    }

    /// A segment's name for people.
    pub fn title(&self, name: &str) -> Option<String> {
        self.titles.get(name).cloned().flatten()
    }

    fn expr(&self, name: &str) -> Result<&Expr, CampaignError> {
        self.segments.get(name).ok_or_else(|| {
            let help = nearest(name, self.names()).unwrap_or_else(|| "the workspace has none".into());
            CampaignError::State(format!("there is no segment `{name}`: {help}"))
        })
    }

    fn context<'a>(&'a self, db: &Db, settings: &'a Settings, now: Timestamp) -> Context<'a> {
        let site = &settings.site;
        let dialect = Query::dialect(&db);
        Context { dialect, now, zone: site.timezone.tz(), currency: site.currency, segments: &self.segments }
    }

    fn condition(&self, db: &Db, settings: &Settings, name: &str, now: Timestamp) -> Result<Condition, CampaignError> {
        let context = self.context(db, settings, now);
        self.expr(name)?.compile(&context).map_err(|e| CampaignError::State(e.to_string()))
    }

    /// How many are in it.
    ///
    /// # Errors
    /// When there is no such segment.
    pub async fn size(&self, db: &Db, settings: &Settings, name: &str, now: Timestamp) -> Result<i64, CampaignError> {
        let condition = self.condition(db, settings, name, now)?;
        Ok(store::size(&mut &*db, &condition).await?)
    }

    /// The first of them.
    ///
    /// # Errors
    /// When there is no such segment.
    pub async fn members(
        &self,
        db: &Db,
        settings: &Settings,
        name: &str,
        limit: i64,
        now: Timestamp,
    ) -> Result<Vec<Member>, CampaignError> {
        let condition = self.condition(db, settings, name, now)?;
        Ok(store::members(&mut &*db, &condition, 0, limit).await?)
    }

    /// Whether a customer is in it.
    ///
    /// # Errors
    /// When there is no such segment.
    pub async fn contains(
        &self,
        db: &Db,
        settings: &Settings,
        name: &str,
        customer: i64,
        now: Timestamp,
    ) -> Result<bool, CampaignError> {
        let condition = self.condition(db, settings, name, now)?;
        Ok(store::contains(&mut &*db, &condition, customer).await?)
    }

    /// Each test of its condition, and whether it is true of a customer.
    ///
    /// # Errors
    /// When there is no such segment.
    pub async fn explain(
        &self,
        db: &Db,
        settings: &Settings,
        name: &str,
        customer: i64,
        now: Timestamp,
    ) -> Result<Vec<(String, bool)>, CampaignError> {
        let context = self.context(db, settings, now);
        let explained = store::explain(&mut &*db, self.expr(name)?, &context, customer).await;
        explained.map_err(|e| CampaignError::State(e.to_string()))
    }
}
