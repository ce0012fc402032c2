//! What is derived is kept in memory, for a while, and nowhere else.

use std::sync::atomic::Ordering;
use std::time::Duration;

use coffer_core::{Clock as _, SecretKey};
use coffer_crypto::hash::sha256;
use coffer_crypto::space::UserKey;
use coffer_store::records::{Table, Value};

use super::bed::{Bed, CLIENT, any, new, read, value};

#[tokio::test]
async fn a_warm_read_asks_the_storage_once_and_a_change_twice() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    ann.create(new("a", "1")).await.unwrap();
    bed.observed.take();
    let ann = bed.holder("the key of ann").await;
    read(&ann, any("a")).await.unwrap();
    let calls = bed.observed.take();
    assert_eq!((calls.reads(), calls.commits()), (1, 0));
    ann.update(any("a"), value("2")).await.unwrap();
    let calls = bed.observed.take();
    assert_eq!((calls.reads(), calls.commits()), (1, 1));
    assert_eq!(bed.derived.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_salt_is_made_once_however_many_processes_begin() {
    let bed = Bed::memory().await;
    bed.holder("the key of ann").await.create(new("a", "1")).await.unwrap();
    for _ in 0..3 {
        let another = bed.another().await.holder(b"the key of ann", CLIENT).await.unwrap();
        assert_eq!(read(&another, any("a")).await.as_deref(), Ok("1"));
    }
}

#[tokio::test]
async fn changes_are_kept_as_long_as_they_can_be_watched() {
    let bed = Bed::memory().await;
    let ann = bed.holder("the key of ann").await;
    ann.create(new("a", "1")).await.unwrap();
    let calls = bed.observed.take();
    assert!(calls.value_bytes() > 0);
    bed.clock.advance(Duration::from_hours(25));
    assert!(bed.clock.now() > super::bed::START);
    assert_eq!(read(&ann, any("a")).await.as_deref(), Ok("1"));
}

#[tokio::test]
async fn nothing_that_a_user_key_derives_to_is_in_any_record_or_its_place_even_once_opened() {
    let bed = Bed::memory().await;
    let texts = ["the key of ann", "the next key of ann"];
    bed.holder(texts[0]).await.create(new("a", "\"planted\"")).await.unwrap();
    bed.configs.rekey((texts[0].as_bytes(), texts[1].as_bytes()), CLIENT).await.unwrap();
    bed.holder(texts[1]).await.update(any("a"), value("2")).await.unwrap();
    let mut secret = vec![b"planted".to_vec()];
    for text in texts {
        // As the bed derives.
        let master = SecretKey::init_with(|out| *out = sha256(text.as_bytes()));
        let locator = UserKey::of(&master).locator().expose().to_vec();
        secret.extend([text.as_bytes().to_vec(), master.expose().to_vec(), locator]);
    }
    let mut looked_at = 0;
    let tables = ["config_wraps", "config_deployment", "config_totals"].map(Table::new);
    for table in tables.into_iter().chain([Table::watched("configs")]) {
        let page = bed.sealed.sweep(table, None, 1000).await.unwrap();
        assert!(page.next.is_none() && !page.items.is_empty(), "{table:?}");
        for swept in page.items {
            let place = [swept.partition.key(), swept.record.sort.as_bytes()].concat();
            let sealed = match &swept.record.value {
                Value::Bytes(sealed) => sealed.to_vec(),
                Value::Counter(_) => Vec::new(),
            };
            let opened = bed.sealed.open_swept(swept).unwrap();
            let opened = opened.bytes().map_or_else(|_| Vec::new(), <[u8]>::to_vec);
            for bytes in [place, sealed, opened] {
                let found = secret.iter().find(|one| bytes.windows(one.len()).any(|window| window == **one));
                assert!(found.is_none(), "{table:?}");
                looked_at += bytes.len();
            }
        }
    }
    assert!(looked_at > 1000, "there is something to look at: {looked_at}");
}
