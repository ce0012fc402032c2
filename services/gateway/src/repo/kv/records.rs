//! Reading and committing in an owner's partition.

use coffer_core::{Timestamp, UserId};
use coffer_store::records::{
    Logged, Opened, Outcome, Page, Sealed, SealedCommit, Sort, SortRange, StoreError, Unopened, Version,
    Watch,
};

use super::change::ChangeRecord;
use super::entry::{Entry, Parts};
use super::keys;
use super::tombstone::Tombstone;

/// How long the record lives that is written to learn the present revision. While it is there, it also tells that this
/// revision was reached.
const PROBE_TTL: std::time::Duration = std::time::Duration::from_hours(1);

/// An entry as read; [`entry`](Self::entry) decodes it.
#[derive(Debug)]
pub struct StoredEntry(Opened);

impl StoredEntry {
    /// Its revision, if it is a key's current entry.
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// Where it stands.
    pub fn sort(&self) -> &Sort {
        &self.0.sort
    }

    /// The entry, which borrows from this.
    pub fn entry(&self) -> Result<Entry<'_>, StoreError> {
        Entry::decode(self.0.bytes()?)
    }
}

/// The parts of a large value as read; [`put_together`](Self::put_together) opens them.
#[derive(Debug)]
pub struct StoredParts(Unopened);

impl StoredParts {
    /// The frame that the value was stored as, of about so many bytes.
    pub fn put_together(self, bytes: usize) -> Result<Vec<u8>, StoreError> {
        let mut frame = Vec::with_capacity(bytes);
        for part in self.0.open() {
            let part = part?.ok_or_else(|| corrupt("a part of a value is gone"))?;
            frame.extend_from_slice(part.bytes()?);
        }
        Ok(frame)
    }
}

/// What came of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It happened, and this is its revision.
    At(Version),
    /// Nothing was changed: this guard did not hold.
    Refused(usize),
}

/// The key-value store of all owners.
#[derive(Clone, Debug)]
pub struct KvRepo {
    records: Sealed,
}

impl KvRepo {
    /// The store that lies in `records`.
    pub fn new(records: Sealed) -> Self {
        Self { records }
    }

    /// The current entry of a key.
    pub async fn get(&self, owner: UserId, key: &str) -> Result<Option<StoredEntry>, StoreError> {
        let found = self.records.get(&keys::partition(owner), &keys::current(key)).await?;
        Ok(found.map(StoredEntry))
    }

    /// Several entries, current or of the past, in the order asked.
    pub async fn get_many(
        &self,
        owner: UserId,
        sorts: &[Sort],
    ) -> Result<Vec<Option<StoredEntry>>, StoreError> {
        let found = self.records.get_many(&keys::partition(owner), sorts).await?;
        Ok(found.into_iter().map(|opened| opened.map(StoredEntry)).collect())
    }

    /// As [`get_many`](Self::get_many), each by itself: one that is damaged spoils none of the others.
    pub async fn get_each(
        &self,
        owner: UserId,
        sorts: &[Sort],
    ) -> Result<Vec<Result<Option<StoredEntry>, StoreError>>, StoreError> {
        let found = self.records.get_unopened(&keys::partition(owner), sorts).await?;
        Ok(found.open().map(|opened| Ok(opened?.map(StoredEntry))).collect())
    }

    /// The current entry of a key, and its tombstone if it has one.
    pub async fn get_with_tombstone(
        &self,
        owner: UserId,
        key: &str,
    ) -> Result<(Option<StoredEntry>, Option<(Tombstone, Version)>), StoreError> {
        let sorts = [keys::current(key), keys::tombstone(key)];
        let mut found = self.records.get_many(&keys::partition(owner), &sorts).await?.into_iter();
        let current = found.next().flatten().map(StoredEntry);
        let tombstone = found.next().flatten().map(Opened::decode::<Tombstone>).transpose()?;
        Ok((current, tombstone.map(|stored| (stored.value, stored.version))))
    }

