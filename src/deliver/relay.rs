//! A mail server that takes our mail, with its limits as they stand now.

use crate::config::model;
use governor::clock::DefaultClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use secrecy::SecretString;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// In the clear: loopback only.
    None,
    /// STARTTLS, required.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// Where a relay is, parsed from its URL.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who we are to it.
    pub login: Option<(String, SecretString)>,
}

/// What a relay's URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `catch://`: the built-in catcher.
    Catch,
    /// A real server: scheme, user, host, port.
    Server {
        /// How the connection is protected.
        tls: Tls,
        /// The user to log in as.
        user: Option<String>,
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

impl Scheme {
    /// Reads a relay's URL.
    ///
    /// # Errors
    /// What is wrong, without repeating a password.
    pub fn parse(text: &str) -> Result<Scheme, String> {
        if text == "catch://" || text == "catch:" {
            return Ok(Scheme::Catch);
        }
        let expected = "write smtp://user@host:587 (STARTTLS), smtps://user@host:465 (TLS) or catch://";
        let url = url::Url::parse(text).map_err(|e| format!("this is no URL of a relay ({e}): {expected}"))?;
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| format!("it names no host: {expected}"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if url.password().is_some() {
            return Err("a password stands in the file: take it out, and set DANGOL_RELAY_<NAME>_PASSWORD".into());
        }
        let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let (tls, default) = match url.scheme() {
            "smtp" if loopback => (Tls::None, 25),
            "smtp" => (Tls::StartTls, 587),
            "smtps" => (Tls::Implicit, 465),
            other => return Err(format!("`{other}` is no scheme of a relay: {expected}")),
        };
        let user = (!url.username().is_empty()).then(|| percent_decode(url.username()));
        Ok(Scheme::Server { tls, user, host, port: url.port().unwrap_or(default) })
    }
}

fn percent_decode(text: &str) -> String {
    // a form's decoding also turns + into a space, and a user name may hold one
    url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// That a connection stands, for as long as this is kept.
#[derive(Debug)]
pub struct Standing(Arc<Relay>);

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A relay in use.
#[derive(Debug)]
pub struct Relay {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub server: Server,
    /// How many mails in a day.
    pub daily: Option<u64>,
    /// How many connections at once.
    pub connections: u32,
    /// How many mails over one.
    pub per_connection: u32,
    limiter: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
    /// How often the rate is halved at present: a mail then costs two cells, four, …
    halvings: AtomicU32,
    /// Connections that stand.
    open: AtomicU32,
    health: Mutex<Health>,
}

#[derive(Debug, Default)]
struct Health {
    failures: u32,
    last_error: Option<String>,
    hold_until: Option<Instant>,
    recover_at: Option<Instant>,
}

const MAX_HALVINGS: u32 = 6;
const HOLD: Duration = Duration::from_secs(60);

impl Relay {
    /// A relay of its settings.
    pub fn new(settings: &model::Relay, server: Server) -> Relay {
        let rate = settings.rate;
        let cell = Duration::from_secs_f64(1.0 / rate.per_second().max(1e-6));
        // a burst of 50 ms of mail: the timer is too coarse for single mails above 1,000/s
        let burst = (rate.per_second() / 20.0) as u32;
        let one = NonZeroU32::MIN;
        let quota = Quota::with_period(cell)
            .unwrap_or(Quota::per_second(one))
            .allow_burst(NonZeroU32::new(burst).unwrap_or(one));
        Relay {
            name: settings.name.clone(),
            server,
            daily: settings.daily,
            connections: settings.connections,
            per_connection: settings.per_connection,
            limiter: RateLimiter::direct(quota),
            halvings: AtomicU32::new(0),
            open: AtomicU32::new(0),
            health: Mutex::new(Health::default()),
        }
    }

    /// Waits until one more mail may go.
    pub async fn ready(&self) {
        loop {
            let wait = self.with_health(|health| {
                let now = Instant::now();
                if health.recover_at.is_some_and(|at| at <= now) {
                    let left = self.halvings.load(Ordering::Relaxed).saturating_sub(1);
                    self.halvings.store(left, Ordering::Relaxed);
                    health.recover_at = (left > 0).then(|| now + HOLD);
                }
                health.hold_until.filter(|until| *until > now)
            });
            match wait {
                Some(until) => tokio::time::sleep_until(until).await,
                None => break,
            }
        }
        for _ in 0..1_u32 << self.halvings.load(Ordering::Relaxed) {
            self.limiter.until_ready().await;
        }
    }

    /// The relay said that it is too fast: half the rate, after a minute's pause, and step by step up again.
    pub fn slow_down(&self) {
        self.with_health(|health| {
            let now = Instant::now();
            // several connections hear the same word: one halving for all of them
            if health.hold_until.is_none_or(|until| until <= now) {
                let halvings = (self.halvings.load(Ordering::Relaxed) + 1).min(MAX_HALVINGS);
                self.halvings.store(halvings, Ordering::Relaxed);
                health.hold_until = Some(now + HOLD);
                health.recover_at = Some(now + 2 * HOLD);
                tracing::warn!(relay = self.name, "the relay asks for less: halving the rate for a while");
            }
        });
    }

    /// A connection or login failed; gives how long to wait before the next try.
    pub fn failed(&self, why: &str) -> Duration {
        self.with_health(|health| {
            health.failures += 1;
            health.last_error = Some(why.to_owned());
            // all connections fail together, so few failures are soon many: at most 8 s
            Duration::from_millis(250 * (1 << health.failures.min(5)))
        })
    }

    /// A connection stands; keep what this gives for as long as it does.
    pub fn succeeded(self: &Arc<Self>) -> Standing {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.with_health(|health| {
            health.failures = 0;
            health.last_error = None;
        });
        Standing(self.clone())
    }

    /// Whether nothing stands, and connecting has failed again and again.
    pub fn unreachable(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0 && self.failures().0 >= 3
    }

    /// How often connecting has failed in a row, and the last error.
    pub fn failures(&self) -> (u32, Option<String>) {
        self.with_health(|health| (health.failures, health.last_error.clone()))
    }

    fn with_health<T>(&self, act: impl FnOnce(&mut Health) -> T) -> T {
        // a panic while holding it cannot leave these few numbers half-changed
        let mut health = self.health.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        act(&mut health)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relays_url() {
        let parse = |text| Scheme::parse(text);
        assert_eq!(parse("catch://"), Ok(Scheme::Catch));
        let Ok(Scheme::Server { tls, user, host, port }) = parse("smtp://hello%40haru.example@smtp.example:587") else {
            panic!("not read")
        };
        assert_eq!(
            (tls, user.as_deref(), host.as_str(), port),
            (Tls::StartTls, Some("hello@haru.example"), "smtp.example", 587)
        );
        assert!(matches!(parse("smtp://127.0.0.1:2525"), Ok(Scheme::Server { tls: Tls::None, port: 2525, .. })));
        assert!(matches!(parse("smtp://[::1]:2525"), Ok(Scheme::Server { tls: Tls::None, .. })));
        assert!(matches!(parse("smtps://smtp.example"), Ok(Scheme::Server { tls: Tls::Implicit, port: 465, .. })));
        let secret = parse("smtp://u:hunter2@smtp.example").unwrap_err();
        assert!(secret.contains("DANGOL_RELAY_") && !secret.contains("hunter2"));
        for wrong in ["", "smtp://", "http://x", "smtp.example:25"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_relay_that_asks_for_less_is_held_and_halved_once_for_all_who_hear_it() {
        let settings = model::Relay {
            name: "r".into(),
            url: "catch://".into(),
            rate: "1000/s".parse().unwrap(),
            daily: None,
            connections: 1,
            per_connection: 1,
        };
        let server = Server { host: "127.0.0.1".into(), port: 1, tls: Tls::None, login: None };
        let relay = Relay::new(&settings, server);
        relay.slow_down();
        relay.slow_down();
        assert_eq!(relay.halvings.load(Ordering::Relaxed), 1);
        let held = relay.with_health(|health| health.hold_until).unwrap();
        assert!(held > Instant::now() + HOLD / 2);
    }
}
