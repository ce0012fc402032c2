//! Becoming a user.

use coffer_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::User;
use crate::secret::WireSecret;

/// Asks for an account. A code goes to the address; [`VerifyRegistration`] completes it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The e-mail address.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// The password: at least 10 characters, at most 72 bytes of UTF-8.
    #[schema(value_type = String, format = Password, min_length = 10, max_length = 72)]
    pub password: WireSecret,
    /// A name to be known by: 1 to 64 letters, digits, `.`, `_` or `-`; unique without regard to case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub user_name: Option<String>,
}

/// A code is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegistrationPending {
    /// Until when the code can be used (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub code_expires_at: Timestamp,
}

/// Proves that the address is the caller's.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRegistration {
    /// The address that is being registered.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// The six digits from the mail.
    #[schema(value_type = String, pattern = "^[1-9][0-9]{5}$")]
    pub code: WireSecret,
}

/// Asks for another code for a pending registration. Codes sent before stay good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResendCode {
    /// The address that is being registered.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
}

/// The account exists; log in next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Registered {
    /// The new user.
    pub user: User,
}
