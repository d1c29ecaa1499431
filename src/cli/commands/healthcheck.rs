//! `healthcheck`: whether the server of this workspace is ready, for containers that have no other program to ask it.

use super::open;
use crate::cli::arguments::Global;
use crate::cli::output;
use anyhow::{Context as _, bail};
use std::time::Duration;

/// A server that takes longer does not answer; more than the two seconds that `/readyz` gives the database.
const PATIENCE: Duration = Duration::from_secs(4);

/// Asks `url`, or `/readyz` where dangol.toml says that the web server listens. The database is not opened: the server's
/// word counts.
pub async fn healthcheck(global: &Global, url: Option<String>) -> anyhow::Result<()> {
    let url = match url {
        Some(url) => url,
        None => ready(&open(global).files()?.0.settings.value.web.listen),
    };
    // a proxy of the environment is for the way out, and this asks ourselves
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let answer = client.get(&url).send().await.with_context(|| format!("{url} cannot be asked"))?;
    let status = answer.status();
    let words = answer.text().await.unwrap_or_default();
    let words = words.lines().next().unwrap_or_default().trim().to_owned();
    if !status.is_success() {
        bail!("{url} answers {status}: {words}");
    }
    output::show(global.json, &serde_json::json!({ "url": url, "status": status.as_u16() }), || words)
}

/// Where the server that listens on `listen` can be asked from this machine.
fn ready(listen: &str) -> String {
    let here = match listen.rsplit_once(':') {
        Some(("0.0.0.0" | "", port)) => format!("127.0.0.1:{port}"),
        Some(("[::]", port)) => format!("[::1]:{port}"),
        _ => listen.to_owned(),
    };
    format!("http://{here}/readyz")
}

#[cfg(test)]
mod tests {
    use super::ready;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_here() {
        assert_eq!(ready("0.0.0.0:8080"), "http://127.0.0.1:8080/readyz");
        assert_eq!(ready("[::]:80"), "http://[::1]:80/readyz");
        assert_eq!(ready("10.0.0.7:8080"), "http://10.0.0.7:8080/readyz");
        assert_eq!(ready("localhost:8080"), "http://localhost:8080/readyz");
    }
}
