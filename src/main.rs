//! The command `semel`.

use std::process::ExitCode;

fn main() -> ExitCode {
    semel::cli::run()
}
