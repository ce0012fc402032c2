//! What became of a tree.

use std::error::Error;
use std::fmt::Write as _;

use serde::Serialize;

use crate::error::CliError;
use crate::output::{self, Output, printable};

/// An entry that was left out, and why.
#[derive(Debug, Serialize)]
pub(crate) struct Left {
    path: String,
    message: String,
}

/// What was done, entry by entry; with `--json` told as it stands.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tally {
    /// Entries that were stored or fetched.
    pub(crate) done: u64,
    /// Plaintext bytes of them.
    pub(crate) bytes: u64,
    /// Entries that were as they should be.
    pub(crate) unchanged: u64,
    /// Entries that were removed.
    pub(crate) removed: u64,
    pub(crate) left_out: Vec<Left>,
    /// What would be stored or fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) would_copy: Option<Vec<String>>,
    /// What would be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) would_remove: Option<Vec<String>>,
}

impl Tally {
    /// Leaves an entry out.
    pub(crate) fn leave(&mut self, path: &str, why: impl Into<String>) {
        self.left_out.push(Left { path: path.to_owned(), message: why.into() });
    }

    /// Names what was left out, for people; the result names it for programs.
    pub(crate) fn warn(&self, output: Output) {
        if !output.json {
            for left in &self.left_out {
                output.warn(&format!("{}: {}", printable(&left.path), printable(&left.message)));
            }
        }
    }

    /// The result in one line, or what would be done.
    pub(crate) fn text(&self, verb: &str, whither: &str) -> String {
        if let (Some(copy), Some(remove)) = (&self.would_copy, &self.would_remove) {
            let line = |sign: char| move |name: &String| format!("{sign} {}", printable(name));
            return copy
                .iter()
                .map(line('+'))
                .chain(remove.iter().map(line('-')))
                .collect::<Vec<_>>()
                .join("\n");
        }
        let mut text =
            format!("{verb} {} of {} ({})", self.done, printable(whither), output::size(self.bytes));
        for (number, what) in [
            (self.unchanged, "unchanged"),
            (self.removed, "removed"),
            (self.left_out.len() as u64, "left out"),
        ] {
            if number > 0 {
                // Writing to a String cannot fail.
                let _ = write!(text, ", {number} {what}");
            }
        }
        text
    }
}

/// Tells what became of a tree; a failure if something was left out.
pub(crate) fn finish(tally: &Tally, (output, verb, whither): (Output, &str, &str)) -> Result<(), CliError> {
    tally.warn(output);
    output.result(tally, || tally.text(verb, whither))?;
    match tally.left_out.len() {
        0 => Ok(()),
        left => Err(CliError::TreePartly { left }),
    }
}

/// An error with all of its causes.
pub(crate) fn whole(err: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(err.source(), |err: &&(dyn Error + 'static)| (*err).source());
    std::iter::once(err.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}
