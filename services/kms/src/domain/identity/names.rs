//! Users who are known by name: the key-value contract registers and logs in by one.
//!
//! A name says as little as an address does: looking one up costs the same whether or not anybody has it,
//! tries by name count together with tries by the address of whoever has it, and only registering tells
//! that a name is taken.
//!
//! Where `auth.email_otp` is `optional`, a registration by name makes the user at once and proves nothing.
//! Such a user's claim on the address is an unverified one: it yields to whoever proves the address, nothing
//! can be granted to him by it, and no other surface finds him by it. The first code that he enters
//! proves it.

use coffer_api::internal::users::Login;
use coffer_auth::code::Purpose;
use coffer_auth::password::Password;
use coffer_core::{EmailAddress, Timestamp, UserId, UserName};

use super::account::Account;
use super::client::Client;
use super::codes::CONFLICTS_MAX;
use super::creation::Proved;
use super::error::IdentityError;
use super::log_in::{LogInOutcome, OpenedSession};
use super::parts::Identity;
use super::registration::Wish;
use crate::config::EmailOtp;
use crate::domain::events::{Action, Event};
use crate::repo::address::{AddressChange, Claim, Pending};
use crate::repo::user::Profile;
use crate::repo::user_name::NameWish;

/// What somebody asks for who wants to be known by name.
#[derive(Debug)]
pub struct NamedWish {
    /// The name.
    pub user_name: UserName,
    /// The address.
    pub email: EmailAddress,
    /// The password.
    pub password: Password,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Registered {
    /// A code is on its way, good until then.
    Pending(Timestamp),
    /// The user exists; the address is not proved.
    Made(Box<Profile>),
}

impl Identity {
    /// Registers under a name: at once, or by a code where `auth.email_otp` is `required`.
    pub async fn register_named(
        &self,
        wish: NamedWish,
        client: &Client,
    ) -> Result<Registered, IdentityError> {
        if self.auth.email_otp == EmailOtp::Optional {
            let made = self.register_at_once(wish, client).await?;
            return Ok(Registered::Made(Box::new(made)));
        }
        let NamedWish { user_name, email, password } = wish;
        let wish = Wish { email: email.clone(), password, user_name: Some(user_name.clone()) };
        let expires_at = self.register(wish, client).await?;
        // Should this be lost in a crash, the address still completes the registration.
        let named = NameWish { email: email.clone(), asked_at: self.now() };
        let (name, wished) = ((&*self.index, &user_name), (&self.blind(&email), &named));
        self.names.put_wish(name, wished, expires_at).await?;
        Ok(Registered::Pending(expires_at))
    }

    /// Completes a registration by its code.
    pub async fn verify_named_registration(
        &self,
        login: &Login,
        code: &str,
        client: &Client,
    ) -> Result<Profile, IdentityError> {
        let email = match login {
            Login::Email(email) => Some(email.clone()),
            Login::Name(name) => self.wished_from(name, client).await?,
        };
        if let Some(email) = email {
            return self.verify_registration(&email, code, client).await;
        }
        self.limit_address(&client.place(&self.index)).await?;
        Err(IdentityError::NoPendingRegistration)
    }

    /// The first step of logging in: the password.
    pub async fn log_in_named(
        &self,
        login: &Login,
        password: Password,
        client: &Client,
    ) -> Result<LogInOutcome, IdentityError> {
        self.limit_address(&client.place(&self.index)).await?;
        let account = self.account_of(login, client).await?;
        self.log_in_to(account, password, client).await
    }

    /// The second step of logging in: the code.
    pub async fn verify_log_in_named(
        &self,
        login: &Login,
        code: &str,
        client: &Client,
    ) -> Result<OpenedSession, IdentityError> {
        self.limit_address(&client.place(&self.index)).await?;
        let account = self.account_of(login, client).await?;
        self.verify_log_in_to(account, code, client).await
    }

