//! The log of changes as records: its entries, what they count for, and how far they were let go.

use coffer_crypto::space::SpaceKeys;
use coffer_store::records::{Opened, Page, SealedCommit, Sort, SortRange, StoreError, Version};
use serde::{Deserialize, Serialize};

use super::entry::ChangeRecord;
use super::records::corrupt;
use super::wrap::StoredOwner;
use super::{Committed, ConfigsRepo, keys, open};

/// What an entry counts for besides its bytes: about what its record costs.
const OVERHEAD_BYTES: usize = 256;
/// Entries read at once.
const PAGE: usize = 1024;

/// How far the log was let go: every entry up to this version may be missing.
#[derive(Serialize, Deserialize)]
struct Floor {
    #[serde(rename = "v")]
    version: u64,
}

/// What is noted of a log.
#[derive(Clone, Copy, Debug)]
pub struct LogState {
    /// What its entries count for, in bytes; those that expired since the last look included.
    pub bytes: i64,
    /// Up to which version entries are counted in that.
    pub counted: Version,
    /// Up to which version entries may be missing.
    pub floor: Version,
    /// The version of the record that says so, if there is one.
    floor_record: Option<Version>,
}

/// An entry of a log, and what it counts for, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Weighed {
    /// Its version.
    pub version: Version,
    /// What it counts for.
    pub charge: i64,
}

/// What an entry of so many sealed bytes counts for.
pub fn log_charge(sealed_bytes: usize) -> i64 {
    i64::try_from(sealed_bytes + OVERHEAD_BYTES).unwrap_or(i64::MAX)
}

fn floor_in(opened: Option<Opened>) -> Result<(Version, Option<Version>), StoreError> {
    let Some(opened) = opened else { return Ok((Version(0), None)) };
    let stored = opened.decode::<Floor>()?;
    Ok((Version(stored.value.version), Some(stored.version)))
}

impl ConfigsRepo {
    /// The changes after a revision, in order, each with its own. An entry whose changes are told later stands behind
    /// all of these.
    pub async fn changes(
        &self,
        space: &SpaceKeys,
        after: Version,
        limit: usize,
    ) -> Result<Page<(Version, ChangeRecord)>, StoreError> {
        let log = keys::changes();
        let page = self.scan(space, &SortRange::log(&log, Some(after)), limit).await?;
        let read = |opened: &Opened| Ok((version_of(opened)?, open(space, &log, opened.bytes()?)?));
        Ok(Page { items: page.items.iter().map(read).collect::<Result<_, StoreError>>()?, more: page.more })
    }

    /// Whether the log of changes still has the one of this revision.
    pub async fn has_change(&self, space: &SpaceKeys, revision: Version) -> Result<bool, StoreError> {
        let entry = Sort::log_entry(&keys::changes(), revision);
        let (_, found) = self.get_with_owner(space, &[entry]).await?;
        Ok(found.iter().flatten().next().is_some())
    }

    /// The owner, and up to which version entries of the log may be missing.
    pub async fn owner_and_floor(
        &self,
        space: &SpaceKeys,
    ) -> Result<(Option<StoredOwner>, Version), StoreError> {
        let (owner, mut found) = self.get_with_owner(space, &[keys::floor()]).await?;
        Ok((owner, floor_in(found.pop().flatten())?.0))
    }

    /// What is noted of the log.
    pub async fn log_state(&self, space: &SpaceKeys) -> Result<LogState, StoreError> {
        let (_, mut found) = self.get_with_owner(space, &[keys::log_bytes(), keys::floor()]).await?;
        let (floor, floor_record) = floor_in(found.pop().flatten())?;
        let (bytes, counted) = match found.pop().flatten() {
            Some(counter) => (counter.counter()?, counter.version),
            None => (0, Version(0)),
        };
        Ok(LogState { bytes, counted, floor, floor_record })
    }

    /// The entries that are there, up to a version, oldest first.
    pub async fn log_entries(&self, space: &SpaceKeys, until: Version) -> Result<Vec<Weighed>, StoreError> {
        let (mut entries, mut range) = (Vec::new(), SortRange::log(&keys::changes(), None));
        loop {
            let page = self.scan(space, &range, PAGE).await?;
            for opened in &page.items {
                let version = version_of(opened)?;
                if version > until {
                    return Ok(entries);
                }
                entries.push(Weighed { version, charge: log_charge(opened.bytes()?.len()) });
            }
            match page.items.last() {
                Some(last) if page.more => range = range.after(&last.sort),
                _ => return Ok(entries),
            }
        }
    }

    /// Removes entries, the oldest of those that are there, and counts so many bytes less; the answer is the state then,
    /// or nothing if somebody else came first.
    pub async fn cut_log(
        &self,
        space: &SpaceKeys,
        (state, gone): (LogState, &[Weighed]),
        bytes: i64,
    ) -> Result<Option<LogState>, StoreError> {
        let (log, sort) = (keys::changes(), keys::floor());
        let floor = gone.last().map_or(state.floor, |last| last.version).max(state.floor);
        let commit = match state.floor_record {
            Some(version) => SealedCommit::new().at_version(&sort, version),
            None => SealedCommit::new().absent(&sort),
        };
        let commit =
            gone.iter().fold(commit, |commit, one| commit.delete(&Sort::log_entry(&log, one.version)));
        let commit =
            commit.put_as(&sort, &Floor { version: floor.0 }, None).add(&keys::log_bytes(), -bytes, None);
        Ok(match self.commit(space, commit).await? {
            Committed::At(version, _) => Some(LogState { floor, floor_record: Some(version), ..state }),
            Committed::Refused(_) => None,
        })
    }
}

fn version_of(opened: &Opened) -> Result<Version, StoreError> {
    opened.sort.log_version().ok_or_else(|| corrupt("a change has no revision"))
}
