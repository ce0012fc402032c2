//! What must not be told by how long an answer takes: the same store operations, in the same order, for
//! an address with an account and one without.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use coffer_crypto::keyring::Keyring;
use coffer_store::records::{
    Commit, Outcome, Page, Partition, Record, Records, Sealed, Sort, SortRange, StoreError, SweepCursor,
    SweepPage, Table, Watch,
};

use super::house::email;
use super::*;
use crate::domain::test_store::TestStore;

/// Notes every operation before passing it on.
#[derive(Debug)]
struct Watched {
    inner: Arc<dyn Records>,
    log: Mutex<Vec<String>>,
}

impl Watched {
    fn note(&self, what: &str, partition: &Partition) {
        self.log.lock().unwrap().push(format!("{what} {:?}", partition.table()));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

#[async_trait]
impl Records for Watched {
    async fn get(&self, partition: &Partition, sort: &Sort) -> Result<Option<Record>, StoreError> {
        self.note("get", partition);
        self.inner.get(partition, sort).await
    }

    async fn get_many(&self, at: &Partition, sorts: &[Sort]) -> Result<Vec<Option<Record>>, StoreError> {
        self.note(&format!("get {}", sorts.len()), at);
        self.inner.get_many(at, sorts).await
    }

    async fn scan(
        &self,
        at: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        self.note("scan", at);
        self.inner.scan(at, range, limit).await
    }

    async fn scan_keys(
        &self,
        at: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        self.note("scan keys", at);
        self.inner.scan_keys(at, range, limit).await
    }

    async fn commit(&self, partition: &Partition, commit: Commit) -> Result<Outcome, StoreError> {
        self.note(&format!("commit {}", commit.operations.len()), partition);
        self.inner.commit(partition, commit).await
    }

    async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SweepPage, StoreError> {
        self.inner.sweep(table, from, limit).await
    }

    async fn watch(&self, partition: &Partition) -> Result<Box<dyn Watch>, StoreError> {
        self.inner.watch(partition).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

fn watched_house() -> (Arc<Watched>, House) {
    let store = TestStore::new();
    let watched = Arc::new(Watched { inner: store.records.clone(), log: Mutex::default() });
    let keyring = Arc::new(Keyring::create(coffer_core::Clock::now(&*store.clock), &*store.random));
    let sealed = Sealed::new(watched.clone(), keyring, store.random.clone());
    (watched, House::on(store, sealed, |_, _| {}))
}

#[tokio::test]
async fn a_login_for_an_unknown_account_does_the_same_work() {
    let (watched, house) = watched_house();
    house.user(ANN).await;
    let mut logs = Vec::new();
    for to in [ANN, "nobody@example.com"] {
        watched.take();
        house
            .identity
            .log_in(&email(to), password("wrong horse battery"), &at("192.0.2.7"))
            .await
            .unwrap_err();
        logs.push(watched.take());
    }
    assert_eq!(logs[0], logs[1]);
    assert!(logs[0].len() > 5, "{logs:?}");
}

#[tokio::test]
async fn trying_a_code_of_an_unknown_account_does_the_same_work() {
    let (watched, house) = watched_house();
    house.user(ANN).await;
    house.ask_code(ANN, &at("192.0.2.1")).await;
    let mut logs = Vec::new();
    for to in [ANN, "nobody@example.com"] {
        watched.take();
        house.identity.verify_log_in(&email(to), "12345", &at("192.0.2.7")).await.unwrap_err();
        logs.push(watched.take());
    }
    assert_eq!(logs[0], logs[1]);
}

#[tokio::test]
async fn a_reset_code_of_an_unknown_account_does_the_same_work() {
    let (watched, house) = watched_house();
    house.user(ANN).await;
    house.identity.send_reset_code(&email(ANN), &at("192.0.2.1")).await.unwrap();
    let mut logs = Vec::new();
    for to in [ANN, "nobody@example.com"] {
        watched.take();
        let code = (&email(to), "12345");
        house.identity.reset_password(code, password(PASSWORD), &at("192.0.2.7")).await.unwrap_err();
        logs.push(watched.take());
    }
    assert_eq!(logs[0], logs[1]);
}
