//! Why a program was not started.

use std::io;

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
    #[error("{key} was not read: the gateway answered {status}")]
    NotRead { key: String, status: u16 },
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
            Self::Collision { .. } | Self::Inherited { .. } | Self::Reserved { .. } | Self::Zero { .. } => {
                Exit::Usage
            }
            Self::NotRead { .. } => Exit::Unavailable,
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::NoProgram,
            Self::Start { .. } => Exit::NotStarted,
            Self::Supervise(_) => Exit::Unexpected,
        }
    }

    /// What to do about it, when there is something.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Collision { .. } => Some(
                "letters count in upper case, and whatever is no letter or digit as _: rename one of them; a category stands before its key",
            ),
            Self::Inherited { .. } => Some("--override lets the configuration win"),
            Self::Start { source, .. } if source.kind() == io::ErrorKind::ArgumentListTooLong => {
                Some("a variable has at most 128 KiB, and all of them together have a limit: see ulimit -s")
            }
            _ => None,
        }
    }
}
