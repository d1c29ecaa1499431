//! The demo's workspace: what `dangol init` writes, with the address of this demo's mail catcher and site, and an
//! audience of everybody, so that the plan has somebody to leave out.

use super::Lang;
use crate::config::init;
use crate::config::workspace::SETTINGS;
use crate::types::Money;
use anyhow::{Context as _, ensure};
use std::net::SocketAddr;
use std::path::Path;

/// The campaign of most scenes.
pub(super) const SPRING: &str = "spring";
/// The campaign that asks a question.
pub(super) const QUESTION: &str = "how-are-we";
/// The campaign that thanks regulars.
pub(super) const THANKS: &str = "thank-regulars";
/// What it grants.
pub(super) const PETALS: &str = "petals";
/// A letter that makes people order.
pub(super) const INVITE: &str = "invite";
/// A letter that does nothing.
pub(super) const NOTES: &str = "notes";
/// Days in which an order counts for [`INVITE`] and [`NOTES`].
pub(super) const GOAL_DAYS: i64 = 7;
/// The file of [`SPRING`].
pub(super) const SPRING_FILE: &str = "campaigns/spring.toml";
/// Mails a second: fast enough to watch, slow enough to be killed half-way.
const RATE: &str = "300/s";
/// Connections at once; so many mails at most can be of unknown fate after a kill.
pub(super) const CONNECTIONS: i64 = 8;

/// Where the demo's servers listen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) smtp: SocketAddr,
    pub(super) site: SocketAddr,
}

/// Writes the workspace into `root`.
pub(super) fn write(root: &Path, lang: Lang, at: Addresses) -> anyhow::Result<()> {
    init::write(root)?;
    settings(root, lang, at)?;
    let everyone = lang.pick("모든 고객", "All customers");
    let segment = format!("title = \"{everyone}\"\nwhere = \"created_at IS NOT NULL\"\n");
    std::fs::write(root.join("segments/everyone.toml"), segment)?;
    edit(root, SPRING_FILE, "segment = \"subscribers\"", "segment = \"everyone\"")?;
    std::fs::write(root.join("rewards/petals.toml"), petals(lang))?;
    for letter in letters(lang) {
        let Letter { name, title, subject, preheader, says } = letter;
        std::fs::write(root.join(format!("campaigns/{name}.toml")), half(name, title))?;
        let mail = format!(
            "---\nsubject = \"{subject}\"\npreheader = \"{preheader}\"\nlayout = \"base\"\n---\n<mj-section background-color=\"#ffffff\">\n  \
             <mj-column>\n    <mj-text>\n      <h1>{subject}</h1>\n      <p>{says}</p>\n    </mj-text>\n    \
             {{{{> partials/button href=\"https://haru.example/{name}\" label=\"{title}\"}}}}\n  </mj-column>\n</mj-section>\n"
        );
        std::fs::write(root.join(format!("templates/letters/{name}.mjml")), mail)?;
    }
    Ok(())
}

/// Minor units that the petals of a week may cost: room for what a week's orders earn and for some gifts, but not for all.
pub(super) fn budget(lang: Lang) -> i64 {
    lang.pick(110_000, 11_000)
}

/// What a petal costs, in minor units.
pub(super) fn unit(lang: Lang) -> i64 {
    lang.pick(10, 1)
}

/// The reward in the shop's currency, with a budget for a week.
fn petals(lang: Lang) -> String {
    let currency = lang.currency();
    let [unit, budget] = [unit(lang), budget(lang)].map(|minor| Money { minor, currency });
    format!(
        "#:schema ../.schema/reward.json\ntitle         = {{ ko = \"꽃잎\", en = \"Petals\" }}\nkind          = \"points\"\n\
         earn          = \"1%\"      # of what was paid; taken back when the order is\nunit          = \"{unit}\"\n\
         confirm_after = \"14d\"\nexpires       = \"24mo\"\nbudget        = \"{budget} per week\"\n"
    )
}

