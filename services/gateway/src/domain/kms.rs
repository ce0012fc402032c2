//! What the gateway asks the KMS beyond what every service asks: people.
//!
//! Identity lives in the KMS alone. The gateway passes on what people type and shows what the KMS answers; it
//! says for whom it asks by the network address that it saw.

use std::net::IpAddr;

use async_trait::async_trait;
use coffer_api::identity::{Me, NewSession, User};
use coffer_api::internal::users::{
    ListedUsers, NamedCode, NamedLogIn, NamedLoggedIn, NamedRegistered, NamedRegistration,
};
use coffer_api::{AddressHash, ErrorCode, FieldError};
use coffer_core::{EmailAddress, UserId};
use coffer_kms_link::{Kms, KmsError};

/// The KMS said no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the KMS refuses: {code}")]
pub struct Refusal {
    /// Why.
    pub code: ErrorCode,
    /// The fields that are wrong.
    pub fields: Vec<FieldError>,
    /// When to come back, in seconds.
    pub retry_after_s: Option<u32>,
}

/// Why the KMS did not do what a person asked for.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It did not answer.
    #[error(transparent)]
    Kms(#[from] KmsError),
}

impl AskError {
    /// The code of a refusal.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            Self::Kms(_) => None,
        }
    }
}

/// The KMS, as this service sees it.
#[async_trait]
pub trait UserKms: Kms {
    /// Asks for an account with a user name.
    async fn register(&self, wish: &NamedRegistration) -> Result<NamedRegistered, AskError>;

    /// Completes a registration by its code.
    async fn verify_registration(&self, code: &NamedCode) -> Result<User, AskError>;

    /// The first step of logging in: the password.
    async fn log_in(&self, log_in: &NamedLogIn) -> Result<NamedLoggedIn, AskError>;

    /// The second step of logging in: the code.
    async fn verify_log_in(&self, code: &NamedCode) -> Result<NewSession, AskError>;

    /// Ends the session that `token` opens. One that has ended already is no error.
    async fn log_out(&self, token: &str, client: IpAddr) -> Result<(), AskError>;

    /// Whose session `token` opens.
    async fn me(&self, token: &str) -> Result<Option<Me>, AskError>;

    /// A page of all users with numbers after `after`, for who may see them.
    async fn users(&self, token: &str, after: u64) -> Result<ListedUsers, AskError>;

    /// Who users are; at most [`USERS_MAX`](coffer_api::internal::users::USERS_MAX) at once.
    async fn user_facts(&self, ids: &[UserId]) -> Result<Vec<User>, AskError>;

    /// An address as grants know it. Says nothing about whether anybody has it.
    async fn blind_address(&self, email: &EmailAddress) -> Result<AddressHash, AskError>;

    /// The user who proved an address. Whether there is one must not be told.
    async fn address_owner(&self, email: &EmailAddress) -> Result<Option<UserId>, AskError>;
}
