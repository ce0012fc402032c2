//! What is left when a process ends between two commits.

use coffer_store::testing::Fault;

use super::bed::{Bed, CLIENT, any, keys_of, new, read};
use crate::domain::configs::ConfigsError;

/// How a commit ends for a process that is killed, as seen by whoever comes after.
const FAULTS: [Fault; 2] = [Fault::UnknownDone, Fault::UnknownNotDone];

#[tokio::test]
async fn a_first_configuration_that_was_broken_off_anywhere_can_be_made_anew() {
    for at in 0..5 {
        for fault in FAULTS {
            let bed = Bed::memory().await;
            fail_at(&bed, at, fault);
            let broken = bed.holder("the key of ann").await.create(new("a", "1")).await;
            assert!(broken.is_err(), "commit {at}");
            let another = bed.another().await.holder(b"the key of ann", CLIENT).await.unwrap();
            let again = another.create(new("a", "2")).await;
            let is_there = matches!(again, Err(ConfigsError::Exists { .. }));
            assert!(again.is_ok() || (at == 4 && fault == Fault::UnknownDone && is_there), "commit {at}");
            assert_eq!(keys_of(&another).await, ["a"]);
        }
    }
}

#[tokio::test]
async fn a_move_that_was_broken_off_anywhere_leaves_everything_under_one_user_key() {
    for at in 0..3 {
        for fault in FAULTS {
            for next in ["retry", "other", "first"] {
                let bed = Bed::memory().await;
                bed.holder("the old key").await.create(new("a", "1")).await.unwrap();
                fail_at(&bed, at, fault);
                let broken = bed.configs.rekey((b"the old key", b"the new key"), CLIENT).await;
                assert_eq!(broken.is_ok(), at == 2, "only tidying up may fail unnoticed");
                after(&bed, next, &format!("commit {at}, {fault:?}, {next}")).await;
            }
        }
    }
}

/// Whatever is done next in another process, `a` is under exactly one of the user keys.
async fn after(bed: &Bed, next: &str, case: &str) {
    let another = bed.another().await;
    let under =
        async |key: &str| read(&another.holder(key.as_bytes(), CLIENT).await.unwrap(), any("a")).await.ok();
    let has_moved = under("the new key").await.is_some();
    assert_ne!(has_moved, under("the old key").await.is_some(), "{case}");
    let from: &[u8] = if has_moved { b"the new key" } else { b"the old key" };
    match next {
        "retry" => {
            let to: &[u8] = if has_moved { b"the old key" } else { b"the new key" };
            another.rekey((from, to), CLIENT).await.unwrap();
            let place = if has_moved { "the old key" } else { "the new key" };
            assert_eq!(under(place).await.as_deref(), Some("1"), "{case}");
        }
        "other" => {
            another.rekey((from, b"a third key"), CLIENT).await.unwrap();
            assert_eq!(under("a third key").await.as_deref(), Some("1"), "{case}");
            assert!(under("the old key").await.is_none() && under("the new key").await.is_none(), "{case}");
        }
        _ => {
            // Somebody begins anew under the user key that holds nothing.
            let free: &[u8] = if has_moved { b"the old key" } else { b"the new key" };
            another.holder(free, CLIENT).await.unwrap().create(new("b", "2")).await.unwrap();
            let holder = another.holder(from, CLIENT).await.unwrap();
            assert_eq!(keys_of(&holder).await, ["a"], "{case}");
            let fresh = bed.another().await;
            assert_eq!(keys_of(&fresh.holder(free, CLIENT).await.unwrap()).await, ["b"], "{case}");
        }
    }
}

/// Lets `at` commits pass and the next one fail.
fn fail_at(bed: &Bed, at: usize, fault: Fault) {
    bed.observed.let_pass(at);
    bed.observed.fail([fault]);
}
