//! `coffer config import`: stores configurations from a text, as an export writes it.

use std::path::PathBuf;

use coffer_api::configs::{
    ConfigImportMode, ConfigImportOutcome, ConfigImportQuery, ConfigImported, ConfigImportedItem,
};
use coffer_client::{CONFIG_TEXT_BYTES_MAX, ConfigsClient};

use super::ConfigError;
use super::format::Format;
use crate::app::App;
use crate::commands::kv::value::{self, ValueFrom};
use crate::error::CliError;
use crate::output::{self, printable};

/// Arguments of `coffer config import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; - is standard input
    file: PathBuf,
    /// The environment; if not given the one that the text names, or else the default one
    #[arg(long = "env", short, value_name = "NAME")]
    environment: Option<String>,
    /// How it is written; if not given, as the name of the file says. Standard input is JSON then
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Give what is there already a new version, unless it is the same; else it stays as it is
    #[arg(long)]
    overwrite: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// Whether the text is on standard input.
    pub(super) fn takes_input(&self) -> bool {
        self.from() == ValueFrom::Input
    }

    fn from(&self) -> ValueFrom {
        if self.file.as_os_str() == "-" { ValueFrom::Input } else { ValueFrom::File(self.file.clone()) }
    }

    /// Said, or else what the name of the file says: it is not guessed from what is in it.
    fn format(&self) -> Result<Format, ConfigError> {
        let named = if self.takes_input() { Some(Format::Json) } else { Format::of_name(&self.file) };
        self.format.or(named).ok_or_else(|| ConfigError::NoFormat { path: self.file.clone() })
    }
}

/// Imports configurations.
pub(crate) async fn run(args: Args, configs: &ConfigsClient, app: &App) -> Result<(), CliError> {
    let format = args.format()?;
    let text = value::bytes(&args.from(), CONFIG_TEXT_BYTES_MAX)?;
    let query = ConfigImportQuery {
        environment: args.environment,
        format: format.into(),
        mode: if args.overwrite { ConfigImportMode::Overwrite } else { ConfigImportMode::CreateOnly },
        dry_run: args.dry_run,
    };
    let imported = configs.import(&query, text.into()).await;
    let imported = imported.map_err(|source| CliError::Import { path: args.file, source })?;
    app.output.result(&imported, || shown(&imported))?;
    if imported.same_deployment == Some(false) {
        app.output.note("The text is from another deployment.");
    }
    if let Some(advice) = &imported.key_advice {
        app.output.warn(&printable(advice));
    }
    if imported.left > 0 && !args.overwrite {
        app.output.note("What was there already is as it was: --overwrite gives it a new version.");
    }
    Ok(())
}

fn shown(imported: &ConfigImported) -> String {
    let ConfigImported { created, changed, left, .. } = imported;
    let environment = printable(&imported.environment);
    let title = if imported.dry_run {
        format!(
            "Would create {created}, change {changed} and leave {left} in {environment}: nothing was done"
        )
    } else {
        format!("Created {created}, changed {changed} and left {left} in {environment}")
    };
    if imported.items.is_empty() {
        return title;
    }
    let row = |one: &ConfigImportedItem| {
        vec![word(one.outcome).to_owned(), one.version.to_string(), one.key.clone()]
    };
    let rows: Vec<_> = imported.items.iter().map(row).collect();
    format!("{title}\n{}", output::table(&["OUTCOME", "VERSION", "KEY"], &rows))
}

fn word(outcome: ConfigImportOutcome) -> &'static str {
    match outcome {
        ConfigImportOutcome::Created => "created",
        ConfigImportOutcome::Changed => "changed",
        ConfigImportOutcome::Left => "left",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(file: &str, format: Option<Format>) -> Args {
        Args { file: file.into(), environment: None, format, overwrite: false, dry_run: false }
    }

    #[test]
    fn a_format_is_said_by_an_option_or_by_the_files_name_and_not_guessed() {
        assert_eq!(args("-", None).format().unwrap(), Format::Json);
        assert_eq!(args("-", Some(Format::Env)).format().unwrap(), Format::Env);
        assert_eq!(args("a.toml", None).format().unwrap(), Format::Toml);
        assert_eq!(args("a.toml", Some(Format::Yaml)).format().unwrap(), Format::Yaml);
        assert!(matches!(args("a.txt", None).format(), Err(ConfigError::NoFormat { .. })));
    }

    #[test]
    fn what_would_be_done_is_told_apart_from_what_was() {
        let item =
            ConfigImportedItem { key: "k\u{1b}".into(), outcome: ConfigImportOutcome::Changed, version: 3 };
        let done = ConfigImported {
            environment: "e".into(),
            changed: 1,
            items: vec![item],
            ..ConfigImported::default()
        };
        let table = "OUTCOME  VERSION  KEY\nchanged  3        k\\u{1b}\n";
        assert_eq!(shown(&done), format!("Created 0, changed 1 and left 0 in e\n{table}"));
        let would = shown(&ConfigImported { dry_run: true, ..done });
        assert_eq!(would, format!("Would create 0, change 1 and leave 0 in e: nothing was done\n{table}"));
    }
}
