//! The stage: a temporary place with a workspace, a database, a mail catcher, a web server, and a clock that is stepped.
//!
//! The story begins some days ago and ends now, so that the commands that someone types afterwards, by the system's
//! clock, find all of it in the past. While traffic runs the clock stands still; only the worker process, which is a
//! process of its own, has a clock that runs, and is started at the stage's time.

use super::files::{self, Files};
use super::traffic::{self, Deed, Tally};
use super::world::{self, Addresses};
use super::{Lang, Person, Shop, people};
use crate::campaign::content::Content;
use crate::campaign::launch::{How, Launched, launch};
use crate::campaign::plan::{Plan, plan};
use crate::campaign::{Live, check};
use crate::catcher::{self, Catcher, Mail};
use crate::config::{Problem, Severity, Workspace};
use crate::customer::{self, Customer};
use crate::deliver::store as messages;
use crate::engine::{App, Environment, Open, Roles, Running, Web, serve_on};
use crate::relationship::{self, Explanation};
use crate::report::campaign::{Report, report};
use crate::types::{Clock, Timestamp};
use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};
use reqwest::Client;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

/// So many days ago the story begins: a letter and a question in the first week, rewards in the second, two letters and
/// the week in which they are measured.
const DAYS_AGO: i64 = 21;
/// More messages than the shop can have.
const ALL: i64 = 10_000;

/// Everything that a scene acts on.
pub struct Stage {
    pub(super) lang: Lang,
    pub(super) shop: Shop,
    pub(super) files: Files,
    pub(super) root: PathBuf,
    pub(super) log: PathBuf,
    pub(super) binary: PathBuf,
    pub(super) begins: Timestamp,
    pub(super) clock: Clock,
    pub(super) app: App,
    pub(super) catcher: Catcher,
    /// The catcher's page.
    pub(super) page: SocketAddr,
    pub(super) site: Url,
    pub(super) client: Client,
    web: Web,
    stop: CancellationToken,
    dir: TempDir,
}

impl Stage {
    /// Builds it; `binary` is the program that sends. The web server ends with `stop`.
    pub(super) async fn set_up(lang: Lang, binary: &Path, stop: CancellationToken) -> anyhow::Result<Stage> {
        let begins = begins(Clock::system().now())?;
        let clock = Clock::stepped(begins);
        let shop = Shop::generate(lang, begins);
        let dir = tempfile::Builder::new().prefix("dangol-demo-").tempdir().context("there is no temporary place")?;
        let root = dir.path().join("shop");
        let written = dir.path().join("files");
        std::fs::create_dir(&written)?;
        let files = files::write(&written, &shop)?;

        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let locale = lang.code().parse().map_err(anyhow::Error::msg)?;
        let options = catcher::Options { http: Some(anywhere), locale: Some(locale), ..catcher::Options::default() };
        let catcher = Catcher::start(options, clock.clone(), shop.mailboxes()).await?;
        let page = catcher.http_addr.context("the catcher has no page")?;
        let listener = TcpListener::bind(anywhere).await.context("there is no free port for the site")?;
        let at = Addresses { smtp: catcher.smtp_addr, site: listener.local_addr()? };
        world::write(&root, lang, at)?;
        let open = Open {
            workspace: Some(root.clone()),
            migrate: false,
            clock: clock.clone(),
            // whatever this shell is set up for, it is not this shop's database
            environment: Environment::Of(Arc::default()),
        };
        let app = open.app().await?;
        let web = serve_on(&app, listener, stop.clone())?;
        Ok(Stage {
            lang,
            shop,
            files,
            root,
            log: dir.path().join("worker.log"),
            binary: binary.to_owned(),
            begins,
            clock,
            app,
            catcher,
            page,
            site: Url::parse(&format!("http://{}", at.site))?,
            client: people::client()?,
            web,
            stop,
            dir,
        })
    }

    /// Sets the clock to so long after the beginning.
    pub(super) fn go_to(&self, after: SignedDuration) -> Timestamp {
        let at = self.begins.saturating_add(after).unwrap_or(self.begins);
        self.clock.set(at);
        at
    }

    /// Lets the loops work at this moment until nothing is due: with the senders, or only what reads and reckons.
    pub(super) async fn work(&self, sender: bool) -> anyhow::Result<()> {
        let running = Running::start(self.app.clone(), Roles { scheduler: true, sender }).await?;
        let worked = running.until_idle().await;
        running.stop().await?;
        worked?;
        Ok(())
    }

