//! The keys that open configurations: whence they come, and what they must be.
//!
//! A user key comes from a file that nobody else may read, from standard input, from a variable of the environment, or
//! from a prompt that does not echo; never from an argument, which every user of the machine can read. A variable can be
//! read by whoever runs as the same user, who could read the file as well.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use coffer_api::contract::configs::{USER_KEY_BYTES_MAX, USER_KEY_CHARS_MIN, check_user_key};
use coffer_core::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::credentials::{PrivateFileError, read_private_file};
use crate::input::{self, InputError};

/// The variable with the user key itself.
const USER_KEY_VARIABLE: &str = "COFFER_USER_KEY";
/// The variable with the deployment's API key itself.
const API_KEY_VARIABLE: &str = "COFFER_API_KEY";
/// The variables that name files with them.
const USER_KEY_FILE_VARIABLE: &str = "COFFER_USER_KEY_FILE";
const API_KEY_FILE_VARIABLE: &str = "COFFER_API_KEY_FILE";

/// All variables that lead to a key: a program that is started gets none of them.
pub(crate) const KEY_VARIABLES: [&str; 4] =
    [USER_KEY_VARIABLE, USER_KEY_FILE_VARIABLE, API_KEY_VARIABLE, API_KEY_FILE_VARIABLE];

/// Options that say where the keys are.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Key options")]
pub(crate) struct KeyArgs {
    /// Read the user key from this file, which only you may read; - is standard input. Without it, the variable
    /// `COFFER_USER_KEY` holds the user key, or else it is asked for
    #[arg(long, global = true, env = USER_KEY_FILE_VARIABLE, value_name = "FILE")]
    user_key_file: Option<PathBuf>,
    /// Read the deployment's API key, if it asks for one, from this file, which only you may read. Without it, the
    /// variable `COFFER_API_KEY` holds the API key
    #[arg(long, global = true, env = API_KEY_FILE_VARIABLE, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
}

/// The keys of whoever calls.
#[derive(Debug)]
pub(crate) struct Keys {
    /// What opens the configurations.
    pub(crate) user_key: SecretString,
    /// What opens the deployment's door, where it has one.
    pub(crate) api_key: Option<SecretString>,
}

/// Why there is no user key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserKeyError {
    #[error(
        "a user key is needed: give --user-key-file FILE (- for standard input), set {USER_KEY_VARIABLE}, or run in a \
         terminal"
    )]
    Missing,
    #[error(
        "a new user key is needed: give --new-user-key-file FILE (- for standard input) or run in a terminal"
    )]
    MissingNew,
    #[error(transparent)]
    File(#[from] PrivateFileError),
    #[error("there is no file {path}", path = path.display())]
    NoFile { path: PathBuf },
    #[error("the key in {path} must be one line of UTF-8, not empty", path = path.display())]
    Form { path: PathBuf },
    #[error("reading the key from standard input")]
    Input(#[source] io::Error),
    #[error("{variable} is not UTF-8")]
    Variable { variable: &'static str },
    #[error(
        "a user key has at least {USER_KEY_CHARS_MIN} characters and at most {USER_KEY_BYTES_MAX} bytes, no control \
         characters, and no spaces at its ends"
    )]
    Refused,
    #[error("the two user keys differ")]
    Differ,
    #[error("standard input holds one thing: a user key, an API key, a value, or what a program reads")]
    InputTwice,
    #[error(transparent)]
    Terminal(#[from] InputError),
}

impl KeyArgs {
    /// The keys. `input_is_taken` says that standard input holds something else.
    pub(crate) fn read(&self, input_is_taken: bool) -> Result<Keys, UserKeyError> {
        let from_input = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
        let takers = [input_is_taken, from_input(&self.user_key_file), from_input(&self.api_key_file)];
        if takers.into_iter().filter(|takes| *takes).count() > 1 {
            return Err(UserKeyError::InputTwice);
        }
        let variable = |name: &'static str| variable(name, std::env::var_os(name));
        let user_key = match &self.user_key_file {
            Some(path) => from_file(path)?,
            None => match variable(USER_KEY_VARIABLE)? {
                Some(user_key) => user_key,
                None if input::is_interactive() => input::ask_hidden("User key: ")?,
                None => return Err(UserKeyError::Missing),
            },
        };
        let api_key = match &self.api_key_file {
            Some(path) => Some(from_file(path)?),
            None => variable(API_KEY_VARIABLE)?,
        };
        Ok(Keys { user_key: checked(user_key)?, api_key })
    }
}

/// The user key that is to be from now on: from `file`, or asked for twice.
pub(crate) fn new_user_key(file: Option<&Path>) -> Result<SecretString, UserKeyError> {
    let user_key = match file {
        Some(path) => from_file(path)?,
        None if input::is_interactive() => {
            let user_key = checked(input::ask_hidden("New user key: ")?)?;
            if input::ask_hidden("The same again: ")?.expose_secret() != user_key.expose_secret() {
                return Err(UserKeyError::Differ);
            }
            user_key
        }
        None => return Err(UserKeyError::MissingNew),
    };
    checked(user_key)
}

/// The one line in a file that only its owner can read, or in standard input.
fn from_file(path: &Path) -> Result<SecretString, UserKeyError> {
    let line = if path == Path::new("-") {
        input::one_line(io::stdin().lock()).map_err(UserKeyError::Input)?
    } else {
        let text = read_private_file(path)?.ok_or_else(|| UserKeyError::NoFile { path: path.into() })?;
        input::one_line(text.as_bytes()).map_err(UserKeyError::Input)?
    };
    line.ok_or_else(|| UserKeyError::Form { path: path.into() })
}

/// What a variable holds; nothing if it is not set, or to nothing.
fn variable(variable: &'static str, value: Option<OsString>) -> Result<Option<SecretString>, UserKeyError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = value.into_string().map(Zeroizing::new).map_err(|_| UserKeyError::Variable { variable })?;
    Ok(Some(SecretString::from(text.as_str())))
}

/// The user key, if the gateway would take it.
fn checked(user_key: SecretString) -> Result<SecretString, UserKeyError> {
    check_user_key(user_key.expose_secret()).map_err(|_| UserKeyError::Refused)?;
    Ok(user_key)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_file_is_one_line_that_nobody_else_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(matches!(from_file(&path), Err(UserKeyError::NoFile { .. })));
        for (text, mode, good) in [
            ("correct horse battery\n", 0o600, true),
            ("correct horse battery", 0o400, true),
            ("correct horse battery\n", 0o640, false),
            ("correct horse battery\n", 0o604, false),
            ("two\nlines\n", 0o600, false),
            ("", 0o600, false),
        ] {
            let _ = fs::remove_file(&path);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let read = from_file(&path);
            assert_eq!(read.is_ok(), good, "{text:?} {mode:o}");
            assert!(!read.is_ok_and(|key| key.expose_secret() != "correct horse battery"));
        }
    }

    #[test]
    fn what_no_request_could_carry_is_refused_before_it_is_sent_and_not_shown() {
        for bad in ["7 chars", "planted key ", " planted key", "planted\u{7}key", "planted\tkey"] {
            let refused = checked(SecretString::from(bad)).unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("planted"), "{refused}");
        }
        for good in ["8 chars!", "schlüssel", "報告報告報告報告"] {
            checked(SecretString::from(good)).unwrap();
        }
    }

    #[test]
    fn an_empty_variable_is_none() {
        assert!(variable("A", None).unwrap().is_none() && variable("A", Some("".into())).unwrap().is_none());
        assert_eq!(variable("A", Some("b".into())).unwrap().unwrap().expose_secret(), "b");
    }
}
