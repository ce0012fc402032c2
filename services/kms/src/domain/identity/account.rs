//! Looking an account up, with the same work whether or not there is one.

use coffer_api::AddressHash;
use coffer_core::{EmailAddress, UserId};

use super::client::Client;
use super::error::IdentityError;
use super::known::Standing;
use super::parts::Identity;
use crate::repo::address::{AddressState, Versioned};
use crate::repo::user::Profile;

/// The user that is looked up where there is none. No id is ever made of zeros alone.
const NOBODY: UserId = UserId::from_bytes([0; 16]);

/// What is known of an address and of whoever asks about it.
#[derive(Debug)]
pub(super) struct Account {
    /// The blinded address.
    pub(super) hash: AddressHash,
    /// What belongs to the address.
    pub(super) state: AddressState,
    /// Whose it is, if the address was proved and the user was made.
    pub(super) profile: Option<Versioned<Profile>>,
    /// How the account stands to who asks.
    pub(super) standing: Standing,
}

impl Account {
    /// The user, if he may log in.
    pub(super) fn usable(&self) -> Option<&Versioned<Profile>> {
        self.profile.as_ref().filter(|profile| profile.value.active && profile.value.verified)
    }
}

impl Identity {
    /// Looks up what `client` asks about: one scan and one look for several, always.
    pub(super) async fn account(
        &self,
        email: &EmailAddress,
        client: &Client,
    ) -> Result<Account, IdentityError> {
        let hash = self.blind(email);
        let place = client.place(&self.index);
        let state = self.addresses.load(&hash).await?;
        let claim = state.claim.as_ref().filter(|claim| claim.value.verified);
        let user = claim.map_or(NOBODY, |claim| claim.value.user_id);
        let (profile, known) = self.users.load_from(user, &place).await?;
        Ok(Account { hash, state, profile, standing: Standing { place, known } })
    }
}
