//! What a test of the key-value store runs on.

use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use coffer_api::{AddressHash, Role, SessionHash};
use coffer_auth::Principal;
use coffer_core::{Clock as _, ManualClock, SystemRandom, Timestamp, UserId};
use coffer_crypto::keyring::Keyring;
use coffer_store::records::{MemoryRecords, Records, Sealed, Sort, SortRange, SqliteRecords, open};
use coffer_store::testing::RedisServer;
use serde_json::value::RawValue;

use super::super::{
    BatchOp, Caller, Condition, Item, Key, Kv, KvError, KvSettings, ListRequest, Meta, PlainValue,
    PutRequest, Space,
};

use crate::repo::kv::{Delta, keys};

pub(crate) const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

/// A store of the test's own, its clock, and what must outlive both.
pub(crate) struct Bed {
    pub(crate) kv: Kv,
    pub(crate) sealed: Sealed,
    pub(crate) settings: KvSettings,
    pub(crate) clock: Arc<ManualClock>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Bed {
    pub(crate) fn over(
        records: Arc<dyn Records>,
        clock: Arc<ManualClock>,
        settings: KvSettings,
        keep: Box<dyn Any + Send + Sync>,
    ) -> Self {
        let random = Arc::new(SystemRandom);
        let keyring = Arc::new(Keyring::create(START, &*random));
        let sealed = Sealed::new(records, keyring, random.clone());
        let kv = Kv::new(&sealed, settings, clock.clone(), random);
        Self { kv, sealed, settings, clock, _keep: keep }
    }

    pub(crate) fn memory() -> Self {
        Self::memory_with(KvSettings::default())
    }

    pub(crate) fn memory_with(settings: KvSettings) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        Self::over(Arc::new(MemoryRecords::new(clock.clone())), clock, settings, Box::new(()))
    }

    pub(crate) fn sqlite_with(settings: KvSettings) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let dir = tempfile::tempdir().unwrap();
        let records = SqliteRecords::open(&dir.path().join("records.db"), clock.clone()).unwrap();
        Self::over(Arc::new(records), clock, settings, Box::new(dir))
    }

    /// A place of its own on a server that all tests share.
    pub(crate) async fn redis_with(settings: KvSettings) -> Self {
        static SERVER: LazyLock<RedisServer> =
            LazyLock::new(|| RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"]));
        static PLACES: AtomicU32 = AtomicU32::new(0);
        let clock = Arc::new(ManualClock::at(START));
        let url = format!("{}?prefix=kv-{}", SERVER.url(), PLACES.fetch_add(1, Ordering::Relaxed));
        let records = open(&url, clock.clone()).await.unwrap();
        Self::over(records, clock, settings, Box::new(()))
    }

    /// Another process over the same storage.
    pub(crate) fn another(&self) -> Kv {
        Kv::new(&self.sealed, self.settings, self.clock.clone(), Arc::new(SystemRandom))
    }

    pub(crate) fn after(&self, time: Duration) -> Timestamp {
        self.clock.now().plus(time)
    }

    pub(crate) async fn put(&self, name: &str, value: &str) -> Meta {
        self.kv.put(&ann(), ann().own_space(), &request(name, value)).await.unwrap()
    }

    /// Stores keys of a small value, many in a commit.
    pub(crate) async fn put_all(&self, names: &[String], expires_at: Option<Timestamp>) {
        for some in names.chunks(100) {
            let put = |name: &String| BatchOp::Put(PutRequest { expires_at, ..request(name, "1") });
            let ops: Vec<_> = some.iter().map(put).collect();
            self.kv.batch_at_once(&ann(), anns(), &ops).await.unwrap();
        }
    }

    pub(crate) async fn get(&self, name: &str) -> Option<String> {
        self.get_version(name, None).await.ok()
    }

    pub(crate) async fn get_version(&self, name: &str, version: Option<u64>) -> Result<String, KvError> {
        let item = self.kv.get(&ann(), ann().own_space(), &key(name), version).await?;
        Ok(text(&item))
    }

    pub(crate) async fn names(&self, request: &ListRequest) -> Vec<String> {
        let page = self.kv.list(&ann(), ann().own_space(), request).await.unwrap();
        page.items.into_iter().map(|item| item.key).collect()
    }
}

impl Kv {
    /// The names of all of the caller's keys.
    pub(crate) async fn names(&self, caller: &Caller) -> Result<Vec<String>, KvError> {
        let (mut walk, mut names) = (self.all_names(caller), Vec::new());
        while let Some(page) = walk.next().await? {
            names.extend(page);
        }
        Ok(names)
    }
}

impl Bed {
    /// How many parts of values there are.
    pub(crate) async fn parts(&self) -> usize {
        let (partition, range) = (keys::partition(anns().owner), Sort::of("v").children());
        self.sealed.scan_keys(&partition, &range, 1000).await.unwrap().items.len()
    }

    /// What the changes add up to.
    pub(crate) async fn totals(&self) -> Delta {
        let (mut totals, mut after) = (Delta::default(), None);
        loop {
            let page = self.kv.repo().changes(anns().owner, after, 100).await.unwrap();
            for entry in &page.items {
                totals += entry.value.delta();
                after = Some(entry.version);
            }
            if !page.more {
                return totals;
            }
        }
    }

    /// Deletes every key and lets the time pass for which anything is kept: then only the log and grants are there.
    pub(crate) async fn assert_nothing_is_left_when_all_is_over(&self, kv: &Kv) {
        for name in kv.names(&ann()).await.unwrap() {
            kv.delete(&ann(), anns(), &key(&name), Condition::None).await.unwrap();
        }
        self.clock.advance(Duration::from_hours(24 * 10));
        kv.collect().await.unwrap();
        let page = self.sealed.scan(&keys::partition(anns().owner), &SortRange::all(), 10_000).await.unwrap();
        let stays = |sort: &Sort| sort.log_version().is_some() || keys::grants().contains(sort);
        let left: Vec<_> = page.items.iter().filter(|record| !stays(&record.sort)).collect();
        assert!(left.is_empty(), "{left:?}");
        let totals = self.totals().await;
        assert_eq!(totals, Delta::default());
    }
}

/// The JSON text of an item.
pub(crate) fn text(item: &Item) -> String {
    item.value.as_json().unwrap().to_owned()
}

pub(crate) fn key(name: &str) -> Key {
    name.parse().unwrap()
}

pub(crate) fn user(number: u8, role: Role) -> Caller {
    Caller::from(Principal {
        user_id: UserId::from_bytes([number; 16]),
        role,
        session: SessionHash::from_bytes([number; 32]),
        second_factor: true,
        address_hash: AddressHash::from_bytes([number; 32]),
    })
}

pub(crate) fn ann() -> Caller {
    user(1, Role::Employee)
}

pub(crate) fn bob() -> Caller {
    user(2, Role::Employee)
}

pub(crate) fn anns() -> Space {
    ann().own_space()
}

pub(crate) fn json(value: &str) -> PlainValue {
    PlainValue::json(RawValue::from_string(value.to_owned()).unwrap())
}

pub(crate) fn blob(bytes: Vec<u8>) -> PlainValue {
    PlainValue::bytes("application/octet-stream".to_owned(), Bytes::from(bytes))
}

/// Stores a JSON text without conditions.
pub(crate) fn request(name: &str, value: &str) -> PutRequest {
    PutRequest {
        key: key(name),
        value: json(value),
        expires_at: None,
        condition: Condition::None,
        encrypt: true,
        compress: true,
    }
}

/// Bytes that do not shrink.
pub(crate) fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let byte = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..count).map(byte).collect()
}
