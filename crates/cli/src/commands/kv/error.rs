//! What can go wrong with keys beside what a server says, and what to do about both.

use coffer_api::ErrorCode;

use crate::exit::Exit;

/// Why a command on keys failed here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KvError {
    #[error("a value is needed: give VALUE, - for standard input or @FILE, or run in a terminal")]
    NoValue,
    /// The decoder's own message could quote the value.
    #[error("the value is not valid JSON at line {line}, column {column}")]
    NotJson { line: usize, column: usize },
    #[error("the value is no text, and standard output is a terminal")]
    NotShown,
    #[error("{key} has only one version")]
    OneVersion { key: String },
}

impl KvError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoValue | Self::NotJson { .. } | Self::NotShown => Exit::Usage,
            Self::OneVersion { .. } => Exit::NotFound,
        }
    }

    /// What to do about it, when there is something.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotShown => Some("write it to a file with -o FILE, or to a pipe"),
            Self::NotJson { .. } => Some("without --type json it is stored as it is"),
            Self::NoValue | Self::OneVersion { .. } => None,
        }
    }
}

/// What to do about a refusal that concerns a key.
pub(crate) fn hint_of_code(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::KeyNotFound => {
            "a deleted key is in the trash: coffer kv ls --trash; coffer kv restore KEY brings it back"
        }
        ErrorCode::VersionNotFound => "coffer kv history KEY lists the versions that are kept",
        ErrorCode::KeyExists => "it was stored anew meanwhile; coffer kv rm KEY makes room",
        ErrorCode::RevisionMismatch => "it was changed meanwhile: coffer kv inspect KEY shows its revision",
        ErrorCode::ChangesGone => "look at the keys with coffer kv ls, and watch without --since",
        ErrorCode::PermissionDenied => "you may read this key; ask its owner to share it with --write",
        ErrorCode::BodyTooLarge => "larger values are files: coffer put FILE",
        ErrorCode::GrantNotFound => "coffer kv shared --given lists what you share",
        _ => return None,
    })
}
