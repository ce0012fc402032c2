//! Everything in one process: the KMS, the data service and the gateway on embedded storage.
//!
//! The services are those of the separate programs. They speak to each other over HTTP on their internal
//! listeners, as they do when they run apart: one code path, one authentication. This crate only knows what
//! suits one machine: where to keep things, which secrets to make, and what to say about it.

mod arguments;
mod directory;
mod mailbox;
mod settings;
mod summary;

use std::ffi::OsString;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::Parser as _;
use coffer_core::SystemRandom;
use coffer_data::DataService;
use coffer_gateway::GatewayService;
use coffer_kms::KmsService;
use coffer_server::{Cause, Chain, Program, core_dumps, healthcheck, serve_announced, telemetry};

use arguments::{Arguments, Command};
use directory::Directory;
use settings::Settings;

/// Threads for what the listeners' own threads wait for: calls between the services, background work.
const RUNTIME_THREADS_MAX: usize = 2;

/// Runs the command line `arguments`, the program's name included, to its end.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    match execute(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Logs may not be there yet, and a person is waiting for this line.
            let _ = writeln!(std::io::stderr(), "coffer-all: {}", Chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: Arguments) -> Result<(), Cause> {
    // Before there is any secret.
    core_dumps::forbid()?;
    let mut settings = Settings::load(&arguments)?;
    match arguments.command {
        Some(Command::Healthcheck) => {
            let http = [&settings.kms.http, &settings.data.http, &settings.gateway.http];
            return http.iter().try_for_each(|http| healthcheck(http.internal_bind));
        }
        Some(Command::Mailbox { to }) => {
            let letters = mailbox::read(settings.kms.http.internal_bind, to.as_deref())?;
            return Ok(std::io::stdout().write_all(letters.as_bytes())?);
        }
        // What the data directory provides is made at the start, not here.
        Some(Command::CheckConfig) => return Ok(writeln!(std::io::stdout(), "the settings are valid")?),
        _ => {}
    }
    telemetry::init_logs(&settings.kms.log)?;
    let directory = Directory::open(&arguments.data_dir)?;
    settings.complete(&directory, &SystemRandom)?;
    let threads = available_parallelism().map_or(1, NonZeroUsize::get).min(RUNTIME_THREADS_MAX);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        KmsService::check(&settings.kms)?;
        DataService::check(&settings.data)?;
        GatewayService::check(&settings.gateway)?;
        match arguments.command {
            Some(Command::Kms(command)) => KmsService::command(settings.kms, command).await,
            _ => serve(settings, &directory).await,
        }
    })
}

async fn serve(settings: Settings, directory: &Directory) -> Result<(), Cause> {
    tracing::info!(data_dir = %directory.path().display(), version = env!("CARGO_PKG_VERSION"), "starting");
    let mail = summary::mail(&settings.kms);
    let services = vec![
        KmsService::build(settings.kms).await?,
        DataService::build(settings.data).await?,
        GatewayService::build(settings.gateway).await?,
    ];
    serve_announced(services, |running| summary::announce(running, directory.path(), &mail)).await?;
    Ok(())
}
