//! The demo's workspace: what `dangol init` writes, with the address of this demo's mail catcher and site, and an
//! audience of everybody, so that the plan has somebody to leave out.

use super::Lang;
use crate::config::init;
use crate::config::workspace::SETTINGS;
use anyhow::{Context as _, ensure};
use std::net::SocketAddr;
use std::path::Path;

/// The campaign of most scenes.
pub(super) const SPRING: &str = "spring";
/// The campaign that asks a question.
pub(super) const QUESTION: &str = "how-are-we";
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
    edit(root, SPRING_FILE, "segment = \"subscribers\"", "segment = \"everyone\"")
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
