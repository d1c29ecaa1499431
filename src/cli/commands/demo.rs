//! `demo`

use crate::cli::arguments::{Global, Lang};
use crate::cli::output;
use crate::engine::demo::{self, Play, play};
use anyhow::Context as _;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

pub async fn demo(global: &Global, lang: Lang, quit: bool) -> anyhow::Result<ExitCode> {
    let lang = match lang {
        Lang::Ko => demo::Lang::Ko,
        Lang::En => demo::Lang::En,
    };
    let binary = std::env::current_exe().context("this program cannot find itself, to start its worker")?;
    let stop = CancellationToken::new();
    let json = global.json;
    let mut say = |line: &str| {
        if !json {
            output::print(line);
        }
    };
    let (summary, stage) = play(&Play { lang, binary }, &stop, &mut say).await?;
    if json {
        output::print(&serde_json::to_string_pretty(&summary)?);
    }
    for told in &summary.broken {
        output::tell(&format!("error: {told}"));
    }
    if !quit {
        // in JSON the summary is the answer; where the servers are is still told, to people
        let mut say = |line: &str| {
            if json {
                output::tell(line);
            } else {
                output::print(line);
            }
        };
        stage.serve(&stop, &mut say).await?;
    }
    stage.end().await?;
    Ok(if summary.kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
