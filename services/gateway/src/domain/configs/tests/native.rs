//! History, rolling back, conditions and promotion.

use super::bed::{Bed, any, at, create_in, keys_of, new, read, value, wide};
use crate::domain::configs::{
    Condition, ConfigsError, ConfigsSettings, Holder, NewConfig, Promotion, Update,
};

async fn versions(holder: &Holder, key: &str) -> Vec<(u64, String)> {
    let history = holder.history(any(key)).await.unwrap();
    history.into_iter().map(|config| (config.version, config.value)).collect()
}

fn pairs(list: &[(u64, &str)]) -> Vec<(u64, String)> {
    list.iter().map(|(version, value)| (*version, (*value).to_owned())).collect()
}

#[tokio::test]
async fn so_many_versions_are_kept_read_and_brought_back() {
    for bed in [
        Bed::memory_with(ConfigsSettings { versions_per_config_max: 2, ..wide() }).await,
        Bed::memory_with(ConfigsSettings { versions_per_config_max: 0, ..wide() }).await,
    ] {
        let kept = usize::from(bed.settings.versions_per_config_max);
        let ann = bed.holder("the key of ann").await;
        ann.create(NewConfig { category: Some("first"), ..new("a", "1") }).await.unwrap();
        for text in ["2", "3", "4"] {
            ann.update(any("a"), Update { category: Some("later"), ..value(text) }).await.unwrap();
        }
        let all = pairs(&[(4, "4"), (3, "3"), (2, "2")]);
        assert_eq!(versions(&ann, "a").await, all[..=kept]);
        assert_eq!(ann.version(any("a"), 4).await.unwrap().value, "4");
        for gone in [0, 1, 5] {
            assert!(matches!(ann.version(any("a"), gone).await, Err(ConfigsError::VersionNotFound)));
        }
        let back = ann.roll_back(any("a"), 3, Condition::Version(4)).await;
        if kept == 0 {
            assert!(matches!(back, Err(ConfigsError::VersionNotFound)));
            continue;
        }
        assert_eq!(back.unwrap().version, 5);
        assert_eq!(versions(&ann, "a").await, pairs(&[(5, "3"), (4, "4"), (3, "3")]));
        let stale = ann.roll_back(any("a"), 3, Condition::Version(4)).await;
        assert!(matches!(stale, Err(ConfigsError::Conflict { version: Some(5) })));
        // What is deleted takes its history with it, and its room is free again.
        ann.delete(any("a")).await.unwrap();
        ann.create(new("a", "9")).await.unwrap();
        assert_eq!(versions(&ann, "a").await, pairs(&[(1, "9")]));
    }
}

#[tokio::test]
async fn history_moves_along_with_a_configuration_and_keeps_its_category() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    ann.create(NewConfig { category: Some("first"), ..new("a", "1") }).await.unwrap();
    ann.update(any("a"), Update { value: "2", category: Some("second"), environment: Some("test") })
        .await
        .unwrap();
    assert_eq!(versions(&ann, "a").await, pairs(&[(2, "2"), (1, "1")]));
    let back = ann.roll_back(at("a", "test"), 1, Condition::None).await.unwrap();
    assert_eq!(
        (back.category.as_deref(), back.environment.as_str(), back.version),
        (Some("first"), "test", 3)
    );
}

#[tokio::test]
async fn a_condition_decides_whether_something_is_stored_or_deleted() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    let put = async |text, condition| ann.put(new("a", text), condition).await.map(|config| config.version);
    assert!(matches!(put("1", Condition::Version(1)).await, Err(ConfigsError::Conflict { version: None })));
    assert_eq!(put("1", Condition::Absent).await.unwrap(), 1);
    assert!(matches!(put("2", Condition::Absent).await, Err(ConfigsError::Conflict { version: Some(1) })));
    assert_eq!(put("2", Condition::Version(1)).await.unwrap(), 2);
    assert!(matches!(
        put("3", Condition::Version(1)).await,
        Err(ConfigsError::Conflict { version: Some(2) })
    ));
    assert_eq!(put("3", Condition::None).await.unwrap(), 3);
    assert!(matches!(
        ann.delete_if(any("a"), Condition::Version(2)).await,
        Err(ConfigsError::Conflict { .. })
    ));
    assert_eq!(ann.delete_if(any("a"), Condition::Version(3)).await.unwrap().value, "3");
    // Of many who count on the same version one succeeds.
    assert_eq!(put("0", Condition::None).await.unwrap(), 1);
    let tries = (0..8).map(|_| put("1", Condition::Version(1)));
    let done = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_promotion_copies_all_or_nothing() {
    for bed in [Bed::memory().await, Bed::sqlite().await] {
        let ann = bed.holder("the key of ann").await;
        for (key, text) in [("a", "1"), ("b", "2"), ("c", "3")] {
            create_in(&ann, key, "staging", text).await;
        }
        create_in(&ann, "b", "production", "0").await;
        create_in(&ann, "c", "production", "3").await;
        let names = |list: &[&str]| list.iter().map(|&key| key.to_owned()).collect::<Vec<_>>();
        let promote = async |list: &[&str], overwrite| {
            let promotion = Promotion { keys: &names(list), from: "staging", to: "production", overwrite };
            ann.promote(promotion).await
        };
        assert!(matches!(promote(&["a", "b"], false).await, Err(ConfigsError::Exists { key }) if key == "b"));
        assert!(
            matches!(promote(&["a", "x"], true).await, Err(ConfigsError::NotFound { key }) if key == "x")
        );
        assert!(read(&ann, at("a", "production")).await.is_err(), "nothing was copied");
        let done = promote(&["a", "b", "c"], true).await.unwrap();
        let told: Vec<_> = done.iter().map(|one| (one.value.as_str(), one.version)).collect();
        assert_eq!(told, [("1", 1), ("2", 2), ("3", 1)], "what was the same has no new version");
        assert!(done.iter().all(|one| one.environment == "production"));
        assert_eq!(read(&ann, at("b", "production")).await.as_deref(), Ok("2"));
        assert_eq!(ann.history(at("b", "production")).await.unwrap().len(), 2);
        for wrong in [&[][..], &["a", "a"]] {
            assert!(matches!(promote(wrong, true).await, Err(ConfigsError::Promotion)));
        }
        assert_eq!(keys_of(&ann).await.len(), 6);
    }
}
