//! What operations cost in round trips: the aims for speed stand on these.

use std::sync::Arc;

use coffer_core::ManualClock;
use coffer_store::records::MemoryRecords;
use coffer_store::testing::Observed;

use super::super::{ListRequest, PutRequest};
use super::bed::{Bed, START, ann, anns, blob, key, noise, request};

/// The reads and commits since this was last asked.
fn taken(records: &Observed) -> (usize, usize) {
    let calls = records.take();
    (calls.reads(), calls.commits())
}

#[tokio::test]
async fn the_ways_that_are_gone_most_cost_one_round_trip() {
    let clock = Arc::new(ManualClock::at(START));
    let records = Arc::new(Observed::new(Arc::new(MemoryRecords::new(clock.clone()))));
    let bed = Bed::over(records.clone(), clock, super::super::KvSettings::default(), Box::new(()));
    bed.put("k", "1").await;
    assert_eq!(taken(&records), (0, 1), "a new key");
    bed.put("k", "2").await;
    assert_eq!(taken(&records), (0, 1), "over a key that this process knows");
    bed.get("k").await.unwrap();
    assert_eq!(taken(&records), (1, 0), "a value");
    bed.another().put(&ann(), anns(), &request("k", "3")).await.unwrap();
    assert_eq!(taken(&records), (1, 2), "over a key that this process does not know: refused, read, done");
    let large = PutRequest { value: blob(noise(100_000)), ..request("k", "0") };
    bed.kv.put(&ann(), anns(), &large).await.unwrap();
    records.take();
    bed.kv.get(&ann(), anns(), &key("k"), None).await.unwrap();
    assert_eq!(taken(&records), (2, 0), "a large value");
    bed.names(&ListRequest { limit: 100, ..ListRequest::default() }).await;
    assert_eq!(taken(&records), (2, 0), "a page of keys");
}
