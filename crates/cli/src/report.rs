//! How a failure is told: a sentence and a hint for people, one JSON line for programs.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

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

impl Failure<'_> {
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a flat struct of texts and numbers is valid JSON")
    }
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

/// Tells what is wrong with the command line, or shows the help that was asked for.
pub(crate) fn usage(err: &clap::Error) -> ExitCode {
    // The options are not known when they could not be parsed.
    let json = std::env::args_os().any(|argument| argument == "--json");
    if !json || !err.use_stderr() {
        err.exit();
    }
    let text = err.render().to_string();
    let message = text.trim().strip_prefix("error: ").unwrap_or(&text);
    let failure = Failure {
        error: Exit::Usage.word(),
        exit: Exit::Usage.code(),
        message,
        code: None,
        hint: None,
        retry_after_s: None,
    };
    let _ = writeln!(io::stderr(), "{}", failure.to_json());
    Exit::Usage.into()
}

/// The error and its causes on one line. A cause that only repeats what was said is left out, and of what
/// went wrong in the HTTP client only the last cause, which is the one that a person understands.
pub(crate) fn message(err: &CliError) -> String {
    let mut text = err.to_string();
    let mut causes: Vec<String> =
        std::iter::successors(err.source(), |&err| err.source()).map(ToString::to_string).collect();
    if let Some(client) = err.client() {
        let said = client.to_string();
        let ours = causes.iter().position(|cause| *cause == said).map_or(0, |at| at + 1);
        let last = causes.len().saturating_sub(1).max(ours);
        causes.drain(ours..last);
    }
    for cause in causes {
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    printable(&text)
}

fn as_text(err: &CliError) -> String {
    let hint = err.hint().map_or_else(String::new, |hint| format!("\nhint: {}", printable(&hint)));
    // Being asked for a code is how things go, not a mistake.
    let kind = if err.exit() == Exit::CodeNeeded { "" } else { "error: " };
    format!("{kind}{}{hint}", message(err))
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
    failure.to_json()
}
