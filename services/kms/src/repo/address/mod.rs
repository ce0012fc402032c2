//! What belongs to one e-mail address, in the partition of its blinded form.
//!
//! ```text
//! claim                                whose the address is
//! pending                              a registration that waits for its code
//! code/<purpose>/<id>/code             an outstanding code
//! code/<purpose>/<id>/tries/<bucket>   how often it was tried, and by whom
//! tries/<purpose>                      tries while no code was outstanding; nobody reads it
//! ```
//!
//! The whole is small and always read in one scan: the same work whether or not there is an account.

mod change;
mod code;

use coffer_api::AddressHash;
use coffer_auth::code::Purpose;
use coffer_auth::password::PasswordHash;
use coffer_core::{Timestamp, UserId, UserName};
use coffer_store::records::{
    Opened, Partition, Sealed, SealedCommit, Sort, SortRange, StoreError, Stored, Version,
};
use serde::{Deserialize, Serialize};

use super::tables::ADDRESS;

pub use change::AddressChange;
pub use code::{Bucket, Code, Requester, TRIES_MAX};

/// Records in one address's partition, at most: claim, pending and what belongs to nine codes.
const RECORDS_MAX: usize = 100;

/// Whose an address is. It does not expire: see the module of users for how a stale one is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The user, who may not have been made yet if the process died in between.
    pub user_id: UserId,
    /// Whether somebody proved that the address is theirs.
    pub verified: bool,
    /// Since when.
    pub claimed_at: Timestamp,
}

/// A registration that waits for its code.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The id that the user will have.
    pub user_id: UserId,
    /// The password.
    pub password: PasswordHash,
    /// The user name that is wished for.
    pub user_name: Option<UserName>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when it waits.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct PendingRecord {
    user_id: UserId,
    password_hash: String,
    #[serde(default)]
    user_name: Option<UserName>,
    created_at: Timestamp,
}

/// A record and which version of it was read.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    /// The record.
    pub value: T,
    /// Its version, to guard a change with.
    pub version: Version,
}

impl<T> From<Stored<T>> for Versioned<T> {
    fn from(stored: Stored<T>) -> Self {
        Self { value: stored.value, version: stored.version }
    }
}

/// Everything that belongs to one address.
#[derive(Clone, Debug, Default)]
pub struct AddressState {
    /// Whose it is.
    pub claim: Option<Versioned<Claim>>,
    /// A registration under way.
    pub pending: Option<Versioned<Pending>>,
    /// Outstanding codes of all purposes, oldest first within a purpose.
    pub codes: Vec<Versioned<Code>>,
}

impl AddressState {
    /// The outstanding codes for `purpose`, oldest first.
    pub fn codes_for(&self, purpose: Purpose) -> impl Iterator<Item = &Versioned<Code>> {
        self.codes.iter().filter(move |code| code.value.purpose == purpose)
    }

    /// Counts one more try of every code for `purpose` that is open to the bucket which `of` names: what a
    /// commit has just done in the store.
    pub fn count_tries(&mut self, purpose: Purpose, of: impl Fn(&Code) -> Bucket) {
        for code in self.codes.iter_mut().map(|code| &mut code.value) {
            let bucket = of(code);
            if code.purpose == purpose && code.is_open_to(bucket) {
                code.tries[bucket as usize] += 1;
            }
        }
    }

    fn take(&mut self, record: Opened) -> Result<(), StoreError> {
        let parts = record.sort.parts().unwrap_or_default();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        match parts.as_slice() {
            [b"claim"] => self.claim = Some(record.decode()?.into()),
            [b"pending"] => self.pending = Some(decode_pending(record)?),
            [b"code", _, _, rest @ ..] => code::take(&mut self.codes, rest, record)?,
            _ => {}
        }
        Ok(())
    }
}

fn decode_pending(record: Opened) -> Result<Versioned<Pending>, StoreError> {
    let Stored { value: stored, version, expires_at, .. } = record.decode::<PendingRecord>()?;
    let value = Pending {
        user_id: stored.user_id,
        password: PasswordHash::from_stored(stored.password_hash),
        user_name: stored.user_name,
        created_at: stored.created_at,
        expires_at: expires_at.unwrap_or(stored.created_at),
    };
    Ok(Versioned { value, version })
}

fn claim_sort() -> Sort {
    Sort::of("claim").build()
}

fn pending_sort() -> Sort {
    Sort::of("pending").build()
}

/// The addresses of all users and of those who want to become one.
#[derive(Clone, Debug)]
pub struct AddressRepo {
    store: Sealed,
}

impl AddressRepo {
    /// The addresses in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    fn partition(address: &AddressHash) -> Partition {
        Partition::new(ADDRESS, address.as_bytes())
    }

    /// Everything that belongs to `address`; an unknown one has nothing.
    pub async fn load(&self, address: &AddressHash) -> Result<AddressState, StoreError> {
        let page = self.store.scan(&Self::partition(address), &SortRange::all(), RECORDS_MAX).await?;
        let mut state = AddressState::default();
        for record in page.items {
            state.take(record)?;
        }
        Ok(state)
    }

    /// Applies `change` to `address` as a whole; `false` if something it relied on has changed.
    pub async fn commit(&self, address: &AddressHash, change: AddressChange) -> Result<bool, StoreError> {
        let commit: SealedCommit = change.into();
        Ok(self.store.commit(&Self::partition(address), commit).await?.is_committed())
    }
}
