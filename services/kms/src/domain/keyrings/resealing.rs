//! Sealing old records anew, in the background.
//!
//! A record is sealed anew when the version that it is under is no longer active and was made longer ago
//! than a version is used for (`keyring.rotation_days`). So after a rotation by age everything follows at once,
//! while rotations by use, which may come every hour, do not each rewrite the whole store. One process does it
//! at a time, under a lease that it keeps renewing; it goes slowly, and if it dies another begins anew.
//! Nothing is lost by stopping anywhere.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use coffer_core::Timestamp;
use coffer_crypto::keyring::KeyId;
use coffer_store::records::{Sealed, StoreError, Swept, Table, Version};

use super::Keyrings;
use crate::repo::keyring::ResealRecord;
use crate::repo::tables;

/// How often it is looked whether there is something to do.
const LOOK: Duration = Duration::from_hours(1);
/// A lease that is not renewed ends after this time.
const LEASE: Duration = Duration::from_mins(10);
/// The least time from one sweep to the next.
const REST: Duration = Duration::from_hours(24);
/// Records in one page.
const PAGE_RECORDS: usize = 200;
/// Time between two pages, so that requests go first.
const PACE: Duration = Duration::from_millis(50);

/// What is sealed under the KMS's own keyring. (Rate limits live for a minute and are counters.)
const SEALED_TABLES: [Table; 12] = [
    tables::ADDRESS,
    tables::USER_NAME,
    tables::USER,
    tables::SESSION,
    tables::USER_NUMBER,
    tables::MAIL,
    tables::EVENT,
    tables::FEED,
    tables::POOL,
    tables::FILES,
    tables::GRANTEE,
    tables::ROTATION,
];

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Records that were sealed anew.
    pub records: u64,
    /// Records under an old version that somebody else changed meanwhile.
    pub changed: u64,
    /// Records that do not open. They are left as they are, and logged.
    pub broken: u64,
}

/// Seals old records anew.
#[derive(Debug)]
pub struct Resealer {
    keyrings: Arc<Keyrings>,
    store: Sealed,
    pace: Duration,
}

impl Resealer {
    /// A job over `store`, which is sealed under the own keyring of `keyrings`.
    pub fn new(keyrings: Arc<Keyrings>, store: Sealed) -> Self {
        Self { keyrings, store, pace: PACE }
    }

    /// Looks for work until it is dropped.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            match self.sweep_if_due().await {
                Ok(Some(done)) => tracing::info!(?done, "old records were sealed anew"),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "sealing old records anew");
                }
            }
        }
    }

    /// Sweeps every table, if there are old versions, no other process does, and none did lately.
    pub async fn sweep_if_due(&self) -> Result<Option<Resealed>, StoreError> {
        let old = self.old_versions();
        if old.is_empty() {
            return Ok(None);
        }
        let Some(mut lease) = self.take_lease().await? else { return Ok(None) };
        let mut done = Resealed::default();
        for table in SEALED_TABLES {
            let mut cursor = None;
            loop {
                let page = self.store.sweep(table, cursor.as_ref(), PAGE_RECORDS).await?;
                for swept in page.items {
                    if swept.key_id().is_some_and(|id| old.contains(&id)) {
                        self.reseal(swept, &mut done).await?;
                    }
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
                let Some(renewed) = self.write_lease(Some(lease), false).await? else {
                    return Ok(Some(done));
                };
                lease = renewed;
                tokio::time::sleep(self.pace).await;
            }
        }
        self.write_lease(Some(lease), true).await?;
        Ok(Some(done))
    }

    async fn reseal(&self, swept: Swept, done: &mut Resealed) -> Result<(), StoreError> {
        match self.store.reseal(swept).await {
            Ok(true) => done.records += 1,
            Ok(false) => done.changed += 1,
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a record does not open");
                done.broken += 1;
            }
            Err(error) => return Err(error),
        }
        metrics::counter!("coffer_records_resealed_total").increment(1);
        Ok(())
    }

    /// The versions under which nothing should be sealed any more.
    fn old_versions(&self) -> HashSet<KeyId> {
        let now = self.keyrings.parts.clock.now();
        let versions = self.keyrings.own().versions().into_iter();
        let old = versions
            .filter(|version| !version.active && now.since(version.created_at) >= self.keyrings.due.age);
        // A version that is newer than the active one is still being spread.
        let active = self.keyrings.own().active().id;
        old.map(|version| version.id).filter(|id| *id < active).collect()
    }

    async fn take_lease(&self) -> Result<Option<Version>, StoreError> {
        let now = self.keyrings.parts.clock.now();
        let stored = self.keyrings.repo.resealing().await?;
        let (record, version) =
            stored.map_or((None, None), |(record, version)| (Some(record), Some(version)));
        let free = record.is_none_or(|record| {
            let rested = record.finished_at.is_none_or(|end| now.since(end) >= REST);
            now >= record.lease_until && rested
        });
        if free { self.write_lease(version, false).await } else { Ok(None) }
    }

    /// Renews the lease, or ends it; nothing if another process has taken it.
    async fn write_lease(
        &self,
        held: Option<Version>,
        finished: bool,
    ) -> Result<Option<Version>, StoreError> {
        let now: Timestamp = self.keyrings.parts.clock.now();
        let lease_until = if finished { now } else { now.plus(LEASE) };
        let record = ResealRecord { lease_until, finished_at: finished.then_some(now) };
        self.keyrings.repo.put_resealing(held, &record).await
    }
}

