//! The relays of the settings, ready for use: passwords from the environment, `catch://` by a catcher started here.

mod advice;

use super::{App, AppError};
use crate::catcher::{self, Catcher};
use crate::config::model::{self, Settings};
use crate::config::workspace::SETTINGS;
use crate::config::{Problem, secret};
use crate::deliver::direct;
use crate::deliver::relay::Relay;
use crate::deliver::route::{For, Routes};
use crate::deliver::server::{Ca, Scheme, Server, Tls};
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::sync::Arc;

/// Relays, and the catcher that lives as long as they are used.
pub struct Relays {
    /// In the order of the settings, with what each is for.
    pub routes: Routes,
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
    let catches = settings.relay.iter().any(|relay| Scheme::parse(&relay.url) == Ok(Scheme::Catch));
    let catcher = if catches { Some(start_catcher(app).await?) } else { None };
    let routes = again(app, &settings, catcher.as_ref().map(|catcher| catcher.smtp_addr), &[])?;
    Ok(Relays { routes, catcher })
}

/// Makes the relays of settings that were read again. What has not changed is the relay that was there, with its
/// connections and what is known of it.
///
/// # Errors
/// As [`of`]; a `catch://` where there was none wants a new start.
pub fn again(
    app: &App,
    settings: &Settings,
    catcher: Option<SocketAddr>,
    old: &[Arc<Relay>],
) -> Result<Routes, AppError> {
    let mut relays = Vec::new();
    for relay in &settings.relay {
        let server = server(app, relay, catcher)?;
        let same = old.iter().find(|old| old.settings == *relay && alike(&old.server, &server));
        let made = same.cloned().unwrap_or_else(|| Arc::new(Relay::new(relay, server)));
        relays.push((made, relay.only.iter().filter_map(|only| is_for(settings, only)).collect()));
    }
    Ok(Routes::new(relays))
}

/// Whether the same server is reached in the same way: a password or a certificate may have changed without the settings.
fn alike(a: &Server, b: &Server) -> bool {
    let login =
        |server: &Server| server.login.as_ref().map(|(user, key)| (user.clone(), key.expose_secret().to_owned()));
    a.port == b.port && a.host == b.host && login(a) == login(b) && a.ca == b.ca
}

/// What an entry of a relay's `for` means; `check` has told of those that mean nothing.
fn is_for(settings: &Settings, only: &str) -> Option<For> {
    match only.split_once(':')? {
        ("topic", name) => Some(For::Topic(name.to_owned())),
        ("sender", name) => settings.sender.get(name).map(|sender| For::From(sender.from.email.as_str().to_owned())),
        _ => None,
    }
}

fn server(app: &App, relay: &model::Relay, catcher: Option<SocketAddr>) -> Result<Server, AppError> {
    let wrong = |why: String| AppError::Other(format!("relay `{}`: {why}", relay.name));
    match Scheme::parse(&relay.url).map_err(wrong)? {
        Scheme::Catch => {
            let smtp = catcher.ok_or_else(|| wrong("catch:// was not there at the start: start anew".into()))?;
            Ok(Server::new(smtp.ip().to_string(), smtp.port(), Tls::None))
        }
        Scheme::Server { tls, user, host, port } => {
            let login = match user {
                Some(user) => Some((user, password(app, &relay.name)?)),
                None => None,
            };
            let ca = relay.ca.as_ref().map(|file| ca(app, &relay.name, file)).transpose()?;
            Ok(Server { login, ca, ..Server::new(host, port, tls) })
        }
    }
}

/// The certificates of a relay's own authorities.
fn ca(app: &App, relay: &str, file: &str) -> Result<Ca, AppError> {
    let wrong = |why: String| AppError::Other(format!("relay `{relay}`: its `ca`, {file}: {why}"));
    let pem = std::fs::read(app.workspace.root.join(file)).map_err(|e| wrong(e.to_string()))?;
    Ca::parse(&pem).map_err(wrong)
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
    for relay in relays.routes.relays.clone() {
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
