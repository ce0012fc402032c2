//! `coffer kv get`: a value as it is, byte by byte.
//!
//! Into a file or a pipe nothing is added and nothing is left out. A terminal obeys what it is shown, and somebody
//! else may have chosen the value: there it is shown with control characters escaped, and not at all if it is no text.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_api::kv::{JSON, KvGetQuery};
use coffer_client::KvValue;
use coffer_core::SecretBytes;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::KvError;
use super::owner::OfOwner;
use crate::app::App;
use crate::commands::get::write;
use crate::error::CliError;
use crate::output::{self, printable};
use crate::target::Target;

/// Arguments of `coffer kv get`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key
    key: String,
    /// Write the value into this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, short, requires = "output")]
    force: bool,
    /// An earlier version, as `coffer kv history` numbers them
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    #[command(flatten)]
    owner: OfOwner,
}

/// A value with `--json`: JSON as JSON, anything else in base64.
#[derive(Serialize)]
struct Shown<'a> {
    key: &'a str,
    content_type: &'a str,
    size_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Reads a value.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    let target = match args.output {
        Some(path) if path != Path::new("-") => Target::File(path),
        _ => Target::Stdout,
    };
    target.check(args.force)?;
    let query = KvGetQuery { key: args.key.clone(), owner: args.owner.name(), version: args.version };
    let value = app.gateway()?.get(&query).await.map_err(|err| CliError::of_key(&args.key, err))?;
    match target {
        Target::File(path) => to_file(&args.key, path, args.force, value, app).await,
        Target::Stdout if app.output.json => {
            app.output.result(&shown(&args.key, &value), String::new)?;
            Ok(())
        }
        Target::Stdout if std::io::stdout().is_terminal() => {
            let text = for_a_terminal(&value.bytes).ok_or(KvError::NotShown)?;
            app.output.result(&(), || text)?;
            Ok(())
        }
        Target::Stdout => write(Target::Stdout, SecretBytes::new(value.bytes), false).await,
    }
}

async fn to_file(key: &str, path: PathBuf, force: bool, value: KvValue, app: &App) -> Result<(), CliError> {
    let size_bytes = value.bytes.len();
    write(Target::File(path.clone()), SecretBytes::new(value.bytes), force).await?;
    let path = path.display().to_string();
    let written =
        json!({ "key": key, "path": path, "content_type": value.content_type, "size_bytes": size_bytes });
    app.output
        .result(&written, || format!("Wrote {} ({})", printable(&path), output::size(size_bytes as u64)))?;
    Ok(())
}

fn shown<'a>(key: &'a str, value: &'a KvValue) -> Shown<'a> {
    let text = (value.content_type == JSON).then(|| serde_json::from_slice(&value.bytes).ok()).flatten();
    let base64 = text.is_none().then(|| BASE64.encode(&value.bytes));
    let (content_type, size_bytes) = (value.content_type.as_str(), value.bytes.len());
    Shown { key, content_type, size_bytes, value: text, base64 }
}

/// The lines of a text, each printable; `None` if it is no text.
pub(in crate::commands) fn for_a_terminal(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let line = |line: &str| line.split('\t').map(printable).collect::<Vec<_>>().join("\t");
    Some(text.split('\n').map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_command_the_terminal() {
        assert_eq!(for_a_terminal("a\u{1b}[31m\n\tb\r\n".as_bytes()).unwrap(), "a\\u{1b}[31m\n\tb\\u{d}\n");
        assert_eq!(for_a_terminal(b"\xff"), None);
    }

    #[test]
    fn json_is_shown_as_json_and_everything_else_in_base64() {
        let of = |content_type: &str, bytes: &[u8]| {
            let value = KvValue { content_type: content_type.into(), bytes: bytes.to_vec() };
            serde_json::to_value(shown("k", &value)).unwrap()
        };
        assert_eq!(of(JSON, b"{\"a\": null}")["value"], json!({ "a": null }));
        let bytes = json!({ "key": "k", "content_type": "image/png", "size_bytes": 1, "base64": "/w==" });
        assert_eq!(of("image/png", b"\xff"), bytes);
    }
}
