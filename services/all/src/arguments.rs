//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use coffer_kms::KmsService;
use coffer_server::Program;

/// Coffer in one process: the KMS, the data service and the gateway on embedded storage.
///
/// Everything is kept in the data directory; what is missing there is made once. Settings of the services
/// are read from the environment: `COFFER_KMS__…`, `COFFER_DATA__…` and `COFFER_GATEWAY__…`.
#[derive(Debug, Parser)]
#[command(name = "coffer-all", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// Where everything is kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
    /// Settings of the KMS (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) kms_config: Option<PathBuf>,
    /// Settings of the data service (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) data_config: Option<PathBuf>,
    /// Settings of the gateway (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) gateway_config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything (what happens without a command).
    Run,
    /// Say whether the settings are valid, and what is wrong with them if not.
    CheckConfig,
    /// Ask the running services for their health; for containers.
    Healthcheck,
    /// Show the mail that the running services keep because no `smtp.host` is set.
    Mailbox {
        /// Only mail to this address.
        #[arg(long, value_name = "EMAIL")]
        to: Option<String>,
    },
    #[command(flatten)]
    Kms(<KmsService as Program>::Command),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn nothing_but_the_data_directory_is_needed() {
        let arguments = Arguments::try_parse_from(["coffer-all", "--data-dir", "x"]).unwrap();
        assert!(arguments.command.is_none());
        assert!(Arguments::try_parse_from(["coffer-all"]).is_err());
    }
}
