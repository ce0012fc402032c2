//! Looking an account up, with the same work whether or not there is one.

use coffer_api::AddressHash;
use coffer_api::internal::users::Login;
use coffer_auth::code::Purpose;
use coffer_core::{EmailAddress, UserId, UserName};

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
    /// Whose it is, if the address was proved and the user was made; by name, who has that name.
    pub(super) profile: Option<Versioned<Profile>>,
    /// Whether the user was looked up by name, and so may be one whose address was never proved.
    pub(super) by_name: bool,
    /// How the account stands to who asks.
    pub(super) standing: Standing,
}

impl Account {
    /// The user, if he may log in.
    pub(super) fn usable(&self) -> Option<&Versioned<Profile>> {
        let known = |profile: &&Versioned<Profile>| profile.value.verified || self.by_name;
        self.profile.as_ref().filter(|profile| profile.value.active).filter(known)
    }

    /// Whether codes sent to the address say something about this user: it is his, or nobody else has
    /// proved that it is theirs since he named it.
    pub(super) fn may_prove(&self, user: UserId) -> bool {
        self.state.claim.as_ref().is_some_and(|claim| claim.value.user_id == user)
    }

    /// Whether who asks is, by device or network address, who began the registration that is pending.
    pub(super) fn began_registration(&self) -> bool {
        let mut codes = self.state.codes_for(Purpose::Registration).map(|code| &code.value);
        codes.any(|code| code.requester.trusted && self.standing.asked_for(code))
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
        Ok(Account { hash, state, profile, by_name: false, standing: Standing { place, known } })
    }

    /// The same by user name: as many looks, whether or not anybody has it. Tries of a name that nobody has
    /// count for that name alone.
    pub(super) async fn account_of_name(
        &self,
        name: &UserName,
        client: &Client,
    ) -> Result<Account, IdentityError> {
        let place = client.place(&self.index);
        let claim = self.names.load(&self.index, name).await?;
        let user = claim.map_or(NOBODY, |claim| claim.value.user_id);
        let (profile, known) = self.users.load_from(user, &place).await?;
        let hash = match &profile {
            Some(profile) => self.blind(&profile.value.email),
            None => AddressHash::from_bytes(
                self.index.blind("address of an unknown name", name.folded().as_bytes()),
            ),
        };
        let state = self.addresses.load(&hash).await?;
        Ok(Account { hash, state, profile, by_name: true, standing: Standing { place, known } })
    }

    /// The account of whoever is called so.
    pub(super) async fn account_of(&self, login: &Login, client: &Client) -> Result<Account, IdentityError> {
        match login {
            Login::Name(name) => self.account_of_name(name, client).await,
            Login::Email(email) => self.account(email, client).await,
        }
    }
}
