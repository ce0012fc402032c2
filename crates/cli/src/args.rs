//! The command line as it is typed: what every command takes, and the list of commands.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};

use crate::commands;
use crate::credentials::Profile;
use crate::origin::Origin;

/// The KMS that is asked when nothing names another.
pub(crate) const KMS_DEFAULT: &str = "http://127.0.0.1:3000";
/// The data service that is asked when nothing names another.
pub(crate) const DATA_DEFAULT: &str = "http://127.0.0.1:4000";
/// The gateway that is asked when nothing names another.
pub(crate) const GATEWAY_DEFAULT: &str = "http://127.0.0.1:8000";

/// Store files encrypted, keys with their values, and share both. Files are encrypted and decrypted here: no server
/// sees them. Values are sealed by the gateway.
#[derive(Debug, Parser)]
#[command(name = "coffer", version, after_help = crate::exit::table(), max_term_width = 100)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The KMS; by default the one of this profile's last log-in, else port 3000 of this machine
    #[arg(long, global = true, env = "COFFER_KMS_URL", value_name = "URL")]
    pub(crate) kms: Option<Origin>,
    /// The data service; by default the one of the session, else port 4000 of this machine
    #[arg(long, global = true, env = "COFFER_DATA_URL", value_name = "URL")]
    pub(crate) data: Option<Origin>,
    /// The gateway; by default the one of the session, else port 8000 of this machine
    #[arg(long, global = true, env = "COFFER_GATEWAY_URL", value_name = "URL")]
    pub(crate) gateway: Option<Origin>,
    /// Which set of sessions to use
    #[arg(long, global = true, env = "COFFER_PROFILE", value_name = "NAME", default_value = "default")]
    pub(crate) profile: Profile,
    /// Write the result as one JSON document on standard output, and a failure as one on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// The error with the usage of the command that was typed, as its help has it. Otherwise options that the environment sets
/// would stand in it as if they had to be typed.
pub(crate) fn with_plain_usage(
    mut command: clap::Command,
    mut error: clap::Error,
    typed: impl Iterator<Item = OsString>,
) -> clap::Error {
    if error.get(ContextKind::Usage).is_none() {
        return error;
    }
    command.build();
    let mut typed_command = &mut command;
    for word in typed.skip(1) {
        let Some(word) = word.to_str() else { continue };
        if typed_command.find_subcommand(word).is_some() {
            typed_command = typed_command.find_subcommand_mut(word).expect("it was just found");
        }
    }
    let usage = typed_command.render_usage();
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    error
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask for an account and prove the address by a code
    Register(commands::register::Args),
    /// Log in by password and code
    Login(commands::login::Args),
    /// End the session and forget it
    Logout(commands::logout::Args),
    /// Show who is logged in
    Whoami(commands::whoami::Args),
    /// Encrypt a file and store it
    Put(commands::put::Args),
    /// Fetch a file and decrypt it
    Get(commands::get::Args),
    /// Write a file, or a range of it, to standard output
    Cat(commands::cat::Args),
    /// Copy a file on the servers
    Cp(commands::copies::CopyArgs),
    /// Give a file another name on the servers
    Mv(commands::copies::MoveArgs),
    /// Delete files; they can be brought back for a while
    Rm(commands::rm::Args),
    /// List the versions of a file that are kept
    Versions(commands::versions::Args),
    /// Bring a deleted file back, or store an earlier version anew
    Restore(commands::restore::Args),
    /// List files
    Ls(commands::ls::Args),
    /// Rotate the keys of files and folders, and see what others did with them
    Keys(commands::keys::Args),
    /// Keep a folder here and one in the store alike
    Sync(commands::sync::Args),
    /// Give somebody access to a file
    Share(commands::share::Args),
    /// Take somebody's access to a file away
    Unshare(commands::unshare::Args),
    /// List what others have shared with you or, with a name, who has access to that file of yours
    Shared(commands::shared::Args),
    /// Store values under keys, read them, share them and watch them change
    Kv(commands::kv::Args),
    /// Keep configurations that only a user key opens, and look at their past
    Config(commands::config::Args),
    /// Start a program with its configuration as environment variables
    Run(commands::run::Args),
    /// Show how your keys are used
    Stats(commands::stats::Args),
    /// Change or reset the password
    Password(commands::password::Args),
    /// List sessions and end them
    Sessions(commands::sessions::Args),
    /// Administer users (administrators only)
    Admin(commands::admin::Args),
    /// Write a completion script for a shell
    Completions(commands::completions::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_or_after_the_command() {
        for line in ["coffer --json --kms http://a.example ls", "coffer ls --kms http://a.example --json"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert!(cli.global.json);
            assert_eq!(cli.global.kms.unwrap().as_str(), "http://a.example");
        }
    }

    #[test]
    fn the_usage_of_an_error_is_that_of_the_command_and_not_of_the_environment() {
        for (line, usage) in [
            ("coffer kv put --gateway http://a.example", "Usage: coffer kv put [OPTIONS] <KEY> [VALUE]"),
            ("coffer --profile kv kv get", "Usage: coffer kv get [OPTIONS] <KEY>"),
            ("coffer config --nothing", "Usage: coffer config [OPTIONS] <COMMAND>"),
        ] {
            let typed = || line.split(' ').map(OsString::from);
            let error = Cli::try_parse_from(typed()).unwrap_err();
            let text = with_plain_usage(Cli::command(), error, typed()).render().to_string();
            assert!(text.contains(usage), "{text}");
        }
    }

    #[test]
    fn no_argument_takes_a_password_or_a_key() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(!id.contains("password") || id.ends_with("password_file"), "{id}");
                assert!(!id.contains("token"), "{id}");
                assert!(!id.contains("user_key") || id.ends_with("user_key_file"), "{id}");
                assert!(!id.contains("api_key") || id.ends_with("api_key_file"), "{id}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
