//! The commands, one file each: its arguments, and one function that does it.

pub(crate) mod admin;
pub(crate) mod cat;
mod code;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod copies;
pub(crate) mod get;
pub(crate) mod keys;
pub(crate) mod kv;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod ls;
pub(crate) mod password;
pub(crate) mod put;
pub(crate) mod register;
pub(crate) mod restore;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod sessions;
pub(crate) mod share;
pub(crate) mod shared;
pub(crate) mod stats;
pub(crate) mod sync;
pub(crate) mod unshare;
pub(crate) mod versions;
pub(crate) mod whoami;

use std::process::ExitCode;

use crate::app::App;
use crate::args::{Cli, Command};
use crate::error::CliError;
use crate::exit::Exit;

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode, CliError> {
    if let Command::Completions(args) = cli.command {
        return completions::run(&args).map(|()| Exit::Done.into());
    }
    let app = App::open(&cli.global)?;
    let done = match cli.command {
        // How a program ends is how we end.
        Command::Run(args) => return run::run(args, &app).await,
        Command::Register(args) => register::run(args, &app).await,
        Command::Login(args) => login::run(args, &app).await,
        Command::Logout(args) => logout::run(args, &app).await,
        Command::Whoami(args) => whoami::run(args, &app).await,
        Command::Put(args) => put::run(args, &app).await,
        Command::Get(args) => get::run(args, &app).await,
        Command::Cat(args) => cat::run(args, &app).await,
        Command::Cp(args) => copies::copy(args, &app).await,
        Command::Mv(args) => copies::rename(args, &app).await,
        Command::Rm(args) => rm::run(args, &app).await,
        Command::Versions(args) => versions::run(args, &app).await,
        Command::Restore(args) => restore::run(args, &app).await,
        Command::Keys(args) => keys::run(args, &app).await,
        Command::Ls(args) => ls::run(args, &app).await,
        Command::Sync(args) => sync::run(args, &app).await,
        Command::Share(args) => share::run(args, &app).await,
        Command::Unshare(args) => unshare::run(args, &app).await,
        Command::Shared(args) => shared::run(args, &app).await,
        Command::Kv(args) => kv::run(args, &app).await,
        Command::Config(args) => config::run(args, &app).await,
        Command::Stats(args) => stats::run(args, &app).await,
        Command::Password(args) => password::run(args, &app).await,
        Command::Sessions(args) => sessions::run(args, &app).await,
        Command::Admin(args) => admin::run(args, &app).await,
        Command::Completions(_) => unreachable!("handled before the settings are opened"),
    };
    done.map(|()| Exit::Done.into())
}
