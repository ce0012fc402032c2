//! What the domain's errors are called in public.

use coffer_api::ErrorCode;
use coffer_server::{AuthenticationError, Failure};
use coffer_store::records::StoreError;

use crate::domain::library::LibraryError;
use crate::domain::sessions::SessionError;

impl From<LibraryError> for Failure {
    fn from(error: LibraryError) -> Self {
        match error {
            LibraryError::NotFound => Self::of(ErrorCode::FileNotFound),
            LibraryError::Denied => Self::of(ErrorCode::AccessDenied),
            LibraryError::Exists => Self::of(ErrorCode::FileExists),
            LibraryError::Busy
            | LibraryError::Locked
            | LibraryError::Kms(_)
            | LibraryError::Store(StoreError::Unavailable { .. }) => Self::unavailable(error),
            LibraryError::Store(StoreError::OutcomeUnknown { .. }) => {
                Self::of(ErrorCode::OutcomeUnknown).with_cause(error)
            }
            LibraryError::Store(_) => Self::internal(error),
        }
    }
}

impl From<SessionError> for AuthenticationError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid => Self::Invalid,
            SessionError::Stale | SessionError::Kms(_) => Self::Unavailable(error.into()),
        }
    }
}
