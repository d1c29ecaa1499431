//! A sender's domain: the keys that it publishes, who may send for it, and what holds its parts together.

use super::super::App;
use super::dns::Resolver;
use super::relays::{Place, Reached};
use super::spf::{self, Spf, Verdict, Wrong};
use super::{Finding, dmarc};
use crate::config::model;
use crate::render::dkim::record;

/// Providers by the end of their relay's name, with what their customers include.
const PROVIDERS: [(&str, &str); 9] = [
    ("amazonaws.com", "amazonses.com"),
    ("sendgrid.net", "sendgrid.net"),
    ("mailgun.org", "mailgun.org"),
    ("postmarkapp.com", "spf.mtasv.net"),
    ("gmail.com", "_spf.google.com"),
    ("google.com", "_spf.google.com"),
    ("office365.com", "spf.protection.outlook.com"),
    ("sparkpostmail.com", "sparkpostmail.com"),
    ("mailjet.com", "spf.mailjet.com"),
];

/// What was found of a sender.
pub(super) async fn findings(
    app: &App,
    resolver: &Resolver,
    name: &str,
    sender: &model::Sender,
    reached: &Result<Vec<Reached>, String>,
) -> Vec<Finding> {
    let from = sender.from.email.domain();
    let envelope = sender.bounce.as_ref().map_or(from, |domain| domain.as_str());
    let mut findings = keys(app, resolver, name, sender).await;
    findings.push(allowed(resolver, envelope, reached.as_deref().unwrap_or_default()).await);
    findings.push(policy(resolver, from, envelope, sender.dkim.is_some()).await);
    findings.push(takes_mail(resolver, from, "answers come back to it").await);
    for (domain, why) in [
        (sender.reply_to.as_ref().map(|reply_to| reply_to.domain()), "answers and mails of unsubscribe go to it"),
        (sender.bounce.as_ref().map(|domain| domain.as_str()), "bounces come back to it"),
    ] {
        if let Some(domain) = domain.filter(|domain| *domain != from) {
            findings.push(takes_mail(resolver, domain, why).await);
        }
    }
    findings
}

/// DKIM: each key on the disk, against what is published.
async fn keys(app: &App, resolver: &Resolver, name: &str, sender: &model::Sender) -> Vec<Finding> {
    let domain = sender.from.email.domain();
    let keys = app.keys.get();
    let signer = match keys.of(name) {
        Ok(Some(signer)) => signer,
        Ok(None) => {
            let advice = format!("unless the relay signs for {domain}: `dangol dkim keygen --sender {name}`");
            return vec![Finding::warn("dkim", domain, "Dangol signs no mail of this sender").advice(advice)];
        }
        Err(why) => return vec![Finding::fail("dkim", domain, why)],
    };
    let mut findings = Vec::new();
    for (selector, key) in signer.keys() {
        let place = record::name(selector, domain);
        let texts = match resolver.txt(&place).await {
            Ok(texts) => texts,
            Err(why) => {
                findings.push(Finding::away("dkim", &place, &why));
                continue;
            }
        };
        let wrong = |found: &str| {
            Finding::fail("dkim", &place, found).advice("publish this record").txt(place.clone(), key.record())
        };
        let published: Vec<record::Published> = texts.iter().filter_map(|text| record::parse(text)).collect();
        let kind = key.algorithm().kind();
        findings.push(match published.as_slice() {
            [] if texts.is_empty() => wrong("there is no such record, so no signature of ours can be verified"),
            [] => wrong("what is published there is no DKIM record"),
            [one] if record::matches(one, key.algorithm(), key.public()) && one.testing => {
                Finding::warn("dkim", &place, "is our key, published as a mere test (t=y)")
                    .advice("take t=y out")
                    .txt(place.clone(), key.record())
            }
            [one] if record::matches(one, key.algorithm(), key.public()) => {
                Finding::ok("dkim", &place, format!("is our {kind} key"))
            }
            [one] if one.key.as_ref().is_some_and(Vec::is_empty) => wrong("the key published there was revoked (p=)"),
            [one] if one.key.is_none() => wrong("the key published there is damaged: its p= is not base64"),
            [_] => wrong("another key is published there than the one that signs"),
            _ => wrong("several records are published there, and receivers take any of them"),
        });
    }
    findings
}

