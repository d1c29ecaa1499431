//! An opened workspace: files read, keys loaded, database open and of the right version.

use super::journal::Journal;
use crate::campaign::compose::Composer;
use crate::campaign::{CampaignError, LiveCache};
use crate::config::model::Settings;
use crate::config::secret::{self, SecretError, SiteSecret};
use crate::config::{Problem, Workspace, workspace};
use crate::customer::ErasureKey;
use crate::db::location::Location;
use crate::db::{Db, DbError, migrate};
use crate::render::dkim;
use crate::reward;
use crate::track::Tokens;
use crate::types::{Clock, Shared};
use secrecy::ExposeSecret as _;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Notify;

/// What keeps a workspace from being opened.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No workspace here.
    #[error(
        "there is no dangol.toml in {0} or above: go to a workspace, name one with --workspace, or make one with `dangol init shop`"
    )]
    NoWorkspace(String),
    /// Files with mistakes.
    #[error("{}", .0.iter().map(Problem::render).collect::<Vec<_>>().join("\n"))]
    Files(Vec<Problem>),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The keys.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A campaign.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// Relationships.
    #[error(transparent)]
    Relationship(#[from] crate::relationship::RelationshipError),
    /// Rewards.
    #[error(transparent)]
    Reward(#[from] crate::reward::RewardError),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// How a workspace is opened.
#[derive(Clone, Debug, Default)]
pub struct Open {
    /// Where to look for it, upwards; by default here.
    pub workspace: Option<PathBuf>,
    /// The operator said that an existing PostgreSQL database may be migrated.
    pub migrate: bool,
    /// The clock; by default the system's.
    pub clock: Clock,
    /// Where its variables come from.
    pub environment: Environment,
}

/// Where variables such as `DANGOL_SECRET` come from: the process, or a map of a test's own.
#[derive(Clone, Default)]
pub enum Environment {
    /// The process's environment.
    #[default]
    Process,
    /// These, and no others.
    Of(Arc<HashMap<String, String>>),
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // the values are secrets
        f.write_str("Environment")
    }
}

impl Open {
    /// A variable of the environment.
    pub fn variable(&self, name: &str) -> Option<String> {
        match &self.environment {
            Environment::Of(map) => map.get(name).cloned(),
            Environment::Process => std::env::var(name).ok(),
        }
    }

    /// The workspace's folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn root(&self) -> Result<PathBuf, AppError> {
        let start = self.workspace.clone().unwrap_or_else(|| PathBuf::from("."));
        workspace::find(&start).ok_or_else(|| {
            let shown = std::path::absolute(&start).unwrap_or(start);
            AppError::NoWorkspace(shown.display().to_string())
        })
    }

    /// The workspace's files, with their mistakes.
    ///
    /// # Errors
    /// When there is none, or `dangol.toml` itself is wrong.
    pub fn files(&self) -> Result<(Workspace, Vec<Problem>), AppError> {
        let root = self.root()?;
        let (found, problems) = Workspace::load(&root);
        match found {
            Some(found) => Ok((found, problems)),
            None => Err(AppError::Files(problems)),
        }
    }

    /// Where the database is: `DANGOL_DATABASE_URL`, else what `dangol.toml` says.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn location(&self, root: &Path, settings: &Settings) -> Result<Location, AppError> {
        let env = |name: &str| self.variable(name);
        let url = secret::env_or_file(&env, "DANGOL_DATABASE_URL")?;
        let url = url.as_ref().map_or(settings.database.url.as_str(), |url| url.expose_secret());
        Ok(Location::parse(url, root)?)
    }

    /// Opens it: files, keys, database.
    ///
    /// # Errors
    /// What keeps it from being opened.
    pub async fn app(&self) -> Result<App, AppError> {
        let (workspace, problems) = self.files()?;
        self.app_of(workspace, problems).await
    }

    /// Opens a workspace whose files were read already.
    ///
    /// # Errors
    /// What keeps it from being opened.
    pub async fn app_of(&self, workspace: Workspace, problems: Vec<Problem>) -> Result<App, AppError> {
        let location = self.location(&workspace.root, &workspace.settings.value)?;
        let env = |name: &str| self.variable(name);
        let mut secret = SiteSecret::load(&workspace.root, &env)?;
        let db = Db::open(&location).await?;
        let applied = migrate::apply(&db, &location, self.migrate).await?;
        if let Some(backup) = applied.backup {
            tracing::info!("the database was brought to version {}; the old one is {}", applied.to, backup.display());
        }
        secret.verify_fingerprint(&db).await?;
        let settings = Shared::new(workspace.settings.value.clone());
        let tokens = Tokens::new(&secret);
        let cache = Arc::new(LiveCache::default());
        let keys = Shared::new(dkim::Keys::load(&workspace.root, &workspace.settings.value));
        let composer = Composer::new(db.clone(), settings.clone(), cache.clone(), tokens.clone(), keys.clone());
        Ok(App {
            open: self.clone(),
            journal: Arc::new(Journal::new(&workspace.root, ErasureKey::new(secret.erasure_key()))),
            workspace: Arc::new(workspace),
            problems,
            location,
            db,
            clock: self.clock.clone(),
            secret: Arc::new(secret),
            settings,
            tokens,
            cache,
            keys,
            composer,
            woken: Arc::default(),
        })
    }
}

