//! `coffer config set`: stores a value.
//!
//! What is given is text, and stored as a JSON string, unless `--type json` says that it is JSON: `5432` typed without
//! it is the text `5432`, also tomorrow, when somebody types `5432a`.

use clap::ValueEnum;
use coffer_api::configs::ConfigPutQuery;
use coffer_client::ConfigsClient;

use super::ConfigError;
use super::place::{Place, shown};
use crate::app::App;
use crate::commands::kv::value::{self, Kind, ValueFrom};
use crate::error::CliError;
use crate::output::{self, printable};

/// Arguments of `coffer config set`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// The value: - reads standard input and @FILE a file, all of it (also a line end). An argument can be seen by
    /// other users of this machine: give a secret through -, or leave VALUE out to be asked for it. A value that is
    /// itself - or begins with @ goes through -
    #[arg(allow_negative_numbers = true)]
    value: Option<ValueFrom>,
    /// What the value is
    #[arg(long = "type", value_name = "TYPE", default_value = "text")]
    kind: Type,
    /// The category; if not given, it keeps the one that it has
    #[arg(long, short, value_name = "NAME")]
    category: Option<String>,
    /// Only if the configuration has this version, so that nobody's change is lost
    #[arg(long, value_name = "N", conflicts_with = "if_absent")]
    if_version: Option<u64>,
    /// Only if there is no such configuration
    #[arg(long)]
    if_absent: bool,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Type {
    /// Text, stored as a string
    Text,
    /// JSON, stored as it is written
    Json,
}

impl Args {
    /// Whether the value is on standard input.
    pub(super) fn takes_input(&self) -> bool {
        self.value == Some(ValueFrom::Input)
    }
}

/// Stores a value.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let value = encoded(args.value, args.kind)?;
    let named = args.place.query();
    let query = ConfigPutQuery {
        key: named.key,
        environment: named.environment,
        category: args.category,
        if_version: args.if_version,
        if_absent: args.if_absent,
    };
    let stored = configs.put(&query, value.into()).await;
    let stored = stored.map_err(|err| CliError::of_config(&query.key, err))?;
    app.output.result(&stored, || {
        let meta = &stored.meta;
        format!("Stored {} ({}), version {}", shown(meta), output::size(meta.size_bytes), meta.version)
    })?;
    if let Some(advice) = &stored.key_advice {
        app.output.warn(&printable(advice));
    }
    Ok(())
}

/// The value as JSON.
fn encoded(from: Option<ValueFrom>, kind: Type) -> Result<Vec<u8>, CliError> {
    match kind {
        Type::Json => Ok(value::read(from, Some(Kind::json()))?.bytes),
        Type::Text => {
            let bytes = value::read(from, Some(Kind::text()))?.bytes;
            let text = std::str::from_utf8(&bytes).map_err(|_| ConfigError::NotText)?;
            Ok(serde_json::to_vec(text).expect("a text is JSON"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_string_unless_it_is_said_to_be_json() {
        let of = |text: &str, kind| {
            let value = encoded(Some(ValueFrom::Argument(text.into())), kind);
            value.map(|bytes| String::from_utf8(bytes).unwrap())
        };
        assert_eq!(of("5432", Type::Text).unwrap(), "\"5432\"");
        assert_eq!(of("a\"\n", Type::Text).unwrap(), "\"a\\\"\\n\"");
        assert_eq!(of("{\"n\": 1.50}", Type::Json).unwrap(), "{\"n\": 1.50}");
        assert!(of("planted{", Type::Json).is_err_and(|err| !format!("{err:?}").contains("planted")));
    }
}
