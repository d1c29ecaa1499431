//! `serve`

use super::app;
use crate::cli::arguments::{Global, Role};
use crate::engine::{self, Ended, Roles, Running, signals};
use std::process::ExitCode;

pub async fn serve(global: &Global, role: &[Role], listen: Option<&str>) -> anyhow::Result<ExitCode> {
    let app = app(global).await?;
    let has = |wanted| role.is_empty() || role.contains(&wanted);
    let roles = Roles { scheduler: has(Role::Scheduler), sender: has(Role::Sender) };
    // the port first: a server that cannot listen must not have begun to send
    let listener = match has(Role::Web) {
        true => Some(engine::listen(&app, listen).await?),
        false => None,
    };
    let mut running = Running::start(app.clone(), roles).await?;
    let stop = running.stopping();
    signals::handle(&app, stop.clone());
    let web = match listener {
        Some(listener) => Some(engine::serve_on(&app, listener, stop.clone())?),
        None => None,
    };
    running.schedule();
    if let Some(web) = &web {
        tracing::info!("ready: listening on http://{}", web.address);
    }
    if let Some(page) = running.catcher().and_then(|catcher| catcher.http_addr) {
        tracing::info!("mail to catch:// goes to nobody: see it on http://{page}");
    }
    stop.cancelled().await;
    tracing::info!("stopping: finishing what is in flight");
    let ended = running.stop().await?;
    if let Some(web) = web {
        web.ended().await;
    }
    Ok(if ended == Ended::Stopped { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
