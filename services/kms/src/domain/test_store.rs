//! A store for tests in which others always get a turn between two calls.

use std::sync::Arc;

use coffer_core::{Clock as _, ManualClock, SystemRandom, Timestamp};
use coffer_crypto::keyring::Keyring;
use coffer_store::records::{MemoryRecords, Records as _, Sealed, Table};
use coffer_store::testing::Observed;

/// A store, its clock and its keyring, for any number of processes.
#[derive(Clone, Debug)]
pub(crate) struct TestStore {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) random: Arc<SystemRandom>,
    pub(crate) records: Arc<Observed>,
    pub(crate) sealed: Sealed,
}

impl TestStore {
    pub(crate) fn new() -> Self {
        let start = Timestamp::from_ms(1_800_000_000_000);
        let clock = Arc::new(ManualClock::at(start));
        let random = Arc::new(SystemRandom);
        let records = Arc::new(Observed::new(Arc::new(MemoryRecords::new(clock.clone()))).yielding());
        let keyring = Arc::new(Keyring::create(start, &*random));
        let sealed = Sealed::new(records.clone(), keyring, random.clone());
        Self { clock, random, records, sealed }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Every record of `table`, as whoever holds the storage sees it.
    pub(crate) async fn dump(&self, table: Table) -> String {
        let page = self.records.sweep(table, None, 10_000).await.expect("memory does not fail");
        let mut items: Vec<_> = page.items.iter().map(|item| format!("{item:?}")).collect();
        items.sort_unstable();
        items.join("\n")
    }
}
