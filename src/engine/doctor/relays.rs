//! The relays: whether they take our connection and login, over TLS, and whether their addresses have names.

use super::super::App;
use super::super::relays::{Unusable, try_each};
use super::Finding;
use super::dns::Resolver;
use crate::deliver::server::{Scheme, Tls};
use std::net::IpAddr;

/// A relay that was tried.
#[derive(Debug)]
pub(super) struct Reached {
    pub name: String,
    pub host: String,
    pub place: Place,
    tls: Tls,
    login: bool,
    usable: Result<(), Unusable>,
}

/// Where a relay stands, as far as it can be known which addresses mail comes from.
#[derive(Debug)]
pub(super) enum Place {
    /// The built-in catcher.
    Catcher,
    /// On this machine or in this network: its public address is not known here.
    Near,
    /// Somewhere in the world, at these addresses.
    Public(Vec<IpAddr>),
    /// DNS is away.
    Unknown(String),
}

/// Tries all relays. What keeps them from being made at all stands for the first.
pub(super) async fn reached(app: &App, resolver: &Resolver) -> Result<Vec<Reached>, String> {
    let tried = try_each(app).await.map_err(|e| e.to_string())?;
    let settings = app.settings();
    let mut reached = Vec::new();
    for (i, (relay, usable)) in tried.into_iter().enumerate() {
        let written = settings.relay.get(i).map(|relay| Scheme::parse(&relay.url));
        let (host, place) = match written {
            Some(Ok(Scheme::Server { host, .. })) => {
                let place = place(resolver, &host).await;
                (host, place)
            }
            _ => (relay.server.host.clone(), Place::Catcher),
        };
        let (tls, login) = (relay.server.tls, relay.server.login.is_some());
        reached.push(Reached { name: relay.name.clone(), host, place, tls, login, usable });
    }
    Ok(reached)
}

async fn place(resolver: &Resolver, host: &str) -> Place {
    if host == "localhost" {
        return Place::Near;
    }
    match resolver.addresses(host).await {
        Err(why) => Place::Unknown(why),
        Ok(found) if found.iter().all(|ip| is_near(*ip)) && !found.is_empty() => Place::Near,
        Ok(found) => Place::Public(found.into_iter().filter(|ip| !is_near(*ip)).collect()),
    }
}

/// Loopback, link-local, private (RFC 1918, RFC 6598, RFC 4193).
fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// What was found of the relays.
pub(super) async fn findings(app: &App, resolver: &Resolver, reached: &Result<Vec<Reached>, String>) -> Vec<Finding> {
    let relays = match reached {
        Ok(relays) => relays,
        Err(why) => return vec![Finding::fail("relay", "dangol.toml", why.clone())],
    };
    let mut findings = Vec::new();
    for relay in relays {
        findings.push(usable(relay));
        match &relay.place {
            Place::Public(addresses) => {
                for ip in addresses {
                    findings.push(named(resolver, *ip).await);
                }
            }
            Place::Unknown(why) => findings.push(Finding::away("ptr", &relay.host, why)),
            Place::Catcher | Place::Near => {}
        }
    }
    if app.settings().relay.len() > 1 && relays.iter().any(|relay| matches!(relay.place, Place::Catcher)) {
        let found = "the built-in catcher stands beside real relays, and mail that goes through it reaches nobody";
        findings.push(Finding::fail("relay", "dangol.toml", found).advice("take the [[relay]] with catch:// out"));
    }
    findings
}

fn usable(relay: &Reached) -> Finding {
    let how = match relay.tls {
        Tls::None => "in the clear, which only this machine hears",
        Tls::StartTls => "with STARTTLS, its certificate is good",
        Tls::Implicit => "with TLS, its certificate is good",
    };
    match (&relay.usable, &relay.place) {
        (Err(Unusable { what, help }), _) => Finding::fail("relay", &relay.name, what.clone()).advice(help.clone()),
        (Ok(()), Place::Catcher) => Finding::warn("relay", &relay.name, "is the built-in catcher: mail reaches nobody")
            .advice("write url = \"smtp://user@smtp.your-provider.example:587\" when it is to"),
        (Ok(()), _) => {
            let login = if relay.login { "login accepted" } else { "no login" };
            Finding::ok("relay", &relay.name, format!("{} takes our mail, {how}; {login}", relay.host))
        }
    }
}

/// An address that receivers look up has a name that leads back to it.
async fn named(resolver: &Resolver, ip: IpAddr) -> Finding {
    let subject = ip.to_string();
    let names = match resolver.names(ip).await {
        Ok(names) => names,
        Err(why) => return Finding::away("ptr", &subject, &why),
    };
    // a provider takes mail at one address and sends from others, so this one may not be seen by receivers at all
    let advice = "if mail leaves from this address, ask whoever owns it for a PTR record that names the mail server, and give that name the address";
    let Some(name) = names.first() else {
        return Finding::warn("ptr", &subject, "the relay's address has no name in DNS (PTR)").advice(advice);
    };
    match resolver.addresses(name).await {
        Err(why) => Finding::away("ptr", &subject, &why),
        Ok(back) if back.contains(&ip) => Finding::ok("ptr", &subject, format!("is {name}, which leads back to it")),
        Ok(_) => Finding::warn("ptr", &subject, format!("is {name}, which does not lead back to it")).advice(advice),
    }
}
