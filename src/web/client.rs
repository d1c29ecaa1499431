//! Who asks: the address behind our own proxies, the agent, the language.

use super::state::State;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Longer agents are cut.
const LONGEST_AGENT: usize = 512;

/// What a request says about who sends it.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub ip: Option<IpAddr>,
    pub agent: Option<String>,
    pub prefetch: bool,
    pub accept_language: String,
}

impl FromRequestParts<Arc<State>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Client, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let text = |name: HeaderName| {
            parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let agent = text(header::USER_AGENT)
            .map(|agent| agent.chars().filter(|c| !c.is_control()).take(LONGEST_AGENT).collect());
        Ok(Client {
            ip: address(&parts.headers, peer, state.settings.get().web.proxies),
            agent,
            prefetch: is_prefetch(&parts.headers),
            accept_language: text(header::ACCEPT_LANGUAGE).unwrap_or_default(),
        })
    }
}

impl Client {
    /// Of whom nothing but the language is of interest.
    pub(super) fn speaking(headers: &HeaderMap) -> Client {
        let language = headers.get(header::ACCEPT_LANGUAGE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let accept_language = language.map(std::borrow::Cow::into_owned).unwrap_or_default();
        Client { ip: None, agent: None, prefetch: false, accept_language }
    }
}

/// The address of the client. Each proxy adds at the end of `X-Forwarded-For` whom it talked to, so with `n` proxies of
/// ours the `n`th from the end was written by the outermost of them; what stands before it anybody can invent.
fn address(headers: &HeaderMap, peer: Option<IpAddr>, proxies: u32) -> Option<IpAddr> {
    let trusted = usize::try_from(proxies).unwrap_or(usize::MAX);
    if trusted == 0 {
        return peer.map(|ip| ip.to_canonical());
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let entry = forwarded.len().checked_sub(trusted).and_then(|at| forwarded.get(at).copied());
    entry.and_then(parse_address).or(peer).map(|ip| ip.to_canonical())
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    ["purpose", "sec-purpose", "x-purpose", "x-moz"].iter().any(|name| {
        headers.get_all(*name).iter().any(|value| {
            let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
            value.contains("prefetch") || value.contains("preview") || value.contains("prerender")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(forwarded: &[&str], proxies: u32) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        address(&headers, Some("192.0.2.1".parse().unwrap()), proxies).unwrap().to_string()
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        assert_eq!(seen(&["203.0.113.7"], 0), "192.0.2.1", "nobody is believed by default");
        assert_eq!(seen(&["6.6.6.6, 203.0.113.7"], 1), "203.0.113.7");
        assert_eq!(seen(&["6.6.6.6", "203.0.113.7, 10.0.0.2"], 2), "203.0.113.7", "over two headers");
        assert_eq!(seen(&[], 1), "192.0.2.1");
        assert_eq!(seen(&["203.0.113.7"], 2), "192.0.2.1", "fewer entries than proxies");
        assert_eq!(seen(&["unknown"], 1), "192.0.2.1");
        assert_eq!(seen(&["[2001:db8::1]:4711"], 1), "2001:db8::1");
        assert_eq!(seen(&["[2001:db8::1]"], 1), "2001:db8::1");
        assert_eq!(seen(&["::ffff:203.0.113.7"], 1), "203.0.113.7");
    }
}
