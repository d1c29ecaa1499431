//! Who made a hit: a person, a proxy that fetches for a person, a machine, or we cannot tell. Pure functions, each
//! verdict with its reason.
//!
//! Some rules look at a hit alone ([`alone`]), some at what happened around it ([`judge`]); the second kind is why a hit
//! waits before it is believed. When in doubt a hit is not a person's: score and experiments read human evidence only.

use super::hit::{Hit, HitKind};
use super::token::HONEYPOT;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};

/// Who made a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A person.
    Human,
    /// A mail provider's proxy: perhaps for a person who is reading, perhaps ahead of one.
    Proxy,
    /// A scanner or another program.
    Machine,
    /// Nothing to tell by.
    Unknown,
}

impl Class {
    /// Its name in the database and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Class::Human => "human",
            Class::Proxy => "proxy",
            Class::Machine => "machine",
            Class::Unknown => "unknown",
        }
    }

    /// The class of a name.
    pub fn of(name: &str) -> Option<Class> {
        [Class::Human, Class::Proxy, Class::Machine, Class::Unknown].into_iter().find(|class| class.name() == name)
    }
}

/// A class and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Who.
    pub class: Class,
    /// Why, for `why` and for reports.
    pub reason: &'static str,
}

const fn verdict(class: Class, reason: &'static str) -> Verdict {
    Verdict { class, reason }
}

/// What the rules look at of a hit.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "as in Hit")]
pub struct Trace<'a> {
    pub kind: HitKind,
    pub link: Option<u32>,
    pub links: Option<u32>,
    pub at: Timestamp,
    pub method: &'a str,
    pub agent: Option<&'a str>,
    pub prefetch: bool,
}

impl<'a> From<&'a Hit> for Trace<'a> {
    fn from(hit: &'a Hit) -> Trace<'a> {
        Trace {
            kind: hit.kind,
            link: hit.link.map(|(link, _)| link),
            links: hit.link.map(|(_, links)| links),
            at: hit.at,
            method: &hit.method,
            agent: hit.agent.as_deref(),
            prefetch: hit.prefetch,
        }
    }
}

/// What happened around a hit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// When the next server took the mail, or at least when sending began.
    pub accepted_at: Option<Timestamp>,
    /// The clicks on the same message, this one among them, in order of time: when, and which link.
    pub clicks: &'a [(Timestamp, u32)],
    /// Whether the same address and agent touched a honeypot link within [`HONEYPOT_AROUND`].
    pub honeypot: bool,
    /// Whether the same network fetched something of many mails around this moment: see [`crowds`].
    pub crowd: bool,
}

/// A hit sooner than this after acceptance is the receiving server's.
pub const EARLY: SignedDuration = SignedDuration::from_secs(2);
/// So many distinct links within [`BURST_IN`] are a scanner.
pub const BURST: usize = 3;
/// See [`BURST`].
pub const BURST_IN: SignedDuration = SignedDuration::from_secs(2);
/// This share of a mail's links within [`SWEEP_IN`] is a scanner, when they are at least [`BURST`]: a person may well
/// follow both of two links.
pub const SWEEP: f64 = 0.8;
/// See [`SWEEP`].
pub const SWEEP_IN: SignedDuration = SignedDuration::from_secs(10);
/// How far around a touched honeypot the same address and agent are a machine.
pub const HONEYPOT_AROUND: SignedDuration = SignedDuration::from_mins(15);
/// Mails of so many recipients from one network within a minute are a scanner. A household, an office or a café is fewer.
pub const CROWD: usize = 10;
/// See [`CROWD`].
pub const CROWD_IN: SignedDuration = SignedDuration::from_mins(1);

/// Programs, by a part of their `User-Agent` in lower case.
const MACHINES: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "slurp",
    "curl/",
    "wget/",
    "headless",
    "phantomjs",
    "puppeteer",
    "playwright",
    "selenium",
    "python-",
    "python/",
    "aiohttp",
    "httpx",
    "go-http-client",
    "java/",
    "apache-httpclient",
    "okhttp",
    "libwww",
    "lwp",
    "node-fetch",
    "axios",
    "undici",
    "ruby",
    "php/",
    "guzzle",
    "httpclient",
    "scan",
    "preview",
    "barracuda",
    "proofpoint",
    "mimecast",
    "ironport",
    "fireeye",
    "symantec",
    "trendmicro",
    "forcepoint",
    "sophos",
    "cloudmark",
    "safelinks",
    "facebookexternalhit",
    "whatsapp",
    "kakaotalk-scrap",
    "monitor",
    "validator",
    "check_http",
];

