//! When configurations were last read, as records: the times of 256 numbers each.

use std::collections::BTreeMap;

use coffer_core::{Random, SecretBytes};
use coffer_crypto::space::SpaceKeys;
use coffer_store::records::{SealedCommit, StoreError, Version};
use serde::{Deserialize, Serialize};

use super::records::{corrupt, seal};
use super::{Committed, ConfigsRepo, keys, open};

/// Numbers in a record.
const BUCKET: u64 = 256;
/// Records read at once.
const PAGE: usize = 256;

/// The hours, since 1970, in which configurations were last read, by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadTimes {
    /// The hours.
    #[serde(rename = "h")]
    pub hours: BTreeMap<u64, u32>,
}

impl ReadTimes {
    /// The record of a number.
    pub fn bucket_of(id: u64) -> u64 {
        id / BUCKET
    }
}

impl ConfigsRepo {
    /// A record of times, and its version if it is there; nothing if the name space has another owner than this.
    pub async fn read_times(
        &self,
        space: &SpaceKeys,
        owner: Version,
        bucket: u64,
    ) -> Result<Option<(ReadTimes, Option<Version>)>, StoreError> {
        let sort = keys::read_times(bucket);
        let (found, mut records) = self.get_with_owner(space, std::slice::from_ref(&sort)).await?;
        if found.is_none_or(|found| found.version != owner) {
            return Ok(None);
        }
        let Some(record) = records.pop().flatten() else { return Ok(Some((ReadTimes::default(), None))) };
        Ok(Some((open(space, &sort, record.bytes()?)?, Some(record.version))))
    }

    /// Writes a record of times in the place of the version that was read; says whether it did, or the name space has
    /// another owner.
    pub async fn put_read_times(
        &self,
        (space, owner): (&SpaceKeys, Version),
        (bucket, over): (u64, Option<Version>),
        times: &ReadTimes,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let sort = keys::read_times(bucket);
        let commit = SealedCommit::new().at_version(&keys::owner(), owner);
        let commit = match over {
            Some(version) => commit.at_version(&sort, version),
            None => commit.absent(&sort),
        };
        let commit = if times.hours.is_empty() {
            commit.delete(&sort)
        } else {
            commit.put(&sort, SecretBytes::new(seal(space, random, &sort, times)?), None)
        };
        Ok(!matches!(self.commit(space, commit).await?, Committed::Refused(guard) if guard > 0))
    }

    /// All records of times, with their buckets; nothing if the name space has another owner than this.
    pub async fn all_read_times(
        &self,
        (space, owner): (&SpaceKeys, Version),
    ) -> Result<Option<Vec<(u64, ReadTimes)>>, StoreError> {
        let (mut all, mut range) = (Vec::new(), keys::all_read_times());
        loop {
            let page = self.scan(space, &range, PAGE).await?;
            for record in &page.items {
                let times: ReadTimes = open(space, &record.sort, record.bytes()?)?;
                let first = times.hours.keys().next().ok_or_else(|| corrupt("times of reads of nothing"))?;
                all.push((ReadTimes::bucket_of(*first), times));
            }
            match page.items.last() {
                Some(last) if page.more => range = range.after(&last.sort),
                _ => break,
            }
        }
        let found = self.owner(space).await?;
        Ok(found.is_some_and(|found| found.version == owner).then_some(all))
    }
}
