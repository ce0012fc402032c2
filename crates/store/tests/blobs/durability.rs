//! What the back ends promise beyond the contract.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use bytes::Bytes;
use coffer_store::blobs::{Blobs as _, FileBlobs, open};
use coffer_store::records::StoreError;
use coffer_store::testing::RedisServer;

use crate::id_at;

#[tokio::test]
async fn files_are_there_when_opened_again_and_readable_by_their_owner_only() {
    fn check(folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
            if entry.path().is_dir() {
                check(&entry.path());
            }
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("blobs");
    let (blob, part) = (id_at(1_000), Bytes::from_static(b"part"));
    FileBlobs::open(&folder).unwrap().put_part(blob, 0, part.clone()).await.unwrap();
    let again = FileBlobs::open(&folder).unwrap();
    assert_eq!(again.get_part(blob, 0).await.unwrap(), Some(part));
    check(dir.path());
}

#[tokio::test]
async fn a_server_killed_between_parts_keeps_what_it_answered() {
    let server = RedisServer::start();
    let blobs = open(&server.url()).await.unwrap();
    let blob = id_at(1_000);
    for index in 0..6 {
        let part = Bytes::from(vec![u8::try_from(index).unwrap(); 1024 * 1024]);
        blobs.put_part(blob, index, part).await.unwrap();
        server.kill();
        let failed = blobs.put_part(blob, 99, Bytes::from_static(b"x")).await;
        assert!(failed.is_err(), "nobody is there");
        server.restart();
        let read = loop {
            match blobs.get_part(blob, index).await {
                Ok(read) => break read,
                Err(StoreError::Unavailable { .. }) => tokio::task::yield_now().await,
                Err(err) => panic!("{err}"),
            }
        };
        assert!(read.is_some_and(|part| part.iter().all(|byte| u32::from(*byte) == index)));
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_explained() {
    for wrong in ["", "s3://bucket", "file:relative", "file:///proc/none/blobs", "redis://ann:hunter2@/x"] {
        let err = open(wrong).await.unwrap_err();
        assert!(matches!(err, StoreError::Settings(_)) && !err.to_string().contains("hunter2"), "{err}");
    }
}
