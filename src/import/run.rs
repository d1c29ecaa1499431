//! The way of a file: a thread reads ahead, slices land, what is refused is written down, the report is drawn up.

use super::columns::Mapping;
use super::encoding::Told;
use super::kinds::{Consents, Context, Customers, Events, Landed, Landing, Orders, Rows, Suppressions};
use super::reader::{self, Item, News};
use super::rejects::{Beside, Rejects};
use super::report::{Rejected, Report};
use super::store::{self, Counts};
use super::{ImportError, Input, Kind, Options, Progress};
use crate::db::{Db, DbError};
use crate::types::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Refused rows and rows of a dry run that the report shows.
const SHOWN: usize = 10;
const PREVIEW: usize = 5;

/// After so many rows the database is told to look at them, and again when there are four times as many.
const LEARN: u64 = 2_048;
/// What rows of any kind land in.
const TABLES: &[&str] = &["customer", "consent", "consent_state", "suppression", "event", "purchase", "order_item"];

/// Imports a file. Good rows land, bad rows are written beside it, and the same file again changes nothing.
///
/// Needs a tokio runtime. `progress` is called after each slice. A dry run judges each slice against the database as it
/// is, and writes nothing, no file of rejected rows either.
///
/// # Errors
/// What keeps the whole file from being imported: it cannot be read, a needed column is missing, a row has no end, the
/// database fails. What landed before stays; the file can be imported again.
pub async fn run(
    db: &Db,
    kind: Kind,
    input: Input,
    options: &Options<'_>,
    progress: &mut (dyn FnMut(Progress) + Send),
    now: Timestamp,
) -> Result<Report, ImportError> {
    let context = Arc::new(Context::new(options, now)?);
    let rejected = match &options.rejected {
        Some(path) => Beside::Named(path.clone()),
        None => Beside::Input(input.rejected()),
    };
    let job = Job { db, kind, context, dry: options.dry_run, rejected, now };
    match kind {
        Kind::Customers => job.run::<Customers>(input, progress).await,
        Kind::Orders => job.run::<Orders>(input, progress).await,
        Kind::Events => job.run::<Events>(input, progress).await,
        Kind::Consents => job.run::<Consents>(input, progress).await,
        Kind::Suppressions => job.run::<Suppressions>(input, progress).await,
    }
}

struct Job<'a> {
    db: &'a Db,
    kind: Kind,
    context: Arc<Context>,
    dry: bool,
    rejected: Beside,
    now: Timestamp,
}

