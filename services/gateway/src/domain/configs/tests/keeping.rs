//! What is derived is kept in memory, for a while, and nowhere else.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coffer_core::{SecretKey, SystemRandom};
use coffer_crypto::hash::sha256;
use coffer_crypto::space::UserKey;
use coffer_store::records::{Table, Value, Version};

use super::bed::{Bed, CLIENT, any, create_in, keys_of, new, read, value, wide};
use crate::domain::configs::{Configs, ConfigsSettings};
use crate::repo::configs::{Deployment, Op};

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
async fn the_salt_is_made_once_however_many_processes_begin_at_the_same_time() {
    for bed in Bed::each_with(&wide()).await {
        let loads = (0..8).map(|_| Deployment::load(&bed.sealed, &SystemRandom));
        let loaded = futures_util::future::try_join_all(loads).await.unwrap();
        let first = &loaded[0];
        assert!(first.salt.iter().any(|byte| *byte != 0));
        for other in &loaded {
            assert!(other.salt == first.salt && other.pepper.expose() == first.pepper.expose());
        }
    }
}

/// A process that derives as a real one does.
fn real(bed: &Bed, deployment: Deployment) -> Configs {
    Configs::new(&bed.sealed, &wide(), deployment, (bed.clock.clone(), Arc::new(SystemRandom))).unwrap()
}

#[tokio::test]
async fn after_a_restart_a_user_key_opens_what_it_did_and_with_another_salt_or_pepper_nothing() {
    let bed = Bed::sqlite().await;
    let loaded = || Deployment::load(&bed.sealed, &SystemRandom);
    let before = real(&bed, loaded().await.unwrap());
    before.holder(b"the key of ann", CLIENT).await.unwrap().create(new("a", "1")).await.unwrap();
    before.close().await.unwrap();
    drop(before);

    let after = real(&bed, loaded().await.unwrap()).holder(b"the key of ann", CLIENT).await.unwrap();
    assert_eq!(read(&after, any("a")).await.as_deref(), Ok("1"));
    let mut of_another_salt = loaded().await.unwrap();
    of_another_salt.salt[63] ^= 1;
    let another_pepper = SecretKey::init_with(|key| key.fill(7));
    let of_another_pepper = Deployment { pepper: another_pepper, ..loaded().await.unwrap() };
    for other in [of_another_salt, of_another_pepper] {
        let other = real(&bed, other).holder(b"the key of ann", CLIENT).await.unwrap();
        assert!(read(&other, any("a")).await.is_err_and(|said| said.contains("not found")));
        assert!(keys_of(&other).await.is_empty());
    }
    assert_eq!(read(&after, any("a")).await.as_deref(), Ok("1"), "and nothing was lost by trying");
}

#[tokio::test]
async fn changes_are_kept_as_long_as_they_can_be_watched_and_configurations_longer() {
    let settings = ConfigsSettings { watch_retention_s: 3600, ..wide() };
    for bed in Bed::each_with(&settings).await {
        let ann = bed.holder("the key of ann").await;
        ann.create(new("a", "1")).await.unwrap();
        ann.update(any("a"), value("2")).await.unwrap();
        let kept = async || {
            let space = ann.space().await.unwrap().unwrap();
            let page = bed.configs.0.repo.changes(&space.keys, Version(0), 100).await.unwrap();
            page.items
                .into_iter()
                .flat_map(|(_, record)| record.changes)
                .map(|one| one.op)
                .collect::<Vec<_>>()
        };
        bed.clock.advance(Duration::from_secs(3599));
        assert_eq!(kept().await, [Op::Created, Op::Updated]);
        bed.clock.advance(Duration::from_secs(1));
        assert_eq!(kept().await, []);
        assert_eq!(read(&ann, any("a")).await.as_deref(), Ok("2"));
    }
}

/// Every part of every address that could be a name or say whose it is.
async fn addresses(bed: &Bed) -> HashSet<Vec<u8>> {
    let mut found = HashSet::new();
    for table in [Table::new("config_wraps"), Table::watched("configs")] {
        let page = bed.sealed.sweep(table, None, 1000).await.unwrap();
        assert!(page.next.is_none());
        for swept in page.items {
            let parts = swept.record.sort.parts().unwrap_or_default();
            found.extend(
                parts.into_iter().chain([swept.partition.key().to_vec()]).filter(|part| part.len() >= 16),
            );
        }
    }
    found
}

#[tokio::test]
async fn the_same_names_are_others_under_another_user_key_and_in_another_deployment() {
    let named = async |bed: &Bed, user_key: &str| {
        let holder = bed.holder(user_key).await;
        for (key, environment) in [("database", "production"), ("database", "default"), ("port", "default")] {
            create_in(&holder, key, environment, "1").await;
        }
    };
    let (bed, elsewhere) = (Bed::memory().await, Bed::memory().await);
    named(&bed, "the key of ann").await;
    let of_ann = addresses(&bed).await;
    assert_eq!(
        of_ann.len(),
        6,
        "two keys and two environments, a name space and its wrap, each the same every time"
    );
    named(&bed, "the key of bob").await;
    let of_both = addresses(&bed).await;
    assert_eq!(of_both.len(), 12, "nothing of bob's is something of ann's");
    named(&elsewhere, "the key of ann").await;
    let there = addresses(&elsewhere).await;
    assert!(there.len() == 6 && there.is_disjoint(&of_both));
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
