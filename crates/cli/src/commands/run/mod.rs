//! `coffer run`: starts a program with the configuration of one environment as its environment variables.
//!
//! References to other configurations are resolved, and what cannot be resolved starts no program.
//! Values go into the environment of the program and nowhere else: no file, no argument, no log. `variables` says
//! which configuration becomes which variable, `fetch` reads them, `program` is the program and its process group,
//! `terminal` lends it the terminal, `signals` passes signals on, `follow` notices changes, and `supervise` does all of
//! this together until the program ends.
//!
//! The road not taken is `exec`, which leaves no process of ours behind: nobody would be there to start the program
//! anew, and a program that is exec'ed inherits the descriptors and the memory limits of one that held a user key.

mod error;
mod fetch;
mod follow;
mod program;
mod signals;
mod supervise;
mod terminal;
mod variables;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use coffer_api::contract::configs::DEFAULT_ENVIRONMENT;

use crate::app::App;
use crate::error::CliError;
use crate::output::printable;
use crate::user_key::KeyArgs;
pub(crate) use error::RunError;
use fetch::{Fetched, Wanted};
use supervise::Order;

/// Arguments of `coffer run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment whose configuration the program gets
    #[arg(long = "env", short, value_name = "NAME", default_value = DEFAULT_ENVIRONMENT)]
    environment: String,
    /// Only configurations of this category; may be given several times
    #[arg(long, short, value_name = "NAME")]
    category: Vec<String>,
    /// Let the configuration win over variables that are set already; else such a variable is an error
    #[arg(long = "override")]
    replace: bool,
    /// Start the program anew when its configuration has changed, or what that refers to
    #[arg(long)]
    watch: bool,
    /// With --watch: how long the program may take to end after SIGTERM before it gets SIGKILL, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(..=3600))]
    grace: u64,
    #[command(flatten)]
    keys: KeyArgs,
    /// The program and its arguments, behind --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs the program; its exit code is the answer, or 128 and the number of the signal that ended it.
pub(crate) async fn run(args: Args, app: &App) -> Result<ExitCode, CliError> {
    // Standard input is the program's.
    let configs = app.configs(args.keys.read(true)?)?;
    let wanted = Wanted { environment: args.environment, categories: args.category, replace: args.replace };
    let order = Order { command: args.command, grace: Duration::from_secs(args.grace), output: app.output };
    if !args.watch {
        let fetched = fetch::fetch(&configs, &wanted).await?;
        warn_of_nothing(&fetched, &wanted, app);
        return supervise::run(order, fetched.variables, None).await;
    }
    // Watched from before they are read: no change falls between.
    let watch = follow::open(&configs, &wanted).await?;
    let fetched = fetch::fetch(&configs, &wanted).await?;
    warn_of_nothing(&fetched, &wanted, app);
    let variables = fetched.variables.clone();
    let changes = follow::start(watch, (configs, wanted), fetched, app.output);
    supervise::run(order, variables, Some(changes)).await
}

/// A mistyped environment or user key has nothing either. It is no error: an environment may have nothing yet.
fn warn_of_nothing(fetched: &Fetched, wanted: &Wanted, app: &App) {
    if fetched.variables.count() == 0 {
        let environment = printable(&wanted.environment);
        app.output.warn(&format!(
            "the program gets no variables: nothing that is asked for is in {environment} under this user key, or all of it is null"
        ));
    }
}
