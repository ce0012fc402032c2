//! Why a program was not started.

use std::io;

use coffer_api::ErrorCode;

use crate::error::exit_of_code;
use crate::exit::Exit;

/// Why a program was not started, or could not be looked after.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("{keys} would all be the variable {name}", keys = .keys.join(", "))]
    Collision { name: String, keys: Vec<String> },
    #[error("the variable {name}, which {key} would be, is set already to something else")]
    Inherited { name: String, key: String },
    #[error("{key} would be the variable {name}, which no configuration may be")]
    Reserved { name: String, key: String },
    #[error("the value of {key} has a zero byte in it, which no variable can have")]
    Zero { key: String },
    #[error("the value of {key} is longer than a variable can be: with its name at most 128 KiB")]
    Long { key: String },
    /// What the gateway said of one configuration of many.
    #[error("{key} was not read: {said}")]
    NotRead { key: String, code: Option<ErrorCode>, said: String },
    #[error("{program} cannot be started")]
    Start {
        program: String,
        #[source]
        source: io::Error,
    },
    #[error("looking after the program")]
    Supervise(#[source] io::Error),
}

impl RunError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Collision { .. }
            | Self::Inherited { .. }
            | Self::Reserved { .. }
            | Self::Zero { .. }
            | Self::Long { .. } => Exit::Usage,
            Self::NotRead { code, .. } => code.map_or(Exit::Unavailable, exit_of_code),
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::NoProgram,
            Self::Start { .. } => Exit::NotStarted,
            Self::Supervise(_) => Exit::Unexpected,
        }
    }

    /// The gateway's word for it, when it is what refused.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::NotRead { code, .. } => *code,
            _ => None,
        }
    }

    /// What to do about it, when there is something.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Collision { .. } => Some(
                "letters count in upper case, and whatever is no letter or digit as _: rename one of them; a category stands before its key",
            ),
            Self::Inherited { .. } => Some("--override lets the configuration win"),
            Self::NotRead { code: Some(ErrorCode::ReferenceUnresolved), .. } => {
                Some("store what it refers to, or mend it; a text that is no reference is written $${ref:…}")
            }
            Self::Start { source, .. } if source.kind() == io::ErrorKind::ArgumentListTooLong => {
                Some("a variable has at most 128 KiB, and all of them together have a limit: see ulimit -s")
            }
            _ => None,
        }
    }
}
