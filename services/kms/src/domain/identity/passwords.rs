//! Changing one's password.

use coffer_api::internal::FeedEvent;
use coffer_auth::code::Purpose;
use coffer_auth::password::{Password, PasswordHash};
use coffer_core::EmailAddress;

use super::client::Client;
use super::error::IdentityError;
use super::known::Standing;
use super::parts::Identity;
use super::sessions::LiveUser;
use crate::domain::events::{Action, Event};
use crate::repo::address::AddressChange;
use crate::repo::session::StoredSession;
use crate::repo::user::{Known, KnownPlaces, Profile};

impl Identity {
    /// Changes the password of whoever is logged in and knows the present one; ends all other sessions.
    pub async fn change_password(
        &self,
        live: &LiveUser,
        (current, new): (Password, Password),
        client: &Client,
    ) -> Result<(), IdentityError> {
        // Whoever found a session open guesses as one device, and takes no tries from anybody else.
        let own = KnownPlaces { address: true, device: false };
        let place = Known { address: *live.session.as_bytes(), device: None };
        let standing = Standing { place, known: own };
        let counted = self.limit_account(&live.address_hash, &standing, false).await?;

        let verdict = self.hasher.verify(current, live.user.password.as_ref()).await?;
        if !verdict.is_right() {
            let refused = Event::new(Action::LoginRefused { email: live.address_hash });
            self.events.record(refused.by_user(live.user.id).from(&client.origin)).await?;
            return Err(IdentityError::LogInFailed);
        }
        self.limiter.take_back(counted).await?;
        let hash = self.hasher.hash(new).await?;
        let user = self.set_password(&live.user, hash).await?;
        self.keep_session(live, &user).await?;
        let changed = Event::new(Action::PasswordChanged).by_user(user.id).from(&client.origin);
        Ok(self.events.record(changed).await?)
    }

    /// Sets a password and ends all sessions and outstanding codes that the old one allowed.
    pub(super) async fn set_password(
        &self,
        user: &Profile,
        hash: PasswordHash,
    ) -> Result<Profile, IdentityError> {
        let changed = self
            .change_user(user.id, |now| Profile {
                password: Some(hash.clone()),
                password_unproved: false,
                session_epoch: now.session_epoch + 1,
                ..now.clone()
            })
            .await?;
        self.void_codes(&user.email).await?;
        Ok(changed)
    }

    /// Voids the codes for logging in and for setting a password.
    async fn void_codes(&self, email: &EmailAddress) -> Result<(), IdentityError> {
        let hash = self.blind(email);
        let state = self.addresses.load(&hash).await?;
        let codes = state.codes_for(Purpose::LogIn).chain(state.codes_for(Purpose::Reset));
        self.addresses.commit(&hash, AddressChange::new().delete_codes(codes)).await?;
        Ok(())
    }

    /// Takes a session over into its user's new epoch.
    async fn keep_session(&self, live: &LiveUser, user: &Profile) -> Result<(), IdentityError> {
        let Some(read) = self.sessions.load(&live.session).await? else { return Ok(()) };
        let kept = StoredSession { epoch: user.session_epoch, ..read.value.clone() };
        if !self.sessions.update(&live.session, &read, &kept).await? {
            // A use was written meanwhile, or the session has ended; once more settles it.
            if let Some(read) = self.sessions.load(&live.session).await? {
                let kept = StoredSession { epoch: user.session_epoch, ..read.value.clone() };
                self.sessions.update(&live.session, &read, &kept).await?;
            }
        }
        Ok(self.feed.append(FeedEvent::UserChanged(user.id)).await?)
    }
}
