//! The keys of all senders of the settings, read once; and what is wrong with them, for `check`.

use super::{Algorithm, Key, KeyError, Signer};
use crate::config::model::Settings;
use crate::config::{Problem, Severity, Workspace};
use std::collections::BTreeMap;
use std::path::Path;

/// A signer for each sender that signs, or why it cannot.
#[derive(Debug, Default)]
pub struct Keys {
    senders: BTreeMap<String, Result<Signer, String>>,
}

impl Keys {
    /// Reads the keys that `settings` name, in files taken from `root`.
    pub fn load(root: &Path, settings: &Settings) -> Keys {
        let signing = settings.sender.iter().filter_map(|(name, sender)| Some((name, sender, sender.dkim.as_ref()?)));
        let senders = signing.map(|(name, sender, dkim)| {
            let read = |one: &crate::config::model::DkimKey| {
                Key::read(&root.join(&one.key)).map(|key| (one.selector.to_string(), key)).map_err(|e| e.to_string())
            };
            let keys: Result<Vec<_>, String> = dkim.keys().iter().map(read).collect();
            let signer = keys.and_then(|keys| match keys.is_empty() {
                true => Err("`dkim` is an empty list".into()),
                false => Ok(Signer::new(sender.from.email.domain(), keys)),
            });
            (name.clone(), signer)
        });
        Keys { senders: senders.collect() }
    }

    /// The signer of a sender; none when its mail is not to be signed.
    ///
    /// # Errors
    /// When it is to be, and cannot: such mail does not go unsigned.
    pub fn of(&self, sender: &str) -> Result<Option<&Signer>, String> {
        match self.senders.get(sender) {
            None => Ok(None),
            Some(Ok(signer)) => Ok(Some(signer)),
            Some(Err(why)) => Err(format!(
                "mail of the sender `{sender}` cannot be signed: {why}; put the key back, restart or reload, and `dangol resume`"
            )),
        }
    }
}

/// What is wrong with the keys that `dangol.toml` names. A key that is not there is `missing`: on a machine that only
/// checks files, such as CI, keys are not meant to be.
pub fn problems(workspace: &Workspace, missing: Severity) -> Vec<Problem> {
    let document = &workspace.settings.document;
    let mut problems = Vec::new();
    for (name, sender) in &workspace.settings.value.sender {
        let Some(dkim) = &sender.dkim else { continue };
        let keys = dkim.keys();
        let at = |i: usize, key: &str| match dkim.is_list() {
            true => format!("sender.{name}.dkim[{i}].{key}"),
            false => format!("sender.{name}.dkim.{key}"),
        };
        if keys.is_empty() {
            let problem = document.problem(&format!("sender.{name}.dkim"), "value", "`dkim` is an empty list");
            problems.push(problem.help("name a key, or leave `dkim` out"));
        }
        let mut algorithms = Vec::new();
        for (i, one) in keys.iter().enumerate() {
            if keys[..i].iter().any(|other| other.selector == one.selector) {
                let message = format!("the selector `{}` stands here twice", one.selector);
                let help = "give each key a selector of its own: it is its name in DNS";
                problems.push(document.problem(&at(i, "selector"), "duplicate", message).help(help));
            }
            let place = at(i, "key");
            if !one.key.starts_with(".secret/") && !Path::new(&one.key).is_absolute() {
                let message = format!("`{}` is a private key, and the workspace goes into Git", one.key);
                problems.push(document.problem(&place, "secret", message).help("keep it in .secret/").warning());
            }
            match Key::read(&workspace.root.join(&one.key)) {
                Ok(key) => algorithms.push(key.algorithm()),
                Err(e) => {
                    let mut problem = document.problem(&place, "dkim", e.to_string()).help(remedy(&e, name, one));
                    if matches!(e, KeyError::Missing(_)) {
                        problem.severity = missing;
                    }
                    problems.push(problem);
                }
            }
        }
        if !keys.is_empty() && algorithms.len() == keys.len() && !algorithms.contains(&Algorithm::Rsa) {
            let message = "mail is signed with Ed25519 alone, which many receivers do not verify";
            let help = format!("add an RSA key: `dangol dkim keygen --sender {name} --selector rsa1`");
            problems.push(document.problem(&format!("sender.{name}.dkim"), "dkim", message).help(help).warning());
        }
    }
    problems
}

fn remedy(error: &KeyError, sender: &str, key: &crate::config::model::DkimKey) -> String {
    match error {
        KeyError::Open { path, .. } => format!("run `chmod 600 {path}`, and make a new key if the machine is shared"),
        KeyError::Missing(_) => format!(
            "put the key there, or make one: `dangol dkim keygen --sender {sender} --selector {}`; until then mail of this sender is held",
            key.selector
        ),
        _ => "put the key there as PEM of PKCS#8; until then mail of this sender is held".into(),
    }
}