/// An opened workspace.
#[derive(Clone, Debug)]
pub struct App {
    /// How it was opened.
    pub open: Open,
    /// Its files as they were read.
    pub workspace: Arc<Workspace>,
    /// The mistakes in them.
    pub problems: Vec<Problem>,
    /// Where the database is.
    pub location: Location,
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// The site's keys.
    pub secret: Arc<SiteSecret>,
    /// `dangol.toml` as it stands.
    pub settings: Shared<Settings>,
    /// The signer of links.
    pub tokens: Tokens,
    /// Compiled revisions.
    pub cache: Arc<LiveCache>,
    /// The keys that mail is signed with.
    pub keys: Shared<dkim::Keys>,
    /// What survives a restore, outside the database.
    pub journal: Arc<Journal>,
    /// The maker of mails.
    pub composer: Composer,
    /// Told when something came in, so that the scheduler looks at once.
    pub woken: Arc<Notify>,
}

impl App {
    /// The settings now.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.get()
    }

    /// Whether a file could be read, when it is there: what it holds is otherwise missing for no reason to be seen.
    ///
    /// # Errors
    /// Its mistakes.
    pub fn readable(&self, file: &str) -> Result<(), AppError> {
        let is_error = |problem: &&Problem| problem.severity == crate::config::Severity::Error && problem.file == file;
        let wrong: Vec<Problem> = self.problems.iter().filter(is_error).cloned().collect();
        if wrong.is_empty() { Ok(()) } else { Err(AppError::Files(wrong)) }
    }

    /// Reads `dangol.toml` again, and takes it when it has no mistakes and live rewards keep their currency.
    ///
    /// # Errors
    /// The mistakes; the old settings then stay.
    pub async fn reload(&self) -> Result<(), AppError> {
        let (workspace, problems) = Workspace::load(&self.workspace.root);
        let Some(workspace) = workspace else { return Err(AppError::Files(problems)) };
        let keys = dkim::problems(&workspace, crate::config::Severity::Error);
        let wrong: Vec<Problem> = crate::campaign::check::check(&workspace, None)
            .into_iter()
            .chain(keys)
            .filter(|problem| problem.file == workspace::SETTINGS && problem.severity == crate::config::Severity::Error)
            .collect();
        if !wrong.is_empty() {
            return Err(AppError::Files(wrong));
        }
        let (before, after) = (self.settings().site.currency, workspace.settings.value.site.currency);
        if before != after {
            let others = reward::not_in(&mut &self.db, after).await?;
            if !others.is_empty() {
                return Err(AppError::Other(format!(
                    "[site] currency goes from {before} to {after}, and live rewards are reckoned in another: {}. What was \
                     granted cannot be converted: put the currency back",
                    others.join(", ")
                )));
            }
        }
        self.keys.set(dkim::Keys::load(&workspace.root, &workspace.settings.value));
        self.settings.set(workspace.settings.value);
        self.cache.clear();
        Ok(())
    }
}
