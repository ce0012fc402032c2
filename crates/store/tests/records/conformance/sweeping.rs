use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_store::records::{Commit, Partition, Records, Sort, Table};

use crate::bed::{Bed, OTHER_TABLE, TABLE, key, part};

type Found = BTreeSet<(Partition, Sort)>;

async fn sweep(records: &dyn Records, table: Table, page: usize) -> Found {
    let (mut found, mut next) = (Found::new(), None);
    loop {
        let page = records.sweep(table, next.as_ref(), page).await.unwrap();
        found.extend(page.items.into_iter().map(|(partition, record)| (partition, record.sort)));
        next = page.next;
        if next.is_none() {
            return found;
        }
    }
}

pub(super) async fn a_sweep_finds_everything_of_its_table(bed: Bed) {
    let mut expected = Found::new();
    for i in 0..120_usize {
        let partition = part(format!("{{{i}"));
        let sorts: Vec<_> = (0..i % 5 + usize::from(i == 60) * 30).map(|n| key(n.to_string())).collect();
        let commit = sorts.iter().fold(Commit::new(), |commit, sort| commit.put(sort, "x", None));
        bed.commit(&partition, commit).await;
        expected.extend(sorts.into_iter().map(|sort| (partition.clone(), sort)));
    }
    bed.commit(&Partition::new(OTHER_TABLE, "p"), Commit::new().put(&key("a"), "other", None)).await;
    for page in [1, 10, 10_000] {
        assert_eq!(sweep(&*bed.records, TABLE, page).await, expected, "in pages of {page}");
    }
    assert_eq!(sweep(&*bed.records, OTHER_TABLE, 10).await.len(), 1);
}

pub(super) async fn a_sweep_misses_nothing_while_others_commit(bed: Bed) {
    let mut expected = Found::new();
    for i in 0..100 {
        let partition = part(format!("stays {i}"));
        bed.commit(&partition, Commit::new().put(&key("a"), "x", None)).await;
        expected.insert((partition, key("a")));
    }
    let over = Arc::new(AtomicBool::new(false));
    let (records, stop) = (Arc::clone(&bed.records), Arc::clone(&over));
    let noise = tokio::spawn(async move {
        for i in 0_u32.. {
            let partition = part(format!("comes and goes {}", i % 40));
            let commit = Commit::new();
            let commit =
                if i % 80 < 40 { commit.put(&key("a"), "x", None) } else { commit.delete(&key("a")) };
            records.commit(&partition, commit).await.unwrap();
            // Records are rewritten in partitions that stay, too.
            let stays = part(format!("stays {}", i % 100));
            records.commit(&stays, Commit::new().put(&key("a"), "y", None)).await.unwrap();
            if stop.load(Ordering::SeqCst) {
                return;
            }
        }
    });
    for page in [1, 3, 50, 3, 1] {
        let found = sweep(&*bed.records, TABLE, page).await;
        assert!(found.is_superset(&expected), "missed {:?}", expected.difference(&found).next());
    }
    over.store(true, Ordering::SeqCst);
    noise.await.unwrap();
    // What is there after all the coming and going is found exactly.
    let mut present = expected;
    for i in 0..40 {
        let partition = part(format!("comes and goes {i}"));
        if bed.get(&partition, &key("a")).await.is_some() {
            present.insert((partition, key("a")));
        }
    }
    assert_eq!(sweep(&*bed.records, TABLE, 7).await, present);
}

pub(super) async fn a_partition_that_was_emptied_is_found_again(bed: Bed) {
    for round in 0..4 {
        let put = Commit::new().put(&key("a"), "x", Some(bed.after(Duration::from_secs(1))));
        bed.commit(&part("p"), put).await;
        assert_eq!(sweep(&*bed.records, TABLE, 10).await.len(), 1, "in round {round}");
        bed.commit(&part("p"), Commit::new().delete(&key("a"))).await;
        assert!(sweep(&*bed.records, TABLE, 10).await.is_empty(), "in round {round}");
    }
}
