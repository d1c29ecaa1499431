//! `init`

use crate::cli::arguments::Global;
use crate::cli::output;
use crate::config::init;
use serde_json::json;
use std::path::Path;

pub fn init(global: &Global, dir: &Path) -> anyhow::Result<()> {
    let files = init::write(dir)?;
    let shown = dir.display().to_string();
    output::show(global.json, &json!({ "dir": shown, "files": files }), || {
        format!(
            "wrote {} into {shown}\n\nnext:\n  cd {shown}\n  dangol check\n  dangol import customers customers.csv --consent newsletter --evidence \"sign-up form\"\n  dangol plan\n\n\
             Its relay is catch://, the built-in catcher: nothing you launch reaches anybody until you change that.\n\
             .secret/site.key signs every link in your mail: back it up, apart from the database.",
            output::counted(files.len(), "file")
        )
    })
}
