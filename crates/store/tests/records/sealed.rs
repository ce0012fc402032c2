//! Sealed records: the contract holds through the seal, and the seal holds against whoever has the storage.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use coffer_core::{SecretBytes, SystemClock, SystemRandom, Timestamp};
use coffer_crypto::keyring::{KeyId, Keyring};
use coffer_store::records::{
    Commit, MemoryRecords, Opened, OpenedValue, Operation, Outcome, Page, Partition, Record, Records, Sealed,
    SealedCommit, Sort, SortRange, SqliteRecords, StoreError, SweepCursor, SweepPage, Table, Value, Version,
    Watch,
};

use crate::bed::{OTHER_TABLE, TABLE, key, part};

const SECRET: &str = "planted-secret-6f1d0c";

fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::create(Timestamp::from_ms(0), &SystemRandom))
}

/// A sealing store as a plain one, so that the conformance suite runs on it.
#[derive(Debug)]
pub(crate) struct Unsealed(Sealed);

impl Unsealed {
    pub(crate) fn over(records: Arc<dyn Records>) -> Self {
        Self(Sealed::new(records, keyring(), Arc::new(SystemRandom)))
    }
}

fn plain(opened: Opened) -> Record {
    let Opened { sort, value, version, expires_at } = opened;
    let value = match value {
        OpenedValue::Bytes(bytes) => Value::Bytes(Bytes::copy_from_slice(bytes.expose())),
        OpenedValue::Counter(number) => Value::Counter(number),
    };
    Record { sort, value, version, expires_at }
}

#[async_trait]
impl Records for Unsealed {
    async fn get(&self, partition: &Partition, sort: &Sort) -> Result<Option<Record>, StoreError> {
        Ok(self.0.get(partition, sort).await?.map(plain))
    }

    async fn get_many(
        &self,
        partition: &Partition,
        sorts: &[Sort],
    ) -> Result<Vec<Option<Record>>, StoreError> {
        let found = self.0.get_many(partition, sorts).await?;
        Ok(found.into_iter().map(|opened| opened.map(plain)).collect())
    }

    async fn scan(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        let page = self.0.scan(partition, range, limit).await?;
        Ok(Page { items: page.items.into_iter().map(plain).collect(), more: page.more })
    }

    async fn scan_keys(
        &self,
        partition: &Partition,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        self.0.scan_keys(partition, range, limit).await
    }

    async fn commit(&self, partition: &Partition, commit: Commit) -> Result<Outcome, StoreError> {
        let guarded = commit.guards.into_iter().fold(SealedCommit::new(), SealedCommit::guard);
        let sealed = commit.operations.into_iter().fold(guarded, |sealed, operation| match operation {
            Operation::Put { sort, value, expires_at } => {
                sealed.put(&sort, SecretBytes::new(value.to_vec()), expires_at)
            }
            Operation::Append { prefix, value, expires_at } => {
                sealed.append(&prefix, SecretBytes::new(value.to_vec()), expires_at)
            }
            Operation::Retire { sort, expires_at } => sealed.retire(&sort, expires_at),
            Operation::Delete { sort } => sealed.delete(&sort),
            Operation::Add { sort, delta, expires_at } => sealed.add(&sort, delta, expires_at),
        });
        self.0.commit(partition, sealed).await
    }

    async fn sweep(
        &self,
        table: Table,
        from: Option<&SweepCursor>,
        limit: usize,
    ) -> Result<SweepPage, StoreError> {
        let page = self.0.sweep(table, from, limit).await?;
        let open = |swept: coffer_store::records::Swept| {
            Ok((swept.partition.clone(), plain(self.0.open_swept(swept)?)))
        };
        let items = page.items.into_iter().map(open).collect::<Result<_, StoreError>>()?;
        Ok(SweepPage { items, next: page.next })
    }

