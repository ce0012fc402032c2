use std::sync::Arc;

use bytes::Bytes;
use coffer_core::{BlobId, Timestamp};
use coffer_store::blobs::{LIST_BLOBS_MAX, PART_BYTES_MAX, listing_order};
use coffer_store::records::StoreError;
use tokio::task::JoinSet;

use crate::{Bed, id_at};

macro_rules! conformance {
    ($name:ident, $open:expr) => {
        conformance! { $name, $open,
            parts_are_read_as_they_were_written, a_part_that_is_put_again_is_replaced,
            a_deleted_blob_is_gone_and_others_stay, parts_written_side_by_side_are_all_there,
            a_list_names_old_blobs_in_order_and_in_pages, what_is_over_a_limit_is_refused
        }
    };
    ($name:ident, $open:expr, $($test:ident),+) => {
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test($open.await).await;
                }
            )+
        }
    };
}

conformance!(memory, std::future::ready(crate::Bed::memory()));
conformance!(file, crate::Bed::file());
conformance!(redis, crate::Bed::redis());

fn part(index: u32, bytes: usize) -> Bytes {
    (0..bytes).map(|i| u8::try_from((i * 31 + index as usize) % 251).unwrap()).collect()
}

async fn parts_are_read_as_they_were_written(bed: Bed) {
    let blob = id_at(1_000);
    for (index, bytes) in [(0, PART_BYTES_MAX), (1, 0), (2, 1)] {
        bed.blobs.put_part(blob, index, part(index, bytes)).await.unwrap();
    }
    for (index, bytes) in [(0, PART_BYTES_MAX), (1, 0), (2, 1)] {
        let read = bed.blobs.get_part(blob, index).await.unwrap();
        assert!(read.as_ref() == Some(&part(index, bytes)), "part {index}");
    }
    assert_eq!(bed.blobs.get_part(blob, 3).await.unwrap(), None);
    assert_eq!(bed.blobs.get_part(id_at(1_000), 0).await.unwrap(), None);
    bed.blobs.ping().await.unwrap();
}

async fn a_part_that_is_put_again_is_replaced(bed: Bed) {
    let blob = id_at(1_000);
    bed.blobs.put_part(blob, 0, part(0, 5000)).await.unwrap();
    bed.blobs.put_part(blob, 0, part(7, 100)).await.unwrap();
    assert_eq!(bed.blobs.get_part(blob, 0).await.unwrap(), Some(part(7, 100)));
}

async fn a_deleted_blob_is_gone_and_others_stay(bed: Bed) {
    let (gone, stays) = (id_at(1_000), id_at(1_000));
    for index in 0..150 {
        bed.blobs.put_part(gone, index, part(index, 10)).await.unwrap();
        bed.blobs.put_part(stays, index, part(index, 10)).await.unwrap();
    }
    bed.blobs.delete(gone).await.unwrap();
    bed.blobs.delete(gone).await.unwrap();
    bed.blobs.delete(id_at(1_000)).await.unwrap();
    for index in 0..150 {
        assert_eq!(bed.blobs.get_part(gone, index).await.unwrap(), None);
        assert_eq!(bed.blobs.get_part(stays, index).await.unwrap(), Some(part(index, 10)));
    }
    assert_eq!(bed.blobs.list(Timestamp::from_ms(2_000), None, 10).await.unwrap(), [stays]);
}

async fn parts_written_side_by_side_are_all_there(bed: Bed) {
    let blob = id_at(1_000);
    let mut writers = JoinSet::new();
    for index in 0..40 {
        let blobs = Arc::clone(&bed.blobs);
        writers.spawn(async move { blobs.put_part(blob, index, part(index, 100_000)).await.unwrap() });
    }
    writers.join_all().await;
    for index in 0..40 {
        assert!(bed.blobs.get_part(blob, index).await.unwrap() == Some(part(index, 100_000)), "part {index}");
    }
}

async fn a_list_names_old_blobs_in_order_and_in_pages(bed: Bed) {
    let mut old: Vec<_> = (0..300).map(id_at).collect();
    for blob in old.iter().copied().chain((0..20).map(|i| id_at(300 + i))) {
        bed.blobs.put_part(blob, 0, part(0, 1)).await.unwrap();
    }
    old.sort_unstable_by_key(|blob| listing_order(*blob));
    for limit in [1, 7, 300, LIST_BLOBS_MAX] {
        let (mut found, mut after): (Vec<BlobId>, _) = (Vec::new(), None);
        loop {
            let page = bed.blobs.list(Timestamp::from_ms(300), after, limit).await.unwrap();
            found.extend(&page);
            after = page.last().copied();
            if page.len() < limit {
                break;
            }
        }
        assert_eq!(found, old, "in pages of {limit}");
    }
}

async fn what_is_over_a_limit_is_refused(bed: Bed) {
    let blob = id_at(1_000);
    let answer = bed.blobs.put_part(blob, 0, part(0, PART_BYTES_MAX + 1)).await;
    assert!(matches!(answer, Err(StoreError::Limit(_))));
    for limit in [0, LIST_BLOBS_MAX + 1] {
        let answer = bed.blobs.list(Timestamp::from_ms(2_000), None, limit).await;
        assert!(matches!(answer, Err(StoreError::Limit(_))));
    }
    assert_eq!(bed.blobs.get_part(blob, 0).await.unwrap(), None);
}
