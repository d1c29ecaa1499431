//! `reward`

use super::{app, who};
use crate::cli::arguments::{self, Global};
use crate::cli::output;
use crate::customer::audit;
use crate::engine::App;
use crate::reward::{self, Amounts, Entry, Overview, Redeem, Redemption};
use crate::types::{Currency, Money, Timestamp};
use anyhow::{Context as _, bail};
use serde_json::json;
use std::io::Read as _;
use std::path::Path;

const ACTOR: &str = "command line";
/// A longer file is no list of codes.
const MOST: u64 = 256 << 20;

pub async fn reward(global: &Global, command: arguments::Reward) -> anyhow::Result<()> {
    let app = app(global).await?;
    match command {
        arguments::Reward::List => list(global, &app).await,
        arguments::Reward::Show { name, customer: None } => show(global, &app, &name).await,
        arguments::Reward::Show { name, customer: Some(word) } => lines(global, &app, &name, &word).await,
        arguments::Reward::Launch { name } => launch(global, &app, &name).await,
        arguments::Reward::Coupons { name, file } => coupons(global, &app, &name, &file).await,
        arguments::Reward::Redeem(ask) => redeem(global, &app, ask).await,
    }
}

async fn all(app: &App) -> anyhow::Result<Vec<Overview>> {
    let files = app.workspace.rewards.iter().map(|(name, file)| (name.as_str(), file.document.source.as_str()));
    let files: Vec<(&str, &str)> = files.collect();
    Ok(reward::overview(&app.db, &app.settings(), &files, app.clock.now()).await?)
}

fn money(minor: i64, currency: &str) -> String {
    match currency.parse::<Currency>() {
        Ok(currency) => Money { minor, currency }.to_string(),
        Err(_) => format!("{minor} {currency}"),
    }
}

fn live(found: &Overview) -> String {
    let changed = if found.changed { ", the file has changed since" } else { "" };
    found.live_since.map_or_else(|| "not live".to_owned(), |since| format!("since {since}{changed}"))
}

async fn list(global: &Global, app: &App) -> anyhow::Result<()> {
    let found = all(app).await?;
    let bad = reward::unusable(&mut &app.db, &app.settings()).await?;
    let unusable: Vec<_> = bad.iter().map(|(name, why)| json!({ "name": name, "why": why })).collect();
    output::show(global.json, &json!({ "rewards": found, "unusable": unusable }), || {
        let rows = found.iter().map(|r| {
            let used = money(r.used, &r.currency);
            let budget = r.budget.as_ref().map_or_else(|| used.clone(), |b| format!("{used} of {b} ({})", r.period));
            let open = money(r.liability.active + r.liability.pending, &r.currency);
            vec![r.name.clone(), r.title.clone(), r.kind.to_owned(), live(r), budget, open]
        });
        let mut text = output::table(&["reward", "title", "kind", "live", "budget used", "open"], rows);
        for (_, why) in &bad {
            text += &format!("live, and left out: {why}\n");
        }
        text
    })
}

async fn one(app: &App, name: &str) -> anyhow::Result<Overview> {
    app.readable(&format!("rewards/{name}.toml"))?;
    let bad = reward::unusable(&mut &app.db, &app.settings()).await?;
    if let Some((_, why)) = bad.into_iter().find(|(bad, _)| bad == name) {
        bail!("it is live, and left out: {why}");
    }
    let found = all(app).await?.into_iter().find(|found| found.name == name);
    found.with_context(|| {
        let known: Vec<&str> = app.workspace.rewards.keys().map(String::as_str).collect();
        let near = crate::config::nearest(name, known).map(|help| format!(": {help}")).unwrap_or_default();
        format!("there is no reward `{name}`{near}")
    })
}

async fn show(global: &Global, app: &App, name: &str) -> anyhow::Result<()> {
    let found = one(app, name).await?;
    output::show(global.json, &found, || {
        let money = |minor| money(minor, &found.currency);
        let l = &found.liability;
        let mut text = format!("{} ({}): {}, {}\n", found.name, found.title, found.kind, live(&found));
        let budget = found.budget.as_ref().map(|budget| format!(" of {budget}")).unwrap_or_default();
        text += &format!("budget    {}{budget} used ({})\n", money(found.used), found.period);
        text += &format!("pending   {} ({})\n", l.pending_points, money(l.pending));
        text += &format!("active    {} ({})\n", l.active_points, money(l.active));
        text += &format!("redeemed  {} times ({})\n", found.redemptions, money(found.redeemed_cost));
        if let Some(free) = found.codes_free {
            text += &format!("codes     {free} free\n");
        }
        text
    })
}

