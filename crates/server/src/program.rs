//! The command line of a service: run it, check its settings, ask for its health.

use std::ffi::OsString;
use std::fmt::Debug;
use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use coffer_api::paths::operations;
use coffer_auth::service_token::ServiceName;
use serde::de::DeserializeOwned;

use crate::ask::ask;
use crate::core_dumps;
use crate::failure::{Cause, Chain};
use crate::run::{Service, serve};
use crate::settings::{HttpSettings, LogSettings, Sources, load};
use crate::telemetry;

/// A service that is a program of its own.
pub trait Program {
    /// The service's name, which is also that of its environment variables.
    const NAME: ServiceName;
    /// Settings that hold unless something says otherwise, by their dotted names.
    const DEFAULTS: &'static [(&'static str, &'static str)];
    /// All settings of the service.
    type Settings: DeserializeOwned + Debug + Send;
    /// Commands beside running; [`NoCommand`] for none.
    type Command: Subcommand + Debug + Send;

    /// The section `http`.
    fn http(settings: &Self::Settings) -> &HttpSettings;

    /// The section `log`.
    fn log(settings: &Self::Settings) -> &LogSettings;

    /// Whether the settings are such that the service could start: what can be said without connecting to
    /// anything.
    fn check(settings: &Self::Settings) -> Result<(), Cause>;

    /// Builds the service.
    fn build(settings: Self::Settings) -> impl Future<Output = Result<Service, Cause>> + Send;

    /// Runs another command.
    fn command(
        settings: Self::Settings,
        command: Self::Command,
    ) -> impl Future<Output = Result<(), Cause>> + Send;
}

/// No commands beside those that every service has.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum NoCommand {}

#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true)]
struct Arguments<C: Subcommand> {
    /// Settings file (TOML).
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command<C>>,
}

#[derive(Debug, Subcommand)]
enum Command<C: Subcommand> {
    /// Run the service (what happens without a command).
    Run(RunArguments),
    /// Say whether the settings are valid, and what is wrong with them if not.
    CheckConfig,
    /// Ask the running service for its health; for containers.
    Healthcheck,
    #[command(flatten)]
    Other(C),
}

#[derive(Clone, Copy, Debug, Args)]
struct RunArguments {}

/// The whole of a service's `main`.
pub fn main<P: Program>() -> ExitCode {
    run::<P>(std::env::args_os())
}

const fn program_name(service: ServiceName) -> &'static str {
    match service {
        ServiceName::Kms => "coffer-kms",
        ServiceName::Data => "coffer-data",
        ServiceName::Gateway => "coffer-gateway",
    }
}

fn run<P: Program>(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = Arguments::<P::Command>::command().name(program_name(P::NAME));
    let parsed = command.try_get_matches_from(arguments).and_then(|m| Arguments::from_arg_matches(&m));
    let arguments: Arguments<P::Command> = match parsed {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    match execute::<P>(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Logs may not be there yet, and a person is waiting for this line.
            let _ = writeln!(std::io::stderr(), "{}: {}", program_name(P::NAME), Chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn execute<P: Program>(arguments: Arguments<P::Command>) -> Result<(), Cause> {
    // Before there is any secret.
    core_dumps::forbid()?;
    let sources = Sources::of_process(P::NAME.as_str(), P::DEFAULTS, arguments.config.as_deref());
    let settings: P::Settings = load(&sources)?;
    match arguments.command {
        Some(Command::Healthcheck) => return healthcheck(P::http(&settings).internal_bind),
        Some(Command::CheckConfig) => {
            telemetry::filter(&P::log(&settings).level)?;
            // A client that is made to see whether it can be made may belong to a runtime.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { P::check(&settings) })?;
            writeln!(std::io::stdout(), "the settings are valid")?;
            return Ok(());
        }
        _ => {}
    }
    telemetry::init_logs(P::log(&settings))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        if let Some(Command::Other(command)) = arguments.command {
            return P::command(settings, command).await;
        }
        tracing::info!(service = %P::NAME, version = env!("CARGO_PKG_VERSION"), "starting");
        tracing::debug!(?settings, "settings");
        P::check(&settings)?;
        Ok(serve(vec![P::build(settings).await?]).await?)
    })
}

/// Asks `/healthz` of the internal listener at `bind`.
pub fn healthcheck(bind: SocketAddr) -> Result<(), Cause> {
    match ask(bind, operations::HEALTHZ)?.status {
        200 => Ok(()),
        _ => Err("the service is not healthy".into()),
    }
}

#[cfg(test)]
mod tests;
