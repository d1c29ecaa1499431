//! The web server in this process.

use super::{App, AppError};
use crate::track::{HitLog, Spool};
use crate::web::{self, Api, State};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running web server.
pub struct Web {
    /// Where it listens.
    pub address: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
    hits: JoinHandle<()>,
    log: HitLog,
}

/// Takes the port of the web server: `listen`, or where the settings say.
///
/// # Errors
/// When the port is taken.
pub async fn listen(app: &App, listen: Option<&str>) -> Result<TcpListener, AppError> {
    let settings = app.settings();
    let listen = listen.unwrap_or(&settings.web.listen);
    TcpListener::bind(listen).await.map_err(|e| {
        AppError::Other(format!(
            "cannot listen on {listen}: {e}. Give another with --listen, or [web] listen in dangol.toml"
        ))
    })
}

/// Starts the web server on a listener, until `stop`.
///
/// # Errors
/// When the listener has no address.
pub fn serve_on(app: &App, listener: TcpListener, stop: CancellationToken) -> Result<Web, AppError> {
    let address = listener.local_addr().map_err(|e| AppError::Other(e.to_string()))?;
    let (log, hits) = HitLog::start(app.db.clone(), spool(app, "hits"));
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    // in tests and the demo several servers live in one process: the first one's recorder is everyone's
    let metrics = metrics::set_global_recorder(recorder).ok().map(|()| metrics);
    let door = Arc::new(app.clone());
    let state = Arc::new(State {
        db: app.db.clone(),
        clock: app.clock.clone(),
        settings: app.settings.clone(),
        tokens: app.tokens.clone(),
        hits: log.clone(),
        deeds: door.clone(),
        view: door.clone(),
        surveys: door.clone(),
        api: Api::new(door),
        metrics,
        withdrawals: Spool::new(spool(app, "withdrawals")),
    });
    let server = tokio::spawn(web::serve(listener, state, async move { stop.cancelled().await }));
    Ok(Web { address, server, hits, log })
}

impl Web {
    /// Waits until it has ended, and every hit is written.
    pub async fn ended(self) {
        if let Ok(Err(e)) = self.server.await {
            tracing::error!(error = %e, "the web server failed");
        }
        self.log.flush().await;
        drop(self.log);
        // a client that holds its connection holds a handle too; what was queued is durable already
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), self.hits).await;
    }
}

/// What comes in while the database is away waits in these files.
fn spool(app: &App, what: &str) -> PathBuf {
    app.workspace.root.join(format!(".spool-{what}.ndjson"))
}
