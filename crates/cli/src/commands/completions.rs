//! `coffer completions`: a completion script on standard output.

use std::io::Write as _;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::CliError;

/// Arguments of `coffer completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell; for bash, for example: coffer completions bash > ~/.local/share/bash-completion/completions/coffer
    shell: Shell,
}

/// Writes the script.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "coffer", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script).and_then(|()| out.flush())?;
    Ok(())
}
