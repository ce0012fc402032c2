//! Whose an address is, and which address somebody has.

use std::sync::Arc;

use coffer_api::AddressHash;
use coffer_core::{EmailAddress, UserId};
use coffer_crypto::index::IndexKey;
use coffer_store::records::{Sealed, StoreError};

use crate::repo::address::AddressRepo;
use crate::repo::user::{Profile, UserRepo};

/// Looks up users for the rules of file keys.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    addresses: AddressRepo,
    users: UserRepo,
    index: Arc<IndexKey>,
}

impl Directory {
    pub(super) fn new(store: &Sealed, index: Arc<IndexKey>) -> Self {
        let (addresses, users) = (AddressRepo::new(store.clone()), UserRepo::new(store.clone()));
        Self { addresses, users, index }
    }

    /// An address in the form in which grants know it.
    pub(super) fn blind(&self, email: &EmailAddress) -> AddressHash {
        AddressHash::from_bytes(self.index.blind("email", email.as_str().as_bytes()))
    }

    /// The user who has proved that `email` is his.
    pub(super) async fn owner_of(&self, email: &EmailAddress) -> Result<Option<UserId>, StoreError> {
        let state = self.addresses.load(&self.blind(email)).await?;
        Ok(state.claim.filter(|claim| claim.value.verified).map(|claim| claim.value.user_id))
    }

    /// The user, unless there is none who may act.
    pub(super) async fn active(&self, user: UserId) -> Result<Option<Profile>, StoreError> {
        let profile = self.users.load(user).await?.map(|profile| profile.value);
        Ok(profile.filter(|profile| profile.active && profile.verified))
    }

    /// The user's address, for showing; empty if there is no such user any more.
    pub(super) async fn email(&self, user: UserId) -> Result<String, StoreError> {
        let profile = self.users.load(user).await?;
        Ok(profile.map_or_else(String::new, |profile| profile.value.email.as_str().to_owned()))
    }
}
