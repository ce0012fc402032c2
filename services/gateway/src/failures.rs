//! What the domain's errors are called in public.

use coffer_client::ClientError;
use coffer_server::Failure;
use coffer_store::records::StoreError;

use crate::domain::kms::{AskError, Refusal};
use crate::domain::usage::UsageError;
use crate::domain::vault::Locked;
use coffer_api::ErrorCode;

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, fields, retry_after_s } = refusal;
        Self { fields, retry_after_s, ..Self::of(code) }
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(refusal) => refusal.into(),
            AskError::Kms(error) => Self::unavailable(error),
        }
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        match error.0 {
            StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. } => Self::unavailable(error),
            _ => Self::internal(error),
        }
    }
}

impl From<Locked> for Failure {
    fn from(error: Locked) -> Self {
        Self::unavailable(error)
    }
}

/// What it is called when a request could not be passed on.
pub(crate) fn not_passed_on(error: ClientError) -> Failure {
    match error {
        ClientError::Answer { .. } => Failure::of(ErrorCode::BadRequest).with_cause(error),
        ClientError::Unreachable { .. } => Failure::unavailable(error),
        // It went out, and what became of it is not known.
        ClientError::Lost { .. } => {
            Failure { retry_after_s: Some(1), ..Failure::of(ErrorCode::BadGateway).with_cause(error) }
        }
        error => Failure::internal(error),
    }
}
