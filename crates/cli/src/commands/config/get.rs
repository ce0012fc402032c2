//! `coffer config get`: a value as it was stored, byte by byte.
//!
//! A value is JSON. `--raw` writes the text of a string without its quotes, for scripts; it is an option and no guess,
//! so that what a script reads does not change its form with its content.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use coffer_api::configs::ConfigGetQuery;
use coffer_client::ConfigsClient;
use coffer_core::SecretBytes;
use serde::Serialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::ConfigError;
use super::place::Place;
use crate::app::App;
use crate::commands::get::write;
use crate::commands::kv::get::for_a_terminal;
use crate::error::CliError;
use crate::output::{self, printable};
use crate::target::Target;

/// Arguments of `coffer config get`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// Write the value into this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, short, requires = "output")]
    force: bool,
    /// Of a string, write the text itself, without quotes and escapes
    #[arg(long, short)]
    raw: bool,
    /// Resolve references in it to other configurations
    #[arg(long)]
    resolve: bool,
    /// An earlier version, as `coffer config history` numbers them
    #[arg(long, value_name = "N")]
    version: Option<u64>,
}

/// A value with `--json`, as it was written.
#[derive(Serialize)]
struct Shown<'a> {
    key: &'a str,
    value: &'a RawValue,
}

/// Reads a value.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let target = match &args.output {
        Some(path) if path != Path::new("-") => Target::File(path.clone()),
        _ => Target::Stdout,
    };
    target.check(args.force)?;
    let named = args.place.query();
    let query = ConfigGetQuery {
        key: named.key,
        environment: named.environment,
        version: args.version,
        resolve: args.resolve,
    };
    let value = configs.get(&query).await.map_err(|err| CliError::of_config(&query.key, err))?;
    let value = if args.raw { unquoted(value) } else { value };
    let size_bytes = value.len();
    match target {
        Target::File(path) => {
            write(Target::File(path.clone()), SecretBytes::new(value), args.force).await?;
            let path = path.display().to_string();
            let written = json!({ "key": query.key, "path": path, "size_bytes": size_bytes });
            app.output.result(&written, || {
                format!("Wrote {} ({})", printable(&path), output::size(size_bytes as u64))
            })?;
        }
        Target::Stdout if app.output.json => {
            let text = String::from_utf8_lossy(&value);
            let document: Option<&RawValue> = serde_json::from_str(&text).ok().filter(|_| !args.raw);
            let text = to_raw_value(&text).expect("a text is JSON");
            app.output.result(&Shown { key: &query.key, value: document.unwrap_or(&text) }, String::new)?;
        }
        Target::Stdout if std::io::stdout().is_terminal() => {
            let text = for_a_terminal(&value).ok_or(ConfigError::NotShown)?;
            app.output.result(&(), || text)?;
        }
        Target::Stdout => write(Target::Stdout, SecretBytes::new(value), false).await?,
    }
    Ok(())
}

/// The text of a string; anything else as it is.
fn unquoted(value: Vec<u8>) -> Vec<u8> {
    serde_json::from_slice::<String>(&value).map_or(value, String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_string_there_is_the_text_and_everything_else_stays_as_it_was_written() {
        for (value, raw) in [
            ("\"a\\n\\u00e9\"", "a\né"),
            ("\"\"", ""),
            ("1.50", "1.50"),
            ("{\"a\": 1}", "{\"a\": 1}"),
            ("null", "null"),
        ] {
            assert_eq!(unquoted(value.into()), raw.as_bytes(), "{value}");
        }
    }
}
