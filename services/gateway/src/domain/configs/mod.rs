//! Encrypted configurations: what a user key opens, and nothing else.
//!
//! [`Configs::holder`] turns a user key into a [`Holder`], and everything else is a method of that: without a user key
//! there is no name to ask for and no key to open with. Derivation (`derivation`), opening (`space`) and sealing
//! (`repo::configs`) are each in one place.
//!
//! Not here: sessions, API keys, HTTP. The road not taken: keeping configurations in the key-value store. There the
//! service can open every value; here it cannot, unless somebody brings the user key.

mod changes;
mod derivation;
mod error;
mod export;
mod history;
mod holder;
mod import;
mod list;
mod log;
mod model;
mod numbers;
mod position;
mod promote;
mod quota;
mod read;
mod reads;
mod references;
mod schema;
mod settings;
mod space;
#[cfg(test)]
pub(crate) mod tests;
mod transfer;
mod unread;
mod watch;
mod write;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_auth::workers::WorkError;
use coffer_core::{Clock, Random};
use coffer_crypto::space::UserKey;
use coffer_store::records::{Sealed, StoreError};

pub use changes::{ChangesPage, Event, WatchFilter};
pub use derivation::Derive;
pub use error::ConfigsError;
pub use holder::Holder;
pub use import::{Import, Imported, Outcome};
pub use model::{Address, Condition, Config, DEFAULT_ENVIRONMENT, Filter, Meta, NewConfig, Update};
pub use position::Position;
pub use promote::{PROMOTED_MAX, Promotion};
pub use references::ReferenceError;
pub use schema::SchemaError;
pub use settings::{AccessMode, ConfigsSettings, ConfigsSettingsError, Door};
pub use transfer::{DocumentError, Format, Item};
pub use unread::Unread;
pub use watch::Watcher;

pub use crate::repo::configs::Place;

use crate::repo::configs::{ConfigsRepo, Deployment, TotalsRepo};
use derivation::{Deriver, Refusal};
use quota::Quota;
use reads::Reads;

/// The pause between two tries is at most this at first, and doubles up to 512 times.
const PAUSE_US: u64 = 50;

/// The configurations of all name spaces. Cheap to clone.
#[derive(Clone)]
pub struct Configs(Arc<Inner>);

struct Inner {
    repo: ConfigsRepo,
    deployment: Arc<Deployment>,
    deriver: Deriver,
    schema_checks: schema::Checks,
    quota: Quota,
    reads: Reads,
    settings: ConfigsSettings,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Configs {
    /// The configurations that lie in `records`, whose deployment was loaded.
    pub fn new(
        records: &Sealed,
        settings: &ConfigsSettings,
        deployment: Deployment,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Result<Self, WorkError> {
        let salt = deployment.salt;
        let derive: Derive = Arc::new(move |user_key| UserKey::derive(user_key, &salt));
        Self::with(records, settings, (deployment, derive), (clock, random))
    }

    /// As [`new`](Self::new), with another derivation.
    pub(crate) fn with(
        records: &Sealed,
        settings: &ConfigsSettings,
        (deployment, derive): (Deployment, Derive),
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Result<Self, WorkError> {
        let deployment = Arc::new(deployment);
        let of_deriver = (Arc::clone(&clock), &*random);
        let deriver = Deriver::start(settings, Arc::clone(&deployment), derive, of_deriver)?;
        Ok(Self(Arc::new(Inner {
            repo: ConfigsRepo::new(records.clone()),
            deployment,
            deriver,
            schema_checks: schema::Checks::start()?,
            quota: Quota::new(TotalsRepo::new(records.clone()), settings.total_bytes_max),
            reads: Reads::default(),
            settings: settings.clone(),
            clock,
            random,
        })))
    }

    /// Who has this user key, as `client` brings it. Any user key makes a holder: of an empty name space, if nothing was
    /// ever stored under it.
    pub async fn holder(&self, user_key: &[u8], client: IpAddr) -> Result<Holder, ConfigsError> {
        let derived = self.0.deriver.derived(user_key, client).await.map_err(|refusal| match refusal {
            Refusal::Later(retry_after_s) => ConfigsError::TooManyUserKeys { retry_after_s },
            Refusal::Stopped => ConfigsError::Workers(WorkError::Stopped),
        })?;
        Ok(Holder::new(self.clone(), derived))
    }

    /// Moves everything under one user key to another, at once.
    pub async fn rekey(&self, (old, new): (&[u8], &[u8]), client: IpAddr) -> Result<(), ConfigsError> {
        let (from, to) = (self.holder(old, client).await?, self.holder(new, client).await?);
        self.move_space(from.derived(), to.derived()).await?;
        self.0.deriver.forget(old);
        Ok(())
    }

    /// Wipes expired keys and notes what was read, until it is dropped.
    pub async fn run(&self) {
        tokio::join!(self.0.deriver.sweep_for_ever(), self.note_reads_for_ever());
    }

    /// Gives back what this process holds: it stops.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.flush_reads().await;
        self.0.quota.close().await
    }

    /// Waits a moment by chance, longer the more often it was tried.
    async fn pause(&self, tried: u32) {
        let mut bytes = [0; 8];
        self.0.random.fill(&mut bytes);
        let most = PAUSE_US << tried.min(9);
        tokio::time::sleep(Duration::from_micros(u64::from_be_bytes(bytes) % most)).await;
    }
}

impl fmt::Debug for Configs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Configs")
    }
}
