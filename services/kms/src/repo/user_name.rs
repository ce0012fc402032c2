//! Whose a user name is, in the partition of its blinded, folded form.

use coffer_core::{Timestamp, UserId, UserName};
use coffer_crypto::index::IndexKey;
use coffer_store::records::{Partition, Sealed, SealedCommit, Sort, StoreError};
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
}
