//! `serve`

use super::app;
use crate::cli::arguments::{Global, Role};
use crate::engine::{self, Ended, Roles, Running, signals};
use std::process::ExitCode;

pub async fn serve(global: &Global, role: &[Role], listen: Option<&str>) -> anyhow::Result<ExitCode> {
    let app = app(global).await?;
    let has = |wanted| role.is_empty() || role.contains(&wanted);
    let roles = Roles { scheduler: has(Role::Scheduler), sender: has(Role::Sender) };
    let mut running = Running::start(app.clone(), roles).await?;
    let stop = running.stopping();
    signals::handle(&app, stop.clone());
    running.schedule();
    let web = match has(Role::Web) {
        true => Some(engine::serve(&app, listen, stop.clone()).await?),
        false => None,
    };
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