/// What a hit is by itself: surely a machine's, or a known proxy's.
pub fn alone(hit: &Trace<'_>) -> Option<Verdict> {
    if hit.method == "HEAD" {
        return Some(verdict(Class::Machine, "a HEAD request"));
    }
    if hit.prefetch {
        return Some(verdict(Class::Machine, "a prefetch request"));
    }
    if hit.kind == HitKind::Click && hit.link == Some(HONEYPOT) {
        return Some(verdict(Class::Machine, "a link that no reader sees"));
    }
    // Cubot is a make of telephones
    let agent = hit.agent?.trim().to_ascii_lowercase().replace("cubot", "");
    let proxy = |reason| match hit.kind {
        HitKind::Open => verdict(Class::Proxy, reason),
        // these proxies fetch pictures and follow no links: what clicks under their name is something else
        HitKind::Click | HitKind::View => verdict(Class::Machine, "an image proxy's name on a click"),
    };
    if agent.contains("googleimageproxy") {
        return Some(proxy("Google's image proxy"));
    }
    if agent.contains("yahoomailproxy") {
        return Some(proxy("Yahoo's image proxy"));
    }
    if agent == "mozilla/5.0" {
        return Some(proxy("Apple's mail privacy"));
    }
    if MACHINES.iter().any(|name| agent.contains(name)) {
        return Some(verdict(Class::Machine, "a program's user agent"));
    }
    None
}

/// What a hit is, all that is around it considered.
pub fn judge(hit: &Trace<'_>, around: &Surroundings<'_>) -> Verdict {
    let by_itself = alone(hit);
    if let Some(machine) = by_itself.filter(|v| v.class == Class::Machine) {
        return machine;
    }
    if around.accepted_at.is_some_and(|accepted| hit.at.duration_since(accepted) <= EARLY) && by_itself.is_none() {
        return verdict(Class::Machine, "before the mail was delivered, or within 2 seconds of it");
    }
    if around.honeypot {
        return verdict(Class::Machine, "the same address and agent followed a link that no reader sees");
    }
    if hit.kind == HitKind::Click {
        if most_links(around.clicks, hit.at, BURST_IN) >= BURST {
            return verdict(Class::Machine, "three or more links within 2 seconds");
        }
        let in_sweep = most_links(around.clicks, hit.at, SWEEP_IN);
        let links = hit.links.unwrap_or(0);
        if in_sweep >= BURST && in_sweep as f64 >= SWEEP * f64::from(links) && links > 0 {
            return verdict(Class::Machine, "most links of the mail within 10 seconds");
        }
    }
    if let Some(proxy) = by_itself {
        return proxy;
    }
    if around.crowd {
        return verdict(Class::Machine, "one network, many recipients, one minute");
    }
    match hit.agent.map(str::trim) {
        None | Some("") => verdict(Class::Unknown, "no user agent"),
        Some(_) => verdict(Class::Human, "nothing speaks against a person"),
    }
}

/// The stretches of time in which one network fetched something of [`CROWD`] mails within [`CROWD_IN`], both ends
/// included. `fetched` is when and of which message, in order of time.
pub fn crowds(fetched: &[(Timestamp, i64)]) -> Vec<(Timestamp, Timestamp)> {
    let mut crowds: Vec<(Timestamp, Timestamp)> = Vec::new();
    let mut inside: HashMap<i64, usize> = HashMap::new();
    let mut first = 0;
    for (at, message) in fetched {
        *inside.entry(*message).or_default() += 1;
        while at.duration_since(fetched[first].0) > CROWD_IN {
            if let Some(n) = inside.get_mut(&fetched[first].1) {
                *n -= 1;
                if *n == 0 {
                    inside.remove(&fetched[first].1);
                }
            }
            first += 1;
        }
        if inside.len() >= CROWD {
            match crowds.last_mut() {
                Some((_, end)) if *end >= fetched[first].0 => *end = *at,
                _ => crowds.push((fetched[first].0, *at)),
            }
        }
    }
    crowds
}

/// So many clicks on one mail around one moment are no person's, whichever links they are.
const HAMMERING: usize = 64;

