//! The directory: which partitions a table has, so that a sweep finds everything.
//!
//! It is a fixed set of sorted sets per table. An entry is the partition's key behind a *generation*. A
//! partition is registered before its first commit, and the commit script checks that: a commit that would
//! fill an empty partition must name the partition's current generation, which proves that its entry was
//! written first. To take an entry out, [`unregister`](Directory::unregister) first moves an empty partition
//! on to a new generation; from then on only an entry of that one counts, so removing the old entry harms
//! nobody, however late it comes. Without generations, a removal could overtake a new registration, and the
//! partition would be there but never found.

use redis::{Value, cmd};

use super::super::{Partition, StoreError, Table};
use super::keys::{self, PartitionKeys};
use crate::redis_link::{LinkError, Links, Script};

/// Shards per table. Never change it: entries would not be found.
pub(super) const SHARDS: u8 = 64;
/// How long a new generation is remembered: much longer than any command is under way.
const GENERATION_MS: u32 = 24 * 60 * 60 * 1000;
/// A generation is the moment at which it began. A partition is not taken out again this soon after (us), so
/// that commits which are about to fill it are not sent round in circles.
const GENERATION_US_MIN: u32 = 60_000_000;
const SEPARATOR: u8 = b':';

pub(super) struct Directory {
    prefix: String,
    links: Links,
    unregister: Script,
}

/// One entry of the directory, as it is stored.
#[derive(Clone)]
pub(super) struct Entry(Vec<u8>);

impl Entry {
    fn new(generation: &[u8], partition: &Partition) -> Self {
        Self([generation, &[SEPARATOR], partition.key()].concat())
    }

    pub(super) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn partition(&self, table: Table) -> Result<Partition, StoreError> {
        let separator = self.0.iter().position(|byte| *byte == SEPARATOR);
        let separator = separator.ok_or_else(|| StoreError::Corrupt {
            what: format!("the directory of table {table:?} in Redis has a foreign entry"),
        })?;
        Ok(Partition::new(table, &self.0[separator + 1..]))
    }
}

impl Directory {
    pub(super) fn new(prefix: String, links: Links) -> Self {
        Self { prefix, links, unregister: Script::new(include_str!("unregister.lua")) }
    }

    fn shard_key(&self, table: Table, shard: u8) -> String {
        keys::directory(&self.prefix, table, shard)
    }

    /// Enters a partition under this generation.
    pub(super) async fn register(&self, partition: &Partition, generation: &[u8]) -> Result<(), LinkError> {
        let mut add = cmd("ZADD");
        add.arg(self.shard_key(partition.table(), shard_of(partition))).arg(0);
        add.arg(Entry::new(generation, partition).as_bytes());
        self.links.write(&add).await.map(drop)
    }

    /// Takes an entry out if its partition is empty.
    pub(super) async fn unregister(&self, table: Table, entry: &Entry) -> Result<(), LinkError> {
        let Ok(partition) = entry.partition(table) else { return Ok(()) };
        let keys = PartitionKeys::new(&self.prefix, &partition);
        let mut call = self.unregister.call(2);
        call.arg(keys.index()).arg(keys.generation()).arg(GENERATION_MS).arg(GENERATION_US_MIN);
        if self.links.run(&self.unregister, &call).await? == Value::Int(1) {
            let mut remove = cmd("ZREM");
            remove.arg(self.shard_key(table, shard_of(&partition))).arg(entry.as_bytes());
            self.links.write(&remove).await?;
        }
        Ok(())
    }

    /// The entries of a shard behind `after`, in order.
    pub(super) async fn page(
        &self,
        (table, shard): (Table, u8),
        after: Option<&Entry>,
        limit: usize,
    ) -> Result<Vec<Entry>, LinkError> {
        let from = after.map_or(b"-".to_vec(), |entry| [b"(", entry.as_bytes()].concat());
        let mut range = cmd("ZRANGEBYLEX");
        range.arg(self.shard_key(table, shard)).arg(from).arg("+").arg("LIMIT").arg(0).arg(limit);
        let entries: Vec<Vec<u8>> = self.links.query(&range).await?;
        Ok(entries.into_iter().map(Entry).collect())
    }

    /// A few entries of the shard that `partition` belongs to, by chance.
    pub(super) async fn sample(&self, partition: &Partition, count: usize) -> Result<Vec<Entry>, LinkError> {
        let mut sample = cmd("ZRANDMEMBER");
        sample.arg(self.shard_key(partition.table(), shard_of(partition))).arg(count);
        let entries: Vec<Vec<u8>> = self.links.query(&sample).await?;
        Ok(entries.into_iter().map(Entry).collect())
    }
}

/// The shard of a partition: FNV-1a, which must never change either.
fn shard_of(partition: &Partition) -> u8 {
    let hash = partition.key().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    u8::try_from(hash % u64::from(SHARDS)).expect("there are 64 shards")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table::new("t");

    #[test]
    fn shards_are_what_they_always_were() {
        let shard = |key: &str| shard_of(&Partition::new(TABLE, key));
        assert_eq!([shard(""), shard("a"), shard("foobar")], [37, 12, 40]);
    }

    #[test]
    fn an_entry_gives_its_partition_back() {
        for key in [&b""[..], b":", b"a:b", b"\0\xff"] {
            let partition = Partition::new(TABLE, key);
            assert_eq!(Entry::new(b"123", &partition).partition(TABLE).unwrap(), partition);
        }
        assert!(Entry::from_bytes(b"foreign".to_vec()).partition(TABLE).is_err());
    }
}
