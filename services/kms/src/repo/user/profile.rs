//! Who a user is.

use coffer_api::Role;
use coffer_auth::password::PasswordHash;
use coffer_core::{EmailAddress, Timestamp, UserId, UserName};
use coffer_store::records::{Opened, StoreError, Stored};
use serde::{Deserialize, Serialize};

use crate::repo::address::Versioned;

/// A user.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The user's id.
    pub id: UserId,
    /// A number, unique among users.
    pub number: u64,
    /// The e-mail address.
    pub email: EmailAddress,
    /// Whether the address was proved.
    pub verified: bool,
    /// The user name.
    pub user_name: Option<UserName>,
    /// The role.
    pub role: Role,
    /// Whether the user may log in.
    pub active: bool,
    /// The password; without one only a reset lets the user in.
    pub password: Option<PasswordHash>,
    /// Somebody else than who proved the address may have chosen the password. Until somebody logs in with
    /// it and a code, it opens nothing by itself.
    pub password_unproved: bool,
    /// Sessions of another epoch have ended.
    pub session_epoch: u64,
    /// When the user was made.
    pub created_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ProfileRecord {
    id: UserId,
    number: u64,
    email: EmailAddress,
    verified: bool,
    #[serde(default)]
    user_name: Option<UserName>,
    role: Role,
    active: bool,
    #[serde(default)]
    password_hash: Option<String>,
    #[serde(default)]
    password_unproved: bool,
    session_epoch: u64,
    created_at: Timestamp,
}

impl From<&Profile> for ProfileRecord {
    fn from(profile: &Profile) -> Self {
        Self {
            id: profile.id,
            number: profile.number,
            email: profile.email.clone(),
            verified: profile.verified,
            user_name: profile.user_name.clone(),
            role: profile.role,
            active: profile.active,
            password_hash: profile.password.as_ref().map(|hash| hash.as_str().to_owned()),
            password_unproved: profile.password_unproved,
            session_epoch: profile.session_epoch,
            created_at: profile.created_at,
        }
    }
}

pub(super) fn decode_profile(record: Opened) -> Result<Versioned<Profile>, StoreError> {
    let Stored { value: stored, version, .. } = record.decode::<ProfileRecord>()?;
    let value = Profile {
        id: stored.id,
        number: stored.number,
        email: stored.email,
        verified: stored.verified,
        user_name: stored.user_name,
        role: stored.role,
        active: stored.active,
        password: stored.password_hash.map(PasswordHash::from_stored),
        password_unproved: stored.password_unproved,
        session_epoch: stored.session_epoch,
        created_at: stored.created_at,
    };
    Ok(Versioned { value, version })
}
