//! SPF (RFC 7208): a domain's record with all that it includes, and whether it lets an address send.

use super::dns::Resolver;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

/// More questions than this, and receivers take the record for broken (section 4.6.4).
const MOST: u32 = 10;

/// A record, with what it includes.
#[derive(Debug)]
pub(super) struct Spf {
    /// As it is published.
    pub text: String,
    terms: Vec<(char, Match)>,
    redirect: Option<Box<Spf>>,
    /// How many questions a receiver asks for it.
    pub lookups: u32,
}

#[derive(Debug)]
enum Match {
    All,
    Net(IpAddr, u8),
    Include(Box<Spf>),
    /// What can only be told for a mail under way: `exists`, `ptr`, and what has macros.
    Unknown,
}

/// What a receiver makes of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Fail,
    Soft,
    Neutral,
    Unknown,
}

/// Why there is no record to judge by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    None,
    Several(Vec<String>),
    Broken(String),
    TooMany,
    Away(String),
}

type Loading<'a> = Pin<Box<dyn Future<Output = Result<Spf, Wrong>> + Send + 'a>>;

/// The record of a domain, and those that it includes.
pub(super) async fn of(resolver: &Resolver, domain: &str) -> Result<Spf, Wrong> {
    let mut lookups = 0;
    let mut spf = load(resolver, domain.to_owned(), &mut lookups).await?;
    spf.lookups = lookups;
    Ok(spf)
}

fn load<'a>(resolver: &'a Resolver, domain: String, lookups: &'a mut u32) -> Loading<'a> {
    Box::pin(async move {
        let texts = resolver.txt(&domain).await.map_err(Wrong::Away)?;
        let mut records: Vec<String> = texts.into_iter().filter(|text| is_record(text)).collect();
        let text = match records.len() {
            0 => return Err(Wrong::None),
            1 => records.remove(0),
            _ => return Err(Wrong::Several(records)),
        };
        let mut spf = Spf { text: text.clone(), terms: Vec::new(), redirect: None, lookups: 0 };
        for term in text.split_ascii_whitespace().skip(1) {
            if let Some((name, value)) =
                term.split_once('=').filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric()))
            {
                // redirect counts only where nothing matches, so `all` puts it out of use; other modifiers say nothing of who may send
                if name.eq_ignore_ascii_case("redirect") && !spf.has_all() {
                    count(lookups)?;
                    let there = included(load(resolver, value.to_owned(), lookups).await, value)?;
                    spf.redirect = Some(Box::new(there));
                }
                continue;
            }
            let (sign, rest) = match term.chars().next() {
                Some(sign @ ('+' | '-' | '~' | '?')) => (sign, &term[1..]),
                _ => ('+', term),
            };
            spf.mechanism(resolver, &domain, (sign, rest), lookups).await?;
        }
        Ok(spf)
    })
}

impl Spf {
    async fn mechanism(
        &mut self,
        resolver: &Resolver,
        domain: &str,
        (sign, rest): (char, &str),
        lookups: &mut u32,
    ) -> Result<(), Wrong> {
        let (name, value) = rest.split_once(':').unwrap_or((rest, ""));
        let (name, prefix) = name.split_once('/').unwrap_or((name, ""));
        let broken = || Wrong::Broken(format!("`{rest}` is not a mechanism"));
        match name.to_ascii_lowercase().as_str() {
            "all" if value.is_empty() => self.terms.push((sign, Match::All)),
            "ip4" | "ip6" => {
                let (ip, net) = network(value).ok_or_else(broken)?;
                if ip.is_ipv4() != name.eq_ignore_ascii_case("ip4") {
                    return Err(broken());
                }
                self.terms.push((sign, Match::Net(ip, net)));
            }
            "include" if !value.is_empty() => {
                count(lookups)?;
                if value.contains('%') {
                    self.terms.push((sign, Match::Unknown));
                } else {
                    let there = included(load(resolver, value.to_owned(), lookups).await, value)?;
                    self.terms.push((sign, Match::Include(Box::new(there))));
                }
            }
            kind @ ("a" | "mx") => {
                count(lookups)?;
                let (host, more) = value.split_once('/').unwrap_or((value, prefix));
                let host = if host.is_empty() { domain } else { host };
                let hosts = match kind {
                    "mx" => resolver.mx(host).await.map_err(Wrong::Away)?,
                    _ => vec![host.to_owned()],
                };
                let (four, six) = more.split_once("//").unwrap_or((more, ""));
                for host in hosts.iter().take(MOST as usize).filter(|host| !host.contains('%')) {
                    for ip in resolver.addresses(host).await.map_err(Wrong::Away)? {
                        let (written, whole) = if ip.is_ipv4() { (four, 32) } else { (six, 128) };
                        self.terms.push((sign, Match::Net(ip, written.parse().unwrap_or(whole))));
                    }
                }
            }
            "exists" | "ptr" => {
                count(lookups)?;
                self.terms.push((sign, Match::Unknown));
            }
            _ => return Err(broken()),
        }
        Ok(())
    }

