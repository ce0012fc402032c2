//! Exit codes: one table, which `--help` prints and scripts may rely on. A code never changes its meaning.

use std::process::ExitCode;

macro_rules! exits {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal, $meaning:literal;)+) => {
        /// How the program ends.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Exit { $($(#[$doc])* $name,)+ }

        impl Exit {
            /// Every exit, in the order of the codes.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            /// The process's exit status.
            pub(crate) const fn code(self) -> u8 {
                match self { $(Self::$name => $code),+ }
            }

            /// The word for it in `--json` errors.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// What it means, in the help.
            pub(crate) const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning),+ }
            }
        }
    };
}

exits! {
    /// Done.
    Done = 0, "ok", "done";
    /// Something that no other code covers.
    Unexpected = 1, "unexpected", "something unexpected; the message says what";
    /// The command line or an input value is wrong.
    Usage = 2, "usage", "the command line or a value in it is wrong";
    /// No session, or one that has ended.
    NotLoggedIn = 3, "not_logged_in", "not logged in, the session has ended, or the password or code is wrong";
    /// The server refuses.
    Refused = 4, "refused", "no access to this";
    /// There is no such thing.
    NotFound = 5, "not_found", "there is no such file, key, session or user";
    /// It is there already.
    Exists = 6, "exists", "it exists already or was changed meanwhile, and is not overwritten";
    /// A server is not there or not ready.
    Unavailable = 7, "unavailable", "a server cannot be reached or is not ready; try again later";
    /// A one-time code has been sent and is awaited.
    CodeNeeded = 8, "code_needed", "a code has been sent by mail; run the command again with --code";
    /// What was received is not what was sealed.
    Integrity = 9, "integrity", "the file is damaged or was tampered with; nothing was written";
    /// Too many requests.
    RateLimited = 10, "rate_limited", "too many attempts; the message says how long to wait";
    /// Some entries of a tree were left out.
    Partly = 11, "partly", "some entries of a folder were left out; everything else was done";
    /// `coffer run` found the program and could not start it, as with `env`.
    NotStarted = 126, "not_started", "the program of coffer run could not be started";
    /// `coffer run` did not find the program, as with `env`.
    NoProgram = 127, "no_program", "there is no such program to run";
    /// Stopped by Ctrl-C.
    Interrupted = 130, "interrupted", "interrupted";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table as the help shows it.
pub(crate) fn table() -> String {
    let rows = Exit::ALL.iter().map(|exit| format!("{:>5}  {}", exit.code(), exit.meaning()));
    format!("Exit codes:\n{}", rows.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_ones_that_scripts_rely_on() {
        let codes: Vec<_> = Exit::ALL.iter().map(|exit| (exit.code(), exit.word())).collect();
        assert_eq!(
            codes,
            [
                (0, "ok"),
                (1, "unexpected"),
                (2, "usage"),
                (3, "not_logged_in"),
                (4, "refused"),
                (5, "not_found"),
                (6, "exists"),
                (7, "unavailable"),
                (8, "code_needed"),
                (9, "integrity"),
                (10, "rate_limited"),
                (11, "partly"),
                (126, "not_started"),
                (127, "no_program"),
                (130, "interrupted"),
            ]
        );
    }

    #[test]
    fn the_help_names_every_code() {
        let table = table();
        for exit in Exit::ALL {
            assert!(table.contains(&format!("{:>5}  {}", exit.code(), exit.meaning())), "{exit:?}");
        }
    }

    #[test]
    fn the_document_has_every_code_as_it_is() {
        let document = include_str!("../../../proto-docs/command-line.md");
        let rows: Vec<_> = document.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        let expected: Vec<_> = Exit::ALL
            .iter()
            .map(|exit| format!("| {} | `{}` | {} |", exit.code(), exit.word(), exit.meaning()))
            .collect();
        assert_eq!(rows, expected);
    }
}
