//! Listings by prefix and delimiter, in pages, against the model.

use std::collections::BTreeSet;

use super::super::super::{Kv, ListRequest};
use super::super::bed::{ann, anns};
use super::plain::Model;
use super::steps::{KEYS, name};

const PREFIXES: [&str; 5] = ["", "a", "a/", "a\0", "報"];

/// What lies behind a delimiter is folded into this.
fn folded(key: &str, prefix: &str, delimiter: Option<&str>) -> Option<String> {
    let (rest, text) = (key.strip_prefix(prefix)?, delimiter?);
    rest.find(text).map(|at| key[..prefix.len() + at + text.len()].to_owned())
}

/// Compares one listing, another one each time.
pub(super) async fn compare(kv: &Kv, model: &Model, number: usize) {
    let prefix = PREFIXES[number % PREFIXES.len()];
    let delimiter = [None, Some("/"), Some("b")][number % 3];
    let limit = 1 + number % 4;
    let mut request = ListRequest {
        prefix: prefix.to_owned(),
        delimiter: delimiter.map(str::to_owned),
        limit,
        ..ListRequest::default()
    };
    let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
    loop {
        let page = kv.list(&ann(), anns(), &request).await.unwrap();
        assert!(page.items.len() + page.common_prefixes.len() <= limit && page.damaged.is_empty());
        keys.extend(page.items.into_iter().map(|item| (item.key, item.meta.version)));
        prefixes.extend(page.common_prefixes);
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            break;
        }
    }
    let live = || model.keys.iter().map(|(at, life)| (name(*at), life.version));
    let within =
        |(key, _): &(String, u64)| key.starts_with(prefix) && folded(key, prefix, delimiter).is_none();
    let mut expected: Vec<_> = live().filter(within).collect();
    expected.sort();
    assert_eq!(keys, expected, "{request:?}");
    let folds: BTreeSet<_> = live().filter_map(|(key, _)| folded(&key, prefix, delimiter)).collect();
    // What has expired and is not collected yet may still be folded into one.
    let possible: BTreeSet<_> = (0..KEYS).filter_map(|at| folded(&name(at), prefix, delimiter)).collect();
    let told: BTreeSet<_> = prefixes.iter().cloned().collect();
    assert_eq!(told.len(), prefixes.len(), "none is told twice: {prefixes:?}");
    assert!(told.is_superset(&folds) && told.is_subset(&possible), "{prefixes:?} instead of {folds:?}");
}
