//! The KMS over HTTP, as the domain's port.

use std::net::IpAddr;

use async_trait::async_trait;
use coffer_api::AddressHash;
use coffer_api::identity::{Me, NewSession, User};
use coffer_api::internal::users::{
    ListedUsers, NamedCode, NamedLogIn, NamedLoggedIn, NamedRegistered, NamedRegistration, SessionEnd,
    UserListing,
};
use coffer_client::ClientError;
use coffer_core::{EmailAddress, UserId};
use coffer_kms_link::{KmsError, RemoteKms};

use crate::domain::kms::{AskError, Refusal, UserKms};

/// What a client's error means: a refusal is an answer, anything else is none.
fn meaning(doing: &'static str) -> impl FnOnce(ClientError) -> AskError {
    move |error| match &error {
        ClientError::Refused(refusal) if refusal.status < 500 => match refusal.code {
            Some(code) => AskError::Refused(Refusal {
                code,
                fields: refusal.errors.clone(),
                retry_after_s: refusal
                    .retry_after
                    .map(|wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX)),
            }),
            None => KmsError::of(doing)(error).into(),
        },
        _ => KmsError::of(doing)(error).into(),
    }
}

#[async_trait]
impl UserKms for RemoteKms {
    async fn register(&self, wish: &NamedRegistration) -> Result<NamedRegistered, AskError> {
        self.client().register(wish).await.map_err(meaning("registering somebody"))
    }

    async fn verify_registration(&self, code: &NamedCode) -> Result<User, AskError> {
        self.client().verify_registration(code).await.map_err(meaning("completing a registration"))
    }

    async fn log_in(&self, log_in: &NamedLogIn) -> Result<NamedLoggedIn, AskError> {
        self.client().log_in(log_in).await.map_err(meaning("logging somebody in"))
    }

    async fn verify_log_in(&self, code: &NamedCode) -> Result<NewSession, AskError> {
        self.client().verify_log_in(code).await.map_err(meaning("completing a log-in"))
    }

    async fn log_out(&self, token: &str, client: IpAddr) -> Result<(), AskError> {
        let end = SessionEnd { token: token.into(), client };
        self.client().log_out(&end).await.map_err(meaning("ending a session"))
    }

    async fn me(&self, token: &str) -> Result<Option<Me>, AskError> {
        self.client().me(token).await.map_err(meaning("telling who somebody is"))
    }

    async fn users(&self, token: &str, after: u64) -> Result<ListedUsers, AskError> {
        let listing = UserListing { token: token.into(), after };
        self.client().list_users(&listing).await.map_err(meaning("listing users"))
    }

    async fn user_facts(&self, ids: &[UserId]) -> Result<Vec<User>, AskError> {
        self.client().user_facts(ids.to_vec()).await.map_err(meaning("telling who users are"))
    }

    async fn blind_address(&self, email: &EmailAddress) -> Result<AddressHash, AskError> {
        self.client().blind_address(email.clone()).await.map_err(meaning("blinding an address"))
    }

    async fn address_owner(&self, email: &EmailAddress) -> Result<Option<UserId>, AskError> {
        self.client().address_owner(email.clone()).await.map_err(meaning("finding whose an address is"))
    }
}
