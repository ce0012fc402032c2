use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use coffer_core::{Clock, Random, SystemRandom, UserId};

use super::super::memory::Unbounded;
use super::super::{
    BatchOp, Condition, KeyCount, Kind, Kv, KvError, KvSettings, Memory, PutRequest, Route, Share, Uncounted,
};
use super::bed::{Bed, ann, anns, blob, bob, json, key, noise, request, text};

#[tokio::test]
async fn a_value_is_read_as_it_was_stored_with_what_is_known_of_it() {
    let bed = Bed::memory();
    let long = format!("\"{}\"", "the same ".repeat(100));
    for value in ["null", "{\"b\": 1,  \"a\": [true]}", &long] {
        let meta = bed.put("a/../b", value).await;
        let item = bed.kv.get(&ann(), anns(), &key("a/../b"), None).await.unwrap();
        assert_eq!((text(&item), &item.meta), (value.to_owned(), &meta));
        assert_eq!(meta.plain_bytes, value.len() as u64);
        assert_eq!(meta.compressed, value.len() > 100);
        assert_eq!(meta.stored_bytes < meta.plain_bytes, meta.compressed);
    }
    let meta = bed.kv.meta(&ann(), anns(), &key("a/../b")).await.unwrap();
    assert_eq!((meta.version, meta.created_by, meta.kind), (3, ann().principal.user_id, Kind::Json));
    let plain = PutRequest { encrypt: false, compress: false, ..request("plain", &long) };
    let meta = bed.kv.put(&ann(), anns(), &plain).await.unwrap();
    assert!(!meta.encrypt && !meta.compressed && meta.stored_bytes == long.len() as u64);
}

#[tokio::test]
async fn bytes_of_any_size_up_to_the_limit_survive_on_every_back_end() {
    let settings = KvSettings { value_bytes_max: 3 * 1024 * 1024, ..KvSettings::default() };
    for bed in [Bed::memory_with(settings), Bed::sqlite_with(settings), Bed::redis_with(settings).await] {
        for size in [0, 1, 4095, 4096, 5000, 1024 * 1024, 3 * 1024 * 1024] {
            let value = blob(noise(size));
            let put = PutRequest { value: value.clone(), ..request("b", "0") };
            let meta = bed.kv.put(&ann(), anns(), &put).await.unwrap();
            let item = bed.kv.get(&ann(), anns(), &key("b"), None).await.unwrap();
            assert!(item.value == value && item.meta == meta, "{size} bytes");
        }
        let put = PutRequest { value: blob(vec![0; 3 * 1024 * 1024 + 1]), ..request("b", "0") };
        let refused = bed.kv.put(&ann(), anns(), &put).await;
        assert!(matches!(refused, Err(KvError::ValueTooLarge { .. })), "{refused:?}");
    }
}

/// Has no room, and remembers how much was asked for and by whom.
#[derive(Debug, Default)]
struct NoRoom(Mutex<Vec<(UserId, usize)>>);

#[async_trait]
impl Memory for NoRoom {
    async fn hold(&self, user: UserId, bytes: usize) -> Option<Box<dyn Share>> {
        self.0.lock().unwrap().push((user, bytes));
        None
    }
}

