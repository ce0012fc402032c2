//! Logging in: the password, then a code.

use coffer_api::{Amr, SessionHash};
use coffer_auth::code::Purpose;
use coffer_auth::password::{Password, Verdict};
use coffer_core::{EmailAddress, SecretString, Timestamp};

use super::account::Account;
use super::client::{Client, Surface};
use super::codes::{CONFLICTS_MAX, Issue, Issued, Tried};
use super::error::IdentityError;
use super::parts::Identity;
use crate::config::EmailOtp;
use crate::domain::events::{Action, Event};
use crate::repo::address::AddressChange;
use crate::repo::user::Profile;

/// A session that has just been opened.
#[derive(Debug)]
pub struct OpenedSession {
    /// The token; shown this once.
    pub token: SecretString,
    /// The session's name.
    pub session: SessionHash,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// The token of a device that was not known before.
    pub device: Option<SecretString>,
    /// Whose it is.
    pub user: Profile,
}

/// What the first step leads to.
#[derive(Debug)]
pub enum LogInOutcome {
    /// A code is on its way, good until then.
    CodeSent(Timestamp),
    /// The password was enough.
    Opened(Box<OpenedSession>),
}

impl Identity {
    /// The first step: the password.
    pub async fn log_in(
        &self,
        email: &EmailAddress,
        password: Password,
        client: &Client,
    ) -> Result<LogInOutcome, IdentityError> {
        self.limit_address(&client.place(&self.index)).await?;
        let account = self.account(email, client).await?;
        self.log_in_to(account, password, client).await
    }

    /// The first step, for an account that was looked up.
    pub(super) async fn log_in_to(
        &self,
        account: Account,
        password: Password,
        client: &Client,
    ) -> Result<LogInOutcome, IdentityError> {
        let counted = self.limit_account(&account.hash, &account.standing, false).await?;
        let profile = self.check_password(&account, password, client).await?;
        self.limiter.take_back(counted).await?;
        let origin = &client.origin;
        self.events.record(Event::new(Action::PasswordAccepted).by_user(profile.id).from(origin)).await?;
        let needs_code = self.auth.email_otp == EmailOtp::Required || profile.password_unproved;
        if !needs_code && client.surface != Surface::Contract {
            let opened = self.open_session(profile, vec![Amr::Pwd], client).await?;
            return Ok(LogInOutcome::Opened(Box::new(opened)));
        }
        if !account.may_prove(profile.id) {
            return Err(IdentityError::LogInFailed);
        }
        self.limit_codes_of_account(&account.hash, &account.standing, Purpose::LogIn).await?;
        self.send_log_in_code(account, &profile.email, client).await.map(LogInOutcome::CodeSent)
    }

    /// The second step: the code.
    pub async fn verify_log_in(
        &self,
        email: &EmailAddress,
        code: &str,
        client: &Client,
    ) -> Result<OpenedSession, IdentityError> {
        self.limit_address(&client.place(&self.index)).await?;
        let account = self.account(email, client).await?;
        self.verify_log_in_to(account, code, client).await
    }

    /// The second step, for an account that was looked up.
    pub(super) async fn verify_log_in_to(
        &self,
        mut account: Account,
        code: &str,
        client: &Client,
    ) -> Result<OpenedSession, IdentityError> {
        let counted = self.limit_try(&account, Purpose::LogIn).await?;
        let tried = self.try_code(&mut account, Purpose::LogIn, code).await?;
        let usable = account.usable().filter(|profile| account.may_prove(profile.value.id)).cloned();
        if let (Tried::Right(code), Some(profile)) = (tried, usable)
            && self.use_up(&account, &code).await?
        {
            self.take_back_try(counted).await?;
            let asked = account.standing.asked_for(&code.value);
            let profile = self.prove_address(&account, profile.value).await?;
            let profile = self.prove_password(profile, asked).await?;
            return self.open_session(profile, vec![Amr::Pwd, Amr::Otp], client).await;
        }
        Err(self.refuse_code(&account, Purpose::LogIn, client).await?)
    }

    /// The user, if the password is his and he may log in.
    async fn check_password(
        &self,
        account: &Account,
        password: Password,
        client: &Client,
    ) -> Result<Profile, IdentityError> {
        let hash = account.profile.as_ref().and_then(|profile| profile.value.password.as_ref());
        let verdict = self.hasher.verify(password, hash).await?;
        let Some(profile) = account.usable().filter(|_| verdict.is_right()) else {
            let refused = Event::new(Action::LoginRefused { email: account.hash });
            let refused = match &account.profile {
                Some(profile) => refused.to(profile.value.id),
                None => refused,
            };
            self.events.record(refused.from(&client.origin)).await?;
            let is_told = verdict.is_right() && client.surface == Surface::Names;
            return Err(match &account.profile {
                Some(profile) if is_told && !profile.value.active => IdentityError::Deactivated,
                _ => IdentityError::LogInFailed,
            });
        };
        if let Verdict::Right { renewed: Some(renewed) } = verdict {
            let renewed = Profile { password: Some(renewed), ..profile.value.clone() };
            // Should the user change meanwhile, the old hash serves as well until the next time.
            self.users.update(profile, &renewed).await?;
        }
        Ok(profile.value.clone())
    }

    /// Whoever gave the password and then the code from the mail has the mailbox: the password is the owner's.
    /// `asked` says whether the code was asked for, with the password, by who entered it.
    async fn prove_password(&self, user: Profile, asked: bool) -> Result<Profile, IdentityError> {
        if !asked || !user.password_unproved {
            return Ok(user);
        }
        self.change_user(user.id, |now| Profile { password_unproved: false, ..now.clone() }).await
    }

    async fn send_log_in_code(
        &self,
        mut account: Account,
        email: &EmailAddress,
        client: &Client,
    ) -> Result<Timestamp, IdentityError> {
        for _ in 0..CONFLICTS_MAX {
            let issue = Issue {
                purpose: Purpose::LogIn,
                account: &account.hash,
                state: &account.state,
                to: email,
                // Whoever knows the password is no stranger.
                requester: account.standing.requester(true),
            };
            if let Issued::Sent(expires_at) = self.issue(issue, AddressChange::new()).await? {
                let sent = Action::CodeSent { purpose: Purpose::LogIn, email: account.hash };
                self.events.record(Event::new(sent).from(&client.origin)).await?;
                return Ok(expires_at);
            }
            account.state = self.addresses.load(&account.hash).await?;
        }
        Err(IdentityError::Conflict)
    }

    /// Records that a code was refused.
    pub(super) async fn refuse_code(
        &self,
        account: &Account,
        purpose: Purpose,
        client: &Client,
    ) -> Result<IdentityError, IdentityError> {
        let refused = Event::new(Action::CodeRefused { purpose, email: account.hash });
        self.events.record(refused.from(&client.origin)).await?;
        Ok(IdentityError::OtpFailed)
    }
}
