//! Rotation while others read and write.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use coffer_api::ErrorCode;
use coffer_api::file_keys::{DestroyFileKey, RotateFileKey};
use tokio::task::JoinSet;

use super::registered::{Person, noise};
use super::*;

const ROTATIONS: u32 = 6;
const NAMES: [&str; 2] = ["small", "large"];

/// What a version holds: nothing of it is in another.
fn plaintext(name: &str, number: u64) -> Vec<u8> {
    let bytes = if name == "small" { 2_000 } else { 200_000 };
    let mut plaintext = noise(number, bytes);
    plaintext[..8].copy_from_slice(&number.to_be_bytes());
    plaintext
}

/// The number that a plaintext was made of, if it was made of one alone.
fn number_of(name: &str, read: &[u8]) -> u64 {
    let number = u64::from_be_bytes(*read.first_chunk().expect("it has a number"));
    assert!(read == plaintext(name, number), "{name} is not mixed");
    number
}

async fn rotate_and_destroy(person: &Person, name: &str) -> u32 {
    let (mut rotated, mut destroyed) = (0, 0);
    while rotated < ROTATIONS || destroyed == 0 {
        let rotate = RotateFileKey { name: name.into(), if_version: None };
        match person.kms.rotate_file_key(&rotate).await {
            Ok(_) => rotated += 1,
            Err(err) if err.code() == Some(ErrorCode::LimitReached) => {}
            Err(err) => panic!("{err:?}"),
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
        let destroy = DestroyFileKey { name: name.into(), up_to: None, force: false };
        match person.kms.destroy_file_key(&destroy).await {
            Ok(_) => destroyed += 1,
            Err(err) if err.code() == Some(ErrorCode::KeyVersionInUse) => {}
            Err(err) => panic!("{err:?}"),
        }
    }
    destroyed
}

#[tokio::test]
async fn who_reads_and_writes_while_keys_are_rotated_and_destroyed_sees_whole_files_always() {
    let stack = Arc::new(Stack::separate().replicas(2, 2).start().await);
    let user = stack.user("ann").await;
    let people = [Person::at(&stack, &user, 0), Person::at(&stack, &user, 1)];
    for name in NAMES {
        people[0].put(name, &plaintext(name, 0)).await.unwrap();
    }
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(1)));
    let (mut readers, mut writers) = (JoinSet::new(), JoinSet::new());
    for (number, name) in [0, 1, 0, 1].into_iter().zip(NAMES.into_iter().cycle()) {
        for person in [&people[number], &people[1 - number]] {
            let (person, stop) = (person.clone(), Arc::clone(&stop));
            readers.spawn(async move {
                let (mut reads, mut last) = (0_u32, 0);
                while !stop.load(Ordering::Relaxed) {
                    let read = person.read(name, None).await.unwrap();
                    number_of(name, &read.plaintext);
                    assert!(read.version >= last, "{} after {last}", read.version);
                    (reads, last) = (reads + 1, read.version);
                }
                reads
            });
        }
    }
    for (person, name) in people.iter().zip(NAMES) {
        let (person, stop, next) = (person.clone(), Arc::clone(&stop), Arc::clone(&next));
        writers.spawn(async move {
            let mut stored = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                match person.put(name, &plaintext(name, number)).await {
                    Ok(version) => stored.push((version, number)),
                    // The key was destroyed between asking for it and the end of the upload: a client tries again.
                    Err(err) if err.code() == Some(ErrorCode::KeyVersionDestroyed) => {}
                    Err(err) => panic!("{err:?}"),
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            (name, stored)
        });
    }
    let destroyed =
        tokio::join!(rotate_and_destroy(&people[0], NAMES[0]), rotate_and_destroy(&people[1], NAMES[1]));
    stop.store(true, Ordering::Relaxed);
    let reads: u32 = readers.join_all().await.into_iter().sum();
    let mut stored = 0;
    for (name, versions) in writers.join_all().await {
        stored += versions.len();
        for (version, number) in versions.into_iter().rev().take(15) {
            let read = people[0].read(name, Some(version)).await.unwrap();
            assert_eq!(number_of(name, &read.plaintext), number, "version {version} of {name}");
        }
    }
    assert!(destroyed.0 > 0 && destroyed.1 > 0);
    assert!(stored > 6 && reads > 20, "{stored} stored, {reads} read: too little to tell");
}
