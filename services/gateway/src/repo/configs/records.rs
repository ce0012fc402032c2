//! Reading and committing in name spaces.

use coffer_core::Random;
use coffer_crypto::space::SpaceKeys;
use coffer_store::records::{
    Opened, Outcome, Page, Partition, Sealed, SealedCommit, Sort, SortRange, StoreError, Version, Watch,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys;
use super::wrap::{Owner, Place, StoredOwner, StoredWrap, WrapRecord, wrap_sort};

/// What came of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It happened: its revision, and the counters in the order in which they were added to.
    At(Version, Vec<i64>),
    /// Nothing was changed: this guard did not hold.
    Refused(usize),
}

/// The configurations of all name spaces.
#[derive(Clone, Debug)]
pub struct ConfigsRepo {
    records: Sealed,
}

impl ConfigsRepo {
    /// The configurations that lie in `records`.
    pub fn new(records: Sealed) -> Self {
        Self { records }
    }

    /// The wrap that stands at a place.
    pub async fn wrap(&self, place: Place) -> Result<Option<StoredWrap>, StoreError> {
        let found = self.records.get_as::<WrapRecord>(&place.partition(), &wrap_sort()).await?;
        Ok(found.map(StoredWrap::from))
    }

    /// Puts a wrap where there is none, or in the place of this version; says whether it did.
    pub async fn put_wrap(
        &self,
        place: Place,
        over: Option<Version>,
        wrapped: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let sort = wrap_sort();
        let commit = SealedCommit::new().put_as(&sort, &WrapRecord { wrapped }, None);
        let commit = match over {
            Some(version) => commit.at_version(&sort, version),
            None => commit.absent(&sort),
        };
        Ok(self.records.commit(&place.partition(), commit).await?.is_committed())
    }

    /// Removes a wrap of this version.
    pub async fn remove_wrap(&self, place: Place, version: Version) -> Result<(), StoreError> {
        let sort = wrap_sort();
        let commit = SealedCommit::new().at_version(&sort, version).delete(&sort);
        self.records.commit(&place.partition(), commit).await.map(drop)
    }

    /// To whom a name space belongs.
    pub async fn owner(&self, space: &SpaceKeys) -> Result<Option<StoredOwner>, StoreError> {
        self.records.get(&keys::partition(space), &keys::owner()).await?.map(owner_in).transpose()
    }

    /// Says to whom a name space belongs: one without an owner, or with the owner of this version. The answer is the
    /// new version, unless it is no longer so.
    pub async fn put_owner(
        &self,
        space: &SpaceKeys,
        over: Option<Version>,
        owner: Owner,
    ) -> Result<Option<Version>, StoreError> {
        let sort = keys::owner();
        let commit = SealedCommit::new().put_as(&sort, &owner, None);
        let commit = match over {
            Some(version) => commit.at_version(&sort, version),
            None => commit.absent(&sort),
        };
        match self.commit(space, commit).await? {
            Committed::At(version, _) => Ok(Some(version)),
            Committed::Refused(_) => Ok(None),
        }
    }

    /// The owner, and records of the name space in the order asked.
    pub async fn get_with_owner(
        &self,
        space: &SpaceKeys,
        sorts: &[Sort],
    ) -> Result<(Option<StoredOwner>, Vec<Option<Opened>>), StoreError> {
        let sorts: Vec<Sort> = std::iter::once(keys::owner()).chain(sorts.iter().cloned()).collect();
        let mut found = self.records.get_many(&keys::partition(space), &sorts).await?.into_iter();
        let owner = found.next().flatten().map(owner_in).transpose()?;
        Ok((owner, found.collect()))
    }

    /// What a counter of the name space has.
    pub async fn counter(&self, space: &SpaceKeys, sort: &Sort) -> Result<i64, StoreError> {
        let found = self.records.get(&keys::partition(space), sort).await?;
        found.map_or(Ok(0), |found| found.counter())
    }

    /// Records of a range of the name space.
    pub async fn scan(
        &self,
        space: &SpaceKeys,
        range: &SortRange,
        limit: usize,
    ) -> Result<Page<Opened>, StoreError> {
        self.records.scan(&keys::partition(space), range, limit).await
    }

    /// Wakes whoever waits for changes in a name space.
    pub async fn watch(&self, space: &SpaceKeys) -> Result<Box<dyn Watch>, StoreError> {
        self.records.watch(&keys::partition(space)).await
    }

    /// Commits in a name space.
    pub async fn commit(&self, space: &SpaceKeys, commit: SealedCommit) -> Result<Committed, StoreError> {
        match self.records.commit(&keys::partition(space), commit).await? {
            Outcome::Committed(committed) => Ok(Committed::At(committed.version, committed.counters)),
            Outcome::Refused { guard } => Ok(Committed::Refused(guard)),
        }
    }
}

fn owner_in(opened: Opened) -> Result<StoredOwner, StoreError> {
    let stored = opened.decode::<Owner>()?;
    Ok(StoredOwner { owner: stored.value, version: stored.version })
}

/// Seals a value for its place in a name space: for the store, it is bytes that are sealed once more.
pub fn seal<T: Serialize>(
    space: &SpaceKeys,
    random: &dyn Random,
    sort: &Sort,
    value: &T,
) -> Result<Vec<u8>, StoreError> {
    // Enough for most entries, so that few grown buffers leave a copy behind.
    let mut plain = zeroize::Zeroizing::new(Vec::with_capacity(1024));
    rmp_serde::encode::write_named(&mut *plain, value)
        .map_err(|source| StoreError::Unserializable { source: Box::new(source) })?;
    Ok(space.seal(random, &place(space, sort), &plain))
}

/// Opens what [`seal`] sealed for the place `sort`.
pub fn open<T: DeserializeOwned>(space: &SpaceKeys, sort: &Sort, sealed: &[u8]) -> Result<T, StoreError> {
    let plain = space
        .open(&place(space, sort), sealed)
        .map_err(|_| corrupt("a record of a name space does not open at its place"))?;
    // The message of a decoding error can quote what it read.
    rmp_serde::from_slice(plain.expose()).map_err(|_| corrupt("a record of a name space does not parse"))
}

fn place(space: &SpaceKeys, sort: &Sort) -> Vec<u8> {
    let partition: Partition = keys::partition(space);
    [partition.table().name().as_bytes(), b"\0", partition.key(), sort.as_bytes()].concat()
}

pub(super) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { what: what.to_owned() }
}