#[tokio::test]
async fn no_large_value_is_read_without_room_for_it_in_any_manner() {
    let (bed, memory) = (Bed::memory(), Arc::new(NoRoom::default()));
    let sources: (Arc<dyn Clock>, Arc<dyn Random>) = (bed.clock.clone(), Arc::new(SystemRandom));
    let kv = Kv::within(&bed.sealed, bed.settings, sources, (Arc::new(Uncounted), memory.clone()));
    let bytes = 65 * 1024;
    // Stored as a few bytes, in its entry; and in parts.
    for value in [vec![0; bytes], noise(bytes)] {
        bed.kv
            .put(&ann(), anns(), &PutRequest { value: blob(value), ..request("large", "0") })
            .await
            .unwrap();
    }
    bed.put("small", "1").await;
    let (large, to) = (key("large"), key("to"));
    let route = Route { from: &large, to: &to, condition: Condition::None };
    let no_room = |error: Option<KvError>| assert!(matches!(error, Some(KvError::NoMemory)), "{error:?}");
    for version in [None, Some(1), Some(2)] {
        no_room(kv.get(&ann(), anns(), &large, version).await.err());
    }
    no_room(kv.diff(&ann(), anns(), &large, (1, 2)).await.err());
    no_room(kv.restore(&ann(), anns(), &large, (1, Condition::None)).await.err());
    no_room(kv.copy(&ann(), (anns(), anns()), route).await.err());
    no_room(kv.rename(&ann(), anns(), route).await.err());
    let ops = [BatchOp::Get(large.clone()), BatchOp::Get(key("small"))];
    let mut answers = kv.batch(&ann(), anns(), &ops).await.unwrap();
    assert!(answers.pop().unwrap().is_ok());
    no_room(answers.pop().unwrap().err());
    let asked = std::mem::take(&mut *memory.0.lock().unwrap());
    assert_eq!(asked.len(), 8);
    assert!(
        asked.iter().all(|(user, asked)| *user == ann().principal.user_id && *asked >= 3 * bytes),
        "{asked:?}"
    );
    // What is known of it needs none.
    assert_eq!(kv.history(&ann(), anns(), &large).await.unwrap().len(), 2);
    assert!(kv.get(&ann(), anns(), &key("small"), None).await.unwrap().value.as_json().is_some());
}

