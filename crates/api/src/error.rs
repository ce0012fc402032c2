//! The one table of public errors, for every service and surface.
//!
//! A domain names a code; the server turns it into the answer of whatever surface was asked. A code's
//! text is a promise to clients and never changes; its HTTP status and title are for people and proxies.
//! The KMS's file contract answers everything with HTTP 200 and a number of its own in the body; where
//! that number is not the HTTP status it stands here too, so that nobody has to look in two places.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $text:literal, $title:literal $(, kms $kms:literal)?;)+) => {
        /// A public error: what went wrong, as clients may rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The HTTP status of an answer with this code.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// The stable text of this code, in snake case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// One sentence for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// The number that the KMS's file contract puts in `code`.
            pub const fn kms_contract_code(self) -> u16 {
                match self { $($(Self::$name => $kms,)?)+ other => other.status() }
            }

            /// The code with this text, if there is one.
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

error_codes! {
    /// The request as a whole cannot be understood.
    BadRequest = 400, "bad_request", "The request cannot be understood";
    /// The `sid` header and the `Authorization` header name different sessions.
    ConflictingCredentials = 400, "conflicting_credentials", "Two different credentials were given";
    /// The key is in several environments, and the request names none of them.
    EnvironmentNeeded = 400, "environment_needed", "The key is in several environments: name one";
    /// The file contract's answer to an empty field.
    MissingFields = 400, "missing_fields", "A required field is empty";
    /// The request carries no session at all; only the key-value contract tells this apart.
    NotAuthenticated = 401, "not_authenticated", "The request carries no session";
    /// There is no session, or it has ended.
    InvalidSession = 401, "invalid_session", "There is no such session, or it has ended", kms 403;
    /// E-mail address and password do not belong together.
    LoginFailed = 401, "login_failed", "The e-mail address or the password is wrong";
    /// The one-time code is wrong, used or expired.
    OtpFailed = 401, "otp_failed", "The code is wrong or has expired";
    /// The user key of a configuration request is too short to be one.
    InvalidUserKey = 401, "invalid_user_key", "A user key has at least 8 characters";
    /// The caller of an internal endpoint is no known service.
    InvalidServiceToken = 401, "invalid_service_token", "The caller is not a known service";
    /// The caller may not read this.
    AccessDenied = 403, "access_denied", "You have no access to this", kms 400;
    /// The caller may not change this.
    PermissionDenied = 403, "permission_denied", "You may not do this", kms 400;
    /// A request with a cookie that does not prove that our own page sent it.
    CrossSiteRequest = 403, "cross_site_request", "A request with a cookie must come from our own page";
    /// The request has no API key that this deployment knows.
    InvalidApiKey = 403, "invalid_api_key", "This needs an API key";
    /// The session was made without a second factor, and this needs one.
    SecondFactorRequired = 403, "second_factor_required", "This needs a session that was opened with a code";
    /// There is nothing at this address.
    NotFound = 404, "not_found", "There is nothing here";
    /// No file has this name.
    FileNotFound = 404, "file_not_found", "There is no such file";
    /// No file key has this id.
    FileKeyNotFound = 404, "file_key_not_found", "There is no such file key";
    /// No such grant.
    GrantNotFound = 404, "grant_not_found", "There is no such grant";
    /// No such key in the key-value store.
    KeyNotFound = 404, "key_not_found", "There is no such key";
    /// No configuration of this user key has this name.
    ConfigNotFound = 404, "config_not_found", "There is no such configuration";
    /// The key has no such version any more, or never had.
    VersionNotFound = 404, "version_not_found", "The key has no such version";
    /// The configuration has no schema.
    SchemaNotFound = 404, "schema_not_found", "The configuration has no schema";
    /// None of the caller's sessions has this id.
    SessionNotFound = 404, "session_not_found", "There is no such session";
    /// No such user.
    UserNotFound = 404, "user_not_found", "There is no such user";
    /// Nobody is waiting to be verified under this address.
    NoPendingRegistration = 404, "no_pending_registration", "No registration is pending for this address", kms 400;
    /// The address answers to other methods.
    MethodNotAllowed = 405, "method_not_allowed", "This address does not answer to this method";
    /// The body came too slowly.
    RequestTimeout = 408, "request_timeout", "The request took too long to arrive";
    /// The address has an account, or one is being made.
    UserExists = 409, "user_exists", "There is an account for this address already", kms 400;
    /// The user name is taken.
    UserNameTaken = 409, "user_name_taken", "This user name is taken";
    /// The name has a file.
    FileExists = 409, "file_exists", "There is a file of this name already", kms 400;
    /// The key is there again.
    KeyExists = 409, "key_exists", "There is a key of this name already";
    /// The name has a configuration; the contract calls that a bad request.
    ConfigExists = 409, "config_exists", "There is a configuration of this name already";
    /// Something is kept under this user key already.
    UserKeyInUse = 409, "user_key_in_use", "The new user key has configurations already";
    /// Two configurations would be the same environment variable.
    EnvNamesCollide = 409, "env_names_collide", "Two configurations would be the same environment variable";
    /// A reference in a configuration leads nowhere, round in a circle, or too far.
    ReferenceUnresolved = 409, "reference_unresolved", "A reference in the configuration cannot be resolved";
    /// The content is not what was registered at the KMS as this version of the file.
    VersionUnregistered = 409, "version_unregistered", "This content was not registered as that version of the file";
    /// The present content was asked for, and a later version has been published.
    VersionOutdated = 409, "version_outdated", "A later version of this file has been published";
    /// Something that is kept needs this version of the file key.
    KeyVersionInUse = 409, "key_version_in_use", "Something that is kept needs this version of the file key";
    /// This version of the file key was destroyed.
    KeyVersionDestroyed = 409, "key_version_destroyed", "This version of the file key was destroyed";
    /// The change would leave nobody who can administer.
    LastAdmin = 409, "last_admin", "The last active administrator cannot be removed";
    /// Somebody else changed the same thing meanwhile.
    Conflict = 409, "conflict", "This was changed by somebody else meanwhile";
    /// As many of a kind as one may have are there already.
    LimitReached = 409, "limit_reached", "There are as many of these as are allowed";
    /// The changes after this position are not kept any more.
    ChangesGone = 410, "changes_gone", "The changes after this position are no longer kept";
    /// The key is not what the caller made a condition.
    RevisionMismatch = 412, "revision_mismatch", "The key is not as you expect it";
    /// The file is not what the caller made a condition.
    FileChanged = 412, "file_changed", "The file is not as you expect it";
    /// The body is larger than the limit.
    BodyTooLarge = 413, "body_too_large", "The request body is too large";
    /// The body is not of a type that this address reads.
    UnsupportedMediaType = 415, "unsupported_media_type", "The body must be JSON";
    /// The body is compressed; it must be sent as it is.
    BodyCompressed = 415, "body_compressed", "The body must not be compressed";
    /// The range begins behind the end.
    RangeNotSatisfiable = 416, "range_not_satisfiable", "The file has no such range";
    /// A field is absent or has a value that is not allowed.
    InvalidInput = 422, "invalid_input", "A field is absent or not valid";
    /// The ciphertext was not made for this key.
    UnwrapFailed = 422, "unwrap_failed", "This was not encrypted for this key";
    /// The value is not what the schema of its configuration asks for.
    SchemaMismatch = 422, "schema_mismatch", "The value does not match the schema of its configuration";
    /// Too many attempts; `Retry-After` says when to come back.
    RateLimited = 429, "rate_limited", "Too many attempts; wait before the next one";
    /// A fault of ours; the cause is in our log under the request id.
    Internal = 500, "internal_error", "Internal error";
    /// The service behind the gateway answered in a way that cannot be passed on.
    BadGateway = 502, "bad_gateway", "The service behind this one did not answer properly";
    /// Something that this needs is out of reach or full; `Retry-After` says when to come back.
    Unavailable = 503, "unavailable", "The service is not available at the moment";
    /// The change may or may not have been kept: ask before trying again.
    OutcomeUnknown = 503, "outcome_unknown", "The outcome of the change is not known; look before trying again";
    /// There is no room for more, in the name space or at all.
    StorageFull = 507, "storage_full", "There is no room for more";
}

impl ErrorCode {
    /// Whether this is a fault of ours, whose cause must not leave the server.
    pub const fn is_fault(self) -> bool {
        self.status() >= 500
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_a_text_of_its_own_and_is_found_by_it() {
        let texts: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_text(code.as_str()), Some(*code));
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code}");
            assert!((400..=599).contains(&code.status()), "{code}");
        }
    }

    #[test]
    fn the_kms_contract_keeps_its_own_numbers() {
        assert_eq!(ErrorCode::InvalidSession.kms_contract_code(), 403);
        assert_eq!(ErrorCode::UserExists.kms_contract_code(), 400);
        assert_eq!(ErrorCode::PermissionDenied.kms_contract_code(), 400);
        assert_eq!(ErrorCode::OtpFailed.kms_contract_code(), 401);
        assert_eq!(ErrorCode::RateLimited.kms_contract_code(), 429);
    }
}
