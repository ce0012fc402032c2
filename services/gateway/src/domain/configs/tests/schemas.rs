//! Schemas: whatever way a value comes, it matches.

use super::bed::{Bed, any, at, create_in, new, read, value};
use crate::domain::configs::{
    Condition, ConfigsError, Holder, Import, Item, NewConfig, Promotion, SchemaError, Update,
};

const PORT: &str = r#"{"type": "integer", "maximum": 65535}"#;

fn is_refused<T>(result: &Result<T, ConfigsError>) -> bool {
    matches!(
        result,
        Err(ConfigsError::Schema(SchemaError::Value { .. })
            | ConfigsError::SchemaOf { error: SchemaError::Value { .. }, .. })
    )
}

async fn put(holder: &Holder, text: &str) -> Result<u64, ConfigsError> {
    holder.put(new("port", text), Condition::None).await.map(|config| config.version)
}

#[tokio::test]
async fn a_schema_is_kept_beside_its_value_and_goes_when_it_is_taken_away() {
    for bed in [Bed::memory().await, Bed::sqlite().await, Bed::redis().await] {
        let ann = bed.holder("the key of ann").await;
        ann.create(new("port", "80")).await.unwrap();
        assert!(matches!(ann.schema(any("port")).await, Err(ConfigsError::NoSchema)));
        assert_eq!(ann.set_schema(any("port"), Some(PORT)).await.unwrap().version, 1);
        assert_eq!(ann.schema(any("port")).await.unwrap(), PORT);
        let two = r#"{"maximum": 79}"#;
        assert!(is_refused(&ann.set_schema(any("port"), Some(two)).await), "what is there must match");
        let wrong = ann.set_schema(any("port"), Some("{\"type\": 1}")).await;
        assert!(matches!(wrong, Err(ConfigsError::Schema(SchemaError::Schema { .. }))));
        assert_eq!(put(&ann, "8080").await.unwrap(), 2);
        assert!(is_refused(&put(&ann, "65536").await) && is_refused(&put(&ann, "\"planted\"").await));
        assert_eq!(ann.schema(any("port")).await.unwrap(), PORT);
        let bob = bed.holder("the key of bob").await;
        assert!(matches!(bob.schema(any("port")).await, Err(ConfigsError::NotFound { .. })));
        assert!(matches!(
            bob.set_schema(any("port"), Some("true")).await,
            Err(ConfigsError::NotFound { .. })
        ));
        ann.set_schema(any("port"), None).await.unwrap();
        assert!(matches!(ann.set_schema(any("port"), None).await, Err(ConfigsError::NoSchema)));
        assert_eq!(put(&ann, "\"any\"").await.unwrap(), 3);
    }
}

#[tokio::test]
async fn whatever_way_a_value_comes_it_must_match() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    ann.create(new("port", "\"text\"")).await.unwrap();
    ann.update(any("port"), value("80")).await.unwrap();
    ann.set_schema(any("port"), Some(PORT)).await.unwrap();
    assert!(is_refused(&ann.update(any("port"), value("true")).await));
    let elsewhere = Update { environment: Some("moved"), ..value("true") };
    assert!(is_refused(&ann.update(any("port"), elsewhere).await));
    assert!(is_refused(&ann.roll_back(any("port"), 1, Condition::None).await));
    create_in(&ann, "port", "staging", "\"text\"").await;
    let keys = ["port".to_owned()];
    let promotion = Promotion { keys: &keys, from: "staging", to: "default", overwrite: true };
    assert!(is_refused(&ann.promote(promotion).await));
    let items = [Item { key: "port".to_owned(), category: None, value: "null".to_owned() }];
    for dry_run in [true, false] {
        let refused = ann.import(&items, Import { environment: "default", overwrite: true, dry_run }).await;
        assert!(refused.as_ref().is_err_and(|error| error.to_string().contains("'port'")), "{refused:?}");
        assert!(is_refused(&refused));
    }
    assert_eq!(read(&ann, at("port", "default")).await.as_deref(), Ok("80"));
    // Where it is promoted to, it takes its schema along.
    let promotion = Promotion { keys: &keys, from: "default", to: "production", overwrite: false };
    ann.promote(promotion).await.unwrap();
    assert_eq!(ann.schema(at("port", "production")).await.unwrap(), PORT);
    // A move keeps the schema, and what is made anew has none.
    ann.update(any("port"), Update { environment: Some("moved"), ..value("81") }).await.unwrap();
    assert_eq!(ann.schema(at("port", "moved")).await.unwrap(), PORT);
    ann.delete(at("port", "moved")).await.unwrap();
    let anew = NewConfig { environment: Some("moved"), ..new("port", "\"text\"") };
    ann.create(anew).await.unwrap();
}