    fn has_all(&self) -> bool {
        self.text
            .split_ascii_whitespace()
            .any(|term| term.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all"))
    }

    /// Whether it ends by letting everybody send.
    pub(super) fn lets_all(&self) -> bool {
        self.terms.iter().any(|(sign, term)| *sign == '+' && matches!(term, Match::All))
            || self.redirect.as_ref().is_some_and(|there| there.lets_all())
    }

    /// Whether it ends with a word on everybody else.
    pub(super) fn ends(&self) -> bool {
        self.has_all() || self.redirect.is_some()
    }

    /// What a receiver makes of an address.
    pub(super) fn judge(&self, ip: IpAddr) -> Verdict {
        for (sign, term) in &self.terms {
            let matched = match term {
                Match::All => true,
                Match::Net(net, prefix) => inside(ip, *net, *prefix),
                Match::Include(there) => match there.judge(ip) {
                    Verdict::Unknown => return Verdict::Unknown,
                    verdict => verdict == Verdict::Pass,
                },
                Match::Unknown => return Verdict::Unknown,
            };
            if matched {
                return match sign {
                    '+' => Verdict::Pass,
                    '-' => Verdict::Fail,
                    '~' => Verdict::Soft,
                    _ => Verdict::Neutral,
                };
            }
        }
        self.redirect.as_ref().map_or(Verdict::Neutral, |there| there.judge(ip))
    }

    /// The record with one mechanism more, before its last word.
    pub(super) fn with(&self, mechanism: &str) -> String {
        let mut terms: Vec<&str> = self.text.split_ascii_whitespace().collect();
        let last = |term: &&str| {
            term.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all")
                || term.to_ascii_lowercase().starts_with("redirect=")
        };
        let at = terms.iter().position(last).unwrap_or(terms.len());
        terms.insert(at, mechanism);
        terms.join(" ")
    }
}

fn is_record(text: &str) -> bool {
    text.split(' ').next().is_some_and(|version| version.eq_ignore_ascii_case("v=spf1"))
}

fn count(lookups: &mut u32) -> Result<(), Wrong> {
    *lookups += 1;
    if *lookups > MOST { Err(Wrong::TooMany) } else { Ok(()) }
}

/// A record that is included has to be there (section 5.2).
fn included(found: Result<Spf, Wrong>, domain: &str) -> Result<Spf, Wrong> {
    found.map_err(|wrong| match wrong {
        Wrong::None => Wrong::Broken(format!("it includes {domain}, which has no SPF record")),
        Wrong::Several(_) => Wrong::Broken(format!("it includes {domain}, which has several SPF records")),
        Wrong::Broken(why) => Wrong::Broken(format!("it includes {domain}, which is broken: {why}")),
        other => other,
    })
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, prefix) = text.split_once('/').unwrap_or((text, ""));
    let ip: IpAddr = ip.parse().ok()?;
    let whole = if ip.is_ipv4() { 32 } else { 128 };
    let prefix = if prefix.is_empty() { whole } else { prefix.parse().ok()? };
    (prefix <= whole).then_some((ip, prefix))
}

fn inside(ip: IpAddr, net: IpAddr, prefix: u8) -> bool {
    match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            ip.to_bits() & mask == net.to_bits() & mask
        }
        (IpAddr::V6(ip), IpAddr::V6(net)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            ip.to_bits() & mask == net.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spf(text: &str, terms: Vec<(char, Match)>) -> Spf {
        Spf { text: text.into(), terms, redirect: None, lookups: 0 }
    }

    #[test]
    fn the_first_match_counts_and_only_a_pass_is_included() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let inner =
            spf("v=spf1 ip4:192.0.2.0/24 -all", vec![('+', Match::Net(ip("192.0.2.0"), 24)), ('-', Match::All)]);
        let outer = spf(
            "v=spf1 include:x ip6:2001:db8::/32 ~all",
            vec![('+', Match::Include(Box::new(inner))), ('+', Match::Net(ip("2001:db8::"), 32)), ('~', Match::All)],
        );
        assert_eq!(outer.judge(ip("192.0.2.9")), Verdict::Pass);
        assert_eq!(outer.judge(ip("192.0.3.9")), Verdict::Soft);
        assert_eq!(outer.judge(ip("2001:db8:1::1")), Verdict::Pass);
        assert_eq!(outer.with("ip4:192.0.3.9"), "v=spf1 include:x ip6:2001:db8::/32 ip4:192.0.3.9 ~all");
        assert_eq!(spf("v=spf1 a", vec![]).with("mx"), "v=spf1 a mx");
        assert!(outer.ends() && !outer.lets_all());
    }

    #[test]
    fn networks_are_read_and_nothing_else() {
        assert_eq!(network("192.0.2.1"), Some(("192.0.2.1".parse().unwrap(), 32)));
        assert!(inside("10.9.9.9".parse().unwrap(), "10.0.0.0".parse().unwrap(), 8));
        assert!(inside("10.9.9.9".parse().unwrap(), "0.0.0.0".parse().unwrap(), 0));
        for wrong in ["", "192.0.2", "192.0.2.1/33", "192.0.2.1/x", "2001:db8::/129"] {
            assert_eq!(network(wrong), None, "{wrong}");
        }
        assert!(
            is_record("V=spf1 -all") && is_record("v=spf1") && !is_record("v=spf10 -all") && !is_record("v=spf2.0/pra")
        );
    }
}
