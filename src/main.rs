//! The `dangol` command: arguments in, one function of the library, an exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    dangol::cli::main()
}
