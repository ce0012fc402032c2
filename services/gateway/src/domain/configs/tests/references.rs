//! References between configurations of one user key.

use super::bed::{Bed, CLIENT, any, at, create_in, new, read};
use crate::domain::configs::{Address, ConfigsError, Holder};

async fn resolved(holder: &Holder, address: Address<'_>) -> Result<String, String> {
    let config = holder.get(address).await.map_err(|error| error.to_string())?;
    holder.resolved(&config).await.map_err(|error: ConfigsError| error.to_string())
}

#[tokio::test]
async fn references_are_resolved_for_who_asks_and_stored_as_they_are_written() {
    for bed in [Bed::memory().await, Bed::sqlite().await, Bed::redis().await] {
        let ann = bed.holder("the key of ann").await;
        let text = "{\"url\": \"http://${ref:host}:${ref:port@production}\", \"price\": 1.50}";
        create_in(&ann, "service", "staging", text).await;
        create_in(&ann, "host", "staging", "\"${ref:name}.example\"").await;
        create_in(&ann, "host", "production", "\"wrong\"").await;
        create_in(&ann, "port", "production", "443").await;
        let said = resolved(&ann, at("service", "staging")).await.unwrap_err();
        assert_eq!(said, "host@staging refers to name@staging, which does not exist");
        create_in(&ann, "name", "staging", "\"www\"").await;
        let expected = "{\"url\": \"http://www.example:443\", \"price\": 1.50}";
        assert_eq!(resolved(&ann, at("service", "staging")).await.as_deref(), Ok(expected));
        assert_eq!(read(&ann, at("service", "staging")).await.as_deref(), Ok(text));
    }
}

#[tokio::test]
async fn a_reference_leads_to_nothing_of_another_user_key() {
    let bed = Bed::memory().await;
    let (ann, bob) = (bed.holder("the key of ann").await, bed.holder("the key of bob").await);
    ann.create(new("secret", "\"planted\"")).await.unwrap();
    bob.create(new("a", "\"${ref:secret}\"")).await.unwrap();
    let said = resolved(&bob, any("a")).await.unwrap_err();
    assert_eq!(said, "a@default refers to secret@default, which does not exist");
    // What was read before a move is no way to what came later.
    let config = ann.get(any("secret")).await.unwrap();
    bed.configs.rekey((b"the key of ann", b"the new key"), CLIENT).await.unwrap();
    let reading = crate::domain::configs::Config {
        value: "\"${ref:secret}\"".to_owned(),
        key: "b".to_owned(),
        ..config
    };
    assert!(matches!(ann.resolved(&reading).await, Err(ConfigsError::NotFound { .. })));
}

#[tokio::test]
async fn many_are_read_in_few_round_trips_and_each_answers_as_it_would_alone() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    create_in(&ann, "one", "staging", "1").await;
    create_in(&ann, "two", "staging", "2").await;
    create_in(&ann, "two", "production", "3").await;
    let names: Vec<String> = (0..40).map(|n| format!("k{n}")).collect();
    for name in &names {
        ann.create(new(name, "0")).await.unwrap();
    }
    bed.observed.take();
    let wanted: Vec<_> = names.iter().map(|name| any(name)).collect();
    let found = ann.get_many(&wanted).await.unwrap();
    assert!(found.iter().zip(&names).all(|(one, name)| one.as_ref().is_ok_and(|config| config.key == *name)));
    assert_eq!(bed.observed.take().reads(), 2);
    let mixed = [any("one"), any("two"), at("two", "production"), at("one", "production"), any("none")];
    let found = ann.get_many(&mixed).await.unwrap();
    let said: Vec<_> = found
        .into_iter()
        .map(|one| one.map_or_else(|error| error.to_string(), |config| config.value))
        .collect();
    assert_eq!((said[0].as_str(), said[2].as_str()), ("1", "3"));
    assert!(said[1].contains("name one: production, staging"), "{said:?}");
    assert!(said[3].ends_with("not found") && said[4].ends_with("not found"), "{said:?}");
}
