//! `dkim`

use super::open;
use crate::cli::arguments::{Dkim, DkimAlgorithm, Global};
use crate::cli::output::{self, Misuse};
use crate::config::nearest;
use crate::config::secret::{SecretError, write_private};
use crate::render::dkim::{Algorithm, Key, generate, record};
use anyhow::{anyhow, bail};
use serde_json::json;

pub fn dkim(global: &Global, command: Dkim) -> anyhow::Result<()> {
    let Dkim::Keygen { sender, selector, algorithm } = command;
    let (workspace, _) = open(global).files()?;
    let senders = &workspace.settings.value.sender;
    let names = || senders.keys().map(String::as_str);
    let name = match (sender, senders.len()) {
        (Some(name), _) => name,
        (None, 1) => names().next().unwrap_or_default().to_owned(),
        (None, 0) => bail!("there is no [sender.NAME] in dangol.toml: write one, whose key this is to be"),
        (None, _) => {
            let known = names().collect::<Vec<_>>().join(", ");
            return Err(Misuse(format!("there are several senders: say which with --sender ({known})")).into());
        }
    };
    let Some(sender) = senders.get(&name) else {
        bail!("there is no sender `{name}` in dangol.toml: {}", nearest(&name, names()).unwrap_or_default());
    };
    let domain = sender.from.email.domain();
    let (algorithm, kind) = match algorithm {
        DkimAlgorithm::Rsa => (Algorithm::Rsa, "RSA of 2048 bits"),
        DkimAlgorithm::Ed25519 => (Algorithm::Ed25519, "Ed25519"),
    };
    // where dangol.toml expects it, when it names this key already
    let named = sender.dkim.iter().flat_map(|dkim| dkim.keys()).find(|key| key.selector == selector);
    let file = named.map_or_else(|| format!(".secret/{selector}.pem"), |key| key.key.clone());
    let pem = generate::pem(algorithm).map_err(|e| anyhow!(e))?;
    let key = Key::from_pem(&pem).map_err(|e| anyhow!(e))?;
    write_private(&workspace.root.join(&file), pem.trim_end()).map_err(|e| match e {
        SecretError::Exists(path) => anyhow!(
            "{path} exists already and was left alone, since mail is signed with it: give the new key another --selector, publish its record, and name it in dangol.toml in the place of the old one"
        ),
        other => other.into(),
    })?;
    let (place, value) = (record::name(selector.as_str(), domain), key.record());
    let line = record::zone(&place, &value);
    let shown = json!({
        "sender": name, "selector": selector.as_str(), "algorithm": algorithm.kind(), "file": file,
        "record": { "name": place, "type": "TXT", "value": value, "zone": line },
    });
    output::show(global.json, &shown, || {
        let next = match named {
            Some(_) => String::new(),
            None => format!(
                "\n\nThen name the key in dangol.toml, under [sender.{name}]; several stand in a list, [ {{ … }}, {{ … }} ]:\n\
                 dkim = {{ selector = \"{selector}\", key = \"{file}\" }}"
            ),
        };
        format!(
            "wrote {file}: a private key, {kind}, that only you can read. Keep a copy elsewhere, and none in Git\n\n\
             Publish its public half in DNS, in the form of a web site:\n\
             type   TXT\nname   {place}\nvalue  {value}\n\n\
             or as a line of a zone file:\n{line}{next}\n\n\
             `dangol doctor` says when the world sees it"
        )
    })
}
