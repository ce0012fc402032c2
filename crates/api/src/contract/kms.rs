//! The KMS's side of the file contract. Every application answer is HTTP 200; see [`Answer`].

use std::borrow::Cow;

use coffer_core::limits::PASSWORD_BYTES_MAX;
use coffer_core::{EmailAddress, FileName};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use utoipa::ToSchema;

use super::validation::{Field, Request, Violation};
use crate::WireSecret;

/// Longest text that is looked at as a one-time code.
pub const OTP_BYTES_MAX: usize = 64;

/// Body of `/register` and `/login`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Credentials {
    /// The address.
    #[schema(value_type = String)]
    pub email: EmailAddress,
    /// The password, 1 to 72 bytes.
    #[serde(deserialize_with = "password")]
    #[schema(value_type = String)]
    pub password: WireSecret,
}

/// Body of `/verify_register` and `/verify_login`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OtpProof {
    /// The address.
    #[schema(value_type = String)]
    pub email: EmailAddress,
    /// The code, as text.
    #[serde(deserialize_with = "otp")]
    #[schema(value_type = String)]
    pub otp: WireSecret,
}

/// Body of `/get_public_key` and `/get_private_key`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct KeyRequest {
    /// The file.
    #[schema(value_type = String)]
    pub file_name: FileName,
    /// Whose file is meant, where several users have one of this name.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub owner: Option<EmailAddress>,
}

/// Body of `/grant_access`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct GrantRequest {
    /// The caller's file.
    #[schema(value_type = String)]
    pub file_name: FileName,
    /// Who may read it from now on.
    #[schema(value_type = String)]
    pub friend_email: EmailAddress,
}

fn check_email(text: &str) -> Result<(), Violation> {
    text.parse::<EmailAddress>().map(drop).map_err(|error| Violation::value(&error.to_string()))
}

fn check_file_name(text: &str) -> Result<(), Violation> {
    text.parse::<FileName>().map(drop).map_err(|error| Violation::value(&error.to_string()))
}

fn check_length(text: &str, bytes_max: usize) -> Result<(), Violation> {
    match text.len() {
        0 => Err(Violation::too_short()),
        length if length > bytes_max => Err(Violation::too_long(bytes_max, "bytes")),
        _ => Ok(()),
    }
}

fn check_password(text: &str) -> Result<(), Violation> {
    check_length(text, PASSWORD_BYTES_MAX)
}

fn check_otp(text: &str) -> Result<(), Violation> {
    check_length(text, OTP_BYTES_MAX)
}

fn checked<'de, D: Deserializer<'de>>(
    deserializer: D,
    check: fn(&str) -> Result<(), Violation>,
) -> Result<WireSecret, D::Error> {
    let secret = WireSecret::deserialize(deserializer)?;
    check(secret.expose()).map_err(|violation| D::Error::custom(violation.kind))?;
    Ok(secret)
}

fn password<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WireSecret, D::Error> {
    checked(deserializer, check_password)
}

fn otp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WireSecret, D::Error> {
    checked(deserializer, check_otp)
}

const EMAIL: Field = Field::text("email", check_email);
const FILE_NAME: Field = Field::text("file_name", check_file_name);

impl Request for Credentials {
    const FIELDS: &'static [Field] = &[EMAIL, Field::text("password", check_password).secret()];
}

impl Request for OtpProof {
    const FIELDS: &'static [Field] = &[EMAIL, Field::text("otp", check_otp).secret()];
}

impl Request for KeyRequest {
    const FIELDS: &'static [Field] = &[FILE_NAME, Field::text("owner", check_email).optional()];
}

impl Request for GrantRequest {
    const FIELDS: &'static [Field] = &[FILE_NAME, Field::text("friend_email", check_email)];
}

/// Every application answer of the KMS's contract.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// The outcome as a number; the HTTP status is 200 all the same.
    pub code: u16,
    /// The outcome's name.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
    /// The session token, after a log-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub sid: Option<WireSecret>,
    /// Base64 of a PEM `SubjectPublicKeyInfo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_public_key: Option<String>,
    /// Base64 of a PEM PKCS#1 private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub kms_private_key: Option<WireSecret>,
}

impl Answer {
    const fn ok(message: &'static str) -> Self {
        let message = Cow::Borrowed(message);
        Self { code: 200, message, sid: None, kms_public_key: None, kms_private_key: None }
    }

    /// `/register`: a code is on its way.
    pub const fn registration_pending() -> Self {
        Self::ok("registration_pending")
    }

    /// `/verify_register`: the account exists.
    pub const fn registration_success() -> Self {
        Self::ok("registration_success")
    }

    /// `/login`: a code is on its way.
    pub const fn login_otp_sent() -> Self {
        Self::ok("login_otp_sent")
    }

    /// `/verify_login`: the session is open.
    pub fn login_success(sid: impl Into<WireSecret>) -> Self {
        Self { sid: Some(sid.into()), ..Self::ok("login_success") }
    }

    /// `/get_public_key`: the file has a key.
    pub fn public_key_saved(kms_public_key: String) -> Self {
        Self { kms_public_key: Some(kms_public_key), ..Self::ok("public_key_saved") }
    }

    /// `/get_private_key`: the private half.
    pub fn private_key_retrieved(kms_private_key: impl Into<WireSecret>) -> Self {
        Self { kms_private_key: Some(kms_private_key.into()), ..Self::ok("private_key_retrieved") }
    }

    /// `/grant_access`: the friend may read from now on.
    pub const fn grant_success() -> Self {
        Self::ok("grant_success")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_over_what_bcrypt_reads_is_refused() {
        let body =
            |length: usize| format!(r#"{{"email":"a@example.com","password":"{}"}}"#, "p".repeat(length));
        assert!(serde_json::from_str::<Credentials>(&body(72)).is_ok());
        assert!(serde_json::from_str::<Credentials>(&body(73)).is_err());
        assert_eq!(check_password(&"p".repeat(73)).unwrap_err().kind, "string_too_long");
    }

    #[test]
    fn an_answer_has_only_the_fields_of_its_outcome() {
        let json = |answer: Answer| serde_json::to_value(answer).unwrap();
        let pending = serde_json::json!({ "code": 200, "message": "registration_pending" });
        assert_eq!(json(Answer::registration_pending()), pending);
        let success = serde_json::json!({ "code": 200, "message": "login_success", "sid": "s" });
        assert_eq!(json(Answer::login_success("s")), success);
    }
}
