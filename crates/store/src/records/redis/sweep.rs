//! Sweeping a table: shard by shard through the directory, partition by partition, record by record.
//!
//! Everything is visited in a fixed order (shard, entry, sort key), so a cursor is a place in that order: it
//! outlives a restart of the server, and nothing that was there throughout is left out.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::super::{PageBudget, Sort, SortRange, StoreError, SweepCursor, SweepPage, Table};
use super::Shared;
use super::directory::{Entry, SHARDS};
use super::scan;

/// Partitions that one page visits at most, be they empty.
const PARTITIONS_MAX: usize = 256;

/// Where a sweep goes on.
struct Place {
    shard: u8,
    /// The last entry that is done.
    done: Option<Entry>,
    /// The entry behind it that is begun, with the last sort key given.
    begun: Option<(Entry, Sort)>,
}

pub(super) async fn page(
    shared: &Shared,
    table: Table,
    from: Option<&SweepCursor>,
    limit: usize,
) -> Result<SweepPage, StoreError> {
    let start = Place { shard: 0, done: None, begun: None };
    let mut place = from.map_or(Ok(start), decode)?;
    let (mut items, mut budget) = (Vec::new(), PageBudget::new(limit));
    let mut visits_left = PARTITIONS_MAX;
    while place.shard < SHARDS {
        let page = shared.directory.page((table, place.shard), place.done.as_ref(), visits_left).await;
        let entries = page.map_err(|err| err.of_read("sweeping the directory"))?;
        if entries.is_empty() {
            place = Place { shard: place.shard + 1, done: None, begun: None };
            continue;
        }
        for entry in entries {
            let begun = place.begun.take().filter(|(begun, _)| begun.as_bytes() == entry.as_bytes());
            let (fresh, range) = match begun {
                Some((_, sort)) => (false, SortRange::all().after(&sort)),
                None => (true, SortRange::all()),
            };
            let partition = entry.partition(table)?;
            let page = scan::records(shared, &partition, range, (&mut budget, |_| true)).await?;
            if let Some(last) = page.items.last().filter(|_| page.more) {
                place.begun = Some((entry, last.sort.clone()));
            } else {
                if page.items.is_empty() && fresh && !page.more {
                    shared.housekeeping.unregister(table, &entry).await;
                }
                // With a page that was full before this partition, it is still to be visited.
                if !page.more {
                    place.done = Some(entry);
                }
            }
            items.extend(page.items.into_iter().map(|record| (partition.clone(), record)));
            visits_left -= 1;
            if page.more || visits_left == 0 {
                return Ok(SweepPage { items, next: Some(encode(&place)) });
            }
        }
    }
    Ok(SweepPage { items, next: None })
}

/// The shard, and then each part behind its length. No entry is empty, so no bytes mean no entry.
fn encode(place: &Place) -> SweepCursor {
    let mut bytes = BytesMut::new();
    bytes.put_u8(place.shard);
    let done = place.done.as_ref().map_or(&b""[..], Entry::as_bytes);
    let (begun, sort) = place
        .begun
        .as_ref()
        .map_or((&b""[..], &b""[..]), |(entry, sort)| (entry.as_bytes(), sort.as_bytes()));
    for part in [done, begun, sort] {
        bytes.put_u16(u16::try_from(part.len()).expect("keys have a few KiB"));
        bytes.put_slice(part);
    }
    SweepCursor(bytes.freeze())
}

fn decode(cursor: &SweepCursor) -> Result<Place, StoreError> {
    let read = || {
        let (shard, mut rest) = cursor.0.split_first()?;
        let mut part = || {
            let (length, behind) = rest.split_first_chunk()?;
            let (part, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            rest = behind;
            Some(part)
        };
        let (done, begun, sort) = (part()?, part()?, part()?);
        let entry = |bytes: &[u8]| (!bytes.is_empty()).then(|| Entry::from_bytes(bytes.to_vec()));
        let sort = Sort::from_bytes(Bytes::copy_from_slice(sort));
        Some(Place { shard: *shard, done: entry(done), begun: entry(begun).map(|entry| (entry, sort)) })
    };
    read().ok_or_else(|| StoreError::Corrupt { what: "a sweep cursor of another back end".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_its_place_back_and_a_foreign_one_is_refused() {
        let entry = |text: &str| Entry::from_bytes(text.into());
        let sort = Sort::of("s").build();
        let place = Place { shard: 9, done: Some(entry("0:a")), begun: Some((entry("0:b"), sort.clone())) };
        let cursor = encode(&place);
        let read = decode(&cursor).unwrap();
        assert_eq!((read.shard, read.done.unwrap().as_bytes()), (9, &b"0:a"[..]));
        let (begun, at) = read.begun.unwrap();
        assert_eq!((begun.as_bytes(), at), (&b"0:b"[..], sort));
        for length in 0..cursor.0.len() {
            assert!(decode(&SweepCursor(cursor.0.slice(..length))).is_err(), "{length} bytes");
        }
    }
}
