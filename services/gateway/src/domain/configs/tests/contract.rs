//! What the contract asks of the domain, on every kind of storage.

use std::net::{IpAddr, Ipv4Addr};

use super::bed::{Bed, any, at, create_in, keys_of, new, read, value, wide};
use crate::domain::configs::{ConfigsError, ConfigsSettings, Filter, NewConfig, Update};

async fn beds() -> [Bed; 3] {
    [Bed::memory().await, Bed::sqlite().await, Bed::redis().await]
}

#[tokio::test]
async fn a_configuration_is_made_read_changed_listed_and_deleted() {
    for bed in beds().await {
        let ann = bed.holder("the key of ann").await;
        let made =
            ann.create(NewConfig { category: Some("db"), ..new("host", "{\"a\": 1.50}") }).await.unwrap();
        assert_eq!((made.id, made.version, made.environment.as_str()), (1, 1, "default"));
        let again = ann.create(new("host", "1")).await.unwrap_err();
        assert_eq!(again.to_string(), "Configuration with key 'host' already exists");
        assert_eq!(read(&ann, any("host")).await.as_deref(), Ok("{\"a\": 1.50}"));
        let changed = ann.update(any("host"), value("2")).await.unwrap();
        assert_eq!((changed.id, changed.version, changed.category.as_deref()), (1, 2, Some("db")));
        let update = Update { category: Some("other"), ..value("3") };
        assert_eq!(ann.update(any("host"), update).await.unwrap().category.as_deref(), Some("other"));
        ann.create(new("a/b", "null")).await.unwrap();
        assert_eq!(keys_of(&ann).await, ["host", "a/b"]);
        let of = Filter { category: Some("other"), environment: None };
        assert_eq!(ann.list(of).await.unwrap().len(), 1);
        ann.delete(any("host")).await.unwrap();
        let gone = "Configuration with key 'host' not found";
        assert_eq!(read(&ann, any("host")).await.unwrap_err(), gone);
        assert_eq!(ann.delete(any("host")).await.unwrap_err().to_string(), gone);
        assert!(matches!(ann.update(any("host"), value("1")).await, Err(ConfigsError::NotFound { .. })));
        assert_eq!(keys_of(&ann).await, ["a/b"]);
    }
}

#[tokio::test]
async fn a_key_is_another_configuration_in_each_environment() {
    for bed in beds().await {
        let ann = bed.holder("the key of ann").await;
        create_in(&ann, "host", "staging", "1").await;
        assert_eq!(read(&ann, any("host")).await.as_deref(), Ok("1"), "the only one is meant");
        create_in(&ann, "host", "production", "2").await;
        let said = read(&ann, any("host")).await.unwrap_err();
        assert!(
            said.ends_with("name one: production, staging") && !said.contains("already exists"),
            "{said}"
        );
        assert!(matches!(ann.delete(any("host")).await, Err(ConfigsError::EnvironmentNeeded { .. })));
        ann.create(new("host", "3")).await.unwrap();
        assert_eq!(read(&ann, any("host")).await.as_deref(), Ok("3"), "else that in the default environment");
        assert_eq!(read(&ann, at("host", "staging")).await.as_deref(), Ok("1"));
        assert!(read(&ann, at("host", "elsewhere")).await.is_err());
        ann.delete(at("host", "staging")).await.unwrap();
        let of = Filter { category: None, environment: Some("production") };
        assert_eq!(ann.list(of).await.unwrap().len(), 1);
        assert_eq!(keys_of(&ann).await.len(), 2);
    }
}

#[tokio::test]
async fn a_configuration_moves_to_another_environment_with_its_number_unless_there_is_one() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    let made = create_in(&ann, "host", "staging", "1").await;
    create_in(&ann, "host", "production", "2").await;
    let to = |environment| Update { environment: Some(environment), ..value("3") };
    let taken = ann.update(at("host", "staging"), to("production")).await.unwrap_err();
    assert!(matches!(taken, ConfigsError::Exists { .. }));
    let moved = ann.update(at("host", "staging"), to("test")).await.unwrap();
    assert_eq!((moved.id, moved.version, moved.environment.as_str()), (made.id, 2, "test"));
    assert!(read(&ann, at("host", "staging")).await.is_err());
    assert_eq!(read(&ann, at("host", "test")).await.as_deref(), Ok("3"));
    assert_eq!(read(&ann, at("host", "production")).await.as_deref(), Ok("2"));
}

