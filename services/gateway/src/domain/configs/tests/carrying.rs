//! Importing and exporting.

use super::bed::{Bed, any, at, create_in, keys_of, new, read, value, wide};
use crate::domain::configs::{
    ConfigsError, ConfigsSettings, Format, Holder, Import, Item, NewConfig, Outcome,
};

const FORMATS: [Format; 4] = [Format::Json, Format::Yaml, Format::Toml, Format::Env];

fn to(environment: &str) -> Import<'_> {
    Import { environment, overwrite: false, dry_run: false }
}

fn items(pairs: &[(&str, &str)]) -> Vec<Item> {
    let item = |(key, value): &(&str, &str)| Item {
        key: (*key).to_owned(),
        category: None,
        value: (*value).to_owned(),
        schema: None,
    };
    pairs.iter().map(item).collect()
}

async fn import(holder: &Holder, pairs: &[(&str, &str)], how: Import<'_>) -> Vec<(Outcome, u64)> {
    let done = holder.import(&items(pairs), how).await.unwrap();
    done.into_iter().map(|one| (one.outcome, one.version)).collect()
}

#[tokio::test]
async fn what_is_exported_is_imported_under_another_user_key_as_what_it_was() {
    for bed in [Bed::memory().await, Bed::sqlite().await, Bed::redis().await] {
        let ann = bed.holder("the key of ann").await;
        ann.create(NewConfig { category: Some("db"), ..new("host", "\"localhost\"") }).await.unwrap();
        for (key, value) in
            [("port", "5432"), ("none", "null"), ("deep", "{\"b\": [1.5, null], \"a\": \"x\\ny\"}")]
        {
            ann.create(new(key, value)).await.unwrap();
        }
        create_in(&ann, "elsewhere", "staging", "1").await;
        for format in FORMATS {
            let text = ann.export("default", format).await.unwrap();
            assert!(!text.contains("elsewhere"), "{text}");
            let bob = bed.holder(&format!("the key of bob {format:?}")).await;
            let (document, is_ours) = bob.document(text, format).await.unwrap();
            assert_eq!((is_ours, document.environment.as_deref()), (Some(true), Some("default")));
            let done = bob.import(&document.items, to("default")).await.unwrap();
            assert!(done.iter().all(|one| one.outcome == Outcome::Created) && done.len() == 4, "{done:?}");
            let there = bob.get(any("host")).await.unwrap();
            assert_eq!((there.value.as_str(), there.category.as_deref()), ("\"localhost\"", Some("db")));
            assert_eq!(read(&bob, any("none")).await.as_deref(), Ok("null"));
            // What is there already is recognised, however a format orders and spaces it.
            let how = Import { overwrite: true, ..to("default") };
            let again = ann.import(&document.items, how).await.unwrap();
            assert!(again.iter().all(|one| one.outcome == Outcome::Left), "{format:?}: {again:?}");
        }
        let other = Bed::memory().await;
        let (_, is_ours) = other
            .holder("a user key")
            .await
            .document(ann.export("default", Format::Yaml).await.unwrap(), Format::Yaml)
            .await
            .unwrap();
        assert_eq!(is_ours, Some(false));
    }
}

#[tokio::test]
async fn an_import_makes_changes_or_leaves_and_says_which() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    let dry = Import { dry_run: true, ..to("test") };
    assert_eq!(import(&ann, &[("a", "1")], dry).await, [(Outcome::Created, 1)]);
    assert!(keys_of(&ann).await.is_empty());
    assert_eq!(import(&ann, &[("a", "1"), ("b", "2")], to("test")).await, [(Outcome::Created, 1); 2]);
    ann.update(any("b"), value("3")).await.unwrap();
    assert_eq!(
        import(&ann, &[("a", "9"), ("c", "1")], to("test")).await,
        [(Outcome::Left, 1), (Outcome::Created, 1)]
    );
    let over = Import { overwrite: true, ..to("test") };
    let expected = [(Outcome::Left, 1), (Outcome::Changed, 3), (Outcome::Created, 1)];
    assert_eq!(
        import(&ann, &[("a", "1"), ("b", "4"), ("d", "1")], Import { dry_run: true, ..over }).await,
        expected
    );
    assert_eq!(read(&ann, any("b")).await.as_deref(), Ok("3"), "nothing was done");
    assert_eq!(import(&ann, &[("a", "1"), ("b", "4"), ("d", "1")], over).await, expected);
    assert_eq!(ann.history(at("b", "test")).await.unwrap().len(), 3);
}

#[tokio::test]
async fn large_imports_go_in_groups_and_one_that_fails_goes_on_where_it_ended() {
    let bed = Bed::memory_with(ConfigsSettings { space_bytes_max: 60_000, ..wide() }).await;
    let ann = bed.holder("the key of ann").await;
    let names: Vec<String> = (0..250).map(|n| format!("{n:03}")).collect();
    let all: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
    bed.observed.take();
    let full = ann.import(&items(&all), to("test")).await;
    assert!(matches!(full, Err(ConfigsError::Full { .. })));
    assert_eq!(keys_of(&ann).await.len(), 200, "two groups were done");
    for name in &names[..50] {
        ann.delete(at(name, "test")).await.unwrap();
    }
    let done = import(&ann, &all[50..], to("test")).await;
    assert_eq!(done.iter().filter(|one| one.0 == Outcome::Left).count(), 150);
    assert_eq!(keys_of(&ann).await.len(), 200);
    let large = "1".repeat(bed.settings.value_bytes_max + 1);
    let refused = ann.import(&items(&[("x", "1"), ("y", &large)]), to("other")).await;
    assert!(matches!(refused, Err(ConfigsError::ValueTooLarge { .. })));
    assert_eq!(keys_of(&ann).await.len(), 200, "what cannot be is seen before anything is stored");
}

#[tokio::test]
async fn imports_that_race_lose_nothing() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    let another = bed.another().await.holder(b"the key of ann", super::bed::CLIENT).await.unwrap();
    let over = Import { overwrite: true, ..to("test") };
    let (one, other) = (items(&[("a", "1"), ("b", "1")]), items(&[("b", "2"), ("c", "2")]));
    let (one, other) = tokio::join!(ann.import(&one, over), another.import(&other, over));
    let versions = one.unwrap()[1].version + other.unwrap()[0].version;
    assert_eq!(versions, 3, "the second one saw the first");
    assert_eq!(ann.history(at("b", "test")).await.unwrap().len(), 2);
}
