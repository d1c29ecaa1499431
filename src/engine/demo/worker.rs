//! The process that sends in the demo: `dangol run --until-idle`, a real one, so that it can really be killed.

use crate::types::Timestamp;
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How often the process is asked whether it still runs: there is no signal that would not need its own thread.
const LOOK: Duration = Duration::from_millis(50);
/// So much of what it said is shown when it failed.
const TAIL: usize = 2_000;

/// A running worker; dropping it kills it.
pub(super) struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    /// Starts `binary run --until-idle` on the workspace `root`. Its clock shows `from` when it starts and runs on; what
    /// it says goes into `log`.
    pub(super) fn start(binary: &Path, root: &Path, from: Timestamp, log: &Path) -> anyhow::Result<Worker> {
        let out = std::fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(binary);
        command.args(["run", "--until-idle", "--clock-from", &from.to_string(), "--workspace"]).arg(root);
        // whatever this shell is set up for, it is not this shop's database
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DANGOL_")) {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out);
        let child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        Ok(Worker { child, log: log.to_owned() })
    }

    /// Whether it has ended, and how.
    pub(super) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().context("the worker cannot be asked")
    }

    /// SIGKILL: no handler, no farewell, nothing flushed. Returns when the process is gone and its lock with it.
    pub(super) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().context("the worker cannot be killed")?;
        self.child.wait().context("the killed worker cannot be waited for")?;
        Ok(())
    }

    /// Waits until it has done its work.
    ///
    /// # Errors
    /// When it fails, with the end of what it said.
    pub(super) async fn finish(mut self) -> anyhow::Result<()> {
        loop {
            match self.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the worker failed ({status}):\n{}", self.said()),
                None => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// The end of what it said.
    pub(super) fn said(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let tail = &text[text.len().saturating_sub(TAIL)..];
        String::from_utf8_lossy(tail).trim().to_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // one that has ended already cannot be killed, and need not be
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
