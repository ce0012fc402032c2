//! Reading ranges: the keys from the partition's index, the values behind them.

use bytes::Bytes;
use redis::cmd;

use super::super::{Page, PageBudget, Partition, Record, Sort, SortRange, StoreError};
use super::Shared;
use super::encoding::decode;
use super::keys::PartitionKeys;

/// Values asked for at once, when it is not known how large they are, and at most.
const CHUNK_FIRST: usize = 32;
const CHUNK_MAX: usize = 512;
/// About this many bytes of values are asked for at once, once it is known how large they are.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// One page of stored records, of which `wanted` says which count.
pub(super) async fn records(
    shared: &Shared,
    partition: &Partition,
    mut range: SortRange,
    (budget, wanted): (&mut PageBudget, impl Fn(&Record) -> bool),
) -> Result<Page<Record>, StoreError> {
    const DOING: &str = "scanning records";
    let keys = PartitionKeys::new(&shared.prefix, partition);
    let (mut items, mut stale, mut chunk) = (Vec::new(), Vec::new(), CHUNK_FIRST);
    let more = 'page: loop {
        // One more than the page takes, to know whether there is more.
        let asked = chunk.min(budget.records() + 1);
        let sorts = page_of_keys(shared, &keys, &range, asked, DOING).await?;
        if sorts.is_empty() {
            break false;
        }
        let mut get = cmd("MGET");
        for sort in &sorts {
            get.arg(keys.record(sort));
        }
        let values: Vec<Option<Vec<u8>>> =
            shared.links.query(&get).await.map_err(|err| err.of_read(DOING))?;
        let bytes: usize = values.iter().flatten().map(Vec::len).sum();
        chunk = (CHUNK_BYTES / (bytes / sorts.len()).max(1)).clamp(1, CHUNK_MAX);
        let (found, last) = (sorts.len(), sorts.last().cloned());
        for (sort, value) in sorts.into_iter().zip(values) {
            let Some(value) = value else {
                stale.push(sort);
                continue;
            };
            let record = decode(sort, value)?;
            if !wanted(&record) {
                continue;
            }
            if !budget.is_left() {
                break 'page true;
            }
            budget.spend(&record);
            items.push(record);
        }
        match last {
            Some(last) if found == asked => range = range.after(&last),
            _ => break false,
        }
    };
    shared.housekeeping.prune(partition, stale);
    Ok(Page { items, more })
}

/// One page of sort keys.
pub(super) async fn sorts(
    shared: &Shared,
    partition: &Partition,
    range: &SortRange,
    limit: usize,
) -> Result<Page<Sort>, StoreError> {
    let keys = PartitionKeys::new(&shared.prefix, partition);
    let mut items = page_of_keys(shared, &keys, range, limit + 1, "scanning keys").await?;
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, more })
}

async fn page_of_keys(
    shared: &Shared,
    keys: &PartitionKeys,
    range: &SortRange,
    limit: usize,
    doing: &'static str,
) -> Result<Vec<Sort>, StoreError> {
    let until = range.until.as_ref().map_or(b"+".to_vec(), |until| [b"(", &**until].concat());
    let mut command = cmd("ZRANGEBYLEX");
    command.arg(keys.index()).arg([b"[", &*range.from].concat()).arg(until);
    command.arg("LIMIT").arg(0).arg(limit);
    let sorts: Vec<Bytes> = shared.links.query(&command).await.map_err(|err| err.of_read(doing))?;
    Ok(sorts.into_iter().map(Sort::from_bytes).collect())
}