impl Job<'_> {
    async fn run<K: Rows>(
        self,
        input: Input,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Report, ImportError> {
        let file = input.name();
        let source = input.open()?;
        let (read, total) = (source.read.clone(), source.total);
        let (to, mut news) = mpsc::channel::<News<K::Row>>(2);
        let (context, name) = (self.context.clone(), file.clone());
        let thread = tokio::task::spawn_blocking(move || reader::read::<K>(source, &name, &context, &to));
        let result = self.land::<K>(&file, &mut news, &read, total, progress).await;
        // on an error nobody listens any more, and the thread ends at its next block
        drop(news);
        if result.is_ok() {
            thread.await.map_err(|e| DbError::Shape(format!("the reading thread failed: {e}")))?;
        }
        result
    }

    async fn land<K: Rows>(
        &self,
        file: &str,
        news: &mut mpsc::Receiver<News<K::Row>>,
        read: &AtomicU64,
        total: Option<u64>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Report, ImportError> {
        let (mut report, encoding, header) = match news.recv().await {
            Some(News::Opened { delimiter, mapping, header, encoding }) => {
                (self.report(delimiter, mapping), encoding, header)
            }
            Some(News::Failed(e)) => return Err(e),
            Some(News::Block(_)) | None => {
                return Err(DbError::Shape("the reading thread said nothing".into()).into());
            }
        };
        let lines = report.delimiter.is_none();
        let mut rejects = Rejects::begin((!self.dry).then(|| self.rejected.path(lines)), header, lines)?;
        if !self.dry {
            report.batch = Some(store::begin(self.db, self.kind, file, self.now).await?);
        }
        let mut kind = K::default();
        let mut pace = Pace::default();
        let mut failed = None;
        let mut learn = LEARN;
        while let Some(next) = news.recv().await {
            let mut block = match next {
                News::Block(block) => block,
                News::Failed(e) => {
                    failed = Some(e);
                    break;
                }
                News::Opened { .. } => continue,
            };
            while !block.is_empty() {
                let rest = block.split_off(block.len().min(pace.rows));
                let started = Instant::now();
                let landing = self.slice(&mut kind, &block, report.batch).await?;
                pace.took(started.elapsed());
                self.count(&mut report, &mut rejects, &block, landing)?;
                progress(Progress { bytes: read.load(Ordering::Relaxed), total, rows: report.rows });
                block = rest;
            }
            if !self.dry && report.rows >= learn {
                self.db.learn(TABLES).await;
                learn = report.rows.saturating_mul(4);
            }
        }
        report.encoding = Told::name(&encoding);
        report.rejected_file = rejects.finish()?.map(|path| path.display().to_string());
        if let Some(e) = failed {
            return Err(e);
        }
        if !self.dry && report.rows >= LEARN {
            self.db.learn(TABLES).await;
        }
        if let Some(batch) = report.batch {
            store::finish(self.db, batch, self.now).await?;
        }
        Ok(report)
    }

    fn report(&self, delimiter: Option<char>, mapping: Mapping) -> Report {
        let (kind, mapping) = (self.kind.name(), mapping.named);
        Report { kind, delimiter, mapping, dry_run: self.dry, ..Report::default() }
    }

    /// Lands a slice in one transaction. One that met somebody else's row, or a database that was busy, is tried again.
    async fn slice<K: Rows>(
        &self,
        kind: &mut K,
        block: &[Item<K::Row>],
        batch: Option<i64>,
    ) -> Result<Landing, DbError> {
        let rows: Vec<(u64, &K::Row)> =
            block.iter().filter_map(|item| Some((item.line, item.row.as_ref().ok()?))).collect();
        let mut tries = 0;
        loop {
            match self.attempt(kind, &rows, block.len(), batch).await {
                Ok(landing) => {
                    kind.settle(true);
                    return Ok(landing);
                }
                Err(e) if tries < 3 && (e.is_unique_violation() || e.is_transient()) => {
                    kind.settle(false);
                    tries += 1;
                }
                Err(e) => return Err(e),
            }
        }
    }

    async fn attempt<K: Rows>(
        &self,
        kind: &mut K,
        rows: &[(u64, &K::Row)],
        found: usize,
        batch: Option<i64>,
    ) -> Result<Landing, DbError> {
        let mut tx = self.db.begin().await?;
        crate::customer::one_at_a_time(&mut tx).await?;
        let landing =
            if rows.is_empty() { Landing::default() } else { kind.land(&mut tx, rows, &self.context, batch).await? };
        if let Some(batch) = batch {
            store::count(&mut tx, batch, Counts::of(&landing.outcomes, found)).await?;
            tx.commit().await?;
        }
        Ok(landing)
    }

    fn count<R: serde::Serialize>(
        &self,
        report: &mut Report,
        rejects: &mut Rejects,
        block: &[Item<R>],
        landing: Landing,
    ) -> Result<(), ImportError> {
        report.withdrawn_kept += landing.withdrawn_kept;
        let mut landed = landing.outcomes.into_iter();
        for item in block {
            report.rows += 1;
            let refused = match &item.row {
                Err(reason) => Some(reason.clone()),
                Ok(_) => match landed.next() {
                    Some(Landed::Inserted) => {
                        report.inserted += 1;
                        None
                    }
                    Some(Landed::Updated) => {
                        report.updated += 1;
                        None
                    }
                    Some(Landed::Unchanged) => {
                        report.unchanged += 1;
                        None
                    }
                    Some(Landed::Rejected(reason)) => Some(reason),
                    None => Some("this row was lost; import the file again".into()),
                },
            };
            if self.dry
                && report.preview.len() < PREVIEW
                && let Ok(row) = &item.row
            {
                report.preview.push(shown(row));
            }
            if let Some(reason) = refused {
                report.rejected += 1;
                rejects.add(item.line, &item.raw, &reason)?;
                if report.reasons.len() < SHOWN {
                    report.reasons.push(Rejected { line: item.line, reason });
                }
            }
        }
        Ok(())
    }
}

/// A row as it was understood, without what it does not say.
fn shown(row: &impl serde::Serialize) -> serde_json::Value {
    let mut value = serde_json::to_value(row).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null() && value.as_object().is_none_or(|inner| !inner.is_empty()));
    }
    value
}

/// How many rows a transaction takes, so that nobody else waits long for the writer. A power of two: see [`Rows::pieces`](crate::db::Rows::pieces).
struct Pace {
    rows: usize,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { rows: 2_048 }
    }
}

impl Pace {
    /// Below the 50 ms that a transaction may take.
    const AIM: Duration = Duration::from_millis(40);

    fn took(&mut self, time: Duration) {
        if time > Self::AIM {
            self.rows = (self.rows / 2).max(256);
        } else if time < Self::AIM / 3 {
            self.rows = (self.rows * 2).min(4_096);
        }
    }
}
