//! `demo`

use crate::cli::arguments::{Global, Lang};
use std::process::ExitCode;

pub async fn demo(_: &Global, _: Lang, _: bool) -> anyhow::Result<ExitCode> {
    anyhow::bail!("soon")
}