#[tokio::test]
async fn nobody_reads_writes_or_deletes_what_is_not_his() {
    let bed = Bed::memory();
    bed.put("a", "1").await;
    assert!(matches!(bed.kv.get(&bob(), anns(), &key("a"), None).await, Err(KvError::Denied)));
    assert!(matches!(bed.kv.put(&bob(), anns(), &request("a", "2")).await, Err(KvError::Denied)));
    assert!(matches!(bed.kv.delete(&bob(), anns(), &key("a"), Condition::None).await, Err(KvError::Denied)));
    assert!(matches!(bed.kv.meta(&bob(), anns(), &key("a")).await, Err(KvError::Denied)));
    // The same name in another space is another key.
    bed.kv.put(&bob(), bob().own_space(), &request("a", "3")).await.unwrap();
    assert_eq!(bed.get("a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_write_happens_only_if_its_condition_holds() {
    let bed = Bed::memory();
    let other = bed.another();
    let put = async |kv: &super::super::Kv, condition, value: &str| {
        let request = PutRequest { condition, value: json(value), ..request("a", "0") };
        kv.put(&ann(), anns(), &request).await
    };
    let absent = put(&bed.kv, Condition::Revision(7), "1").await;
    assert!(matches!(absent, Err(KvError::Conflict { revision: None })), "{absent:?}");
    let first = put(&bed.kv, Condition::Absent, "1").await.unwrap();
    for kv in [&bed.kv, &other] {
        let exists = put(kv, Condition::Absent, "2").await;
        assert!(matches!(exists, Err(KvError::Conflict { .. })), "{exists:?}");
    }
    let second = put(&other, Condition::Revision(first.revision), "2").await.unwrap();
    assert_eq!((second.version, second.created_at), (2, first.created_at));
    // The first process still remembers the first value.
    let stale = put(&bed.kv, Condition::Revision(first.revision), "3").await;
    assert!(
        matches!(stale, Err(KvError::Conflict { revision: Some(r) }) if r == second.revision),
        "{stale:?}"
    );
    assert_eq!(put(&bed.kv, Condition::None, "3").await.unwrap().version, 3);
    let stale = other.delete(&ann(), anns(), &key("a"), Condition::Revision(second.revision)).await;
    assert!(matches!(stale, Err(KvError::Conflict { .. })), "{stale:?}");
    let third = bed.kv.meta(&ann(), anns(), &key("a")).await.unwrap();
    let deleted = other.delete(&ann(), anns(), &key("a"), Condition::Revision(third.revision)).await.unwrap();
    assert!(deleted.version == 3 && deleted.revision > third.revision);
    let again = other.delete(&ann(), anns(), &key("a"), Condition::None).await;
    assert!(matches!(again, Err(KvError::NotFound)), "{again:?}");
    assert_eq!(put(&bed.kv, Condition::Absent, "4").await.unwrap().version, 1, "a new life");
}

#[tokio::test]
async fn an_expired_key_is_gone_at_once() {
    let bed = Bed::memory();
    let put = PutRequest { expires_at: Some(bed.after(Duration::from_secs(2))), ..request("a", "1") };
    bed.kv.put(&ann(), anns(), &put).await.unwrap();
    bed.put("b", "2").await;
    bed.clock.advance(Duration::from_millis(1999));
    assert_eq!(bed.kv.names(&ann()).await.unwrap(), ["a", "b"]);
    bed.clock.advance(Duration::from_millis(1));
    assert_eq!(bed.get("a").await, None);
    assert_eq!(bed.kv.names(&ann()).await.unwrap(), ["b"]);
    let past = PutRequest { expires_at: Some(bed.after(Duration::ZERO)), ..request("a", "1") };
    assert!(matches!(bed.kv.put(&ann(), anns(), &past).await, Err(KvError::ExpiryPassed)));
    assert_eq!(bed.put("a", "3").await.version, 1);
    assert_eq!(
        bed.kv.names(&ann()).await.unwrap(),
        ["a", "b"],
        "what was noted of the first life is no matter"
    );
    // A value without expiry makes a key stay.
    let put = PutRequest { expires_at: Some(bed.after(Duration::from_secs(2))), ..request("b", "1") };
    bed.kv.put(&ann(), anns(), &put).await.unwrap();
    bed.put("b", "2").await;
    bed.clock.advance(Duration::from_mins(1));
    assert_eq!(bed.get("b").await.as_deref(), Some("2"));
}

/// Says how many keys everybody has, and how often it was asked to look again.
#[derive(Debug, Default)]
struct Counted {
    keys: AtomicU64,
    looks: AtomicU64,
}

impl KeyCount for Counted {
    fn keys(&self, _: UserId) -> Option<u64> {
        Some(self.keys.load(Ordering::SeqCst))
    }

    fn look_again(&self, _: UserId) {
        self.looks.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn an_owner_with_as_many_keys_as_may_be_adds_none_and_can_still_change_and_delete() {
    let settings = KvSettings { keys_per_owner_max: 2, ..KvSettings::default() };
    let bed = Bed::memory_with(settings);
    let counted = Arc::new(Counted::default());
    let sources: (Arc<dyn Clock>, Arc<dyn Random>) = (bed.clock.clone(), Arc::new(SystemRandom));
    let kv = Kv::within(&bed.sealed, settings, sources, (counted.clone(), Arc::new(Unbounded)));
    kv.put(&ann(), anns(), &request("a", "1")).await.unwrap();
    // Stored by another process, so nothing here remembers it.
    bed.put("b", "1").await;
    counted.keys.store(2, Ordering::SeqCst);
    let refused = kv.put(&ann(), anns(), &request("c", "1")).await;
    assert!(matches!(refused, Err(KvError::TooManyKeys { keys_max: 2 })), "{refused:?}");
    assert!(counted.looks.load(Ordering::SeqCst) > 0, "it is counted anew");
    for name in ["a", "b"] {
        assert_eq!(kv.put(&ann(), anns(), &request(name, "2")).await.unwrap().version, 2, "{name}");
    }
    kv.delete(&ann(), anns(), &key("a"), Condition::None).await.unwrap();
    let back = kv.restore_from_trash(&ann(), &key("a")).await;
    assert!(matches!(back, Err(KvError::TooManyKeys { .. })), "{back:?}");
    counted.keys.store(1, Ordering::SeqCst);
    kv.restore_from_trash(&ann(), &key("a")).await.unwrap();
}
