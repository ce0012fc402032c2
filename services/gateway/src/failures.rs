//! What the domain's errors are called in public.

use coffer_client::ClientError;
use coffer_server::Failure;
use coffer_server::failure::UNAVAILABLE_RETRY_AFTER_S;
use coffer_store::records::StoreError;

use crate::domain::configs::{ConfigsError, DocumentError, SchemaError};
use crate::domain::kms::{AskError, Refusal};
use crate::domain::kv::{KeyError, KvError};
use crate::domain::usage::UsageError;
use crate::domain::vault::{Locked, NoConfigs};
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

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::field("key", error.to_string())
    }
}

impl From<KvError> for Failure {
    fn from(error: KvError) -> Self {
        let said = error.to_string();
        match error {
            KvError::Key(error) => error.into(),
            KvError::NotFound => Self::of(ErrorCode::KeyNotFound),
            KvError::NotInTrash => Self::of(ErrorCode::KeyNotFound).with_detail(said),
            KvError::VersionNotFound => Self::of(ErrorCode::VersionNotFound),
            KvError::GrantNotFound => Self::of(ErrorCode::GrantNotFound),
            KvError::Conflict { revision: Some(revision) } => {
                Self::of(ErrorCode::RevisionMismatch).with_detail(format!("the key has revision {revision}"))
            }
            KvError::Conflict { revision: None } => Self::of(ErrorCode::RevisionMismatch),
            KvError::Denied => Self::of(ErrorCode::AccessDenied),
            KvError::ReadOnly => Self::of(ErrorCode::PermissionDenied),
            KvError::ValueTooLarge { .. } => Self::of(ErrorCode::BodyTooLarge).with_detail(said),
            KvError::TooManyKeys { .. } | KvError::TooManyGrants { .. } => {
                Self::of(ErrorCode::LimitReached).with_detail(said)
            }
            KvError::ExpiryPassed => Self::field("expires_at", said),
            KvError::Batch { .. } => Self::field("operations", said),
            KvError::Position => Self::field("after", said),
            KvError::Cursor => Self::field("cursor", said),
            KvError::Gone => Self::of(ErrorCode::ChangesGone),
            KvError::Contended | KvError::Store(StoreError::Unavailable { .. }) => Self::unavailable(error),
            // Comes in masses or not at all: it is counted where it is refused, and not logged.
            KvError::NoMemory => {
                let retry_after_s = Some(UNAVAILABLE_RETRY_AFTER_S);
                Self { retry_after_s, ..Self::of(ErrorCode::Unavailable) }
            }
            KvError::Store(StoreError::OutcomeUnknown { .. }) => Self {
                retry_after_s: Some(UNAVAILABLE_RETRY_AFTER_S),
                ..Self::of(ErrorCode::OutcomeUnknown).with_cause(error)
            },
            KvError::Frame(_) | KvError::Worker(_) | KvError::Store(_) => Self::internal(error),
        }
    }
}

impl From<ConfigsError> for Failure {
    fn from(error: ConfigsError) -> Self {
        let said = error.to_string();
        match error {
            ConfigsError::NotFound { .. } | ConfigsError::NothingKept => {
                Self::of(ErrorCode::ConfigNotFound).with_detail(said)
            }
            ConfigsError::Exists { .. } => Self::of(ErrorCode::ConfigExists).with_detail(said),
            ConfigsError::EnvironmentNeeded { .. } => {
                Self::of(ErrorCode::EnvironmentNeeded).with_detail(said)
            }
            ConfigsError::VersionNotFound => Self::of(ErrorCode::VersionNotFound).with_detail(said),
            ConfigsError::Conflict { version: Some(version) } => {
                let said = format!("the configuration has version {version}");
                Self::of(ErrorCode::RevisionMismatch).with_detail(said)
            }
            ConfigsError::Conflict { version: None } => {
                Self::of(ErrorCode::RevisionMismatch).with_detail("there is no such configuration")
            }
            ConfigsError::Promotion => Self::field("keys", said),
            ConfigsError::UserKeyInUse => Self::of(ErrorCode::UserKeyInUse).with_detail(said),
            ConfigsError::SameUserKey => Self::field("new_user_key", said),
            ConfigsError::ValueTooLarge { .. } => Self::of(ErrorCode::BodyTooLarge).with_detail(said),
            ConfigsError::Full { .. } => Self::of(ErrorCode::StorageFull).with_detail(said),
            ConfigsError::TooManyUserKeys { retry_after_s } => {
                Self::rate_limited(retry_after_s).with_detail(said)
            }
            ConfigsError::Document(DocumentError::SameVariable { .. }) => {
                Self::of(ErrorCode::EnvNamesCollide).with_detail(said)
            }
            ConfigsError::Document(DocumentError::TooLong { .. }) => Self::field("format", said),
            ConfigsError::Document(DocumentError::Unwritable) | ConfigsError::Broken => Self::internal(error),
            ConfigsError::Document(_)
            | ConfigsError::TooManyAtOnce { .. }
            | ConfigsError::Schema(SchemaError::Schema { .. } | SchemaError::WorkOfAll)
            | ConfigsError::SchemaOf { error: SchemaError::Schema { .. }, .. } => Self::field("body", said),
            ConfigsError::NoSchema => Self::of(ErrorCode::SchemaNotFound),
            ConfigsError::Schema(_) | ConfigsError::SchemaOf { .. } => {
                Self::of(ErrorCode::SchemaMismatch).with_detail(said)
            }
            ConfigsError::Reference(_) => Self::of(ErrorCode::ReferenceUnresolved).with_detail(said),
            ConfigsError::Position => Self::field("after", said),
            ConfigsError::ChangesGone => Self::of(ErrorCode::ChangesGone),
            ConfigsError::NotOurs => Self::of(ErrorCode::AccessDenied).with_detail(said),
            ConfigsError::Workers(_)
            | ConfigsError::Forgotten
            | ConfigsError::Contended
            | ConfigsError::Store(StoreError::Unavailable { .. }) => Self::unavailable(error),
            ConfigsError::Store(StoreError::OutcomeUnknown { .. }) => Self {
                retry_after_s: Some(UNAVAILABLE_RETRY_AFTER_S),
                ..Self::of(ErrorCode::OutcomeUnknown).with_cause(error)
            },
            ConfigsError::Wrap(_) | ConfigsError::Store(_) => Self::internal(error),
        }
    }
}

impl From<NoConfigs> for Failure {
    fn from(error: NoConfigs) -> Self {
        Self::unavailable(error)
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
        ClientError::Lost { .. } | ClientError::Silent { .. } => {
            Failure { retry_after_s: Some(1), ..Failure::of(ErrorCode::BadGateway).with_cause(error) }
        }
        error => Failure::internal(error),
    }
}
