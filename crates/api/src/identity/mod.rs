//! The KMS's native surface for people: registering, logging in, sessions, passwords, and the
//! administration of users.
//!
//! Names, addresses and codes are plain text here, so that a service can say which field is wrong;
//! their rules are [`coffer_core::EmailAddress`]'s and [`coffer_core::UserName`]'s.

mod event;
mod password;
mod registration;
mod session;
mod user;

pub use event::{Event, EventPage, EventQuery};
pub use password::{ChangePassword, RequestReset, ResetRequested, VerifyReset};
pub use registration::{Register, Registered, RegistrationPending, ResendCode, VerifyRegistration};
pub use session::{
    Amr, CookieLogIn, CookieSession, EndedSessions, LogIn, LogInAnswer, NewSession, Session, SessionList,
    VerifyLogIn,
};
pub use user::{Me, Role, User, UserChange, UserPage, UserQuery};

/// `POST` [`Register`] → 202 [`RegistrationPending`].
pub const REGISTRATIONS: &str = "/api/v1/registrations";
/// `POST` [`VerifyRegistration`] → 201 [`Registered`].
pub const REGISTRATIONS_VERIFY: &str = "/api/v1/registrations/verify";
/// `POST` [`ResendCode`] → 202 [`RegistrationPending`], whether or not anything is pending.
pub const REGISTRATIONS_CODE: &str = "/api/v1/registrations/code";
/// `POST` [`LogIn`] → 200 [`LogInAnswer`]; `GET` → [`SessionList`]; `DELETE` ends all the caller's
/// sessions → [`EndedSessions`].
pub const SESSIONS: &str = "/api/v1/sessions";
/// `POST` [`VerifyLogIn`] → 201 [`NewSession`].
pub const SESSIONS_VERIFY: &str = "/api/v1/sessions/verify";
/// `DELETE` ends the session that the request is made with → 204.
pub const SESSIONS_CURRENT: &str = "/api/v1/sessions/current";
/// `DELETE` with [`Session::id`] for `{id}` ends one of the caller's sessions → 204.
pub const SESSION: &str = "/api/v1/sessions/{id}";
/// `GET` → [`Me`].
pub const ME: &str = "/api/v1/me";
/// `POST` [`ChangePassword`] → 204.
pub const PASSWORD: &str = "/api/v1/password";
/// `POST` [`RequestReset`] → 202 [`ResetRequested`], whether or not the address has an account.
pub const PASSWORD_RESET: &str = "/api/v1/password/reset";
/// `POST` [`VerifyReset`] → 204.
pub const PASSWORD_RESET_VERIFY: &str = "/api/v1/password/reset/verify";
/// `GET` with [`UserQuery`] → [`UserPage`]; administrators only.
pub const USERS: &str = "/api/v1/users";
/// `PATCH` [`UserChange`] with a user id for `{id}` → [`User`]; administrators only.
pub const USER: &str = "/api/v1/users/{id}";
/// `GET` with [`EventQuery`] → [`EventPage`]; administrators only.
pub const EVENTS: &str = "/api/v1/events";

/// The path of one session.
pub fn session_path(id: &str) -> String {
    format!("{SESSIONS}/{id}")
}

/// The path of one user.
pub fn user_path(id: coffer_core::UserId) -> String {
    format!("{USERS}/{id}")
}

#[cfg(test)]
mod tests;
