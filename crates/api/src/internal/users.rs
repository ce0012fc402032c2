//! Users, as the gateway asks the KMS about them: becoming one and logging in under a user name, who the
//! caller is, and whose an address is.
//!
//! Only the gateway may ask. It says for whom it asks by `client`, the network address that it saw, so that
//! limits count the person and not the gateway.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use coffer_core::{EmailAddress, EmailError, Timestamp, UserId, UserName, UserNameError};
use serde::{Deserialize, Serialize};

use crate::identity::{Me, NewSession, User};
use crate::{AddressHash, WireSecret};

/// Most users that are asked about at once.
pub const USERS_MAX: usize = 100;

/// What somebody is called at a log-in: a user name, or an e-mail address, which no user name looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Login {
    /// A user name.
    Name(UserName),
    /// An e-mail address.
    Email(EmailAddress),
}

/// Why a text is no [`Login`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginError {
    /// It has an `@` and is no address.
    Email(EmailError),
    /// It has none and is no user name.
    Name(UserNameError),
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(error) => error.fmt(f),
            Self::Name(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoginError {}

impl FromStr for Login {
    type Err = LoginError;

    fn from_str(text: &str) -> Result<Self, LoginError> {
        if text.contains('@') {
            text.parse().map(Self::Email).map_err(LoginError::Email)
        } else {
            text.parse().map(Self::Name).map_err(LoginError::Name)
        }
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_str()),
            Self::Email(email) => f.write_str(email.as_str()),
        }
    }
}

impl From<Login> for String {
    fn from(login: Login) -> Self {
        login.to_string()
    }
}

impl TryFrom<String> for Login {
    type Error = LoginError;

    fn try_from(text: String) -> Result<Self, LoginError> {
        text.parse()
    }
}

/// Asks for an account with a user name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedRegistration {
    /// The name.
    pub user_name: UserName,
    /// The address.
    pub email: EmailAddress,
    /// The password.
    pub password: WireSecret,
    /// Who asks.
    pub client: IpAddr,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedRegistered {
    /// A code is on its way to the address, good until then.
    Pending(Timestamp),
    /// The account exists; its address is not proved.
    Registered(User),
}

/// Logs in with a password.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedLogIn {
    /// Who.
    pub login: Login,
    /// The password.
    pub password: WireSecret,
    /// Who asks.
    pub client: IpAddr,
}

/// A code for a registration or a log-in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedCode {
    /// Who.
    pub login: Login,
    /// The code.
    pub code: WireSecret,
    /// Who asks.
    pub client: IpAddr,
}

/// What a password leads to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedLoggedIn {
    /// A code is on its way to the user's address, good until then.
    OtpRequired(Timestamp),
    /// A session.
    Opened(Box<NewSession>),
    /// The password is right, and an administrator has shut the user out.
    Deactivated,
}

/// Ends the session that a token opens.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionEnd {
    /// The session token as the user sent it.
    pub token: WireSecret,
    /// Who asks.
    pub client: IpAddr,
}

/// Who a session's user is; nobody if the session has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeAnswer {
    /// The user and the session.
    pub me: Option<Me>,
}

/// Asks for a page of all users, for a caller who may see them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserListing {
    /// The session token of the administrator or supervisor who asks.
    pub token: WireSecret,
    /// `next` of the page before; 0 asks for the first.
    pub after: u64,
}

/// A page of users, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedUsers {
    /// The users.
    pub items: Vec<ListedUser>,
    /// Where to go on, unless this is the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// A user and the last log-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedUser {
    /// The user.
    pub user: User,
    /// When a session was last opened, if one ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<Timestamp>,
}

/// Asks who users are; at most [`USERS_MAX`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserFacts {
    /// The users' ids.
    pub ids: Vec<UserId>,
}

/// Those of the users who exist, in the order in which they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserFactsAnswer {
    /// The users.
    pub users: Vec<User>,
}

/// Asks about an address.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressQuestion {
    /// The address.
    pub email: EmailAddress,
}

/// An address as grants know it. Says nothing about whether anybody has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlindedAddress {
    /// The address, blinded.
    pub address_hash: AddressHash,
}

/// Whose an address is. Who asks must answer its own caller alike whether or not it is anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressOwner {
    /// The user who proved the address.
    pub user_id: Option<UserId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_name_by_its_at_sign() {
        assert!(matches!("ann".parse(), Ok(Login::Name(_))));
        assert!(matches!("Ann@Example.com".parse(), Ok(Login::Email(_))));
        for wrong in ["", "ann@", "a b", "@"] {
            assert!(wrong.parse::<Login>().is_err(), "{wrong:?}");
        }
        let json = serde_json::to_value("ann".parse::<Login>().unwrap()).unwrap();
        assert_eq!(serde_json::from_value::<Login>(json).unwrap(), "ann".parse().unwrap());
    }
}
