//! Between wire types and the domain's.

use coffer_api::contract::kms::OTP_BYTES_MAX;
use coffer_api::identity::{NewSession, Session, User};
use coffer_api::{SessionHash, WireSecret};
use coffer_auth::password::Password;
use coffer_core::EmailAddress;
use coffer_server::Failure;

use crate::domain::identity::{OpenedSession, SessionView};
use crate::repo::user::Profile;

pub(in crate::routes) fn user(profile: Profile) -> User {
    User {
        id: profile.id,
        number: profile.number,
        email: profile.email.as_str().to_owned(),
        verified: profile.verified,
        user_name: profile.user_name.map(|name| name.as_str().to_owned()),
        role: profile.role,
        active: profile.active,
        created_at: profile.created_at,
    }
}

pub(in crate::routes) fn new_session(opened: OpenedSession) -> NewSession {
    NewSession {
        token: opened.token.into(),
        expires_at: opened.expires_at,
        device: opened.device.map(WireSecret::from),
        user: user(opened.user),
    }
}

pub(in crate::routes) fn session(view: SessionView, current: &SessionHash) -> Session {
    Session {
        id: view.session.to_string(),
        current: view.session == *current,
        amr: view.stored.amr,
        created_at: view.stored.created_at,
        last_used_at: view.stored.last_used_at,
        expires_at: view.stored.expires_at,
        address: view.stored.address,
    }
}

pub(in crate::routes) fn email(text: &str) -> Result<EmailAddress, Failure> {
    text.parse().map_err(|error: coffer_core::EmailError| Failure::field("email", error.to_string()))
}

/// A one-time code that somebody tries: any text that could be one.
pub(in crate::routes) fn code(text: &WireSecret) -> Result<&str, Failure> {
    match text.expose() {
        "" => Err(Failure::field("code", "must not be empty")),
        long if long.len() > OTP_BYTES_MAX => Err(Failure::field("code", "is too long")),
        text => Ok(text),
    }
}

/// A password that somebody tries.
pub(in crate::routes) fn password(field: &'static str, text: WireSecret) -> Result<Password, Failure> {
    Password::new(text.into_secret()).map_err(|error| Failure::field(field, error.to_string()))
}

/// A password that is to become somebody's.
pub(in crate::routes) fn new_password(field: &'static str, text: WireSecret) -> Result<Password, Failure> {
    Password::new_for_account(text.into_secret()).map_err(|error| Failure::field(field, error.to_string()))
}
