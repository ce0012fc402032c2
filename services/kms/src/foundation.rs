//! What everything else of the KMS stands on, in the order in which it must be opened: the root key,
//! keyrings, the sealed store, security events and the revocation feed; and file keys on top of those.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use coffer_api::internal::FileExistsRequest;
use coffer_api::internal::heads::{FenceRequest, HeadsPage, HeadsReplaced, HeadsRequest, ReplaceHeads};
use coffer_auth::workers::WorkError;
use coffer_client::InternalData;
use coffer_core::{Clock, FileName, Random, UserId};
use coffer_crypto::index::IndexKey;
use coffer_store::records::{Records, Sealed};
use tokio::task::JoinSet;

use crate::config::{EventSettings, FilesSettings, FilesSettingsError, KeyringSettings};
use crate::domain::events::{EventParts, Events};
use crate::domain::feed::Feed;
use crate::domain::filekeys::{FileKeyParts, FileKeyRules, FileKeys, Uploads, UploadsError};
use crate::domain::keyrings::{
    KeyringParts, Keyrings, KeyringsError, Resealer, RootSecret, RootSecretError, keep_rotating,
};
use crate::domain::pool::{KeyPool, PoolParts, PoolSettings};
use crate::repo::pool::StoredPair;

/// What the machine provides.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The record store, unsealed.
    pub records: Arc<dyn Records>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// Why the foundation does not open.
#[derive(Debug, thiserror::Error)]
pub enum FoundationError {
    /// The settings give no root key.
    #[error(transparent)]
    Secret(#[from] RootSecretError),
    /// The keyrings do not open.
    #[error("opening the keyrings")]
    Keyrings(#[from] KeyringsError),
    /// The settings of file keys make no sense.
    #[error(transparent)]
    Files(#[from] FilesSettingsError),
    /// The threads that make key pairs do not start.
    #[error("starting the threads that make key pairs")]
    Threads(#[source] io::Error),
    /// The threads that unwrap do not start.
    #[error("starting the threads that unwrap")]
    Unwrap(#[from] WorkError),
}

/// The open foundation.
#[derive(Debug)]
pub struct Foundation {
    /// What the machine provides.
    pub machine: Machine,
    /// The keyrings.
    pub keyrings: Arc<Keyrings>,
    /// The record store, sealed under the KMS's own keyring.
    pub store: Sealed,
    /// Blinds names.
    pub index: Arc<IndexKey>,
    /// Records what happened.
    pub events: Arc<Events>,
    /// Tells other services what to forget.
    pub feed: Arc<Feed>,
    /// Rotation and re-sealing; they end with the foundation.
    _background: JoinSet<()>,
}

impl Foundation {
    /// Opens it. The root key is checked before anything in the store is touched.
    pub async fn open(
        machine: Machine,
        keyring: &KeyringSettings,
        events: &EventSettings,
    ) -> Result<Self, FoundationError> {
        let secret = RootSecret::from_settings(keyring)?;
        let Machine { records, clock, random } = machine.clone();
        let parts = KeyringParts {
            store: Arc::clone(&records),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
        };
        let keyrings = Arc::new(Keyrings::open(parts, &secret, keyring).await?);
        let store = Sealed::new(records, keyrings.own(), Arc::clone(&random));
        let parts = EventParts {
            store: store.clone(),
            clock: Arc::clone(&clock),
            random,
            retention: events.retention(),
        };
        let events = Arc::new(Events::start(parts));
        let feed = Arc::new(Feed::start(store.clone(), clock));
        let mut background = JoinSet::new();
        background.spawn(keep_rotating(Arc::clone(&keyrings), Arc::clone(&events)));
        background.spawn(Resealer::new(Arc::clone(&keyrings), store.clone()).run());
        let index = Arc::new(keyrings.index_key());
        Ok(Self { machine, keyrings, store, index, events, feed, _background: background })
    }

    /// Starts making key pairs, and puts file keys on top.
    pub fn file_keys(
        &self,
        settings: &FilesSettings,
        uploads: Arc<dyn Uploads>,
    ) -> Result<(Arc<FileKeys>, Arc<KeyPool>), FoundationError> {
        let Machine { clock, random, .. } = self.machine.clone();
        let bits = settings.rsa_bits()?;
        let pool = PoolSettings {
            bits,
            pairs_target: settings.pool_pairs()?,
            threads: settings.pool_threads(),
            wait_max: settings.pool_wait(),
        };
        let make = Arc::new(move || StoredPair::make(bits));
        let parts = PoolParts { store: self.store.clone(), random: Arc::clone(&random), make };
        let pool = Arc::new(KeyPool::start(parts, pool).map_err(FoundationError::Threads)?);
        let rules = FileKeyRules {
            shared_names: settings.shared_names,
            files_per_owner_max: settings.files_per_owner_max,
            grants_per_file_max: settings.grants_per_file_max,
            open_threads: settings.unwrap_threads,
        };
        let parts = FileKeyParts {
            store: self.store.clone(),
            clock,
            random,
            index: Arc::clone(&self.index),
            events: Arc::clone(&self.events),
            feed: Arc::clone(&self.feed),
            pool: Arc::clone(&pool),
            uploads,
        };
        Ok((Arc::new(FileKeys::start(parts, rules)?), pool))
    }
}

/// The data service, asked which files were uploaded.
#[derive(Debug)]
pub struct RemoteUploads(pub InternalData);

#[async_trait]
impl Uploads for RemoteUploads {
    async fn exists(&self, space: UserId, name: &FileName) -> Result<bool, UploadsError> {
        let request = FileExistsRequest { space, file_name: name.clone() };
        Ok(self.0.file_exists(&request).await?)
    }

    async fn old_heads(&self, request: &HeadsRequest) -> Result<HeadsPage, UploadsError> {
        Ok(self.0.old_heads(request).await?)
    }

    async fn replace_heads(&self, request: &ReplaceHeads) -> Result<HeadsReplaced, UploadsError> {
        Ok(self.0.replace_heads(request).await?)
    }

    async fn fence(&self, request: &FenceRequest) -> Result<(), UploadsError> {
        Ok(self.0.fence(request).await?)
    }
}