    /// The parts of a large value; nothing if one of them is gone.
    pub async fn parts(
        &self,
        owner: UserId,
        key: &str,
        parts: Parts,
    ) -> Result<Option<StoredParts>, StoreError> {
        let sorts: Vec<_> = (0..parts.count).map(|number| keys::part(key, parts.id, number)).collect();
        let found = self.records.get_unopened(&keys::partition(owner), &sorts).await?;
        Ok(found.is_complete().then_some(StoredParts(found)))
    }

    /// Sort keys of a range: of keys, or of tombstones. May include some that have expired.
    pub async fn scan_keys(
        &self,
        owner: UserId,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Sort>, StoreError> {
        self.records.scan_keys(&keys::partition(owner), range, limit).await
    }

    /// The tombstones of a range, with their keys.
    pub async fn tombstones(
        &self,
        owner: UserId,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<(String, Tombstone)>, StoreError> {
        let page = self.records.scan_as::<Tombstone>(&keys::partition(owner), range, limit).await?;
        let named = page.items.into_iter().map(|stored| {
            let key = keys::key_in(&stored.sort).ok_or_else(|| corrupt("a tombstone of no key"))?;
            Ok((key.into_owned(), stored.value))
        });
        Ok(Page { items: named.collect::<Result<_, StoreError>>()?, more: page.more })
    }

    /// Commits in the owner's partition.
    pub async fn commit(&self, owner: UserId, commit: SealedCommit) -> Result<Committed, StoreError> {
        match self.records.commit(&keys::partition(owner), commit).await? {
            Outcome::Committed(committed) => Ok(Committed::At(committed.version)),
            Outcome::Refused { guard } => Ok(Committed::Refused(guard)),
        }
    }

    /// The changes after a revision (or all that are kept), in order. An entry whose changes are told later stands
    /// behind all of these.
    pub async fn changes(
        &self,
        owner: UserId,
        after: Option<Version>,
        limit: usize,
    ) -> Result<Page<Logged<ChangeRecord>>, StoreError> {
        self.records.scan_log_as(&keys::partition(owner), &keys::changes(), after, limit).await
    }

    /// Whether the log of changes still has the one of this revision, and so everything after it.
    pub async fn has_change(&self, owner: UserId, revision: Version) -> Result<bool, StoreError> {
        let entry = Sort::log_entry(&keys::changes(), revision);
        Ok(self.records.get(&keys::partition(owner), &entry).await?.is_some())
    }

    /// Whether there was such a revision already, as far as the log and the last record that was written to learn the
    /// present one tell.
    pub async fn has_reached(&self, owner: UserId, revision: Version) -> Result<bool, StoreError> {
        let sorts = [Sort::log_entry(&keys::changes(), revision), keys::probe()];
        let found = self.records.get_many(&keys::partition(owner), &sorts).await?;
        let [change, probe] = &found[..] else { return Err(corrupt("two records were asked for")) };
        Ok(change.is_some() || probe.as_ref().is_some_and(|probe| revision <= probe.version))
    }

    /// The present revision: every change that commits from now on has a greater one.
    pub async fn present(&self, owner: UserId, now: Timestamp) -> Result<Version, StoreError> {
        let probe = SealedCommit::new().put_as(&keys::probe(), &(), Some(now.plus(PROBE_TTL)));
        match self.commit(owner, probe).await? {
            Committed::At(version) => Ok(version),
            Committed::Refused(_) => Err(corrupt("a commit without guards was refused")),
        }
    }

    /// Wakes whoever waits for changes of this owner's keys.
    pub async fn watch(&self, owner: UserId) -> Result<Box<dyn Watch>, StoreError> {
        self.records.watch(&keys::partition(owner)).await
    }

    pub(super) fn records(&self) -> &Sealed {
        &self.records
    }
}

pub(super) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { what: what.to_owned() }
}
