//! Identity on the gateway's contracts: registering, logging in and seeing users by name.
//!
//! `/register` and `/login` answer HTTP 200 whatever came of it; see [`Outcome`].

use std::borrow::Cow;

use coffer_core::limits::{EMAIL_BYTES_MAX, PASSWORD_BYTES_MAX};
use coffer_core::{EmailAddress, UserName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::kms::OTP_BYTES_MAX;
use super::validation::{Field, Request, Violation};
use crate::{Role, WireSecret};

/// `POST` [`Register`] → [`Outcome`].
pub const REGISTER: &str = "/register";
/// `POST` [`Proof`] → [`Outcome`]: completes a registration by its code.
pub const VERIFY_REGISTER: &str = "/verify_register";
/// `POST` [`LogIn`] → [`Outcome`].
pub const LOGIN: &str = "/login";
/// `POST` [`Proof`] → [`Outcome`]: completes a log-in by its code.
pub const VERIFY_LOGIN: &str = "/verify_login";
/// `POST` → [`LoggedOut`].
pub const LOGOUT: &str = "/logout";
/// `GET` → [`MeAnswer`].
pub const ME: &str = "/me";
/// `GET` → [`UsersAnswer`]; administrators and managers only.
pub const USERS: &str = "/users";
/// `GET` → [`About`].
pub const ABOUT: &str = "/api";

/// Body of `/register`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Register {
    /// The name to be known by.
    #[schema(value_type = String, max_length = 64)]
    pub username: UserName,
    /// The address.
    #[schema(value_type = String, format = Email)]
    pub email: EmailAddress,
    /// The password, 1 to 72 bytes.
    #[schema(value_type = String)]
    pub password: WireSecret,
}

/// Body of `/login`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LogIn {
    /// The user name; an e-mail address will do as well.
    pub username: String,
    /// The password.
    #[schema(value_type = String)]
    pub password: WireSecret,
}

/// Body of `/verify_register` and `/verify_login`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Proof {
    /// The user name; an e-mail address will do as well.
    pub username: String,
    /// The code from the e-mail, as text.
    #[schema(value_type = String)]
    pub otp: WireSecret,
}

fn check_user_name(text: &str) -> Result<(), Violation> {
    text.parse::<UserName>().map(drop).map_err(|error| Violation::value(&error.to_string()))
}

fn check_email(text: &str) -> Result<(), Violation> {
    text.parse::<EmailAddress>().map(drop).map_err(|error| Violation::value(&error.to_string()))
}

fn check_length(text: &str, bytes_max: usize) -> Result<(), Violation> {
    match text.len() {
        0 => Err(Violation::too_short()),
        length if length > bytes_max => Err(Violation::too_long(bytes_max, "bytes")),
        _ => Ok(()),
    }
}

fn check_login(text: &str) -> Result<(), Violation> {
    check_length(text, EMAIL_BYTES_MAX)
}

fn check_password(text: &str) -> Result<(), Violation> {
    check_length(text, PASSWORD_BYTES_MAX)
}

fn check_otp(text: &str) -> Result<(), Violation> {
    check_length(text, OTP_BYTES_MAX)
}

const LOGIN_FIELD: Field = Field::text("username", check_login);
const PASSWORD_FIELD: Field = Field::text("password", check_password).secret();

impl Request for Register {
    const FIELDS: &'static [Field] =
        &[Field::text("username", check_user_name), Field::text("email", check_email), PASSWORD_FIELD];
}

impl Request for LogIn {
    const FIELDS: &'static [Field] = &[LOGIN_FIELD, PASSWORD_FIELD];
}

impl Request for Proof {
    const FIELDS: &'static [Field] = &[LOGIN_FIELD, Field::text("otp", check_otp).secret()];
}

/// A role, as these contracts call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContractRole {
    /// Manages users and sees everybody's figures.
    Admin,
    /// Sees users.
    Manager,
    /// Everybody else.
    User,
}

impl From<Role> for ContractRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::Supervisor => Self::Manager,
            Role::Employee | Role::Contractor => Self::User,
        }
    }
}

/// Who has logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoggedInUser {
    /// The user's number.
    pub id: u64,
    /// The user name; the address of who has none.
    pub username: String,
    /// The address.
    pub email: String,
    /// The role.
    pub role: ContractRole,
}

/// What came of registering or logging in; the HTTP status is 200 all the same.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// Whether it was done.
    pub success: bool,
    /// What was done, or why not.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
    /// The session's token, after a log-in.
    #[schema(value_type = Option<String>)]
    pub session_token: Option<WireSecret>,
    /// The user, after a log-in.
    pub user: Option<LoggedInUser>,
}

impl Outcome {
    /// It was done, and there is no session yet.
    pub const fn done(message: &'static str) -> Self {
        Self { success: true, message: Cow::Borrowed(message), session_token: None, user: None }
    }

    /// It was not done.
    pub const fn refused(message: &'static str) -> Self {
        Self { success: false, message: Cow::Borrowed(message), session_token: None, user: None }
    }

    /// `/login`, `/verify_login`: the session is open.
    pub fn logged_in(token: WireSecret, user: LoggedInUser) -> Self {
        Self { session_token: Some(token), user: Some(user), ..Self::done("Login successful") }
    }
}

/// Answer of `/logout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LoggedOut {
    /// Always.
    pub success: bool,
    /// `Logged out successfully`.
    pub message: &'static str,
}

/// Answer of `/me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeAnswer {
    /// Who the caller is.
    pub user: MeUser,
}

/// Who the caller is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeUser {
    /// The user's number.
    pub user_id: u64,
    /// The user name; the address of who has none.
    pub username: String,
    /// The address.
    pub email: String,
    /// The role.
    pub role: ContractRole,
    /// When the session ends at the latest: `YYYY-MM-DD HH:MM:SS.ffffff`, UTC.
    pub expires_at: String,
}

/// Answer of `/users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsersAnswer {
    /// Every user, by number.
    pub users: Vec<ListedUser>,
}

/// A user, as others see him.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedUser {
    /// The user's number.
    pub id: u64,
    /// The user name; the address of who has none.
    pub username: String,
    /// The address.
    pub email: String,
    /// The role.
    pub role: ContractRole,
    /// When the user was made: `YYYY-MM-DD HH:MM:SS`, UTC.
    pub created_at: String,
    /// When the user last logged in, in the same form.
    pub last_login: Option<String>,
    /// Whether the user may log in.
    pub is_active: bool,
}

/// Answer of `/api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct About {
    /// What this is.
    pub message: &'static str,
    /// Its version.
    pub version: &'static str,
}
