//! Why a call failed.

use std::time::Duration;

use coffer_api::ErrorCode;

use crate::refusal::Refusal;

/// Why a call failed, from the caller's point of view.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server's address is not one.
    #[error("the server's address is not valid")]
    Address(#[source] url::ParseError),
    /// The client could not be set up.
    #[error("setting up the HTTP client")]
    SetUp(#[source] reqwest::Error),
    /// No token could be made that says which service is calling.
    #[error("making a service token")]
    Token(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server was not reached: nothing happened there.
    #[error("cannot reach {server}")]
    Unreachable {
        /// Which server.
        server: String,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// The request went out and no answer came back: what happened there is not known.
    #[error("no answer from {server}")]
    Lost {
        /// Which server.
        server: String,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// The server took no more of a long request, or sent no more of its answer: what happened there is not known.
    #[error("{server} has been silent for too long")]
    Silent {
        /// Which server.
        server: String,
    },
    /// The server refused.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The answer is not what this client understands.
    #[error("the answer of {server} cannot be understood")]
    Answer {
        /// Which server.
        server: String,
    },
}

impl ClientError {
    /// The server's code, when a server refused and this program knows the code.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(refusal) => refusal.code,
            _ => None,
        }
    }

    /// The same, with a field by the name under which the caller's user knows it.
    #[must_use]
    pub fn naming(mut self, field: &str, name: &'static str) -> Self {
        if let Self::Refused(refusal) = &mut self {
            let named = refusal.errors.iter_mut().filter(|error| error.field == field);
            named.for_each(|error| error.field = name.into());
        }
        self
    }

    /// When to come back, if the server said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }

    /// Whether the same call may succeed later: the server is not there, not ready, or did not answer.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Silent { .. } => true,
            Self::Refused(refusal) => matches!(refusal.status, 502..=504),
            _ => false,
        }
    }
}
