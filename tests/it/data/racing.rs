//! Many at one name.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

const PLAINTEXT: u64 = 1_300_000;

#[tokio::test]
async fn who_reads_a_name_that_many_write_reads_one_version_whole() {
    let stack = Arc::new(Stack::separate().replicas(1, 2).start().await);
    let ann = stack.user("ann").await;
    let clients = [client(&stack.data[0].url, &ann), client(&stack.data[1].url, &ann)];
    put(&clients[0], "f", 1, &envelope(1, PLAINTEXT)).await.unwrap();
    let (next, stop) = (Arc::new(AtomicU64::new(2)), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..4)
        .map(|number| {
            let (client, next) = (clients[number % 2].clone(), Arc::clone(&next));
            tokio::spawn(async move {
                let mut stored = 0;
                for _ in 0..6 {
                    let version = next.fetch_add(1, Ordering::Relaxed);
                    stored +=
                        usize::from(put(&client, "f", version, &envelope(version, PLAINTEXT)).await.is_ok());
                }
                stored
            })
        })
        .collect();
    let readers: Vec<_> = (0..3)
        .map(|number| {
            let (client, stop) = (clients[number % 2].clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut last, mut reads) = (0, 0);
                while !stop.load(Ordering::Relaxed) {
                    let (version, bytes) = get(&client, "f", None).await.unwrap();
                    assert!(bytes == envelope(version, PLAINTEXT), "version {version} is not mixed");
                    assert!(version >= last, "{version} after {last}");
                    (last, reads) = (version, reads + 1);
                }
                reads
            })
        })
        .collect();
    let mut stored = 0;
    for writer in writers {
        stored += writer.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let mut reads = 0;
    for reader in readers {
        reads += reader.await.unwrap();
    }
    assert!(stored > 3 && reads > 3, "{stored} stored, {reads} read: too little to tell");
    let history = clients[1].file_history(FileAt::own("f")).await.unwrap().items;
    assert_eq!(history.len(), stored + 1);
    for item in history {
        let (version, bytes) = get(&clients[0], "f", Some(item.version)).await.unwrap();
        assert!(version == item.version && bytes == envelope(version, PLAINTEXT));
    }
}
