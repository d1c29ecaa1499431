//! `completions`

use crate::cli::arguments::Arguments;
use clap::CommandFactory as _;

pub fn completions(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "dangol", &mut text);
    crate::cli::output::print(String::from_utf8_lossy(&text).trim_end());
    Ok(())
}