async fn lines(global: &Global, app: &App, name: &str, word: &str) -> anyhow::Result<()> {
    let found = one(app, name).await?;
    let customer = who(app, word).await?;
    let (entries, balance) = reward::entries(&mut &app.db, customer.id, name).await?;
    let answer = json!({ "reward": name, "customer": customer.id, "lines": entries, "balance": balance });
    let zone = app.settings().site.timezone.tz().clone();
    let when = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    output::show(global.json, &answer, || {
        let amounts = |a: &Amounts| [a.granted, a.pending, a.active, a.spent, a.expired, a.reversed];
        let row = |at: String, what: String, a: &Amounts, cost: String| {
            let numbers = amounts(a).map(|n| if n == 0 { String::new() } else { n.to_string() });
            [at, what].into_iter().chain(numbers).chain([cost]).collect::<Vec<String>>()
        };
        let mut rows: Vec<Vec<String>> = entries
            .iter()
            .map(|line| {
                let cost = if line.cost == 0 { String::new() } else { money(line.cost, &found.currency) };
                row(when(line.at), what(line), &line.by, cost)
            })
            .collect();
        rows.push(row(String::new(), "together".into(), &balance, String::new()));
        let head = ["at", "", "granted", "pending", "active", "spent", "expired", "reversed", "cost"];
        output::table(&head, rows)
    })
}

/// What a line is, in words.
fn what(line: &Entry) -> String {
    let more = match (&line.redemption, &line.coupon) {
        (Some(key), _) => format!(" {key}"),
        (None, Some(code)) => format!(" {} {code}", line.rule),
        (None, None) => format!(" {} {}", line.rule, line.period),
    };
    format!("{} #{}{more}", line.kind.name(), line.lot)
}

async fn launch(global: &Global, app: &App, name: &str) -> anyhow::Result<()> {
    one(app, name).await?;
    let Some(file) = app.workspace.rewards.get(name) else {
        bail!("rewards/{name}.toml is not there: what is live stays as it is");
    };
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let changed = reward::put_live(&mut tx, name, &file.document.source, &app.settings(), now).await?;
    if changed {
        audit(&mut tx, ACTOR, "reward launch", name, None, now).await?;
    }
    tx.commit().await?;
    let found = one(app, name).await?;
    output::show(global.json, &json!({ "reward": name, "changed": changed, "live_since": found.live_since }), || {
        match changed {
            true => format!("{name} is live, {}", live(&found)),
            false => format!("{name} is live as it was, {}", live(&found)),
        }
    })
}

async fn coupons(global: &Global, app: &App, name: &str, file: &Path) -> anyhow::Result<()> {
    let found = one(app, name).await?;
    if found.kind != "coupon" {
        bail!("`{name}` is of kind {}, and only a coupon has codes", found.kind);
    }
    let mut text = String::new();
    let read: Box<dyn std::io::Read> = match file == Path::new("-") {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()))?),
    };
    read.take(MOST).read_to_string(&mut text).with_context(|| format!("{} cannot be read", file.display()))?;
    let added = reward::add_codes(&app.db, name, &text, app.clock.now()).await?;
    output::show(global.json, &added, || {
        let mut text = format!("{} codes added to {name}\n", added.added);
        if !added.duplicates.is_empty() {
            let some: Vec<&str> = added.duplicates.iter().take(10).map(String::as_str).collect();
            text += &format!("{} were there already, or stand twice: {}\n", added.duplicates.len(), some.join(", "));
        }
        for (line, code) in added.refused.iter().take(20) {
            text +=
                &format!("line {line}: `{code}` is no code: letters, digits and signs without spaces, at most 64\n");
        }
        text
    })
}

async fn redeem(global: &Global, app: &App, ask: arguments::Redeem) -> anyhow::Result<()> {
    let now = app.clock.now();
    let customer = who(app, &ask.customer).await?;
    if customer.erased_at.is_some() {
        bail!("customer #{} was erased", customer.id);
    }
    let what = match (ask.what.points, ask.what.code) {
        (Some(points), _) => Redeem::Points(points),
        (None, Some(code)) => Redeem::Coupon(code),
        (None, None) => bail!("say how many --points, or which --code"),
    };
    let at = match ask.at {
        Some(at) => at.at(app.settings().site.timezone.tz())?,
        None => now,
    };
    let redemption =
        Redemption { customer: customer.id, reward: ask.name, what, key: ask.key, at, source: "cli", batch: None };
    let mut tx = app.db.begin().await?;
    let redeemed = reward::redeem(&mut tx, &redemption, now).await?;
    tx.commit().await?;
    output::show(global.json, &redeemed, || {
        let again = if redeemed.again { " (it was taken before under this key)" } else { "" };
        let cost = money(redeemed.cost, &redeemed.currency);
        format!("{} used, which cost {cost}; {} left{again}", redeemed.points, redeemed.balance)
    })
}