    async fn watch(&self, partition: &Partition) -> Result<Box<dyn Watch>, StoreError> {
        self.0.watch(partition).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}

fn memory() -> (Arc<dyn Records>, Sealed, Arc<Keyring>) {
    let records: Arc<dyn Records> = Arc::new(MemoryRecords::new(Arc::new(SystemClock)));
    let keyring = keyring();
    let sealed = Sealed::new(records.clone(), keyring.clone(), Arc::new(SystemRandom));
    (records, sealed, keyring)
}

fn secret() -> SecretBytes {
    SecretBytes::new(SECRET.into())
}

#[tokio::test]
async fn a_sealed_value_that_was_moved_or_changed_does_not_open() {
    let (records, sealed, _) = memory();
    sealed.commit(&part("p"), SealedCommit::new().put(&key("a"), secret(), None)).await.unwrap();
    assert_eq!(sealed.get(&part("p"), &key("a")).await.unwrap().unwrap().bytes().unwrap(), SECRET.as_bytes());
    let stored = records.get(&part("p"), &key("a")).await.unwrap().unwrap();
    let Value::Bytes(stored) = stored.value else { panic!("bytes were stored") };
    let other_table = Partition::new(OTHER_TABLE, "p");
    // Each part of the address is changed alone: every one of them must be bound by itself.
    for (place, sort) in [(part("p"), "b"), (part("q"), "a"), (other_table, "a")] {
        records.commit(&place, Commit::new().put(&key(sort), stored.clone(), None)).await.unwrap();
        let opened = sealed.get(&place, &key(sort)).await;
        assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "{place:?} {sort}: {opened:?}");
    }
    for changed in 0..stored.len() {
        let mut forged = stored.to_vec();
        forged[changed] ^= 1;
        records.commit(&part("p"), Commit::new().put(&key("a"), forged, None)).await.unwrap();
        assert!(sealed.get(&part("p"), &key("a")).await.is_err(), "byte {changed} does not matter");
    }
}

#[tokio::test]
async fn an_entry_of_a_log_opens_in_its_log_and_nowhere_else() {
    let (records, sealed, _) = memory();
    let append = SealedCommit::new().append_as(&key("c"), SECRET, None).put(&key("c"), secret(), None);
    let version = committed(sealed.commit(&part("p"), append).await.unwrap());
    let logged = sealed.scan_log_as::<String>(&part("p"), &key("c"), None, 10).await.unwrap();
    assert_eq!((logged.items[0].version, &*logged.items[0].value), (version, SECRET));
    let entry = Sort::log_entry(&key("c"), version);
    let stored = records.get(&part("p"), &entry).await.unwrap().unwrap();
    let Value::Bytes(stored) = stored.value else { panic!("bytes were stored") };
    let record = records.get(&part("p"), &key("c")).await.unwrap().unwrap();
    let Value::Bytes(record) = record.value else { panic!("bytes were stored") };
    for (place, sort) in [
        (part("p"), Sort::log_entry(&key("d"), version)),
        (part("q"), entry.clone()),
        (Partition::new(OTHER_TABLE, "p"), entry.clone()),
        (part("p"), key("c")),
    ] {
        records.commit(&place, Commit::new().put(&sort, stored.clone(), None)).await.unwrap();
        let opened = sealed.get(&place, &sort).await;
        assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "{sort:?}: {opened:?}");
    }
    records.commit(&part("p"), Commit::new().put(&entry, record, None)).await.unwrap();
    assert!(sealed.get(&part("p"), &entry).await.is_err(), "a record is no entry");
}

#[tokio::test]
async fn an_entry_that_was_sealed_anew_keeps_its_place() {
    let (records, sealed, keyring) = memory();
    let mut versions = Vec::new();
    for number in 0..3_u32 {
        let append = SealedCommit::new().append_as(&key("c"), &number, None);
        versions.push(committed(sealed.commit(&part("p"), append).await.unwrap()));
    }
    let active = keyring.add_version(Timestamp::from_ms(1), &SystemRandom).unwrap();
    keyring.activate(active).unwrap();
    for swept in sealed.sweep(TABLE, None, 100).await.unwrap().items {
        assert!(sealed.reseal(swept).await.unwrap());
    }
    keyring.destroy(KeyId(1)).unwrap();
    let page = sealed.scan_log_as::<u32>(&part("p"), &key("c"), None, 10).await.unwrap();
    let found: Vec<_> = page.items.iter().map(|entry| (entry.version, entry.value)).collect();
    assert_eq!(found, versions.iter().copied().zip(0..).collect::<Vec<_>>());
    assert_eq!(records.sweep(TABLE, None, 100).await.unwrap().items.len(), 3);
}

fn committed(outcome: Outcome) -> Version {
    match outcome {
        Outcome::Committed(committed) => committed.version,
        Outcome::Refused { guard } => panic!("guard {guard} did not hold"),
    }
}

