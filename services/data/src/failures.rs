//! What the domain's errors are called in public.

use coffer_api::ErrorCode;
use coffer_server::Failure;
use coffer_store::records::StoreError;

use crate::domain::library::LibraryError;

impl From<LibraryError> for Failure {
    fn from(error: LibraryError) -> Self {
        match error {
            LibraryError::NotFound => Self::of(ErrorCode::FileNotFound),
            LibraryError::VersionNotFound => Self::of(ErrorCode::VersionNotFound),
            LibraryError::Denied => Self::of(ErrorCode::AccessDenied),
            LibraryError::Exists => Self::of(ErrorCode::FileExists),
            LibraryError::Changed => Self::of(ErrorCode::FileChanged),
            LibraryError::Conflict => Self::of(ErrorCode::Conflict),
            LibraryError::KeyDestroyed => Self::of(ErrorCode::KeyVersionDestroyed),
            LibraryError::NotAnEnvelope(refusal) => Self::field("body", refusal.to_string()),
            LibraryError::Interrupted => Self::of(ErrorCode::BadRequest).with_cause(error),
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
