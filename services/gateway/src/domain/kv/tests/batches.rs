use super::super::{BatchAnswer, BatchOp, Condition, KvError, OPS_MAX, PutRequest, Route};
use super::bed::{Bed, ann, anns, blob, bob, key, noise, request};

fn put(name: &str, value: &str) -> BatchOp {
    BatchOp::Put(request(name, value))
}

#[tokio::test]
async fn in_a_batch_each_operation_is_done_whatever_becomes_of_the_others() {
    let bed = Bed::memory();
    let ops = [
        put("a", "1"),
        BatchOp::Get(key("a")),
        BatchOp::Put(PutRequest { condition: Condition::Absent, ..request("a", "2") }),
        BatchOp::Get(key("none")),
        BatchOp::Delete(key("a"), Condition::None),
    ];
    let answers = bed.kv.batch(&ann(), anns(), &ops).await.unwrap();
    assert!(matches!(answers[0], Ok(BatchAnswer::Put(_))));
    assert!(matches!(&answers[1], Ok(BatchAnswer::Got(item)) if item.value.as_json() == Some("1")));
    assert!(matches!(answers[2], Err(KvError::Conflict { .. })));
    assert!(matches!(answers[3], Err(KvError::NotFound)));
    assert!(matches!(answers[4], Ok(BatchAnswer::Deleted(_))));
    let many: Vec<_> = (0..=OPS_MAX).map(|i| put(&i.to_string(), "1")).collect();
    for wrong in [&many[..], &[]] {
        assert!(matches!(bed.kv.batch(&ann(), anns(), wrong).await, Err(KvError::Batch { .. })));
    }
}

#[tokio::test]
async fn a_batch_at_once_is_one_revision_or_nothing() {
    let bed = Bed::memory();
    let first = bed.put("a", "0").await;
    let ops: Vec<_> = (0..OPS_MAX).map(|i| put(&format!("k{i}"), "1")).collect();
    for _ in 0..2 {
        let answers = bed.kv.batch_at_once(&ann(), anns(), &ops).await.unwrap();
        let BatchAnswer::Put(meta) = &answers[0] else { panic!("{answers:?}") };
        assert!(
            answers.iter().all(|answer| matches!(answer, BatchAnswer::Put(m) if m.revision == meta.revision))
        );
    }
    let fails = [
        put("a", "1"),
        BatchOp::Delete(key("k1"), Condition::None),
        BatchOp::Delete(key("x"), Condition::None),
    ];
    assert!(matches!(bed.kv.batch_at_once(&ann(), anns(), &fails).await, Err(KvError::NotFound)));
    let fails = [
        put("a", "1"),
        BatchOp::Put(PutRequest { condition: Condition::Revision(first.revision + 1), ..request("k2", "2") }),
    ];
    assert!(matches!(bed.kv.batch_at_once(&ann(), anns(), &fails).await, Err(KvError::Conflict { .. })));
    assert_eq!((bed.get("a").await.as_deref(), bed.get("k1").await.as_deref()), (Some("0"), Some("1")));
    let done = [
        BatchOp::Put(PutRequest { condition: Condition::Revision(first.revision), ..request("a", "1") }),
        BatchOp::Delete(key("k1"), Condition::None),
    ];
    bed.kv.batch_at_once(&ann(), anns(), &done).await.unwrap();
    assert_eq!((bed.get("a").await.as_deref(), bed.get("k1").await), (Some("1"), None));
    for wrong in [vec![put("a", "1"), put("a", "2")], vec![BatchOp::Get(key("a"))], vec![]] {
        assert!(matches!(bed.kv.batch_at_once(&ann(), anns(), &wrong).await, Err(KvError::Batch { .. })));
    }
    assert!(matches!(bed.kv.batch_at_once(&bob(), anns(), &done).await, Err(KvError::Denied)));
}

#[tokio::test]
async fn a_copy_and_a_renamed_key_have_the_value_and_a_history_of_their_own() {
    let bed = Bed::memory();
    let (a, b, c) = (key("a"), key("b"), key("c"));
    bed.kv.put(&ann(), anns(), &PutRequest { value: blob(noise(5_000)), ..request("a", "0") }).await.unwrap();
    bed.put("b", "1").await;
    let route = |condition| Route { from: &a, to: &b, condition };
    let refused = bed.kv.copy(&ann(), (anns(), anns()), route(Condition::Absent)).await;
    assert!(matches!(refused, Err(KvError::Conflict { .. })));
    let refused = bed.kv.rename(&ann(), anns(), route(Condition::Absent)).await;
    assert!(matches!(refused, Err(KvError::Conflict { .. })));
    let copy = bed.kv.copy(&ann(), (anns(), anns()), route(Condition::None)).await.unwrap();
    assert_eq!(copy.version, 2);
    let renamed = bed
        .kv
        .rename(&ann(), anns(), Route { from: &a, to: &c, condition: Condition::Absent })
        .await
        .unwrap();
    assert_eq!((renamed.version, renamed.plain_bytes), (1, 5_000));
    assert_eq!(bed.kv.names(&ann()).await.unwrap(), ["b", "c"]);
    for name in [&b, &c] {
        assert!(bed.kv.get(&ann(), anns(), name, None).await.unwrap().value == blob(noise(5_000)));
    }
    assert_eq!(bed.kv.trash(&ann(), "", None, 9).await.unwrap().items[0].key, "a");
    let missing = bed.kv.rename(&ann(), anns(), route(Condition::None)).await;
    assert!(matches!(missing, Err(KvError::NotFound)));
    let same =
        bed.kv.rename(&ann(), anns(), Route { from: &c, to: &c, condition: Condition::None }).await.unwrap();
    assert_eq!(same, renamed);
    // Onto itself it is held to its condition as onto any other.
    let onto_itself =
        async |condition| bed.kv.rename(&ann(), anns(), Route { from: &c, to: &c, condition }).await;
    let right = onto_itself(Condition::Revision(renamed.revision)).await.unwrap();
    assert_eq!(right, renamed);
    for wrong in [Condition::Absent, Condition::Revision(renamed.revision + 1)] {
        let refused = onto_itself(wrong).await;
        assert!(matches!(refused, Err(KvError::Conflict { revision: Some(is) }) if is == renamed.revision));
    }
    let none = key("none");
    let missing = Route { from: &none, to: &none, condition: Condition::Absent };
    assert!(matches!(bed.kv.rename(&ann(), anns(), missing).await, Err(KvError::NotFound)));
    let mine = bob().own_space();
    let theirs = bed.kv.copy(&bob(), (anns(), mine), route(Condition::None)).await;
    assert!(matches!(theirs, Err(KvError::Denied)));
    let given =
        bed.kv.copy(&ann(), (anns(), mine), Route { from: &b, to: &b, condition: Condition::None }).await;
    assert!(matches!(given, Err(KvError::Denied)));
}