#[tokio::test]
async fn a_sweep_names_the_key_of_each_value_and_reseals_it() {
    let (_, sealed, keyring) = memory();
    for i in 0..5 {
        let commit = SealedCommit::new().put(&key("a"), secret(), None).add(&key("n"), 1, None);
        sealed.commit(&part(i.to_string()), commit).await.unwrap();
    }
    let active = keyring.add_version(Timestamp::from_ms(1), &SystemRandom).unwrap();
    keyring.activate(active).unwrap();
    let mut page = sealed.sweep(TABLE, None, 100).await.unwrap();
    let stale = page.items.extract_if(.., |swept| swept.key_id() == Some(KeyId(1))).collect::<Vec<_>>();
    assert_eq!((stale.len(), page.items.len()), (5, 5), "the counters have no key");
    for (i, swept) in stale.into_iter().enumerate() {
        if i == 0 {
            let changed = SealedCommit::new().put(&key("a"), SecretBytes::new(b"newer".to_vec()), None);
            sealed.commit(&swept.partition, changed).await.unwrap();
        }
        assert_eq!(sealed.reseal(swept).await.unwrap(), i != 0, "what changed meanwhile is left alone");
    }
    keyring.destroy(KeyId(1)).unwrap();
    let page = sealed.sweep(TABLE, None, 100).await.unwrap();
    let values = page.items.into_iter().map(|swept| sealed.open_swept(swept).unwrap());
    let values: Vec<_> = values.filter_map(|opened| opened.bytes().ok().map(<[u8]>::to_vec)).collect();
    assert_eq!(values.iter().filter(|value| **value == SECRET.as_bytes()).count(), 4);
    assert_eq!(values.iter().filter(|value| **value == b"newer").count(), 1);
}

#[tokio::test]
async fn typed_values_are_read_as_they_were_written() {
    let (_, sealed, _) = memory();
    let value = (SECRET.to_owned(), 7_u32, vec![Some(1_u8), None]);
    sealed.commit(&part("p"), SealedCommit::new().put_as(&key("a"), &value, None)).await.unwrap();
    let stored =
        sealed.get_as::<(String, u32, Vec<Option<u8>>)>(&part("p"), &key("a")).await.unwrap().unwrap();
    assert_eq!(stored.value, value);
    let wrong = sealed.get_as::<u64>(&part("p"), &key("a")).await.unwrap_err();
    assert!(!format!("{wrong} {wrong:?}").contains(SECRET), "{wrong:?}");
    let mut page =
        sealed.scan_as::<(String, u32, Vec<Option<u8>>)>(&part("p"), &SortRange::all(), 5).await.unwrap();
    assert_eq!(page.items.pop().unwrap().value, value);
}

/// Writes secrets in every way that a value can be written.
pub(crate) async fn plant(records: Arc<dyn Records>) {
    let sealed = Sealed::new(records, keyring(), Arc::new(SystemRandom));
    for i in 0..20 {
        let large = SecretBytes::new(SECRET.repeat(1 + i * 500).into());
        let commit = SealedCommit::new().append_as(&key("c"), SECRET, None);
        let commit = commit.put(&key("a"), secret(), None).put(&key("b"), large, None).put_as(
            &key("visible-name"),
            &(SECRET, SECRET),
            Some(Timestamp::from_ms(i64::MAX)),
        );
        assert!(sealed.commit(&part(i.to_string()), commit).await.unwrap().is_committed());
    }
}

/// Searches what a back end has on disk.
pub(crate) fn assert_holds_no_secret(dump: &[u8]) {
    let holds = |text: &[u8]| dump.windows(text.len()).any(|window| window == text);
    assert!(holds(b"visible-name"), "the dump is not of the store that was written");
    assert!(!holds(SECRET.as_bytes()), "a planted secret is on disk");
}

#[tokio::test]
async fn no_secret_is_in_the_files_of_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteRecords::open(&dir.path().join("records.db"), Arc::new(SystemClock)).unwrap());
    plant(store.clone()).await;
    let dump = || {
        let files = std::fs::read_dir(dir.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect::<Vec<_>>()
    };
    assert_holds_no_secret(&dump());
    drop(store);
    assert_holds_no_secret(&dump());
}
