//! Blobs in Redis: a part per key, on connections apart from those of the records, which must not wait
//! behind a mebibyte.
//!
//! ```text
//! <prefix>:{blob.<id>}<part, decimal>      one part
//! <prefix>:{blobs.<shard, decimal>}d       the blobs of a shard: a sorted set of their ids
//! ```
//!
//! A blob is in its shard's set before its first part is there, so [`list`](super::Blobs::list) finds
//! everything.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use coffer_core::{BlobId, Timestamp};
use redis::cmd;

use super::{Blobs, PARTS_AHEAD_MAX, check_list, check_part, made_at};
use crate::records::StoreError;
use crate::redis_link::{Links, RedisSettings};

/// Connections that a process shares.
const CONNECTIONS: usize = 2;

/// The Redis back end.
pub struct RedisBlobs {
    prefix: String,
    links: Links,
}

impl RedisBlobs {
    pub(crate) async fn open(settings: RedisSettings) -> Result<Self, StoreError> {
        let links = Links::open(&settings, CONNECTIONS).await?;
        Ok(Self { prefix: settings.prefix, links })
    }

    fn part(&self, blob: BlobId, index: u32) -> String {
        format!("{}:{{blob.{blob}}}{index}", self.prefix)
    }

    fn shard(&self, shard: u8) -> String {
        format!("{}:{{blobs.{shard}}}d", self.prefix)
    }
}

impl fmt::Debug for RedisBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisBlobs({})", self.prefix)
    }
}

#[async_trait]
impl Blobs for RedisBlobs {
    async fn put_part(&self, blob: BlobId, index: u32, part: Bytes) -> Result<(), StoreError> {
        const DOING: &str = "writing a part of a blob";
        check_part(&part)?;
        let id = blob.as_bytes();
        let mut add = cmd("ZADD");
        add.arg(self.shard(id[15])).arg(0).arg(id);
        self.links.write(&add).await.map_err(|err| err.of_write(DOING))?;
        let mut set = cmd("SET");
        set.arg(self.part(blob, index)).arg(&*part);
        self.links.write(&set).await.map(drop).map_err(|err| err.of_write(DOING))
    }

    async fn get_part(&self, blob: BlobId, index: u32) -> Result<Option<Bytes>, StoreError> {
        let mut get = cmd("GET");
        get.arg(self.part(blob, index));
        self.links.query(&get).await.map_err(|err| err.of_read("reading a part of a blob"))
    }

    async fn delete(&self, blob: BlobId) -> Result<(), StoreError> {
        const DOING: &str = "deleting a blob";
        for first in (0..).step_by(PARTS_AHEAD_MAX as usize) {
            let mut unlink = cmd("UNLINK");
            for index in first..first + PARTS_AHEAD_MAX {
                unlink.arg(self.part(blob, index));
            }
            let removed: u32 = self.links.query(&unlink).await.map_err(|err| err.of_write(DOING))?;
            // Parts are never put so far ahead that there could be more behind such a gap.
            if removed == 0 {
                break;
            }
        }
        let mut remove = cmd("ZREM");
        remove.arg(self.shard(blob.as_bytes()[15])).arg(blob.as_bytes());
        self.links.query(&remove).await.map_err(|err| err.of_write(DOING))
    }

    async fn list(
        &self,
        before: Timestamp,
        after: Option<BlobId>,
        limit: usize,
    ) -> Result<Vec<BlobId>, StoreError> {
        check_list(limit)?;
        let mut found = Vec::new();
        let first = after.map_or(0, |after| after.as_bytes()[15]);
        for shard in first..=u8::MAX {
            let after = after.filter(|_| shard == first);
            let from = after.map_or(b"-".to_vec(), |after| [b"(", &after.as_bytes()[..]].concat());
            let mut range = cmd("ZRANGEBYLEX");
            range.arg(self.shard(shard)).arg(from).arg("+").arg("LIMIT").arg(0).arg(limit - found.len());
            let ids = self.links.query::<Vec<Vec<u8>>>(&range).await;
            let ids = ids.map_err(|err| err.of_read("listing blobs"))?;
            // Ids sort by when they were made: the first that is too young ends the shard.
            let blobs = ids.into_iter().filter_map(|id| Some(BlobId::from_bytes(id.try_into().ok()?)));
            found.extend(blobs.take_while(|blob| made_at(*blob) < before));
            if found.len() == limit {
                break;
            }
        }
        Ok(found)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.links.ping().await.map_err(|err| err.of_read("asking for a sign of life"))
    }
}