#[tokio::test]
async fn two_user_keys_see_nothing_of_each_other() {
    for bed in beds().await {
        let (ann, bob) = (bed.holder("the key of ann").await, bed.holder("the key of bob").await);
        ann.create(new("host", "1")).await.unwrap();
        assert!(read(&bob, any("host")).await.is_err() && keys_of(&bob).await.is_empty());
        assert!(bob.update(any("host"), value("2")).await.is_err() && bob.delete(any("host")).await.is_err());
        assert_eq!(
            bob.create(new("host", "2")).await.unwrap().id,
            1,
            "numbers tell nothing of others either"
        );
        assert_eq!(read(&ann, any("host")).await.as_deref(), Ok("1"));
        bob.delete(any("host")).await.unwrap();
        assert_eq!(read(&ann, any("host")).await.as_deref(), Ok("1"));
    }
}

#[tokio::test]
async fn numbers_are_never_used_twice_also_by_processes_that_race() {
    for bed in beds().await {
        let others = [bed.configs.clone(), bed.another().await, bed.another().await];
        let make = |process: usize| {
            let configs = others[process].clone();
            async move {
                let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
                let holder = configs.holder(b"the key of ann", client).await.unwrap();
                let mut ids = Vec::new();
                for round in 0..20 {
                    let key = format!("{process}-{round}");
                    ids.push(holder.create(new(&key, "1")).await.unwrap().id);
                    if round % 3 == 0 {
                        holder.delete(any(&key)).await.unwrap();
                    }
                }
                ids
            }
        };
        let (a, b, c) = tokio::join!(make(0), make(1), make(2));
        let mut ids = [a, b, c].concat();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), count), (60, 60), "{ids:?}");
        assert_eq!(keys_of(&bed.holder("the key of ann").await).await.len(), 60 - 3 * 7);
    }
}

#[tokio::test]
async fn a_value_a_name_space_and_all_of_them_have_their_limits() {
    let settings = ConfigsSettings { value_bytes_max: 100, space_bytes_max: 2000, ..wide() };
    let bed = Bed::memory_with(settings).await;
    let ann = bed.holder("the key of ann").await;
    let long = "1".repeat(101);
    assert!(matches!(ann.create(new("a", &long)).await, Err(ConfigsError::ValueTooLarge { bytes_max: 100 })));
    let mut made = 0;
    while made < 20 && ann.create(new(&format!("{made}"), "1")).await.is_ok() {
        made += 1;
    }
    assert_eq!(made, 7, "each counts for its texts and 256 bytes");
    assert!(matches!(ann.create(new("x", "1")).await, Err(ConfigsError::Full { .. })));
    assert!(
        matches!(ann.update(any("0"), value("2")).await, Err(ConfigsError::Full { .. })),
        "history counts"
    );
    bed.holder("the key of bob").await.create(new("x", "1")).await.unwrap();
    ann.delete(any("0")).await.unwrap();
    ann.create(new("x", "1")).await.unwrap();

    // A configuration counts for 265 bytes here, and what the log says of it for some 370.
    let bed = Bed::memory_with(ConfigsSettings { total_bytes_max: 1600, ..wide() }).await;
    let (ann, bob) = (bed.holder("the key of ann").await, bed.holder("the key of bob").await);
    ann.create(new("a", "1")).await.unwrap();
    bob.create(new("a", "1")).await.unwrap();
    bob.create(new("b", "1")).await.unwrap();
    assert!(matches!(ann.create(new("b", "1")).await, Err(ConfigsError::Full { .. })));
    bob.delete(any("a")).await.unwrap();
    bob.create(new("c", "1")).await.unwrap();
    let another = bed.another().await.holder(b"the key of ann", super::bed::CLIENT).await.unwrap();
    assert!(matches!(another.create(new("c", "1")).await, Err(ConfigsError::Full { .. })));
}
