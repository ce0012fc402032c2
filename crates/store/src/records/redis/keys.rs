//! How addresses become Redis keys.
//!
//! ```text
//! <prefix>:{<table>.<partition, base64url>}r<sort key>   one record
//! <prefix>:{<table>.<partition, base64url>}i             the index: a sorted set of the sort keys
//! <prefix>:{<table>.<partition, base64url>}s             the sequence: the last version given
//! <prefix>:{<table>.<partition, base64url>}g             the generation that a new registration needs
//! <prefix>:{<table>.<partition, base64url>}w             the channel that tells of commits
//! <prefix>:{<table>.<shard, decimal>}d                   one shard of the table's directory
//! ```
//!
//! What stands in braces is the hash tag, which keeps a partition in one slot. No byte of a partition key
//! can break it, and none of the prefix or table name is a brace.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::{Partition, Sort, Table};

/// The keys of one partition.
pub(super) struct PartitionKeys {
    tag: Vec<u8>,
}

impl PartitionKeys {
    pub(super) fn new(prefix: &str, partition: &Partition) -> Self {
        let mut tag = format!("{prefix}:{{{}.", partition.table().name());
        URL_SAFE_NO_PAD.encode_string(partition.key(), &mut tag);
        tag.push('}');
        Self { tag: tag.into_bytes() }
    }

    pub(super) fn record(&self, sort: &Sort) -> Vec<u8> {
        self.with(b'r', sort.as_bytes())
    }

    /// What precedes the sort key in a record's key.
    pub(super) fn record_prefix_bytes(&self) -> usize {
        self.tag.len() + 1
    }

    pub(super) fn index(&self) -> Vec<u8> {
        self.with(b'i', b"")
    }

    pub(super) fn sequence(&self) -> Vec<u8> {
        self.with(b's', b"")
    }

    pub(super) fn generation(&self) -> Vec<u8> {
        self.with(b'g', b"")
    }

    pub(super) fn channel(&self) -> Vec<u8> {
        self.with(b'w', b"")
    }

    fn with(&self, kind: u8, rest: &[u8]) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.tag.len() + 1 + rest.len());
        key.extend_from_slice(&self.tag);
        key.push(kind);
        key.extend_from_slice(rest);
        key
    }
}

/// Matches the channels of all partitions.
pub(super) fn channels(prefix: &str) -> String {
    format!("{prefix}:{{*}}w")
}

pub(super) fn directory(prefix: &str, table: Table, shard: u8) -> String {
    format!("{prefix}:{{{}.{shard}}}d", table.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_tag_is_whole_whatever_the_partition_is_called() {
        const TABLE: Table = Table::new("t");
        for partition in [&b"}{"[..], b"", b"{", b"\0\xff}", b"a.b"] {
            let keys = PartitionKeys::new("coffer", &Partition::new(TABLE, partition));
            let record = keys.record(&Sort::of("}x{").build());
            for key in [&record, &keys.index(), &keys.sequence(), &keys.generation(), &keys.channel()] {
                let open = key.iter().position(|byte| *byte == b'{').unwrap();
                let close = key.iter().position(|byte| *byte == b'}').unwrap();
                assert_eq!(&key[..=close], &keys.tag, "one tag for all keys");
                assert!(close > open + 2, "an empty tag is none");
            }
            assert_eq!(&record[keys.record_prefix_bytes()..], Sort::of("}x{").build().as_bytes());
        }
    }
}
