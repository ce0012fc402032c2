//! What an operation costs does not depend on how many there were before.

use std::time::Duration;

use super::super::Kind;
use super::world::{World, owner, report, settle};

#[tokio::test(start_paused = true)]
async fn flushing_and_asking_cost_the_same_after_a_long_history() {
    let world = World::new().await;
    let gateway = world.gateway();
    let mut costs = Vec::new();
    for round in 0..400 {
        for i in 0..100 {
            world.act(&gateway, owner(1), (Kind::Write, &format!("k{}", i % 50), 7));
        }
        world.records.take();
        gateway.flush().await.unwrap();
        let flush = world.records.take();
        report(&gateway, owner(1)).await;
        let asked = world.records.take().count();
        costs.push(((flush.count(), flush.value_bytes()), asked));
        world.clock.advance(Duration::from_mins(2));
        if round == 0 {
            settle(&gateway).await;
        }
    }
    let ((calls, bytes), asked) = costs[20];
    let ((later_calls, later_bytes), later_asked) = costs[399];
    assert_eq!((later_calls, later_asked), (calls, asked));
    assert_eq!(asked, 1, "beside the change log, a report reads one record");
    assert!(calls <= 10, "{calls}");
    // Thirteen more hours, and numbers with more digits.
    assert!(later_bytes < bytes + bytes / 5, "{bytes} became {later_bytes}");
}

#[tokio::test(start_paused = true)]
async fn many_operations_on_many_keys_are_few_commits() {
    let world = World::new().await;
    let gateway = world.gateway();
    for key in 0..5_000 {
        world.act(&gateway, owner(1), (Kind::Write, &format!("k{key}"), 7));
    }
    settle(&gateway).await;
    for i in 0..15_000 {
        world.act(&gateway, owner(1), (Kind::Read, &format!("k{}", i * 7 % 5_000), 7));
    }
    world.records.take();
    gateway.flush().await.unwrap();
    let flush = world.records.take();
    let (calls, bytes) = (flush.count(), flush.value_bytes());
    assert!(calls <= 24, "{calls} calls for 15,000 operations");
    assert!(bytes < 1024 * 1024, "{bytes} bytes");
}
