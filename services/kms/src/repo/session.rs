//! A session, in the partition of its token's hash. One record; it expires with the session.

use coffer_api::{Amr, SessionHash};
use coffer_core::{Timestamp, UserId};
use coffer_store::records::{Partition, Sealed, SealedCommit, Sort, StoreError};
use serde::{Deserialize, Serialize};

use super::address::Versioned;
use super::tables::SESSION;

/// A session as it is kept. Whether it is live also depends on its user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSession {
    /// Whose session it is.
    pub user_id: UserId,
    /// The user's session epoch when it was made.
    pub epoch: u64,
    /// How it was opened.
    pub amr: Vec<Amr>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, roughly.
    pub last_used_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// The network address that it was opened from.
    #[serde(default)]
    pub address: Option<String>,
}

/// All sessions.
#[derive(Clone, Debug)]
pub struct SessionRepo {
    store: Sealed,
}

fn partition(session: &SessionHash) -> Partition {
    Partition::new(SESSION, session.as_bytes())
}

fn sort() -> Sort {
    Sort::of("session").build()
}

impl SessionRepo {
    /// The sessions in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    /// The session of this name.
    pub async fn load(&self, session: &SessionHash) -> Result<Option<Versioned<StoredSession>>, StoreError> {
        Ok(self.store.get_as(&partition(session), &sort()).await?.map(Versioned::from))
    }

    /// Keeps a new session.
    pub async fn create(&self, session: &SessionHash, stored: &StoredSession) -> Result<(), StoreError> {
        let commit = SealedCommit::new().absent(&sort()).put_as(&sort(), stored, Some(stored.expires_at));
        self.store.commit(&partition(session), commit).await.map(drop)
    }

    /// Changes a session; `false` if it has ended or changed since it was read.
    pub async fn update(
        &self,
        session: &SessionHash,
        read: &Versioned<StoredSession>,
        to: &StoredSession,
    ) -> Result<bool, StoreError> {
        let commit =
            SealedCommit::new().at_version(&sort(), read.version).put_as(&sort(), to, Some(to.expires_at));
        Ok(self.store.commit(&partition(session), commit).await?.is_committed())
    }

    /// Ends a session.
    pub async fn delete(&self, session: &SessionHash) -> Result<(), StoreError> {
        self.store.commit(&partition(session), SealedCommit::new().delete(&sort())).await.map(drop)
    }
}
