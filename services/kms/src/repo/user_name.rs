//! Whose a user name is, in the partition of its blinded, folded form.
//!
//! ```text
//! claim            whose the name is
//! wish/<address>   who waits for a code and wishes for the name; several may, until one proves an address
//! ```

use coffer_api::AddressHash;
use coffer_core::{EmailAddress, Timestamp, UserId, UserName};
use coffer_crypto::index::IndexKey;
use coffer_store::records::{Partition, Sealed, SealedCommit, Sort, StoreError, Stored};
use serde::{Deserialize, Serialize};

use super::address::Versioned;
use super::tables::USER_NAME;

/// Whose a name is. Taken over by the same rule as the claim on an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameClaim {
    /// The user, who may not have been made yet.
    pub user_id: UserId,
    /// Since when.
    pub claimed_at: Timestamp,
}

/// Wishes for one name that are remembered, at most; a new one pushes out the oldest.
const WISHES_MAX: usize = 4;

/// Somebody who wishes for a name, and waits for a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameWish {
    /// The address that the code was sent to.
    pub email: EmailAddress,
    /// When.
    pub asked_at: Timestamp,
}

/// All user names.
#[derive(Clone, Debug)]
pub struct UserNameRepo {
    store: Sealed,
}

fn partition(index: &IndexKey, name: &UserName) -> Partition {
    Partition::new(USER_NAME, index.blind("user name", name.folded().as_bytes()))
}

fn sort() -> Sort {
    Sort::of("claim").build()
}

fn wish_sort(address: &AddressHash) -> Sort {
    Sort::of("wish").and(address.as_bytes()).build()
}

impl UserNameRepo {
    /// The names in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    /// Whose `name` is.
    pub async fn load(
        &self,
        index: &IndexKey,
        name: &UserName,
    ) -> Result<Option<Versioned<NameClaim>>, StoreError> {
        Ok(self.store.get_as(&partition(index, name), &sort()).await?.map(Versioned::from))
    }

    /// Gives `name` to a user; `false` if the claim is no longer as it was read.
    pub async fn put(
        &self,
        (index, name): (&IndexKey, &UserName),
        read: Option<&Versioned<NameClaim>>,
        claim: &NameClaim,
    ) -> Result<bool, StoreError> {
        let guarded = match read {
            Some(read) => SealedCommit::new().at_version(&sort(), read.version),
            None => SealedCommit::new().absent(&sort()),
        };
        let commit = guarded.put_as(&sort(), claim, None);
        Ok(self.store.commit(&partition(index, name), commit).await?.is_committed())
    }

    /// Remembers until `expires_at` that whoever has `address` wishes for `name`.
    pub async fn put_wish(
        &self,
        (index, name): (&IndexKey, &UserName),
        (address, wish): (&AddressHash, &NameWish),
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let partition = partition(index, name);
        let mut commit = SealedCommit::new().put_as(&wish_sort(address), wish, Some(expires_at));
        let others = self.stored_wishes(&partition).await?;
        let others = others.into_iter().filter(|other| other.sort != wish_sort(address));
        for beyond in others.skip(WISHES_MAX - 1) {
            commit = commit.delete(&beyond.sort);
        }
        self.store.commit(&partition, commit).await.map(drop)
    }

    /// Who wishes for `name`, the newest first.
    pub async fn wishes(&self, index: &IndexKey, name: &UserName) -> Result<Vec<NameWish>, StoreError> {
        let stored = self.stored_wishes(&partition(index, name)).await?;
        Ok(stored.into_iter().map(|stored| stored.value).collect())
    }

    async fn stored_wishes(&self, partition: &Partition) -> Result<Vec<Stored<NameWish>>, StoreError> {
        // Wishes at the same moment may be more than are kept, until the next one.
        let range = Sort::of("wish").children();
        let mut stored = self.store.scan_as::<NameWish>(partition, &range, WISHES_MAX * 4).await?.items;
        stored.sort_by_key(|stored| std::cmp::Reverse(stored.value.asked_at));
        Ok(stored)
    }
}
