//! `coffer config export`: the configurations of one environment as a text. Values are plain in it.
//!
//! An environment in which nothing is found is an error and no empty text: under a mistyped user key nothing is found
//! either, and a backup that is replaced by nothing is noticed when it is needed.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use coffer_api::configs::{ConfigExportQuery, ConfigListQuery};
use coffer_api::contract::configs::DEFAULT_ENVIRONMENT;
use coffer_client::ConfigsClient;
use coffer_core::SecretBytes;
use serde_json::json;

use super::ConfigError;
use super::format::Format;
use crate::app::App;
use crate::commands::get::write;
use crate::commands::kv::get::for_a_terminal;
use crate::error::CliError;
use crate::output::{self, printable};
use crate::target::Target;

/// Arguments of `coffer config export`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment
    #[arg(long = "env", short, value_name = "NAME", default_value = DEFAULT_ENVIRONMENT)]
    environment: String,
    /// How it is written; if not given, as the name of the file says, or else as JSON
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write the text into this file, which only you may read, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, short, requires = "output")]
    force: bool,
}

/// Exports configurations.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let Args { environment, format, output, force } = args;
    let target = match output {
        Some(path) if path != Path::new("-") => Target::File(path),
        _ => Target::Stdout,
    };
    target.check(force)?;
    let named = match &target {
        Target::File(path) => Format::of_name(path),
        Target::Stdout => None,
    };
    let format = format.or(named).unwrap_or(Format::Json);
    let text = read(configs, &environment, format).await?;
    let size_bytes = text.len();
    let mut told = json!({ "environment": environment, "format": format.word(), "size_bytes": size_bytes });
    match target {
        Target::File(path) => {
            write(Target::File(path.clone()), SecretBytes::new(text), force).await?;
            let path = path.display().to_string();
            told["path"] = path.as_str().into();
            app.output.result(&told, || {
                let (path, size) = (printable(&path), output::size(size_bytes as u64));
                format!("Wrote {path} ({size}), in which all values are plain")
            })?;
        }
        Target::Stdout if app.output.json => {
            told["text"] = String::from_utf8_lossy(&text).into();
            app.output.result(&told, String::new)?;
        }
        Target::Stdout if std::io::stdout().is_terminal() => {
            let text = for_a_terminal(&text).ok_or(ConfigError::NotShown)?;
            app.output.result(&(), || text)?;
        }
        Target::Stdout => write(Target::Stdout, SecretBytes::new(text), false).await?,
    }
    Ok(())
}

/// The text, if there is anything in the environment.
async fn read(configs: &ConfigsClient, environment: &str, format: Format) -> Result<Vec<u8>, CliError> {
    let of_environment = |err| CliError::of_config(environment, err);
    let environment = Some(environment.to_owned());
    let one =
        ConfigListQuery { environment: environment.clone(), limit: Some(1), ..ConfigListQuery::default() };
    if configs.list(&one).await.map_err(of_environment)?.items.is_empty() {
        return Err(ConfigError::Nothing { environment: one.environment.unwrap_or_default() }.into());
    }
    let query = ConfigExportQuery { environment, format: format.into() };
    configs.export(&query).await.map_err(of_environment)
}
