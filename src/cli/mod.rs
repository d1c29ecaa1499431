//! The command line: a door. It parses, calls one function of a stage, and shows the answer; no rule of the domain is
//! here. One file a group of commands in `commands/`, all arguments in `arguments.rs`.

mod arguments;
mod commands;
mod logs;
mod output;

use arguments::Arguments;
use clap::Parser as _;
use std::process::ExitCode;

/// It failed.
const FAILED: u8 = 1;
/// It was used wrongly.
const MISUSED: u8 = 2;

/// Runs the command of the process's arguments. Exit codes: 0 done, 1 it failed, 2 used wrongly, 3 `plan --exit-code`
/// found something to change.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(e) => {
            let _ = e.print();
            // what was wrong may be the very flag, so the words themselves are asked
            if e.use_stderr() && std::env::args_os().any(|word| word == "--json") {
                output::misused(&e);
            }
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(MISUSED));
        }
    };
    logs::start(&arguments.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            output::tell(&format!("error: the runtime cannot start: {e}"));
            return ExitCode::from(FAILED);
        }
    };
    let json = arguments.global.json;
    let code = match runtime.block_on(commands::run(arguments)) {
        Ok(code) => code,
        Err(e) => {
            output::error(json, &e);
            ExitCode::from(if e.is::<output::Misuse>() { MISUSED } else { FAILED })
        }
    };
    // a blocked thread, such as one that waits for standard input, does not keep a finished command alive
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    code
}
