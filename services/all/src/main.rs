//! `coffer-all`: everything in one process.

use std::process::ExitCode;

fn main() -> ExitCode {
    coffer_all::run(std::env::args_os())
}
