//! Names that people give to things.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::invisible::is_invisible;
use crate::limits::{FILE_NAME_BYTES_MAX, USER_NAME_CHARS_MAX};

macro_rules! text_name {
    ($name:ident, $error:ident) => {
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// The name of a file: any UTF-8 up to [`FILE_NAME_BYTES_MAX`] bytes, with `/` between folders.
///
/// Names are data, never paths on a server; but a client may write a download under its name, so what
/// could leave the folder it is written to is refused: an absolute name, `.` and `..` segments, empty
/// segments, backslashes and control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FileName(String);

/// Why a text is not a file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileNameError {
    /// The name is empty.
    #[error("a file name must not be empty")]
    Empty,
    /// Longer than [`FILE_NAME_BYTES_MAX`].
    #[error("a file name has at most {FILE_NAME_BYTES_MAX} bytes of UTF-8")]
    TooLong,
    /// Absolute, or with a segment that is empty, `.` or `..`, or with a backslash.
    #[error("a file name must be relative, without empty, `.` or `..` segments and without backslashes")]
    PathLike,
    /// A control character, NUL included.
    #[error("a file name must not contain control characters")]
    Control,
}

impl FromStr for FileName {
    type Err = FileNameError;

    fn from_str(text: &str) -> Result<Self, FileNameError> {
        if text.is_empty() {
            return Err(FileNameError::Empty);
        }
        if text.len() > FILE_NAME_BYTES_MAX {
            return Err(FileNameError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(FileNameError::Control);
        }
        if text.contains('\\') || text.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(FileNameError::PathLike);
        }
        Ok(Self(text.to_owned()))
    }
}

text_name!(FileName, FileNameError);

/// The name of a user, where a surface has one: letters, digits, `.`, `_` and `-`.
///
/// It is compared without regard to case; [`UserName::folded`] is the form that must be unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UserName(String);

/// Why a text is not a user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user name has 1 to {USER_NAME_CHARS_MAX} letters, digits, `.`, `_` or `-`")]
pub struct UserNameError;

impl UserName {
    /// The form in which names are compared and must be unique.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for UserName {
    type Err = UserNameError;

    fn from_str(text: &str) -> Result<Self, UserNameError> {
        let length = text.chars().count();
        let valid = |c: char| (c.is_alphanumeric() && !is_invisible(c)) || "._-".contains(c);
        if length == 0 || length > USER_NAME_CHARS_MAX || !text.chars().all(valid) {
            return Err(UserNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

text_name!(UserName, UserNameError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_script_and_in_folders_are_kept_as_they_are() {
        for text in ["報告 2026.bin", "a/b/c.txt", "..hidden", "a..b", "🦀"] {
            assert_eq!(text.parse::<FileName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn names_that_could_leave_a_folder_are_refused() {
        for text in ["/etc/passwd", "../x", "a/../b", "a//b", "a/", ".", "a\\b", "./a"] {
            assert_eq!(text.parse::<FileName>(), Err(FileNameError::PathLike), "{text:?}");
        }
        assert_eq!("a\0b".parse::<FileName>(), Err(FileNameError::Control));
        assert_eq!("".parse::<FileName>(), Err(FileNameError::Empty));
        assert_eq!("x".repeat(1025).parse::<FileName>(), Err(FileNameError::TooLong));
    }

    #[test]
    fn user_names_compare_without_case() {
        let one: UserName = "Ann".parse().unwrap();
        let other: UserName = "ann".parse().unwrap();
        assert_eq!(one.folded(), other.folded());
        assert!("a\u{3164}".parse::<UserName>().is_err(), "a letter that shows nothing");
        assert!("a b".parse::<UserName>().is_err() && "".parse::<UserName>().is_err());
    }
}
