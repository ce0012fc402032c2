//! Copies, moves and rotations while others read and write.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use coffer_api::ErrorCode;
use coffer_api::file_keys::RotateFileKey;
use coffer_client::ClientError;
use tokio::task::JoinSet;

use super::registered::{Person, noise};
use super::*;

const ROUNDS: usize = 12;

/// What a version holds: nothing of it is in another.
fn plaintext(number: u64) -> Vec<u8> {
    let bytes = if number.is_multiple_of(2) { 2_000 } else { 200_000 };
    let mut plaintext = noise(number, bytes);
    plaintext[..8].copy_from_slice(&number.to_be_bytes());
    plaintext
}

/// The number that a plaintext was made of, if it was made of one alone.
fn number_of(read: &[u8]) -> u64 {
    let number = u64::from_be_bytes(*read.first_chunk().expect("it has a number"));
    assert!(read == plaintext(number), "it is not mixed");
    number
}

/// Whether it is to be tried again: the file was replaced, moved or wrapped anew on the way.
fn is_to_try_again(err: &ClientError) -> bool {
    matches!(
        err.code(),
        Some(ErrorCode::VersionOutdated | ErrorCode::KeyVersionDestroyed | ErrorCode::Conflict)
    )
}

#[tokio::test]
async fn who_reads_while_a_file_is_copied_moved_written_and_rotated_finds_it_whole() {
    let stack = Arc::new(Stack::separate().replicas(2, 2).start().await);
    let user = stack.user("ann").await;
    let people = [Person::at(&stack, &user, 0), Person::at(&stack, &user, 1)];
    people[0].put("here", &plaintext(1)).await.unwrap();
    people[0].put("source", &plaintext(2)).await.unwrap();
    people[0].copy(("source", None, None), "copy").await.unwrap();
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(3)));
    let mut readers = JoinSet::new();
    for number in 0..2 {
        let (person, stopped) = (people[number].clone(), Arc::clone(&stop));
        // One that is copied onto is there all the time.
        readers.spawn(async move {
            let mut reads = 0_u32;
            while !stopped.load(Ordering::Relaxed) {
                number_of(&person.read("copy", None).await.unwrap().plaintext);
                reads += 1;
            }
            reads
        });
        let (person, stopped) = (people[1 - number].clone(), Arc::clone(&stop));
        // One that is moved to and fro is at one of its names, though not at the one that was looked at a moment ago.
        readers.spawn(async move {
            let (mut reads, mut missed) = (0_u32, 0_u32);
            while !stopped.load(Ordering::Relaxed) {
                let name = if missed.is_multiple_of(2) { "here" } else { "there" };
                match person.read(name, None).await {
                    Ok(read) => {
                        assert_eq!(number_of(&read.plaintext), 1);
                        (reads, missed) = (reads + 1, 0);
                    }
                    Err(err) if err.code() == Some(ErrorCode::FileNotFound) => missed += 1,
                    // It was moved away and back between its bytes and its key, again and again.
                    Err(err) if is_to_try_again(&err) => missed += 1,
                    Err(err) => panic!("{err:?}"),
                }
                assert!(missed < 40, "it is at neither name");
            }
            reads
        });
    }
    let writer = {
        let (person, stop) = (people[0].clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut stored = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                stored += u32::from(person.put("source", &plaintext(number)).await.is_ok());
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            stored
        })
    };
    let (mut copies, mut moves) = (0, 0);
    for round in 0..ROUNDS {
        let person = &people[round % 2];
        match person.copy(("source", None, None), "copy").await {
            Ok(_) => copies += 1,
            Err(err) => assert!(is_to_try_again(&err), "{err:?}"),
        }
        let (from, to) = if moves % 2 == 0 { ("here", "there") } else { ("there", "here") };
        match person.rename(from, to).await {
            Ok(_) => moves += 1,
            Err(err) => assert!(is_to_try_again(&err), "{err:?}"),
        }
        if round % 4 == 1 {
            for name in ["source", "copy"] {
                let rotate = RotateFileKey { name: name.into(), if_version: None };
                person.kms.rotate_file_key(&rotate).await.unwrap();
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    let reads: u32 = readers.join_all().await.into_iter().sum();
    let stored = writer.await.unwrap();
    assert!(
        copies > 2 && moves > 2 && stored > 2 && reads > 10,
        "{copies} {moves} {stored} {reads}: too little"
    );
    let at = if moves % 2 == 0 { "here" } else { "there" };
    assert_eq!(number_of(&people[0].read(at, None).await.unwrap().plaintext), 1);
}
