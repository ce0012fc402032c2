//! A user, and what must change together with the user, in the partition of the user's id.
//!
//! ```text
//! profile                   who the user is
//! tombstone                 nobody will ever be this user
//! session/<hash>            that there is, or was, such a session: for listing
//! known/address/<blinded>   a network address that the user logged in from
//! known/device/<hash>       a device that the user logged in from
//! last log-in               when the user last logged in
//! ```
//!
//! A claim on an address or a name may be left over from a process that died before it made the user. Who
//! wants to take it over first commits the tombstone, guarded by there being no profile; making the
//! profile is guarded by there being no tombstone. So exactly one of the two happens.

mod known;
mod profile;

use coffer_api::SessionHash;
use coffer_core::{Timestamp, UserId};
use coffer_store::records::{Outcome, Partition, Sealed, SealedCommit, Sort, StoreError};
use serde::{Deserialize, Serialize};

use super::address::Versioned;
use super::tables::USER;
use profile::ProfileRecord;

pub use known::{KNOWN_TTL, Known, KnownPlaces};
pub use profile::Profile;

/// Sessions of one user that are looked at, at most.
const SESSIONS_MAX: usize = 1000;

/// What came of making a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// The user exists now.
    Created,
    /// The user existed already.
    Existed,
    /// Somebody gave the claim to another user: nobody will ever have this id.
    Tombstoned,
}

/// A session in a user's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEntry {
    /// Its name.
    pub hash: SessionHash,
    /// When it began.
    pub created_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct SessionEntryRecord {
    created_at: Timestamp,
}

/// All users.
#[derive(Clone, Debug)]
pub struct UserRepo {
    store: Sealed,
}

fn partition(user: UserId) -> Partition {
    Partition::new(USER, user.as_bytes())
}

fn profile_sort() -> Sort {
    Sort::of("profile").build()
}

fn tombstone_sort() -> Sort {
    Sort::of("tombstone").build()
}

fn session_sort(session: &SessionHash) -> Sort {
    Sort::of("session").and(session.as_bytes()).build()
}

impl UserRepo {
    /// The users in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    /// The user with this id.
    pub async fn load(&self, user: UserId) -> Result<Option<Versioned<Profile>>, StoreError> {
        let record = self.store.get(&partition(user), &profile_sort()).await?;
        record.map(profile::decode_profile).transpose()
    }

    /// Makes a user, unless there is one or nobody may ever be it.
    pub async fn create(&self, profile: &Profile) -> Result<Creation, StoreError> {
        let commit = SealedCommit::new().absent(&profile_sort()).absent(&tombstone_sort()).put_as(
            &profile_sort(),
            &ProfileRecord::from(profile),
            None,
        );
        Ok(match self.store.commit(&partition(profile.id), commit).await? {
            Outcome::Committed(_) => Creation::Created,
            Outcome::Refused { guard: 0 } => Creation::Existed,
            Outcome::Refused { .. } => Creation::Tombstoned,
        })
    }

    /// Sees to it that nobody will ever be `user`; `false` if somebody is.
    pub async fn bury(&self, user: UserId) -> Result<bool, StoreError> {
        let commit = SealedCommit::new().absent(&profile_sort()).put_as(&tombstone_sort(), &(), None);
        Ok(self.store.commit(&partition(user), commit).await?.is_committed())
    }

    /// Changes a user; `false` if the user has changed since it was read.
    pub async fn update(&self, read: &Versioned<Profile>, to: &Profile) -> Result<bool, StoreError> {
        let commit = SealedCommit::new().at_version(&profile_sort(), read.version).put_as(
            &profile_sort(),
            &ProfileRecord::from(to),
            None,
        );
        Ok(self.store.commit(&partition(to.id), commit).await?.is_committed())
    }

    /// Adds a session to a user's list.
    pub async fn add_session(
        &self,
        user: UserId,
        entry: SessionEntry,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let record = SessionEntryRecord { created_at: entry.created_at };
        let commit = SealedCommit::new().put_as(&session_sort(&entry.hash), &record, Some(expires_at));
        self.store.commit(&partition(user), commit).await.map(drop)
    }

    /// Takes sessions off a user's list.
    pub async fn remove_sessions(&self, user: UserId, sessions: &[SessionHash]) -> Result<(), StoreError> {
        for some in sessions.chunks(100) {
            let commit = some
                .iter()
                .fold(SealedCommit::new(), |commit, session| commit.delete(&session_sort(session)));
            self.store.commit(&partition(user), commit).await?;
        }
        Ok(())
    }

    /// A user's list of sessions, oldest first. Some may have ended.
    pub async fn sessions(&self, user: UserId) -> Result<Vec<SessionEntry>, StoreError> {
        let range = Sort::of("session").children();
        let page = self.store.scan_as::<SessionEntryRecord>(&partition(user), &range, SESSIONS_MAX).await?;
        let mut entries = Vec::with_capacity(page.items.len());
        for record in &page.items {
            let parts = record.sort.parts().unwrap_or_default();
            let hash = parts.get(1).and_then(|part| <[u8; 32]>::try_from(part.as_slice()).ok());
            let hash =
                hash.ok_or_else(|| StoreError::Corrupt { what: "a session without its name".into() })?;
            entries.push(SessionEntry {
                hash: SessionHash::from_bytes(hash),
                created_at: record.value.created_at,
            });
        }
        entries.sort_by_key(|entry| entry.created_at);
        Ok(entries)
    }
}
