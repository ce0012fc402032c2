//! How a failure is told: a sentence and a hint for people, one JSON line for programs.

use std::error::Error;
use std::io::{self, Write as _};

use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::printable;

/// A failure on standard error with `--json`.
#[derive(Serialize)]
struct Failure<'a> {
    /// The word of the exit code.
    error: &'static str,
    /// The exit code.
    exit: u8,
    /// What went wrong, for people.
    message: &'a str,
    /// The server's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
}

/// Tells of a failure, and says how the program ends.
pub(crate) fn failure(err: &CliError, json: bool) -> Exit {
    let exit = err.exit();
    if exit != Exit::Done {
        let text = if json { as_json(err) } else { as_text(err) };
        // With standard error closed there is nobody to tell.
        let _ = writeln!(io::stderr(), "{text}");
    }
    exit
}

/// The error and its causes on one line; a cause that only repeats what was said is left out.
fn message(err: &CliError) -> String {
    let mut text = err.to_string();
    let mut cause = err.source();
    while let Some(err) = cause {
        let next = err.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = err.source();
    }
    printable(&text)
}

fn as_text(err: &CliError) -> String {
    let hint = err.hint().map_or_else(String::new, |hint| format!("\nhint: {}", printable(&hint)));
    format!("error: {}{hint}", message(err))
}

fn as_json(err: &CliError) -> String {
    let exit = err.exit();
    let failure = Failure {
        error: exit.word(),
        exit: exit.code(),
        message: &message(err),
        code: err.code().map(coffer_api::ErrorCode::as_str),
        hint: err.hint(),
        retry_after_s: err.retry_after().map(|wait| wait.as_secs()),
    };
    serde_json::to_string(&failure).expect("a flat struct of texts and numbers is valid JSON")
}
