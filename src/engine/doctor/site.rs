//! What every mail leans on beside its sender: the site's address, one-click unsubscribe, the footer of the law, the clock.

use super::super::App;
use super::dns::Resolver;
use super::{Finding, Level, ntp};
use crate::campaign::check;
use crate::config::Severity;
use crate::config::model::Settings;

/// So much off is too much.
const OFF: i64 = 5_000;
/// With so much, receivers doubt the mail.
const FAR_OFF: i64 = 300_000;

/// What was found.
pub(super) async fn findings(app: &App, resolver: &Resolver, time_server: &str) -> Vec<Finding> {
    let settings = app.settings();
    let site = url(&settings, resolver).await;
    let unsubscribe = unsubscribe(&settings, site.level);
    vec![site, unsubscribe, law(app, &settings), clock(app, time_server).await]
}

async fn url(settings: &Settings, resolver: &Resolver) -> Finding {
    let written = &settings.site.url;
    let Ok(url) = url::Url::parse(written) else {
        return Finding::fail("site", written, "is not the address of a site").advice("mend `url` under [site]");
    };
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let advice =
        "write url = \"https://mail.your-shop.example\" under [site], and let your web server pass it on to Dangol";
    if loopback {
        return Finding::fail("site", written, "is this machine: no reader can follow a link to it").advice(advice);
    }
    if url.scheme() != "https" {
        return Finding::fail("site", written, "is not https").advice(advice);
    }
    match resolver.addresses(host).await {
        Err(why) => Finding::away("site", written, &why),
        Ok(found) if found.is_empty() => Finding::fail("site", written, format!("{host} has no address in DNS"))
            .advice("publish an A or AAAA record for it: every link of every mail leads there"),
        Ok(found) => Finding::ok("site", written, format!("https, at {}", found[0])),
    }
}

/// The headers themselves are in every marketing mail; what they lean on is looked at here (RFC 8058).
fn unsubscribe(settings: &Settings, site: Level) -> Finding {
    let subject = "every marketing mail";
    if site == Level::Fail {
        let found = "List-Unsubscribe leads to a site that readers cannot reach over https, and mail programs then show no button";
        return Finding::fail("unsubscribe", subject, found).advice("see `site` above");
    }
    let unsigned: Vec<&str> =
        settings.sender.iter().filter(|(_, sender)| sender.dkim.is_none()).map(|(name, _)| name.as_str()).collect();
    let found = "has List-Unsubscribe (https and mailto) and List-Unsubscribe-Post";
    if unsigned.is_empty() {
        return Finding::ok("unsubscribe", subject, format!("{found}, both signed"));
    }
    let found = format!("{found}; not signed by Dangol for {}", unsigned.join(", "));
    Finding::warn("unsubscribe", subject, found)
        .advice("sign with DKIM, or see that the relay's signature covers both headers")
}

fn law(app: &App, settings: &Settings) -> Finding {
    let profile = format!("{:?}", settings.law.profile).to_lowercase();
    let problems = check::check(&app.workspace, None);
    let mut wrong = problems.iter().filter(|problem| problem.code == "law" && problem.severity == Severity::Error);
    match wrong.next() {
        Some(problem) => {
            let more = match wrong.count() {
                0 => String::new(),
                n => format!(" (and {n} more, see `dangol check`)"),
            };
            let finding = Finding::fail("law", &profile, format!("{}{more}", problem.message));
            match &problem.help {
                Some(help) => finding.advice(help.clone()),
                None => finding,
            }
        }
        None => Finding::ok("law", &profile, "the footer of every marketing mail has what the profile asks for"),
    }
}

async fn clock(app: &App, server: &str) -> Finding {
    let theirs = match ntp::ask(server).await {
        Ok(theirs) => theirs,
        Err(why) => {
            return Finding::warn("clock", "this machine", format!("cannot be compared: {why}"))
                .advice("see that its clock is kept by NTP, or name a time server with --ntp");
        }
    };
    let off = app.clock.now().as_millisecond() - theirs;
    let words =
        format!("is {}.{:03} s {}", off.abs() / 1000, off.abs() % 1000, if off < 0 { "behind" } else { "ahead" });
    let advice = "keep this machine's clock by NTP: mail is dated and signed by it";
    match off.abs() {
        OFF.. if off.abs() >= FAR_OFF => Finding::fail("clock", "this machine", words).advice(advice),
        OFF.. => Finding::warn("clock", "this machine", words).advice(advice),
        _ => Finding::ok("clock", "this machine", words),
    }
}
