//! Getting back in without a password, by a code.
//!
//! The request is answered before anything is looked up: the answer, and how long it takes, are the same
//! for every address. What follows runs behind it, bounded; a request beyond the bound is dropped, as a
//! lost mail would be, and the user asks again.

use std::sync::Arc;

use coffer_auth::code::Purpose;
use coffer_auth::password::Password;
use coffer_core::{EmailAddress, Timestamp};

use super::client::Client;
use super::codes::{CONFLICTS_MAX, Issue, Issued, Tried};
use super::error::IdentityError;
use super::parts::Identity;
use crate::domain::events::{Action, Event};
use crate::repo::address::AddressChange;

impl Identity {
    /// Asks for a code that sets a new password; says until when one would be good.
    pub async fn request_reset(
        self: &Arc<Self>,
        email: EmailAddress,
        client: Client,
    ) -> Result<Timestamp, IdentityError> {
        let place = client.place(&self.index);
        self.limit_address(&place).await?;
        self.limit_codes_of_address(&place).await?;
        let expires_at = self.now().plus(self.auth.otp_ttl());
        if let Ok(permit) = Arc::clone(&self.behind).try_acquire_owned() {
            let identity = Arc::clone(self);
            tokio::spawn(async move {
                let _permit = permit;
                match identity.send_reset_code(&email, &client).await {
                    Ok(()) | Err(IdentityError::RateLimited { .. }) => {}
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "a reset code was not sent");
                    }
                }
            });
        }
        Ok(expires_at)
    }

    /// Sends a code that sets a new password, if the address has a user who may log in.
    pub(super) async fn send_reset_code(
        &self,
        email: &EmailAddress,
        client: &Client,
    ) -> Result<(), IdentityError> {
        let mut account = self.account(email, client).await?;
        self.limit_codes_of_account(&account.hash, &account.standing, Purpose::Reset).await?;
        for _ in 0..CONFLICTS_MAX {
            if account.usable().is_none() {
                return Ok(());
            }
            let issue = Issue {
                purpose: Purpose::Reset,
                account: &account.hash,
                state: &account.state,
                to: email,
                requester: account.standing.requester(false),
            };
            if self.issue(issue, AddressChange::new()).await? != Issued::Conflict {
                let sent = Event::new(Action::CodeSent { purpose: Purpose::Reset, email: account.hash });
                return Ok(self.events.record(sent.from(&client.origin)).await?);
            }
            account.state = self.addresses.load(&account.hash).await?;
        }
        Err(IdentityError::Conflict)
    }

    /// Sets a new password by code and ends all sessions.
    pub async fn reset_password(
        &self,
        (email, code): (&EmailAddress, &str),
        new: Password,
        client: &Client,
    ) -> Result<(), IdentityError> {
        self.limit_address(&client.place(&self.index)).await?;
        let mut account = self.account(email, client).await?;
        let counted = self.limit_try(&account, Purpose::Reset).await?;
        let tried = self.try_code(&mut account, Purpose::Reset, code).await?;
        let usable = account.usable().cloned();
        let (Tried::Right(code), Some(user)) = (tried, usable) else {
            return Err(self.refuse_code(&account, Purpose::Reset, client).await?);
        };
        // Hashed before the code is used up: an overloaded moment must not cost the code.
        let hash = self.hasher.hash(new).await?;
        if !self.use_up(&account, &code).await? {
            return Err(self.refuse_code(&account, Purpose::Reset, client).await?);
        }
        self.take_back_try(counted).await?;
        self.set_password(&user.value, hash).await?;
        self.remember_address(user.value.id, client).await?;
        let reset = Event::new(Action::PasswordReset).by_user(user.value.id).from(&client.origin);
        Ok(self.events.record(reset).await?)
    }
}
