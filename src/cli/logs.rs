//! Logs go to standard error, as text or JSON; what a command has to say goes to standard output.

use super::arguments::{Global, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` sets what is shown; by default Dangol's own words from `info` on, for long-running
/// commands, and warnings of all else. Lettre would log logins and bodies at `debug`: it never gets that far.
pub fn start(global: &Global) {
    let filter = EnvFilter::try_from_env("RUST_LOG").unwrap_or_else(|_| EnvFilter::new("warn,dangol=info"));
    let filter = ["lettre=warn", "sqlx=warn"]
        .into_iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    // a log that cannot be written is lost: mail goes on
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    // a second start, as in tests, keeps the first
    let _ = match global.log {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.compact().with_target(false).with_ansi(ansi()).try_init(),
    };
}

fn ansi() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