    /// The address of the registration that whoever asks means: several may wish for one name. His own goes
    /// first, then the newest.
    async fn wished_from(
        &self,
        name: &UserName,
        client: &Client,
    ) -> Result<Option<EmailAddress>, IdentityError> {
        let wishes = self.names.wishes(&self.index, name).await?;
        let place = client.place(&self.index);
        for wish in &wishes {
            let state = self.addresses.load(&self.blind(&wish.email)).await?;
            let mut codes = state.codes_for(Purpose::Registration);
            if codes.any(|code| code.value.requester.address == place.address) {
                return Ok(Some(wish.email.clone()));
            }
        }
        Ok(wishes.into_iter().next().map(|wish| wish.email))
    }

    async fn register_at_once(&self, wish: NamedWish, client: &Client) -> Result<Profile, IdentityError> {
        let NamedWish { user_name, email, password } = wish;
        let place = client.place(&self.index);
        self.limit_address(&place).await?;
        // An account is worth at least as much as a code.
        self.limit_codes_of_address(&place).await?;
        self.refuse_taken(&self.account(&email, client).await?, Some(&user_name)).await?;
        let password = self.hasher.hash(password).await?;
        let proved = Proved { address: false, password: true };
        for _ in 0..CONFLICTS_MAX {
            let account = self.account(&email, client).await?;
            self.refuse_taken(&account, Some(&user_name)).await?;
            let now = self.now();
            let pending = Pending {
                user_id: UserId::make(now, &*self.random),
                password: password.clone(),
                user_name: Some(user_name.clone()),
                created_at: now,
                expires_at: now,
            };
            if self.claim_unproved(&account, pending.user_id).await?
                && let Some(made) = self.make_user((&email, proved), &pending).await?
            {
                self.remember_address(made.id, client).await?;
                let registered = Event::new(Action::Registered).by_user(made.id).from(&client.origin);
                self.events.record(registered).await?;
                return Ok(made);
            }
        }
        Err(IdentityError::Conflict)
    }

    /// Claims an address that nobody has, without proof; `false` if it has changed since it was read.
    async fn claim_unproved(&self, account: &Account, user_id: UserId) -> Result<bool, IdentityError> {
        let read = account.state.claim.as_ref();
        if let Some(claim) = read
            && !self.users.bury(claim.value.user_id).await?
        {
            return Err(IdentityError::UserExists);
        }
        let claim = Claim { user_id, verified: false, claimed_at: self.now() };
        let change = AddressChange::new().claim_unchanged(read).pending_unchanged(None).put_claim(&claim);
        Ok(self.addresses.commit(&account.hash, change).await?)
    }

    /// Notes that a user has entered a code that was sent to his address. The claim goes first, so that a crash in
    /// between leaves a user who may prove it again.
    pub(super) async fn prove_address(
        &self,
        account: &Account,
        user: Profile,
    ) -> Result<Profile, IdentityError> {
        if user.verified {
            return Ok(user);
        }
        for _ in 0..CONFLICTS_MAX {
            let state = self.addresses.load(&account.hash).await?;
            let claim = state.claim.filter(|claim| claim.value.user_id == user.id);
            let claim = claim.ok_or(IdentityError::OtpFailed)?;
            let proved = Claim { verified: true, ..claim.value };
            let change = AddressChange::new().claim_unchanged(Some(&claim)).put_claim(&proved);
            if self.addresses.commit(&account.hash, change).await? {
                return self.change_user(user.id, |now| Profile { verified: true, ..now.clone() }).await;
            }
        }
        Err(IdentityError::Conflict)
    }

    /// When a user last logged in, if he ever did.
    pub async fn last_log_in(&self, user: UserId) -> Result<Option<Timestamp>, IdentityError> {
        Ok(self.users.last_log_in(user).await?)
    }

    /// Who has proved that an address is theirs.
    pub async fn owner_of(&self, email: &EmailAddress) -> Result<Option<UserId>, IdentityError> {
        let state = self.addresses.load(&self.blind(email)).await?;
        Ok(state.claim.filter(|claim| claim.value.verified).map(|claim| claim.value.user_id))
    }
}