    /// What `check` says of the files as they are, tried against real customers.
    pub(super) async fn check(&self) -> anyhow::Result<Vec<Problem>> {
        let (workspace, mut problems) = Workspace::load(&self.root);
        let workspace = workspace.context("the demo's dangol.toml cannot be read")?;
        let (app, now) = (&self.app, self.clock.now());
        let attributes = customer::attribute_names(&mut &app.db).await?;
        problems.extend(check::check(&workspace, Some(&attributes)));
        if problems.iter().all(|problem| problem.severity != Severity::Error) {
            problems.extend(check::against_customers(&workspace, &app.db, &app.composer, 100, now).await?);
        }
        problems.retain(|problem| problem.severity == Severity::Error);
        problems.dedup();
        Ok(problems)
    }

    /// What `plan` says of a campaign.
    pub(super) async fn plan(&self, campaign: &str) -> anyhow::Result<Plan> {
        let (content, live) = self.live(campaign)?;
        let settings = self.app.settings();
        Ok(plan(&self.app.db, &settings, &live, &content.hash(), self.clock.now()).await?)
    }

    /// `launch`, with a yes to however many the plan tells of: a letter to all may follow one to regulars.
    pub(super) async fn launch(&self, campaign: &str) -> anyhow::Result<Launched> {
        let agreed = self.plan(campaign).await?.leap.map(|leap| leap.people);
        let how = How { agreed, ..How::default() };
        let (content, live) = self.live(campaign)?;
        Ok(launch(&self.app.db, campaign, &content, &live, &self.app.settings(), how, self.clock.now()).await?)
    }

    fn live(&self, campaign: &str) -> anyhow::Result<(Content, Live)> {
        let (workspace, _) = Workspace::load(&self.root);
        let workspace = workspace.context("the demo's dangol.toml cannot be read")?;
        let content = Content::of(&workspace, campaign)?;
        let live = Live::compile(campaign, &content, &self.app.settings())?;
        Ok((content, live))
    }

    /// `report`.
    pub(super) async fn report(&self, campaign: &str) -> anyhow::Result<Report> {
        let app = &self.app;
        Ok(report(&app.db, &app.cache, &app.settings(), campaign, self.clock.now()).await?)
    }

    /// The messages of a campaign, each with its address and state.
    pub(super) async fn messages(&self, campaign: &str) -> anyhow::Result<Vec<messages::Listed>> {
        Ok(messages::list(&mut &self.app.db, None, Some(campaign), ALL).await?)
    }

    /// The customer that a person of the shop became.
    pub(super) async fn customer(&self, person: &Person) -> anyhow::Result<Customer> {
        let mut found = customer::find(&mut &self.app.db, &person.external_id).await?;
        match found.len() {
            1 => Ok(found.remove(0)),
            n => bail!("{n} customers go by {}", person.external_id),
        }
    }

    /// The score of a customer as of a moment, taken apart.
    pub(super) async fn explain(&self, customer: i64, at: Timestamp) -> anyhow::Result<Explanation> {
        Ok(relationship::explain(&self.app.db, &self.app.settings(), customer, at).await?)
    }

    /// Mails with their readers and the moment of their delivery.
    pub(super) async fn delivered(
        &self,
        campaign: &str,
        mails: &[Arc<Mail>],
    ) -> anyhow::Result<Vec<(&Person, Arc<Mail>, Timestamp)>> {
        let listed = self.messages(campaign).await?;
        let at: HashMap<&str, Timestamp> =
            listed.iter().filter_map(|message| Some((message.address.as_deref()?, message.at))).collect();
        let one = |mail: &Arc<Mail>| {
            let to = mail.envelope.to.first()?;
            let person = self.shop.by_address(to)?;
            Some((person, mail.clone(), at.get(to.as_str()).copied().unwrap_or(mail.at)))
        };
        Ok(mails.iter().filter_map(one).collect())
    }

    /// Does what people and machines do, over real HTTP.
    pub(super) async fn perform(&self, mut deeds: Vec<Deed>, moment: SignedDuration) -> Tally {
        deeds.retain(|deed| traffic::to_site(&deed.action, &self.site));
        traffic::perform(&self.client, &self.clock, deeds, moment).await
    }

    /// The temporary place.
    pub fn place(&self) -> &Path {
        self.dir.path()
    }

    /// Ends the servers and takes the temporary place away.
    pub(super) async fn strike(self) {
        self.stop.cancel();
        self.web.ended().await;
        self.catcher.shutdown().await;
        self.app.db.close().await;
        if let Err(e) = self.dir.close() {
            tracing::warn!("the demo's temporary place stays: {e}");
        }
    }
}

/// Ten in the morning in Seoul, some days ago.
fn begins(now: Timestamp) -> anyhow::Result<Timestamp> {
    let today = now.to_zoned(TimeZone::get("Asia/Seoul")?).date();
    let day = today.checked_sub(DAYS_AGO.days())?;
    Ok(day.at(10, 0, 0, 0).in_tz("Asia/Seoul")?.timestamp())
}