/// SPF of the envelope's domain: whether the relays may send for it.
async fn allowed(resolver: &Resolver, domain: &str, relays: &[Reached]) -> Finding {
    let wanted = mechanisms(relays);
    let fresh = format!("v=spf1 {}~all", wanted.iter().map(|one| format!("{one} ")).collect::<String>());
    let wrong = |found: String| Finding::fail("spf", domain, found);
    let spf = match spf::of(resolver, domain).await {
        Ok(spf) => spf,
        Err(Wrong::Away(why)) => return Finding::away("spf", domain, &why),
        Err(Wrong::None) if wanted.is_empty() => {
            let advice = "ask whoever runs the relay what to include, and publish it, such as v=spf1 include:spf.your-provider.example ~all";
            return wrong("there is no SPF record".into()).advice(advice);
        }
        Err(Wrong::None) => {
            return wrong("there is no SPF record".into()).advice("publish this record").txt(domain, fresh);
        }
        Err(Wrong::Several(texts)) => {
            let mut terms: Vec<&str> = Vec::new();
            for term in texts.iter().flat_map(|text| text.split_ascii_whitespace().skip(1)) {
                if !term.ends_with("all") && !terms.contains(&term) {
                    terms.push(term);
                }
            }
            let merged = format!("v=spf1 {} ~all", terms.join(" "));
            let found = format!("there are {} SPF records, and receivers then take none", texts.len());
            return wrong(found).advice("put them together into one").txt(domain, merged);
        }
        Err(Wrong::TooMany) => {
            return wrong(
                "the SPF record asks receivers for more than 10 look-ups, and they then take it for broken".into(),
            )
            .advice("take out what no longer sends for this domain");
        }
        Err(Wrong::Broken(why)) => {
            return wrong(format!("the SPF record is broken: {why}")).advice("mend it, and receivers take it again");
        }
    };
    judged(&spf, domain, relays)
}

fn judged(spf: &Spf, domain: &str, relays: &[Reached]) -> Finding {
    if spf.lets_all() {
        let found = format!("`{}` lets anybody send in this name", spf.text);
        return Finding::fail("spf", domain, found)
            .advice("end it with ~all")
            .txt(domain, spf.text.replace("+all", "~all"));
    }
    let mut unknown = Vec::new();
    for relay in relays {
        let provider = provider(&relay.host);
        let verdicts = match &relay.place {
            Place::Public(addresses) => addresses.iter().map(|ip| (*ip, spf.judge(*ip))).collect(),
            _ => Vec::new(),
        };
        let refused = verdicts.iter().find(|(_, verdict)| *verdict != Verdict::Pass);
        match (provider, refused) {
            (Some(include), _) if !spf.text.contains(include) => {
                let found = format!("`{}` does not let the relay `{}` send", spf.text, relay.name);
                let record = spf.with(&format!("include:{include}"));
                return Finding::fail("spf", domain, found).advice("publish this record").txt(domain, record);
            }
            (None, Some((ip, Verdict::Fail | Verdict::Soft | Verdict::Neutral))) => {
                let found = format!("`{}` does not let {ip} of the relay `{}` send", spf.text, relay.name);
                let advice = "if mail leaves from this address, publish this record; a provider's mail leaves from others, and it says what to include";
                return Finding::warn("spf", domain, found).advice(advice).txt(domain, spf.with(&written(*ip)));
            }
            (None, Some((ip, Verdict::Unknown | Verdict::Pass))) => unknown.push(format!("{ip} of `{}`", relay.name)),
            (None, None) if verdicts.is_empty() => unknown.push(format!("the relay `{}`", relay.name)),
            _ => {}
        }
    }
    if !spf.ends() {
        let found = format!("`{}` says nothing of everybody else", spf.text);
        return Finding::warn("spf", domain, found)
            .advice("end it with ~all")
            .txt(domain, format!("{} ~all", spf.text));
    }
    let cost = format!("{} of 10 look-ups", spf.lookups);
    match unknown.is_empty() {
        true => Finding::ok("spf", domain, format!("`{}` lets the relays send; {cost}", spf.text)),
        false => Finding::ok(
            "spf",
            domain,
            format!("`{}`, {cost}; whether it lets {} send cannot be known from here", spf.text, unknown.join(", ")),
        ),
    }
}

