//! What the domain's errors are called in public.

use coffer_api::ErrorCode;
use coffer_server::Failure;

use crate::domain::filekeys::FileKeyError;
use crate::failures::{of_recording, of_store};

fn code(error: &FileKeyError) -> ErrorCode {
    match error {
        FileKeyError::FileExists => ErrorCode::FileExists,
        FileKeyError::NotFound => ErrorCode::FileKeyNotFound,
        FileKeyError::AccessDenied => ErrorCode::AccessDenied,
        FileKeyError::NotOwner => ErrorCode::PermissionDenied,
        FileKeyError::SecondFactor => ErrorCode::SecondFactorRequired,
        FileKeyError::Limit { .. } => ErrorCode::LimitReached,
        FileKeyError::Field { .. } => ErrorCode::InvalidInput,
        FileKeyError::NotForThisKey(_) => ErrorCode::UnwrapFailed,
        FileKeyError::Conflict => ErrorCode::Conflict,
        FileKeyError::KeyDestroyed => ErrorCode::KeyVersionDestroyed,
        FileKeyError::KeyInUse => ErrorCode::KeyVersionInUse,
        FileKeyError::Unregistered => ErrorCode::VersionUnregistered,
        FileKeyError::Outdated => ErrorCode::VersionOutdated,
        FileKeyError::Of { why, .. } => code(why),
        FileKeyError::Pool(_) | FileKeyError::Busy | FileKeyError::Uploads(_) => ErrorCode::Unavailable,
        FileKeyError::Store(error) => of_store(error),
        FileKeyError::Recording(error) => of_recording(error),
    }
}

impl From<FileKeyError> for Failure {
    fn from(error: FileKeyError) -> Self {
        if let FileKeyError::Of { place, why } = error {
            let field = coffer_api::FieldError::new(format!("items[{place}]"), why.to_string());
            return Self { fields: vec![field], ..Self::of(code(&why)) };
        }
        match (code(&error), &error) {
            (_, FileKeyError::Field { field, message }) => Self::field(*field, *message),
            (code @ ErrorCode::UnwrapFailed, FileKeyError::NotForThisKey(place)) => Self {
                fields: vec![coffer_api::FieldError::new(
                    format!("ciphertexts[{place}]"),
                    "was not encrypted for this key",
                )],
                ..Self::of(code)
            },
            (code @ ErrorCode::LimitReached, _) => Self::of(code).with_detail(error.to_string()),
            (ErrorCode::Unavailable, _) => Self::unavailable(error),
            (ErrorCode::Internal, _) => Self::internal(error),
            (code @ ErrorCode::OutcomeUnknown, _) => Self::of(code).with_cause(error),
            (code, _) => Self::of(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use coffer_store::records::StoreError;

    use super::*;
    use crate::domain::group::GroupError;
    use crate::domain::pool::PoolError;

    #[test]
    fn what_is_out_of_reach_may_be_tried_again_and_a_fault_says_nothing() {
        let of = |error: FileKeyError| Failure::from(error).code;
        assert_eq!(of(FileKeyError::Pool(PoolError::TimedOut)), ErrorCode::Unavailable);
        let corrupt = || StoreError::Corrupt { what: "planted".into() };
        assert_eq!(of(FileKeyError::Store(corrupt())), ErrorCode::Internal);
        let recording = GroupError::Store { what: "events", source: corrupt().into() };
        assert_eq!(of(FileKeyError::Recording(recording)), ErrorCode::Internal);
        let failure = Failure::from(FileKeyError::Store(corrupt()));
        assert!(failure.detail.is_none() && failure.cause.is_some());
    }

    #[test]
    fn the_ciphertext_that_does_not_open_is_named() {
        let failure = Failure::from(FileKeyError::NotForThisKey(3));
        assert_eq!((failure.code, &*failure.fields[0].field), (ErrorCode::UnwrapFailed, "ciphertexts[3]"));
    }

    #[test]
    fn the_file_for_which_many_are_refused_is_named() {
        let failure = Failure::from(FileKeyError::Outdated.of(7));
        assert_eq!((failure.code, &*failure.fields[0].field), (ErrorCode::VersionOutdated, "items[7]"));
        let of_none = Failure::from(FileKeyError::Busy.of(7));
        assert_eq!((of_none.code, of_none.fields.len()), (ErrorCode::Unavailable, 0));
    }
}
