//! Moving name spaces from one user key to another.

use super::bed::{Bed, CLIENT, any, keys_of, new, read, value};
use crate::domain::configs::{Configs, ConfigsError};

async fn rekey(configs: &Configs, old: &str, new: &str) -> Result<(), ConfigsError> {
    configs.rekey((old.as_bytes(), new.as_bytes()), CLIENT).await
}

#[tokio::test]
async fn everything_moves_to_the_new_user_key_at_once_also_for_who_had_opened_it_elsewhere() {
    for bed in [Bed::memory().await, Bed::sqlite().await, Bed::redis().await] {
        let ann = bed.holder("the old key").await;
        ann.create(new("host", "1")).await.unwrap();
        let elsewhere = bed.another().await;
        let remembered = elsewhere.holder(b"the old key", CLIENT).await.unwrap();
        assert_eq!(read(&remembered, any("host")).await.as_deref(), Ok("1"));
        rekey(&bed.configs, "the old key", "the new key").await.unwrap();
        for old in [&ann, &remembered, &bed.holder("the old key").await] {
            assert!(read(old, any("host")).await.is_err() && keys_of(old).await.is_empty());
            assert!(old.update(any("host"), value("2")).await.is_err());
        }
        let new_one = bed.holder("the new key").await;
        assert_eq!(read(&new_one, any("host")).await.as_deref(), Ok("1"));
        new_one.update(any("host"), value("3")).await.unwrap();
        // The old user key is free: whoever uses it begins with nothing.
        remembered.create(new("host", "other")).await.unwrap();
        assert_eq!(read(&new_one, any("host")).await.as_deref(), Ok("3"));
        assert_eq!(read(&ann, any("host")).await.as_deref(), Ok("other"));
    }
}

#[tokio::test]
async fn nothing_moves_onto_what_is_there_nor_from_what_is_not() {
    let bed = Bed::memory().await;
    assert!(matches!(rekey(&bed.configs, "no such key", "another").await, Err(ConfigsError::NothingKept)));
    bed.holder("the key of ann").await.create(new("a", "1")).await.unwrap();
    bed.holder("the key of bob").await.create(new("b", "1")).await.unwrap();
    let taken = rekey(&bed.configs, "the key of ann", "the key of bob").await;
    assert!(matches!(taken, Err(ConfigsError::UserKeyInUse)));
    let same = rekey(&bed.configs, "the key of ann", "the key of ann").await;
    assert!(matches!(same, Err(ConfigsError::SameUserKey)));
    assert_eq!(keys_of(&bed.holder("the key of ann").await).await, ["a"]);
    assert_eq!(keys_of(&bed.holder("the key of bob").await).await, ["b"]);
}

#[tokio::test]
async fn of_moves_to_different_user_keys_that_race_one_succeeds_and_nothing_is_lost() {
    for bed in [Bed::memory().await, Bed::redis().await] {
        bed.holder("key number 0").await.create(new("host", "1")).await.unwrap();
        let others = [bed.configs.clone(), bed.another().await, bed.another().await];
        for round in 0..20 {
            let from = format!("key number {round}");
            let to = |process: usize| {
                if process == 0 {
                    format!("key number {}", round + 1)
                } else {
                    format!("lost {round} {process}")
                }
            };
            let moves = others.iter().enumerate().map(|(process, configs)| {
                let (from, to) = (from.clone(), to(process));
                async move { rekey(configs, &from, &to).await.map(|()| to) }
            });
            let done = futures_util::future::join_all(moves).await;
            let won: Vec<_> = done.into_iter().filter_map(Result::ok).collect();
            assert_eq!(won.len(), 1, "round {round}");
            let winner = bed.another().await.holder(won[0].as_bytes(), CLIENT).await.unwrap();
            assert_eq!(read(&winner, any("host")).await.as_deref(), Ok("1"), "round {round}");
            if won[0] != to(0) {
                rekey(&bed.configs, &won[0], &to(0)).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_move_and_a_first_configuration_under_the_new_user_key_that_race_lose_nothing() {
    for bed in [Bed::memory().await, Bed::redis().await] {
        for round in 0..40 {
            let (old, to) = (format!("the old key {round}"), format!("the new key {round}"));
            bed.holder(&old).await.create(new("moved", "1")).await.unwrap();
            let another = bed.another().await;
            let first = async {
                let holder = another.holder(to.as_bytes(), CLIENT).await.unwrap();
                holder.create(new("made", "2")).await.unwrap();
            };
            let (moved, ()) = tokio::join!(rekey(&bed.configs, &old, &to), first);
            let fresh = bed.another().await;
            let under = async |key: &str| keys_of(&fresh.holder(key.as_bytes(), CLIENT).await.unwrap()).await;
            match moved {
                Ok(()) => {
                    assert_eq!(under(&to).await, ["moved", "made"]);
                    assert!(under(&old).await.is_empty());
                }
                Err(ConfigsError::UserKeyInUse) => {
                    assert_eq!(
                        (under(&old).await, under(&to).await),
                        (vec!["moved".into()], vec!["made".into()])
                    );
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}
