//! The relays of the settings, ready for use: passwords from the environment, `catch://` by a catcher started here.

mod advice;

use super::{App, AppError};
use crate::catcher::{self, Catcher};
use crate::config::workspace::SETTINGS;
use crate::config::{Problem, secret};
use crate::deliver::direct;
use crate::deliver::relay::{Relay, Scheme, Server, Tls};
use secrecy::SecretString;
use std::sync::Arc;

/// Relays, and the catcher that lives as long as they are used.
pub struct Relays {
    /// In order of preference.
    pub relays: Vec<Arc<Relay>>,
    /// Started when one of them is `catch://`.
    pub catcher: Option<Catcher>,
}

/// Makes the relays of the settings.
///
/// # Errors
/// When one cannot be made: no relay, no password, no port for the catcher.
pub async fn of(app: &App) -> Result<Relays, AppError> {
    let settings = app.settings();
    if settings.relay.is_empty() {
        let help = "there is no [[relay]] in dangol.toml: add one with url = \"catch://\" to try, or smtp://… to send";
        return Err(AppError::Other(help.into()));
    }
    let mut catcher = None;
    let mut relays = Vec::new();
    for relay in &settings.relay {
        let scheme = Scheme::parse(&relay.url).map_err(|e| AppError::Other(format!("relay `{}`: {e}", relay.name)))?;
        let server = match scheme {
            Scheme::Catch => {
                let running: &Catcher = match &mut catcher {
                    Some(running) => running,
                    none => none.insert(start_catcher(app).await?),
                };
                let smtp = running.smtp_addr;
                Server { host: smtp.ip().to_string(), port: smtp.port(), tls: Tls::None, login: None }
            }
            Scheme::Server { tls, user, host, port } => {
                let login = match user {
                    Some(user) => Some((user, password(app, &relay.name)?)),
                    None => None,
                };
                Server { host, port, tls, login }
            }
        };
        relays.push(Arc::new(Relay::new(relay, server)));
    }
    Ok(Relays { relays, catcher })
}

async fn start_catcher(app: &App) -> Result<Catcher, AppError> {
    let options = catcher::Options {
        http: Some((std::net::Ipv4Addr::LOCALHOST, 0).into()),
        locale: Some(app.settings().site.locale.clone()),
        ..Default::default()
    };
    let catcher = Catcher::start(options, app.clock.clone(), catcher::take_all).await;
    catcher.map_err(|e| AppError::Other(format!("the mail catcher cannot listen: {e}")))
}

fn password(app: &App, relay: &str) -> Result<SecretString, AppError> {
    let name = secret::relay_password_variable(relay);
    let env = |name: &str| app.open.variable(name);
    let found = secret::env_or_file(&env, &name)?;
    found.ok_or_else(|| {
        AppError::Other(format!(
            "relay `{relay}` has a user, and no password: set {name}, or {name}_FILE to a file with it"
        ))
    })
}

/// What keeps a relay from being used, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

/// Connects to each relay and logs in.
///
/// # Errors
/// When they cannot be made.
pub async fn try_each(app: &App) -> Result<Vec<(Arc<Relay>, Result<(), Unusable>)>, AppError> {
    let relays = of(app).await?;
    let mut tried = Vec::new();
    for relay in relays.relays {
        let usable = direct::try_relay(&relay, "localhost").await.map_err(|(phase, why)| {
            let variable = secret::relay_password_variable(&relay.name);
            let (what, help) = advice::of(&relay.server, phase, &why, &variable);
            Unusable { what, help }
        });
        tried.push((relay, usable));
    }
    Ok(tried)
}

/// What keeps the relays from being used. For `check --online`.
pub async fn try_all(app: &App) -> Vec<Problem> {
    let tried = match try_each(app).await {
        Ok(tried) => tried,
        Err(e) => return vec![Problem::whole(SETTINGS, "relay", e.to_string())],
    };
    let document = &app.workspace.settings.document;
    let wrong = tried.into_iter().enumerate().filter_map(|(i, (relay, usable))| {
        let Unusable { what, help } = usable.err()?;
        let message = format!("the relay `{}` cannot be used: {what}", relay.name);
        Some(document.problem(&format!("relay[{i}].url"), "relay", message).help(help))
    });
    wrong.collect()
}
