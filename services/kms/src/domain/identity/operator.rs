//! What whoever runs the service does on the command line: making the first administrator.

use coffer_api::Role;
use coffer_auth::password::{Password, PasswordHash};
use coffer_core::{EmailAddress, UserId};

use super::client::{Client, Surface};
use super::codes::CONFLICTS_MAX;
use super::error::IdentityError;
use super::parts::Identity;
use crate::domain::events::{Action, Actor, Event, Origin};
use crate::repo::address::{AddressChange, Claim};
use crate::repo::user::Profile;

/// The administrator that is wished for.
#[derive(Debug)]
pub struct AdminWish {
    /// The address. The operator vouches for it.
    pub email: EmailAddress,
    /// The password. Without one a code is sent that sets it.
    pub password: Option<Password>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct AdminMade {
    /// The administrator.
    pub user: Profile,
    /// Whether the user is new; otherwise an existing one was promoted.
    pub created: bool,
}

impl Identity {
    /// Makes an administrator: a new user, or one who exists already. An existing user keeps his password
    /// unless another is given.
    pub async fn make_admin(&self, wish: AdminWish) -> Result<AdminMade, IdentityError> {
        let AdminWish { email, password } = wish;
        let hash = match password {
            Some(password) => Some(self.hasher.hash(password).await?),
            None => None,
        };
        let made = match self.user_by_email(&email).await? {
            Some(user) => AdminMade { user: self.promote(&user, hash.clone()).await?, created: false },
            None => AdminMade { user: self.create_admin(&email, hash.clone()).await?, created: true },
        };
        self.events.record(Event::new(Action::AdminCreated).by(Actor::Operator).to(made.user.id)).await?;
        if made.user.password.is_none() {
            let client = Client::new(Origin::default(), Surface::Native);
            self.send_reset_code(&email, &client).await?;
        }
        Ok(made)
    }

    async fn promote(&self, user: &Profile, hash: Option<PasswordHash>) -> Result<Profile, IdentityError> {
        let promoted = self
            .change_user(user.id, |now| Profile { role: Role::Admin, active: true, ..now.clone() })
            .await?;
        match hash {
            Some(hash) => self.set_password(&promoted, hash).await,
            None => Ok(promoted),
        }
    }

    /// Claims the address, whatever registration may be pending for it, and makes the user.
    async fn create_admin(
        &self,
        email: &EmailAddress,
        password: Option<PasswordHash>,
    ) -> Result<Profile, IdentityError> {
        let hash = self.blind(email);
        for _ in 0..CONFLICTS_MAX {
            let state = self.addresses.load(&hash).await?;
            if let Some(stale) = state.claim.as_ref().filter(|claim| claim.value.verified)
                && !self.users.bury(stale.value.user_id).await?
            {
                // Somebody registered meanwhile.
                let user = self.users.load(stale.value.user_id).await?.ok_or(IdentityError::Conflict)?;
                return self.promote(&user.value, password).await;
            }
            let now = self.now();
            let user_id = UserId::make(now, &*self.random);
            let change = AddressChange::new()
                .claim_unchanged(state.claim.as_ref())
                .put_claim(&Claim { user_id, verified: true, claimed_at: now })
                .delete_pending()
                .delete_codes(&state.codes);
            if !self.addresses.commit(&hash, change).await? {
                continue;
            }
            let profile = Profile {
                id: user_id,
                number: self.numbers.assign(user_id).await?,
                email: email.clone(),
                verified: true,
                user_name: None,
                role: Role::Admin,
                active: true,
                password: password.clone(),
                password_unproved: false,
                session_epoch: 0,
                created_at: now,
            };
            if let Some(profile) = self.create(profile).await? {
                return Ok(profile);
            }
        }
        Err(IdentityError::Conflict)
    }
}