/// The most distinct links in any window of length `within` that has `at` in it, both ends included.
fn most_links(clicks: &[(Timestamp, u32)], at: Timestamp, within: SignedDuration) -> usize {
    let from = clicks.partition_point(|(time, _)| at.duration_since(*time) > within);
    let to = clicks.partition_point(|(time, _)| time.duration_since(at) <= within);
    let near = &clicks[from..to];
    if near.len() > HAMMERING {
        return usize::MAX;
    }
    near.iter()
        .filter(|(start, _)| *start <= at)
        .map(|(start, _)| {
            let inside = near.iter().filter(|(time, _)| time >= start && time.duration_since(*start) <= within);
            inside.map(|(_, link)| *link).collect::<HashSet<u32>>().len()
        })
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
    const GMAIL: &str = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000_000_000 + millis).unwrap()
    }

    fn trace(kind: HitKind, agent: Option<&'static str>) -> Trace<'static> {
        let click = kind == HitKind::Click;
        Trace {
            kind,
            link: click.then_some(1),
            links: click.then_some(10),
            at: at(0),
            method: "GET",
            agent,
            prefetch: false,
        }
    }

    fn class(hit: &Trace<'_>, around: &Surroundings<'_>) -> Class {
        judge(hit, around).class
    }

    #[test]
    fn a_hit_by_itself() {
        use Class::{Human, Machine, Proxy, Unknown};
        let quiet = Surroundings::default();
        for (agent, open, click) in [
            (Some(CHROME), Human, Human),
            (Some("Mozilla/5.0"), Proxy, Machine),
            (Some(GMAIL), Proxy, Machine),
            (Some("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"), Proxy, Machine),
            (Some("curl/8.5.0"), Machine, Machine),
            (Some("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"), Machine, Machine),
            (
                Some("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0 Safari/537.36"),
                Machine,
                Machine,
            ),
            (Some("python-requests/2.32"), Machine, Machine),
            (None, Unknown, Unknown),
            (Some("  "), Unknown, Unknown),
        ] {
            assert_eq!(class(&trace(HitKind::Open, agent), &quiet), open, "open by {agent:?}");
            assert_eq!(class(&trace(HitKind::Click, agent), &quiet), click, "click by {agent:?}");
        }
        let chrome = trace(HitKind::Click, Some(CHROME));
        assert_eq!(class(&Trace { method: "HEAD", ..chrome }, &quiet), Machine);
        assert_eq!(class(&Trace { prefetch: true, ..chrome }, &quiet), Machine);
        assert_eq!(class(&Trace { link: Some(HONEYPOT), ..chrome }, &quiet), Machine);
    }

    #[test]
    fn what_comes_with_the_delivery_is_the_receiving_server() {
        let hit = trace(HitKind::Click, Some(CHROME));
        let accepted = |millis| Surroundings { accepted_at: Some(at(millis)), ..Surroundings::default() };
        assert_eq!(class(&hit, &accepted(5_000)), Class::Machine, "before it");
        assert_eq!(class(&hit, &accepted(-2_000)), Class::Machine, "2 s after it");
        assert_eq!(class(&hit, &accepted(-2_001)), Class::Human);
        // a proxy that fetches at once is a proxy still
        assert_eq!(class(&trace(HitKind::Open, Some(GMAIL)), &accepted(-1)), Class::Proxy);
    }

    #[test]
    fn many_links_at_once_are_a_scanner() {
        let hit = trace(HitKind::Click, Some(CHROME));
        let with = |clicks: &[(i64, u32)], links| {
            let clicks: Vec<_> = clicks.iter().map(|(millis, link)| (at(*millis), *link)).collect();
            class(&Trace { links: Some(links), ..hit }, &Surroundings { clicks: &clicks, ..Surroundings::default() })
        };
        assert_eq!(with(&[(-2_000, 3), (-1_000, 2), (0, 1)], 10), Class::Machine, "looking back");
        assert_eq!(with(&[(0, 1), (1_000, 2), (2_000, 3)], 10), Class::Machine, "looking ahead");
        assert_eq!(with(&[(0, 1), (1_000, 2), (2_001, 3)], 10), Class::Human, "2.001 s");
        assert_eq!(with(&[(-1_500, 2), (0, 1), (1_500, 3)], 10), Class::Human, "no window of 2 s holds all three");
        assert_eq!(with(&[(0, 1), (500, 1), (900, 1), (1_000, 2)], 10), Class::Human, "one link again and again");
        assert_eq!(with(&[(0, 1), (3_000, 2), (6_000, 3), (10_000, 4)], 5), Class::Machine, "80 % in 10 s");
        assert_eq!(with(&[(0, 1), (3_000, 2), (6_000, 3), (10_001, 4)], 5), Class::Human, "10.001 s");
        assert_eq!(with(&[(0, 1), (4_000, 2)], 2), Class::Human, "a person may follow both of two links");
    }

    #[test]
    fn company_tells() {
        let open = trace(HitKind::Open, Some(CHROME));
        let crowd = Surroundings { crowd: true, ..Surroundings::default() };
        assert_eq!(class(&open, &crowd), Class::Machine);
        // all of Gmail comes from a few networks
        assert_eq!(class(&trace(HitKind::Open, Some(GMAIL)), &crowd), Class::Proxy);
        assert_eq!(class(&open, &Surroundings { honeypot: true, ..Surroundings::default() }), Class::Machine);
    }

    #[test]
    fn a_crowd_is_many_mails_in_any_minute() {
        let every = |millis: i64, n: i64| (0..n).map(|i| (at(i * millis), i)).collect::<Vec<_>>();
        assert_eq!(crowds(&every(6_666, 9)), [], "nine are none");
        assert_eq!(crowds(&every(6_666, 10)), [(at(0), at(59_994))]);
        assert_eq!(crowds(&every(6_667, 10)), [], "ten in 60.003 s");
        assert_eq!(crowds(&every(6_000, 30)), [(at(0), at(174_000))], "all of a long row");
        let one_mail: Vec<_> = (0..50).map(|i| (at(i), 1)).collect();
        assert_eq!(crowds(&one_mail), []);
        let twice: Vec<_> =
            every(1, 10).into_iter().chain(every(1, 10).into_iter().map(|(_, m)| (at(500_000 + m), m))).collect();
        assert_eq!(crowds(&twice), [(at(0), at(9)), (at(500_000), at(500_009))]);
    }
}
