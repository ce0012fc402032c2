//! What a test of configurations runs on.

use std::any::Any;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use coffer_core::{ManualClock, SecretKey, SystemRandom, Timestamp};
use coffer_crypto::hash::sha256;
use coffer_crypto::keyring::Keyring;
use coffer_crypto::space::UserKey;
use coffer_store::records::{MemoryRecords, Records, Sealed, SqliteRecords, open};
use coffer_store::testing::{Observed, RedisServer};

use super::super::{
    Address, Config, Configs, ConfigsError, ConfigsSettings, Derive, Filter, Holder, NewConfig, Update,
};
use crate::repo::configs::Deployment;

pub(crate) const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);
pub(crate) const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A store of the test's own, its clock, and what must outlive both.
pub(crate) struct Bed {
    pub(crate) configs: Configs,
    pub(crate) sealed: Sealed,
    pub(crate) observed: Arc<Observed>,
    pub(crate) settings: ConfigsSettings,
    pub(crate) clock: Arc<ManualClock>,
    /// How many derivations there were.
    pub(crate) derived: Arc<AtomicUsize>,
    _keep: Box<dyn Any + Send + Sync>,
}

/// Settings under which no limit is in a test's way.
pub(crate) fn wide() -> ConfigsSettings {
    ConfigsSettings { derivations_per_address_per_minute_max: 1_000_000, ..ConfigsSettings::default() }
}

/// A derivation that costs nothing and is counted. What is tried here is everything around it.
pub(crate) fn counted(derived: &Arc<AtomicUsize>) -> Derive {
    let derived = Arc::clone(derived);
    Arc::new(move |user_key| {
        derived.fetch_add(1, Ordering::SeqCst);
        UserKey::of(&SecretKey::init_with(|out| *out = sha256(user_key)))
    })
}

impl Bed {
    pub(crate) async fn over(
        records: Arc<dyn Records>,
        clock: Arc<ManualClock>,
        settings: ConfigsSettings,
        keep: Box<dyn Any + Send + Sync>,
    ) -> Self {
        let observed = Arc::new(Observed::new(records).yielding());
        let keyring = Arc::new(Keyring::create(START, &SystemRandom));
        let sealed = Sealed::new(observed.clone(), keyring, Arc::new(SystemRandom));
        let derived = Arc::default();
        let configs = process(&sealed, &settings, &clock, &derived).await;
        Self { configs, sealed, observed, settings, clock, derived, _keep: keep }
    }

    pub(crate) async fn memory() -> Self {
        Self::memory_with(wide()).await
    }

    pub(crate) async fn memory_with(settings: ConfigsSettings) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        Self::over(Arc::new(MemoryRecords::new(clock.clone())), clock, settings, Box::new(())).await
    }

    pub(crate) async fn sqlite() -> Self {
        Self::sqlite_with(wide()).await
    }

    async fn sqlite_with(settings: ConfigsSettings) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let dir = tempfile::tempdir().unwrap();
        let records = SqliteRecords::open(&dir.path().join("records.db"), clock.clone()).unwrap();
        Self::over(Arc::new(records), clock, settings, Box::new(dir)).await
    }

    /// A place of its own on a server that all tests share.
    pub(crate) async fn redis() -> Self {
        Self::redis_with(wide()).await
    }

    /// One on each storage.
    pub(crate) async fn each_with(settings: &ConfigsSettings) -> [Self; 3] {
        let of = || settings.clone();
        [Self::memory_with(of()).await, Self::sqlite_with(of()).await, Self::redis_with(of()).await]
    }

    async fn redis_with(settings: ConfigsSettings) -> Self {
        static SERVER: LazyLock<RedisServer> =
            LazyLock::new(|| RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"]));
        static PLACES: AtomicU32 = AtomicU32::new(0);
        let clock = Arc::new(ManualClock::at(START));
        let url = format!("{}?prefix=configs-{}", SERVER.url(), PLACES.fetch_add(1, Ordering::Relaxed));
        let records = open(&url, clock.clone()).await.unwrap();
        Self::over(records, clock, settings, Box::new(())).await
    }

    /// Another process over the same storage.
    pub(crate) async fn another(&self) -> Configs {
        process(&self.sealed, &self.settings, &self.clock, &self.derived).await
    }

    pub(crate) async fn holder(&self, user_key: &str) -> Holder {
        self.configs.holder(user_key.as_bytes(), CLIENT).await.unwrap()
    }
}

async fn process(
    sealed: &Sealed,
    settings: &ConfigsSettings,
    clock: &Arc<ManualClock>,
    derived: &Arc<AtomicUsize>,
) -> Configs {
    let deployment = Deployment::load(sealed, &SystemRandom).await.unwrap();
    let with = (clock.clone() as _, Arc::new(SystemRandom) as _);
    Configs::with(sealed, settings, (deployment, counted(derived)), with).unwrap()
}

pub(crate) fn new<'a>(key: &'a str, value: &'a str) -> NewConfig<'a> {
    NewConfig { key, environment: None, category: None, value }
}

pub(crate) fn at<'a>(key: &'a str, environment: &'a str) -> Address<'a> {
    Address { key, environment: Some(environment) }
}

pub(crate) fn any(key: &str) -> Address<'_> {
    Address { key, environment: None }
}

pub(crate) fn value(value: &str) -> Update<'_> {
    Update { value, category: None, environment: None }
}

pub(crate) async fn create_in(holder: &Holder, key: &str, environment: &str, value: &str) -> Config {
    let new = NewConfig { key, environment: Some(environment), category: None, value };
    holder.create(new).await.unwrap()
}

pub(crate) async fn read(holder: &Holder, address: Address<'_>) -> Result<String, String> {
    holder.get(address).await.map(|config| config.value).map_err(|error: ConfigsError| error.to_string())
}

pub(crate) async fn keys_of(holder: &Holder) -> Vec<String> {
    holder.list(Filter::default()).await.unwrap().into_iter().map(|config| config.key).collect()
}