struct Letter {
    name: &'static str,
    title: &'static str,
    subject: &'static str,
    preheader: &'static str,
    says: &'static str,
}

fn letters(lang: Lang) -> [Letter; 2] {
    [
        Letter {
            name: INVITE,
            title: lang.pick("정원 여는 날", "Open garden"),
            subject: lang.pick("이번 주, 정원을 엽니다", "This week our garden is open"),
            preheader: lang.pick("모종을 직접 보고 고르세요.", "Come and choose your seedlings yourself."),
            says: lang.pick(
                "일요일까지 정원을 엽니다. 오셔서 모종을 직접 보고 고르세요.",
                "Until Sunday our garden is open to you: come and choose your seedlings yourself.",
            ),
        },
        Letter {
            name: NOTES,
            title: lang.pick("정원 이야기", "Garden notes"),
            subject: lang.pick("이슬에 대하여", "A few words about dew"),
            preheader: lang.pick("새벽 정원에서.", "From the garden at dawn."),
            says: lang.pick("새벽 정원에는 이슬이 내립니다.", "At dawn there is dew in the garden."),
        },
    ]
}

/// A campaign that one half of the readers gets, so that what it causes can be seen.
fn half(name: &str, title: &str) -> String {
    format!(
        "#:schema ../.schema/campaign.json\ntitle   = \"{title}\"\ntopic   = \"newsletter\"\nsender  = \"hello\"\n\
         send    = \"letters/{name}\"\nholdout = \"50%\"\n\n[audience]\nsegment = \"subscribers\"\n\n[goal]\n\
         event  = \"order\"\nwithin = \"{GOAL_DAYS}d\"\n"
    )
}

/// The settings of `init` with a few others: as a table, so that their layout does not matter.
fn settings(root: &Path, lang: Lang, at: Addresses) -> anyhow::Result<()> {
    let file = root.join(SETTINGS);
    let mut settings: toml::Table = std::fs::read_to_string(&file)?.parse()?;
    let mut set = |table: &str, key: &str, value: toml::Value| {
        let table = settings.entry(table).or_insert_with(|| toml::Table::new().into());
        table.as_table_mut().map(|table| table.insert(key.into(), value)).context("a table of dangol.toml is none")
    };
    set("site", "url", format!("http://{}", at.site).into())?;
    set("site", "timezone", "Asia/Seoul".into())?;
    set("site", "locale", lang.code().into())?;
    set("site", "currency", lang.currency().code().into())?;
    set("law", "profile", lang.pick("kr", "us").into())?;
    if lang == Lang::En {
        set("site", "address", "12 Garden Street, Portland, OR".into())?;
    }
    // the demo works at any hour; the cap stays as init writes it
    set("limits", "quiet", "off".into())?;
    set("web", "listen", at.site.to_string().into())?;
    // everyone's requests come from this machine: the address that they say they have is believed
    set("web", "proxies", 1.into())?;
    let mut relay = toml::Table::new();
    for (key, value) in [("name", "primary"), ("url", &format!("smtp://{}", at.smtp)), ("rate", RATE)] {
        relay.insert(key.into(), value.into());
    }
    relay.insert("connections".into(), CONNECTIONS.into());
    settings.insert("relay".into(), toml::Value::Array(vec![relay.into()]));
    let text = toml::to_string_pretty(&settings)?;
    std::fs::write(
        &file,
        format!("#:schema .schema/dangol.json\n# As `dangol init` writes it, made the demo's own.\n\n{text}"),
    )?;
    Ok(())
}

/// Replaces the one place of a file that reads `from`.
pub(super) fn edit(root: &Path, file: &str, from: &str, to: &str) -> anyhow::Result<()> {
    let path = root.join(file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(text.matches(from).count() == 1, "{file} does not hold `{from}` once");
    std::fs::write(&path, text.replacen(from, to, 1)).with_context(|| format!("cannot write {}", path.display()))
}
