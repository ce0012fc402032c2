//! Keys of a test: a change log that can be cut, and nothing else of a key-value store.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use coffer_core::UserId;
use coffer_store::records::{Page, StoreError};

use super::super::totals::{Change, Changes, Counted, Fate, Keys, Sizes};

pub(super) const RETENTION: Duration = Duration::from_hours(24);

#[derive(Debug, Default)]
struct Space {
    revision: u64,
    keys: BTreeMap<String, (u64, Sizes)>,
    expired: Sizes,
    log: Vec<Changes>,
}

/// What happens after the next page of keys has been read.
type Meanwhile = Box<dyn FnOnce(&TestKeys) + Send>;

#[derive(Default)]
pub(super) struct TestKeys {
    spaces: Mutex<HashMap<UserId, Space>>,
    meanwhile: Mutex<Vec<Meanwhile>>,
}

impl std::fmt::Debug for TestKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestKeys")
    }
}

pub(super) fn sizes(bytes: i64, compressed: bool) -> Sizes {
    let stored_bytes = if compressed { bytes / 2 } else { bytes };
    Sizes { keys: 1, plain_bytes: bytes, stored_bytes, encrypted: 1, compressed: i64::from(compressed) }
}

impl TestKeys {
    fn change(&self, owner: UserId, key: &str, (fate, now): (Fate, Option<Sizes>)) -> bool {
        let mut spaces = self.spaces.lock().unwrap();
        let space = spaces.entry(owner).or_default();
        let before = space.keys.remove(key).map_or(Sizes::default(), |(_, sizes)| sizes);
        if now.is_none() && before == Sizes::default() {
            return false;
        }
        // Other commits of the partition take revisions too.
        space.revision += 3;
        let delta = now.unwrap_or_default() - before;
        let change = Change { key: key.to_owned(), fate, delta };
        space.log.push(Changes { revision: space.revision, changes: vec![change] });
        if let Some(sizes) = now {
            space.keys.insert(key.to_owned(), (space.revision, sizes));
        }
        true
    }

    pub(super) fn store(&self, owner: UserId, key: &str, sizes: Sizes) {
        self.change(owner, key, (Fate::Stored, Some(sizes)));
    }

    /// Whether there was such a key.
    pub(super) fn delete(&self, owner: UserId, key: &str) -> bool {
        self.change(owner, key, (Fate::Deleted, None))
    }

    pub(super) fn expire(&self, owner: UserId, key: &str) {
        self.change(owner, key, (Fate::Expired, None));
    }

    /// The time of a key is over, and nobody has said so in the log.
    pub(super) fn run_out(&self, owner: UserId, key: &str) -> Sizes {
        let mut spaces = self.spaces.lock().unwrap();
        let space = spaces.get_mut(&owner).unwrap();
        let (_, sizes) = space.keys.remove(key).unwrap();
        space.expired += sizes;
        sizes
    }

    /// Says so.
    pub(super) fn tell_expired(&self, owner: UserId, key: &str, sizes: Sizes) {
        let mut spaces = self.spaces.lock().unwrap();
        let space = spaces.get_mut(&owner).unwrap();
        space.expired = space.expired - sizes;
        space.revision += 1;
        let change = Change { key: key.to_owned(), fate: Fate::Expired, delta: Sizes::default() - sizes };
        space.log.push(Changes { revision: space.revision, changes: vec![change] });
    }

    /// The log forgets everything.
    pub(super) fn cut(&self, owner: UserId) {
        self.spaces.lock().unwrap().get_mut(&owner).unwrap().log.clear();
    }

    /// What the keys come to, by adding them up.
    pub(super) fn sum(&self, owner: UserId) -> Sizes {
        let spaces = self.spaces.lock().unwrap();
        let Some(space) = spaces.get(&owner) else { return Sizes::default() };
        space.keys.values().fold(space.expired, |sum, (_, sizes)| sum + *sizes)
    }

    /// This happens after a page of keys has been read, once.
    pub(super) fn meanwhile(&self, happens: impl FnOnce(&Self) + Send + 'static) {
        self.meanwhile.lock().unwrap().push(Box::new(happens));
    }
}

#[async_trait]
impl Keys for TestKeys {
    fn log_retention(&self) -> Duration {
        RETENTION
    }

    async fn changes(&self, owner: UserId, after: u64, limit: usize) -> Result<Page<Changes>, StoreError> {
        let spaces = self.spaces.lock().unwrap();
        let log = spaces.get(&owner).map_or(&[][..], |space| &space.log);
        let mut items: Vec<_> = log.iter().filter(|one| one.revision > after).cloned().collect();
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, more })
    }

    async fn keys(
        &self,
        owner: UserId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Counted>, StoreError> {
        let page = {
            let spaces = self.spaces.lock().unwrap();
            let none = BTreeMap::new();
            let keys = spaces.get(&owner).map_or(&none, |space| &space.keys);
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let counted = |(key, (revision, sizes)): (&String, &(u64, Sizes))| Counted {
                key: key.clone(),
                revision: *revision,
                sizes: *sizes,
            };
            let mut items: Vec<_> =
                keys.range::<str, _>((from, Bound::Unbounded)).take(limit + 1).map(counted).collect();
            let more = items.len() > limit;
            items.truncate(limit);
            Page { items, more }
        };
        let happens = self.meanwhile.lock().unwrap().pop();
        happens.map(|happens| happens(self)).unwrap_or_default();
        Ok(page)
    }

    async fn expired(&self, owner: UserId) -> Result<Sizes, StoreError> {
        Ok(self.spaces.lock().unwrap().get(&owner).map_or(Sizes::default(), |space| space.expired))
    }

    async fn present(&self, owner: UserId) -> Result<u64, StoreError> {
        let mut spaces = self.spaces.lock().unwrap();
        let space = spaces.entry(owner).or_default();
        space.revision += 1;
        Ok(space.revision)
    }
}
