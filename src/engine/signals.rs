//! What the operating system says: SIGINT and SIGTERM end in good order, SIGHUP reads `dangol.toml` again.

use super::App;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `stop` on SIGINT and SIGTERM, reloads on SIGHUP. A second SIGINT ends the process at once.
pub fn handle(app: &App, stop: CancellationToken) {
    let app = app.clone();
    tokio::spawn(async move {
        let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()));
        let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = signals else {
            tracing::error!("signals cannot be heard: this process ends only by being killed");
            return;
        };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {
                    match app.reload().await {
                        Ok(()) => tracing::info!("dangol.toml was read again"),
                        Err(e) => tracing::error!("dangol.toml cannot be taken, and the old settings stay:\n{e}"),
                    }
                    continue;
                }
            }
            if stop.is_cancelled() {
                tracing::warn!("told twice: ending at once");
                std::process::exit(130);
            }
            stop.cancel();
        }
    });
}