/// What lets the relays send, as far as it is known.
fn mechanisms(relays: &[Reached]) -> Vec<String> {
    let mut found = Vec::new();
    for relay in relays {
        match (provider(&relay.host), &relay.place) {
            (Some(include), _) => found.push(format!("include:{include}")),
            (None, Place::Public(addresses)) => found.extend(addresses.iter().map(|ip| written(*ip))),
            _ => {}
        }
    }
    found.dedup();
    found
}

fn written(ip: std::net::IpAddr) -> String {
    format!("{}:{ip}", if ip.is_ipv4() { "ip4" } else { "ip6" })
}

fn provider(host: &str) -> Option<&'static str> {
    let host = host.to_ascii_lowercase();
    PROVIDERS
        .iter()
        .find(|(end, _)| host == *end || host.strip_suffix(end).is_some_and(|before| before.ends_with('.')))
        .map(|(_, include)| *include)
}

/// DMARC: whether there is a policy, and whether one of SPF and DKIM carries the domain that readers see.
async fn policy(resolver: &Resolver, from: &str, envelope: &str, signed: bool) -> Finding {
    let place = format!("_dmarc.{from}");
    let fresh = format!("v=DMARC1; p=none; rua=mailto:dmarc@{from}");
    let wrong = |found: String| Finding::fail("dmarc", from, found);
    let found = match dmarc::of(resolver, from).await {
        Err(Err(why)) => return Finding::away("dmarc", from, &why),
        Err(Ok(n)) => {
            return wrong(format!("there are {n} DMARC records, and receivers then take none"))
                .advice("leave one of them")
                .txt(place, fresh);
        }
        Ok(None) => {
            return wrong("there is no DMARC record, which Gmail and Yahoo ask of whoever sends in bulk".into())
                .advice("publish this record, have its reports read, and make it p=quarantine when they are clean")
                .txt(place, fresh);
        }
        Ok(Some(found)) => found,
    };
    let place = format!("_dmarc.{}", found.domain);
    let Some(policy) = &found.policy else {
        let found = format!("`{}` names no policy (p=), so it counts for nothing", found.text);
        return wrong(found).advice("publish this record").txt(place, fresh);
    };
    let spf = match dmarc::aligned(resolver, from, envelope, found.strict_spf).await {
        Ok(aligned) => aligned,
        Err(why) => return Finding::away("dmarc", from, &why),
    };
    let by = match (signed, spf) {
        (true, true) => "DKIM and SPF carry its name",
        (true, false) => "DKIM carries its name, SPF that of another domain",
        (false, true) => "SPF carries its name; Dangol does not sign",
        (false, false) => {
            let found = format!("`{}`: neither DKIM nor SPF ({envelope}) carries the name of {from}", found.text);
            let advice = format!("sign with `dangol dkim keygen`, and write a `bounce` below {from}");
            return wrong(found).advice(advice);
        }
    };
    let said = format!("p={policy} at {place}; {by}");
    match (policy.as_str(), found.reported) {
        ("none", false) => {
            let advice = "have reports sent to you: without them p=none does nothing";
            Finding::warn("dmarc", from, said)
                .advice(advice)
                .txt(place, format!("{}; rua=mailto:dmarc@{from}", found.text.trim_end_matches([';', ' '])))
        }
        ("none" | "quarantine" | "reject", _) => Finding::ok("dmarc", from, said),
        (other, _) => wrong(format!("p={other} is no policy: none, quarantine or reject")).txt(place, fresh),
    }
}

