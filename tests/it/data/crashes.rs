//! `kill -9` in the middle of uploads: what was acknowledged is there, and once the collector has looked, nothing else.

use std::time::Duration;

use coffer_tests::until;

use super::*;

const PLAINTEXT: u64 = 1_300_000;
const NAMES: usize = 3;
/// Between two uploads of one name: it is killed often enough in their middle.
const PAUSE: Duration = Duration::from_millis(100);
/// Of one name.
const VERSIONS_MAX: usize = 100;

#[tokio::test]
async fn a_killed_service_loses_nothing_acknowledged_and_leaves_no_blob_that_nothing_names() {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let blobs = folder.path().join("blobs");
    let stack = Stack::separate()
        .set("COFFER_DATA__STORAGE__BLOBS", &format!("file://{}", blobs.display()))
        // What is trimmed lingers for minutes, so nothing is.
        .set("COFFER_DATA__FILES__VERSIONS_MAX", &VERSIONS_MAX.to_string())
        .set("COFFER_DATA__FILES__COLLECT_AFTER_S", "4")
        .set("COFFER_DATA__FILES__COLLECT_INTERVAL_S", "1")
        .start()
        .await;
    let stack = Arc::new(stack);
    let ann = stack.user("ann").await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let writers: Vec<_> = (0..NAMES)
        .map(|number| {
            let (client, stopped) = (direct(&stack, &ann), stopped.clone());
            tokio::spawn(async move {
                let (mut version, mut acknowledged) = (0, Vec::new());
                while !*stopped.borrow() {
                    version += 1;
                    let bytes = envelope(version, PLAINTEXT);
                    if put(&client, &format!("f{number}"), version, &bytes).await.is_ok() {
                        acknowledged.push(version);
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                acknowledged
            })
        })
        .collect();
    for number in 1..=4 {
        tokio::time::sleep(Duration::from_millis(1500 + 211 * number)).await;
        stack.data[0].process.kill();
        stack.data[0].process.start();
        stack.ready().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.send(true).unwrap();
    let client = direct(&stack, &ann);
    let (mut kept, mut done) = (0, 0);
    for (number, writer) in writers.into_iter().enumerate() {
        let acknowledged = writer.await.unwrap();
        let name = format!("f{number}");
        let history = client.file_history(FileAt::own(&name)).await.unwrap().items;
        let versions: Vec<u64> = history.iter().map(|item| item.version).collect();
        done += acknowledged.len();
        assert!(versions.len() < VERSIONS_MAX, "as many were written as are kept");
        for version in &acknowledged {
            assert!(versions.contains(version), "version {version} of {name} is lost: {versions:?}");
        }
        for version in &versions {
            let (_, bytes) = get(&client, &name, Some(*version)).await.unwrap();
            assert!(bytes == envelope(*version, PLAINTEXT), "version {version} of {name}");
        }
        kept += versions.len();
    }
    assert!(done > 10, "too little was done to tell: {done}");
    until("no blob is left but those of the versions", Duration::from_secs(20), || async {
        blobs_in(&blobs) == kept
    })
    .await;
}
