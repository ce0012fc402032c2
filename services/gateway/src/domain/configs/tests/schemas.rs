//! Schemas: whatever way a value comes, it matches.

use super::bed::{Bed, any, at, create_in, keys_of, new, read, value};
use crate::domain::configs::{
    Condition, ConfigsError, Format, Holder, Import, Item, NewConfig, Outcome, Promotion, SchemaError, Update,
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
    put_in(holder, "default", text).await
}

async fn put_in(holder: &Holder, environment: &str, text: &str) -> Result<u64, ConfigsError> {
    let new = NewConfig { environment: Some(environment), ..new("port", text) };
    holder.put(new, Condition::None).await.map(|config| config.version)
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

fn port(value: &str, schema: Option<&str>) -> [Item; 1] {
    let schema = schema.map(str::to_owned);
    [Item { key: "port".to_owned(), category: None, value: value.to_owned(), schema }]
}

#[tokio::test]
async fn a_schema_goes_along_with_an_export_in_every_format_and_is_asked_of_values_where_it_is_imported() {
    for bed in [Bed::memory().await, Bed::sqlite().await, Bed::redis().await] {
        let ann = bed.holder("the key of ann").await;
        ann.create(new("port", "80")).await.unwrap();
        ann.create(new("free", "80")).await.unwrap();
        ann.set_schema(any("port"), Some(PORT)).await.unwrap();
        for format in [Format::Json, Format::Yaml, Format::Toml, Format::Env] {
            let text = ann.export("default", format).await.unwrap();
            let (document, _) = ann.document(text, format).await.unwrap();
            let bob = bed.holder(&format!("the key of bob {format:?}")).await;
            let how = Import { environment: "new", overwrite: false, dry_run: false };
            bob.import(&document.items, how).await.unwrap();
            assert!(is_refused(&put_in(&bob, "new", "65536").await), "{format:?}");
            assert!(matches!(bob.schema(at("free", "new")).await, Err(ConfigsError::NoSchema)));
            let again = bob.import(&document.items, Import { overwrite: true, ..how }).await.unwrap();
            assert!(again.iter().all(|one| one.outcome == Outcome::Left), "{format:?}");
        }
    }
}

#[tokio::test]
async fn an_import_that_overwrites_brings_its_schema_and_one_without_leaves_the_one_that_is_there() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    let how = Import { environment: "default", overwrite: true, dry_run: false };
    let import = async |value, schema, how| {
        let done = ann.import(&port(value, schema), how).await.unwrap();
        (done[0].outcome, done[0].version)
    };
    let leaving = Import { overwrite: false, ..how };
    assert_eq!(import("80", None, how).await, (Outcome::Created, 1));
    assert_eq!(import("80", Some(PORT), leaving).await, (Outcome::Left, 1));
    assert!(ann.schema(any("port")).await.is_err());
    let dry = Import { dry_run: true, ..how };
    assert_eq!(import("80", Some(PORT), dry).await, (Outcome::Changed, 1));
    assert!(ann.schema(any("port")).await.is_err());
    assert_eq!(import("80", Some(PORT), how).await, (Outcome::Changed, 1), "the value is the same");
    assert_eq!(ann.schema(any("port")).await.unwrap(), PORT);
    assert_eq!(import("80", None, how).await, (Outcome::Left, 1));
    assert_eq!(import("81", None, how).await, (Outcome::Changed, 2));
    assert_eq!(ann.schema(any("port")).await.unwrap(), PORT);
    let text = "{\"type\": \"string\"}";
    assert_eq!(import("\"text\"", Some(text), how).await, (Outcome::Changed, 3));
    assert_eq!(ann.schema(any("port")).await.unwrap(), text);
    // What it used is free again: the schema was counted as it came and as it went.
    ann.delete(any("port")).await.unwrap();
    assert_eq!(ann.bytes().await.unwrap(), 0);
}

#[tokio::test]
async fn what_does_not_match_the_schema_that_comes_with_it_stores_nothing_of_an_import() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    for (value, schema, said) in [
        ("\"planted\"", PORT, "configuration 'port': the value does not match its schema: see /type in it"),
        ("1", "{\"type\": 1}", "configuration 'port': this is no JSON Schema at /type"),
        ("1", "null", "configuration 'port': this is no JSON Schema"),
        ("1", "{\"$ref\": \"http://127.0.0.1/x\"}", "configuration 'port': "),
    ] {
        for overwrite in [false, true] {
            let mut items = port(value, Some(schema)).to_vec();
            items.insert(0, Item { key: "a".to_owned(), ..port("1", None)[0].clone() });
            let how = Import { environment: "default", overwrite, dry_run: false };
            let refused = ann.import(&items, how).await.unwrap_err().to_string();
            assert!(refused.starts_with(said) && !refused.contains("planted"), "{refused}");
            assert!(keys_of(&ann).await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_promotion_that_overwrites_brings_its_schema_and_one_without_leaves_the_one_that_is_there() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    let (keys, text) = (["port".to_owned()], "{\"type\": \"string\"}");
    let promote = async |overwrite| {
        let promotion = Promotion { keys: &keys, from: "staging", to: "production", overwrite };
        ann.promote(promotion).await.map(|done| done[0].version)
    };
    create_in(&ann, "port", "staging", "\"http\"").await;
    ann.set_schema(at("port", "staging"), Some(text)).await.unwrap();
    create_in(&ann, "port", "production", "80").await;
    ann.set_schema(at("port", "production"), Some(PORT)).await.unwrap();
    assert!(matches!(promote(false).await, Err(ConfigsError::Exists { .. })));
    assert_eq!(promote(true).await.unwrap(), 2, "it matches the schema that comes along");
    assert_eq!(ann.schema(at("port", "production")).await.unwrap(), text);
    assert!(is_refused(&ann.update(at("port", "production"), value("80")).await));
    // The same value with another schema: that is something else, and no new version.
    let other = "{\"type\": [\"string\", \"integer\"]}";
    ann.set_schema(at("port", "staging"), Some(other)).await.unwrap();
    assert!(matches!(promote(false).await, Err(ConfigsError::Exists { .. })));
    assert_eq!(promote(true).await.unwrap(), 2);
    assert_eq!(ann.schema(at("port", "production")).await.unwrap(), other);
    assert_eq!(promote(false).await.unwrap(), 2, "now nothing is left to do");
    // None comes along: the one that is there stays, and counts.
    ann.set_schema(at("port", "staging"), None).await.unwrap();
    ann.update(at("port", "staging"), value("true")).await.unwrap();
    assert!(is_refused(&promote(true).await));
    ann.update(at("port", "staging"), value("81")).await.unwrap();
    assert_eq!(promote(true).await.unwrap(), 3);
    assert_eq!(ann.schema(at("port", "production")).await.unwrap(), other);
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
    let items = port("null", None);
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
