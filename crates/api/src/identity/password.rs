//! Changing a password, and getting back in without one.

use coffer_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::secret::WireSecret;

/// Changes the caller's password and ends all other sessions.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password so far.
    #[schema(value_type = String, format = Password, max_length = 72)]
    pub current_password: WireSecret,
    /// The new one: at least 10 characters, at most 72 bytes of UTF-8.
    #[schema(value_type = String, format = Password, min_length = 10, max_length = 72)]
    pub new_password: WireSecret,
}

/// Asks for a code that allows a new password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestReset {
    /// The e-mail address.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
}

/// If the address has an account, a code is on its way. The answer is the same if it has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResetRequested {
    /// Until when a code can be used (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub code_expires_at: Timestamp,
}

/// Sets a new password by code and ends all sessions.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyReset {
    /// The e-mail address.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// The six digits from the mail.
    #[schema(value_type = String, pattern = "^[1-9][0-9]{5}$")]
    pub code: WireSecret,
    /// The new password: at least 10 characters, at most 72 bytes of UTF-8.
    #[schema(value_type = String, format = Password, min_length = 10, max_length = 72)]
    pub new_password: WireSecret,
}
