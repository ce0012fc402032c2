//! Values on their way in: where they come from, and what they are.
//!
//! Bytes are taken as they are, a line end included. What a value is stands beside it and is never guessed from its
//! content: a text that happens to be JSON today may not be tomorrow.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use coffer_api::kv::JSON;
use coffer_client::KV_VALUE_BYTES_MAX;
use coffer_core::ExposeSecret;
use serde::de::IgnoredAny;

use super::KvError;
use crate::error::CliError;
use crate::input;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) enum ValueFrom {
    /// The command line, which other users of the machine can read.
    Argument(String),
    /// Standard input.
    Input,
    /// A file.
    File(PathBuf),
}

impl FromStr for ValueFrom {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match (text, text.strip_prefix('@')) {
            ("-", _) => Self::Input,
            (_, Some(path)) => Self::File(path.into()),
            _ => Self::Argument(text.to_owned()),
        })
    }
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Kind(String);

/// A text that names no kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected json, text, bytes or a media type such as image/png")]
pub(in crate::commands) struct KindError;

impl Kind {
    /// Text.
    pub(in crate::commands) fn text() -> Self {
        Self(TEXT.to_owned())
    }

    /// JSON.
    pub(in crate::commands) fn json() -> Self {
        Self(JSON.to_owned())
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        Ok(Self(match text {
            "json" => JSON.to_owned(),
            "text" => TEXT.to_owned(),
            "bytes" => BYTES.to_owned(),
            // It travels in a header.
            _ if text.contains('/') && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
                text.to_owned()
            }
            _ => return Err(KindError),
        }))
    }
}

/// A value and its media type.
pub(in crate::commands) struct Value {
    pub(in crate::commands) content_type: String,
    pub(in crate::commands) bytes: Vec<u8>,
}

/// Reads the value that `from` names, or asks for one. Unless `kind` says otherwise, what is typed is text, and what
/// is read is bytes.
pub(in crate::commands) fn read(from: Option<ValueFrom>, kind: Option<Kind>) -> Result<Value, CliError> {
    let (bytes, usual) = match from {
        Some(ValueFrom::Argument(text)) => (text.into_bytes(), TEXT),
        Some(from) => (bytes(&from, KV_VALUE_BYTES_MAX)?, BYTES),
        None if input::is_interactive() => {
            (input::ask_hidden("Value: ")?.expose_secret().as_bytes().to_vec(), TEXT)
        }
        None => return Err(KvError::NoValue.into()),
    };
    let content_type = kind.map_or_else(|| usual.to_owned(), |Kind(kind)| kind);
    if content_type == JSON {
        serde_json::from_slice::<IgnoredAny>(&bytes)
            .map_err(|err| KvError::NotJson { line: err.line(), column: err.column() })?;
    }
    Ok(Value { content_type, bytes })
}

/// What is there, of at most `bytes_max` bytes, as it is.
pub(in crate::commands) fn bytes(from: &ValueFrom, bytes_max: usize) -> Result<Vec<u8>, CliError> {
    match from {
        ValueFrom::Argument(text) => Ok(text.clone().into_bytes()),
        ValueFrom::Input => whole(io::stdin().lock(), Path::new("-"), bytes_max),
        ValueFrom::File(path) => {
            let file =
                File::open(path).map_err(|source| CliError::ReadFile { path: path.clone(), source })?;
            whole(file, path, bytes_max)
        }
    }
}

/// All of `source`, if it is not too much.
fn whole(source: impl Read, path: &Path, bytes_max: usize) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let failed = |source| CliError::ReadFile { path: path.into(), source };
    source.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > bytes_max {
        return Err(CliError::FileTooLarge { path: path.into(), bytes_max: bytes_max as u64 });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(text: &str, kind: Option<&str>) -> Result<Value, CliError> {
        read(Some(text.parse().unwrap()), kind.map(|kind| kind.parse().unwrap()))
    }

    #[test]
    fn a_value_is_an_argument_standard_input_or_a_file() {
        let from = |text: &str| text.parse::<ValueFrom>().unwrap();
        assert_eq!(from("-"), ValueFrom::Input);
        assert_eq!(from("@a/b"), ValueFrom::File("a/b".into()));
        for text in ["", "--", "a@b", "-1"] {
            assert_eq!(from(text), ValueFrom::Argument(text.into()));
        }
    }

    #[test]
    fn what_a_value_is_has_to_be_said_and_is_not_guessed() {
        assert_eq!(argument("{\"a\":1}", None).unwrap().content_type, TEXT);
        assert_eq!(argument("{\"a\":1}", Some("json")).unwrap().content_type, JSON);
        assert_eq!(argument("x", Some("image/png")).unwrap().content_type, "image/png");
        for wrong in ["jsn", "image/\u{1b}png", "text/plain\r\nx: y", "a/é"] {
            assert_eq!(wrong.parse::<Kind>(), Err(KindError), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_to_be_json_and_is_not_is_refused_without_quoting_it() {
        for text in ["findable-secret", "{", "1 2", ""] {
            let refused = argument(text, Some("json")).err().unwrap();
            assert!(matches!(refused, CliError::Kv(KvError::NotJson { .. })), "{text}");
            assert!(!format!("{refused} {refused:?}").contains("findable"));
        }
    }

    #[test]
    fn as_much_is_read_as_a_value_may_have_and_no_more() {
        let read = |bytes: usize| whole(io::repeat(7).take(bytes as u64), Path::new("-"), KV_VALUE_BYTES_MAX);
        assert_eq!(read(KV_VALUE_BYTES_MAX).unwrap().len(), KV_VALUE_BYTES_MAX);
        assert!(matches!(read(KV_VALUE_BYTES_MAX + 1), Err(CliError::FileTooLarge { .. })));
    }
}
