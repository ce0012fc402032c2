//! Becoming a user: asking, and proving the address.
//!
//! A registration waits in the address's partition until its code is entered or has expired. It claims
//! nothing: whoever proves the address gets it. Five wrong tries by whoever asked end the wait, so that a
//! new registration can begin at once; a stranger's wrong tries do not.

use coffer_auth::code::Purpose;
use coffer_auth::password::Password;
use coffer_core::{EmailAddress, Timestamp, UserId, UserName};

use super::account::Account;
use super::client::Client;
use super::codes::{CONFLICTS_MAX, Issue, Issued, Tried};
use super::error::IdentityError;
use super::parts::Identity;
use crate::domain::events::{Action, Event};
use crate::repo::address::{AddressChange, Bucket, Pending};
use crate::repo::user::Profile;

/// What somebody who wants to become a user asks for.
#[derive(Debug)]
pub struct Wish {
    /// The address.
    pub email: EmailAddress,
    /// The password.
    pub password: Password,
    /// A name to be known by.
    pub user_name: Option<UserName>,
}

impl Identity {
    /// Begins a registration and sends its code; says until when that is good.
    pub async fn register(&self, wish: Wish, client: &Client) -> Result<Timestamp, IdentityError> {
        let Wish { email, password, user_name } = wish;
        self.limit_address(&client.place(&self.index)).await?;
        let mut account = self.account(&email, client).await?;
        self.refuse_taken(&account, user_name.as_ref()).await?;
        self.limit_codes_of_address(&account.standing.place).await?;
        self.limit_codes_of_account(&account.hash, &account.standing, Purpose::Registration).await?;

        let password = self.hasher.hash(password).await?;
        for _ in 0..CONFLICTS_MAX {
            let now = self.now();
            let pending = Pending {
                user_id: UserId::make(now, &*self.random),
                password: password.clone(),
                user_name: user_name.clone(),
                created_at: now,
                expires_at: now.plus(self.auth.otp_ttl()),
            };
            let change = AddressChange::new()
                .claim_unchanged(account.state.claim.as_ref())
                .pending_unchanged(None)
                .delete_codes(account.state.codes_for(Purpose::Registration))
                .put_pending(&pending);
            // A new registration makes all codes of an earlier one void.
            account.state.codes.retain(|code| code.value.purpose != Purpose::Registration);
            let issued = self.issue(registration_code(&account, &email, true), change).await?;
            if let Issued::Sent(expires_at) = issued {
                let requested = Action::RegistrationRequested { email: account.hash };
                self.events.record(Event::new(requested).from(&client.origin)).await?;
                return Ok(expires_at);
            }
            account = self.account(&email, client).await?;
            self.refuse_taken(&account, user_name.as_ref()).await?;
        }
        Err(IdentityError::Conflict)
    }

    /// Sends another code for a pending registration. The answer is the same if nothing is pending.
    pub async fn resend_code(
        &self,
        email: &EmailAddress,
        client: &Client,
    ) -> Result<Timestamp, IdentityError> {
        self.limit_address(&client.place(&self.index)).await?;
        let mut account = self.account(email, client).await?;
        self.limit_codes_of_address(&account.standing.place).await?;
        self.limit_codes_of_account(&account.hash, &account.standing, Purpose::Registration).await?;
        for _ in 0..CONFLICTS_MAX {
            let expires_at = self.now().plus(self.auth.otp_ttl());
            let Some(pending) = &account.state.pending else { return Ok(expires_at) };
            let longer = Pending { expires_at, ..pending.value.clone() };
            let change = AddressChange::new().pending_unchanged(Some(pending)).put_pending(&longer);
            let began = account.began_registration();
            match self.issue(registration_code(&account, email, began), change).await? {
                Issued::Sent(_) | Issued::NoRoom => return Ok(expires_at),
                Issued::Conflict => account = self.account(email, client).await?,
            }
        }
        Err(IdentityError::Conflict)
    }

    /// Completes a registration by its code.
    pub async fn verify_registration(
        &self,
        email: &EmailAddress,
        code: &str,
        client: &Client,
    ) -> Result<Profile, IdentityError> {
        self.limit_address(&client.place(&self.index)).await?;
        let mut account = self.account(email, client).await?;
        let counted = self.limit_try(&account, Purpose::Registration).await?;
        let tried = self.try_code(&mut account, Purpose::Registration, code).await?;
        if account.state.pending.is_none() && account.state.codes_for(Purpose::Registration).next().is_none()
        {
            return Err(IdentityError::NoPendingRegistration);
        }
        let Tried::Right(code) = tried else {
            self.end_if_exhausted(&account).await?;
            return Err(self.refuse_code(&account, Purpose::Registration, client).await?);
        };
        let profile = self.complete_registration(&mut account, email, &code).await?;
        self.take_back_try(counted).await?;
        self.remember_address(profile.id, client).await?;
        let registered = Event::new(Action::Registered).by_user(profile.id).from(&client.origin);
        self.events.record(registered).await?;
        Ok(profile)
    }

    pub(super) async fn refuse_taken(
        &self,
        account: &Account,
        name: Option<&UserName>,
    ) -> Result<(), IdentityError> {
        if account.profile.is_some() || account.state.pending.is_some() {
            return Err(IdentityError::UserExists);
        }
        match name {
            Some(name) if self.name_is_taken(name).await? => Err(IdentityError::UserNameTaken),
            _ => Ok(()),
        }
    }

    /// Ends a registration whose every code is used up for whoever asked for it. The codes stay, used up,
    /// so that trying them goes on to be answered as a wrong try.
    async fn end_if_exhausted(&self, account: &Account) -> Result<(), IdentityError> {
        let mut codes = account.state.codes_for(Purpose::Registration);
        if codes.any(|code| code.value.is_open_to(Bucket::Requester)) {
            return Ok(());
        }
        let change = AddressChange::new().pending_unchanged(account.state.pending.as_ref()).delete_pending();
        // If something changed meanwhile, there is a new code, and the registration goes on.
        self.addresses.commit(&account.hash, change).await?;
        Ok(())
    }
}

/// The code of a registration; `began` says whether whoever asks also began the registration.
fn registration_code<'a>(account: &'a Account, email: &'a EmailAddress, began: bool) -> Issue<'a> {
    Issue {
        purpose: Purpose::Registration,
        account: &account.hash,
        state: &account.state,
        to: email,
        requester: account.standing.requester(began),
    }
}
