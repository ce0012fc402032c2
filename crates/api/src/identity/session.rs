//! Logging in, and the sessions that come of it.

use coffer_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::User;
use crate::secret::WireSecret;

/// The first step of logging in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// The e-mail address.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// The password.
    #[schema(value_type = String, format = Password, max_length = 72)]
    pub password: WireSecret,
    /// [`NewSession::device`] of an earlier log-in from this device. A recognised device has an allowance
    /// of its own, so strangers who guess cannot lock it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub device: Option<WireSecret>,
}

/// What the first step leads to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum LogInAnswer {
    /// A code was sent to the address; go on with [`VerifyLogIn`].
    OtpRequired {
        /// Until when the code can be used (RFC 3339).
        #[schema(value_type = String, format = DateTime)]
        code_expires_at: Timestamp,
    },
    /// Logged in already, with the password alone: only where `auth.email_otp` is `optional`. Such a
    /// session cannot export, unwrap or grant file keys.
    LoggedIn(Box<NewSession>),
}

/// The second step of logging in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyLogIn {
    /// The e-mail address.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// The six digits from the mail.
    #[schema(value_type = String, pattern = "^[1-9][0-9]{5}$")]
    pub code: WireSecret,
    /// As in [`LogIn`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub device: Option<WireSecret>,
}

/// A session that has just been made. The token is shown this once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewSession {
    /// What to send as `Authorization: Bearer` (or `sid`) from now on: 43 characters of base64url.
    #[schema(value_type = String)]
    pub token: WireSecret,
    /// When the session ends at the latest (RFC 3339). It ends earlier when it is not used for an hour.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// What makes this device recognised: keep it beside the token, send it with later log-ins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub device: Option<WireSecret>,
    /// Who is logged in.
    pub user: User,
}

/// What the first step leads to at the gateway, with the header `coffer-session: cookie`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum CookieLogIn {
    /// As in [`LogInAnswer`].
    OtpRequired {
        /// Until when the code can be used (RFC 3339).
        #[schema(value_type = String, format = DateTime)]
        code_expires_at: Timestamp,
    },
    /// As in [`LogInAnswer`]; the token is in a cookie.
    LoggedIn(CookieSession),
}

/// A session whose token is in a cookie that no script can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CookieSession {
    /// When the session ends at the latest (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Who is logged in.
    pub user: User,
}

/// How a session was authenticated (RFC 8176).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Amr {
    /// A password.
    Pwd,
    /// A one-time code from an e-mail.
    Otp,
}

/// A live session of the caller's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The session's public id (not the token): 64 hexadecimal digits.
    pub id: String,
    /// Whether this request was made with it.
    pub current: bool,
    /// How it was authenticated.
    pub amr: Vec<Amr>,
    /// When it was made (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last used, to within a minute.
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Timestamp,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// The network address that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The caller's live sessions, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionList {
    /// The sessions.
    pub items: Vec<Session>,
}

/// All sessions of the caller's have ended, the one that asked included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndedSessions {
    /// How many were live.
    pub ended: usize,
}
