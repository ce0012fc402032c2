//! The associated data of a sealed value: where it stands.

use super::super::{Partition, Sort};
use super::commit::Place;

/// Tells an entry of a log from every other record.
const LOG: &[u8] = b"log";

/// The associated data of the record at `sort`: its address. A past is moved and not sealed anew, so it is bound to
/// where it stood.
pub(super) fn address(partition: &Partition, sort: &Sort) -> Vec<u8> {
    if let Some(origin) = sort.origin() {
        return address(partition, &origin);
    }
    match sort.split_log_entry() {
        Some((prefix, _)) => log(partition, prefix),
        None => parts(&[partition.table().name().as_bytes(), partition.key(), sort.as_bytes()]),
    }
}

/// The associated data of a value that will stand there.
pub(super) fn address_of(partition: &Partition, place: &Place) -> Vec<u8> {
    match place {
        Place::Record(sort) => address(partition, sort),
        Place::Log(prefix) => log(partition, prefix.as_bytes()),
    }
}

/// A log's entry is sealed before its version is given, so it is bound to its log and not to its place in it.
fn log(partition: &Partition, prefix: &[u8]) -> Vec<u8> {
    parts(&[partition.table().name().as_bytes(), partition.key(), prefix, LOG])
}

/// Each part behind its length, so that no two lists of parts are the same bytes.
fn parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        let length = u32::try_from(part.len()).expect("the parts of an address have at most a few KiB");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::super::{Table, Version};
    use super::*;

    #[test]
    fn no_two_addresses_share_their_associated_data() {
        let table = |name| Table::new(name);
        let at = |name, partition: &str, sort: &'static str| {
            address(
                &Partition::new(table(name), partition),
                &Sort::from_bytes(Bytes::from_static(sort.as_bytes())),
            )
        };
        let all = [
            at("ab", "c", "d"),
            at("a", "bc", "d"),
            at("a", "b", "cd"),
            at("abcd", "", ""),
            at("a", "", "bcd"),
            log(&Partition::new(table("a"), "b"), b"cd"),
            log(&Partition::new(table("a"), "b"), b"c"),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| one != other));
        }
    }

    #[test]
    fn a_past_is_opened_at_the_place_where_it_stood() {
        let (partition, sort) = (Partition::new(Table::new("a"), "b"), Sort::of("c").build());
        for sort in [sort.clone(), Sort::log_entry(&sort, Version(1))] {
            assert_eq!(address(&partition, &Sort::past(&sort, Version(7))), address(&partition, &sort));
        }
    }

    #[test]
    fn an_entry_is_opened_at_the_place_it_was_sealed_for() {
        let (partition, prefix) = (Partition::new(Table::new("a"), "b"), Sort::of("c").build());
        let sealed_for = address_of(&partition, &Place::Log(prefix.clone()));
        for version in [1, u64::MAX] {
            assert_eq!(address(&partition, &Sort::log_entry(&prefix, Version(version))), sealed_for);
        }
    }
}