/// MX: whether mail to a domain can arrive.
async fn takes_mail(resolver: &Resolver, domain: &str, why: &str) -> Finding {
    let hosts = match resolver.mx(domain).await {
        Ok(hosts) => hosts,
        Err(why) => return Finding::away("mx", domain, &why),
    };
    let nowhere = |found: &str| {
        let advice = format!("publish an MX record that names the server for mail to {domain}");
        Finding::fail("mx", domain, format!("{found}, and {why}")).advice(advice)
    };
    match hosts.first().map(String::as_str) {
        Some(".") => nowhere("it says that it takes no mail (MX .)"),
        Some(host) => match resolver.addresses(host).await {
            Ok(found) if found.is_empty() => nowhere(&format!("its mail server {host} has no address")),
            Ok(_) => Finding::ok("mx", domain, format!("takes mail at {host}")),
            Err(why) => Finding::away("mx", domain, &why),
        },
        // without MX the address itself takes mail (RFC 5321, section 5.1)
        None => match resolver.addresses(domain).await {
            Ok(found) if found.is_empty() => nowhere("it takes no mail: it has neither MX nor address"),
            Ok(_) => Finding::warn("mx", domain, format!("has no MX record, only an address, and {why}"))
                .advice("publish an MX record that names its mail server"),
            Err(why) => Finding::away("mx", domain, &why),
        },
    }
}

#[cfg(test)]
#[path = "../../../tests/it/fake_dns.rs"]
pub(super) mod fake_dns;

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::fake_dns::FakeDns;
    use super::*;

    fn at(host: &str, ips: &[&str]) -> Vec<Reached> {
        let addresses = ips.iter().map(|ip| ip.parse().unwrap()).collect();
        vec![Reached::usable("primary", host, Place::Public(addresses))]
    }

    #[test]
    fn providers_are_known_by_the_end_of_their_name() {
        assert_eq!(provider("email-smtp.eu-west-1.amazonaws.com"), Some("amazonses.com"));
        assert_eq!(provider("SMTP.SendGrid.net"), Some("sendgrid.net"));
        assert_eq!(provider("notsendgrid.net"), None);
    }

    #[tokio::test]
    async fn a_relay_that_spf_does_not_know_of_is_told_with_the_record_to_publish() {
        let dns = FakeDns::start();
        dns.txt("haru.example", "v=spf1 include:other.example ~all")
            .txt("other.example", "v=spf1 ip4:192.0.2.0/24 -all");
        dns.txt("amazonses.com", "v=spf1 ip4:198.51.100.0/24 -all");
        let resolver = Resolver::of(vec![dns.addr]);
        let told = async |relays: &[Reached]| {
            let finding = allowed(&resolver, "haru.example", relays).await;
            (finding.level, finding.record.map(|record| record.value))
        };
        assert_eq!(told(&at("mx.haru.example", &["192.0.2.7"])).await, (Level::Ok, None));
        let wanted = "v=spf1 include:other.example ip6:2001:db8::1 ~all".to_owned();
        assert_eq!(told(&at("mx.haru.example", &["192.0.2.7", "2001:db8::1"])).await, (Level::Warn, Some(wanted)));
        let provider = "v=spf1 include:other.example include:amazonses.com ~all".to_owned();
        let ses = at("email-smtp.eu-west-1.amazonaws.com", &["203.0.113.9"]);
        assert_eq!(told(&ses).await, (Level::Fail, Some(provider.clone())));
        dns.clear("haru.example").txt("haru.example", &provider);
        // a provider takes mail at one address and sends from others
        assert_eq!(told(&ses).await, (Level::Ok, None));
        dns.clear("haru.example");
        assert_eq!(told(&ses).await, (Level::Fail, Some("v=spf1 include:amazonses.com ~all".into())));
    }

    #[tokio::test]
    async fn siblings_are_aligned_when_a_record_above_them_says_that_they_are_one() {
        let dns = FakeDns::start();
        let resolver = Resolver::of(vec![dns.addr]);
        let aligned = async |strict| {
            dmarc::aligned(&resolver, "mail.haru.example", "bounces.haru.example", strict).await.unwrap()
        };
        assert!(!aligned(false).await);
        dns.txt("_dmarc.haru.example", "v=DMARC1; p=none");
        assert!(aligned(false).await && !aligned(true).await);
    }
}