#[cfg(test)]
mod tests {
    use coffer_crypto::keyring::sealed_under;
    use coffer_store::records::{Partition, Records as _, SealedCommit, Sort, Value};

    use super::super::{Keyrings, SPREAD};
    use super::*;
    use crate::config::KeyringSettings;
    use crate::domain::keyrings::{KeyringParts, RootSecret};
    use crate::domain::test_store::TestStore;

    const DAY: Duration = Duration::from_hours(24);

    async fn open(world: &TestStore) -> Resealer {
        let parts = KeyringParts {
            store: world.records.clone(),
            clock: world.clock.clone(),
            random: world.random.clone(),
        };
        let secret = RootSecret::Key("07".repeat(32).into());
        let keyrings = Keyrings::open(parts, &secret, &KeyringSettings::default()).await.unwrap();
        let store = Sealed::new(world.records.clone(), keyrings.own(), world.random.clone());
        let mut resealer = Resealer::new(Arc::new(keyrings), store);
        resealer.pace = Duration::ZERO;
        resealer
    }

    async fn rotate(world: &TestStore, resealer: &Resealer) {
        world.clock.advance(90 * DAY);
        resealer.keyrings.tick().await.unwrap();
        world.clock.advance(SPREAD);
        resealer.keyrings.tick().await.unwrap();
    }

    fn place(n: usize) -> (Partition, Sort) {
        (Partition::new(tables::USER, n.to_be_bytes()), Sort::of("profile").build())
    }

    #[tokio::test]
    async fn after_a_rotation_by_age_every_old_record_is_sealed_anew_by_one_process() {
        let world = TestStore::new();
        let (one, other) = (open(&world).await, open(&world).await);
        for n in 0..500 {
            let (partition, sort) = place(n);
            let commit = SealedCommit::new().put_as(&sort, &n, None);
            assert!(one.store.commit(&partition, commit).await.unwrap().is_committed());
        }
        assert_eq!(one.sweep_if_due().await.unwrap(), None, "nothing is old yet");
        rotate(&world, &one).await;
        other.keyrings.tick().await.unwrap();
        let (of_one, of_other) = futures_util::join!(one.sweep_if_due(), other.sweep_if_due());
        let done = [of_one.unwrap(), of_other.unwrap()];
        assert!(
            done.contains(&Some(Resealed { records: 500, ..Resealed::default() })) && done.contains(&None),
            "{done:?}"
        );
        for n in 0..500 {
            let (partition, sort) = place(n);
            let stored = world.records.get(&partition, &sort).await.unwrap().unwrap();
            let Value::Bytes(sealed) = &stored.value else { panic!("a counter") };
            assert_eq!(sealed_under(sealed), Some(KeyId(2)));
            assert_eq!(other.store.get_as::<usize>(&partition, &sort).await.unwrap().unwrap().value, n);
        }
        assert_eq!(one.sweep_if_due().await.unwrap(), None, "not again within the day");
    }

    #[tokio::test]
    async fn a_process_that_died_is_followed_by_another() {
        let world = TestStore::new();
        let (one, other) = (open(&world).await, open(&world).await);
        let (partition, sort) = place(1);
        one.store.commit(&partition, SealedCommit::new().put_as(&sort, &1, None)).await.unwrap();
        rotate(&world, &one).await;
        other.keyrings.tick().await.unwrap();
        one.take_lease().await.unwrap().unwrap();
        assert_eq!(other.sweep_if_due().await.unwrap(), None, "one holds the lease");
        world.clock.advance(LEASE);
        let done = other.sweep_if_due().await.unwrap();
        assert_eq!(done, Some(Resealed { records: 1, ..Resealed::default() }));
    }
}
