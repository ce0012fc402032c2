//! `coffer`, the command line: registers, logs in, stores files encrypted, fetches and shares them.
//!
//! Files are sealed and opened in this process; servers see ciphertext and wrapped keys. Results go to
//! standard output, everything else to standard error, and the exit code says how it went (`exit`).
//!
//! `args` is what may be typed, `commands` has one file for each command, `app` decides which server may
//! see which token, `credentials` keeps them.

mod app;
mod args;
mod commands;
mod credentials;
mod error;
mod exit;
mod expiry;
mod input;
mod origin;
mod output;
mod progress;
mod report;
mod target;
mod transfer;
mod tree;
mod user_key;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::args::Cli;
use crate::error::CliError;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => return report::usage(&args::with_plain_usage(Cli::command(), err, std::env::args_os())),
    };
    let json = cli.global.json;
    match run(cli) {
        Ok(code) => code,
        Err(err) => report::failure(&err, json).into(),
    }
}

fn run(cli: Cli) -> Result<ExitCode, CliError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CliError::Runtime)?;
    runtime.block_on(commands::run(cli))
}
