//! What failures that all parts of the domain share are called in public, and those of identity.

use coffer_api::ErrorCode;
use coffer_auth::password::HashError;
use coffer_server::Failure;
use coffer_store::records::StoreError;

use crate::domain::group::GroupError;
use crate::domain::identity::IdentityError;

/// How a failed store is told: the caller learns whether trying again is safe.
pub(crate) fn of_store(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::Unavailable { .. } => ErrorCode::Unavailable,
        StoreError::OutcomeUnknown { .. } => ErrorCode::OutcomeUnknown,
        _ => ErrorCode::Internal,
    }
}

/// How a failure to record something is told.
pub(crate) fn of_recording(error: &GroupError) -> ErrorCode {
    match error {
        GroupError::Store { source, .. } => of_store(source),
        GroupError::Closed(_) => ErrorCode::Unavailable,
    }
}

fn code(error: &IdentityError) -> ErrorCode {
    match error {
        IdentityError::UserExists => ErrorCode::UserExists,
        IdentityError::UserNameTaken => ErrorCode::UserNameTaken,
        IdentityError::NoPendingRegistration => ErrorCode::NoPendingRegistration,
        IdentityError::LogInFailed | IdentityError::Deactivated => ErrorCode::LoginFailed,
        IdentityError::OtpFailed => ErrorCode::OtpFailed,
        IdentityError::RateLimited { .. } => ErrorCode::RateLimited,
        IdentityError::SessionNotFound => ErrorCode::SessionNotFound,
        IdentityError::UserNotFound => ErrorCode::UserNotFound,
        IdentityError::LastAdmin => ErrorCode::LastAdmin,
        IdentityError::Conflict => ErrorCode::Conflict,
        IdentityError::Hash(HashError::Overloaded | HashError::Stopped) => ErrorCode::Unavailable,
        IdentityError::Hash(HashError::Bcrypt) => ErrorCode::Internal,
        IdentityError::Store(error) => of_store(error),
        IdentityError::Recording(error) => of_recording(error),
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        match (code(&error), &error) {
            (_, IdentityError::RateLimited { retry_after_s }) => Self::rate_limited(*retry_after_s),
            (ErrorCode::Unavailable, _) => Self::unavailable(error),
            (ErrorCode::Internal, _) => Self::internal(error),
            (code @ ErrorCode::OutcomeUnknown, _) => Self::of(code).with_cause(error),
            (code, _) => Self::of(code),
        }
    }
}
