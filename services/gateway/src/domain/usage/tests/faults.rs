//! What is counted when the storage fails and processes die.

use coffer_core::Clock as _;
use coffer_store::testing::Fault::{Unavailable, UnknownDone, UnknownNotDone};

use super::super::Kind;
use super::world::{Model, World, owner, report, settle};
use crate::repo::usage::Scope;

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_kept_and_written_later() {
    let world = World::new().await;
    let (gateway, mut model) = (world.gateway(), Model::default());
    for round in 0..3 {
        let action = (Kind::Write, "a", round);
        model.add(action, world.clock.now());
        world.act(&gateway, owner(1), action);
        world.records.fail([Unavailable]);
        assert!(gateway.flush().await.is_err());
    }
    settle(&gateway).await;
    settle(&gateway).await;
    model.check(&report(&gateway, owner(1)).await);
    assert_eq!(gateway.report(Scope::All).await.unwrap().summary().counts.writes, 3);
}

#[tokio::test(start_paused = true)]
async fn a_commit_of_which_nobody_knows_is_counted_once_whether_it_happened_or_not() {
    for fault in [UnknownDone, UnknownNotDone] {
        // In the midst of a flush, and before the storage goes away for good, so that it is seen to later.
        for faults in [vec![fault], vec![fault, fault], vec![fault, Unavailable, Unavailable]] {
            let world = World::new().await;
            let (gateway, mut model) = (world.gateway(), Model::default());
            for round in 0..6 {
                let action = (Kind::Read, if round % 2 == 0 { "a" } else { "b" }, round);
                model.add(action, world.clock.now());
                world.act(&gateway, owner(1), action);
                world.records.fail(faults.clone());
                let _ = gateway.flush().await;
                let _ = gateway.flush().await;
            }
            for _ in 0..6 {
                let _ = gateway.flush().await;
            }
            model.check(&report(&gateway, owner(1)).await);
            let all = gateway.report(Scope::All).await.unwrap();
            assert_eq!(all.summary().counts.reads, 6, "{faults:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_gateway_loses_only_what_it_had_not_flushed_and_no_total() {
    let world = World::new().await;
    let (killed, other, mut model) = (world.gateway(), world.gateway(), Model::default());
    for i in 0..10 {
        let action = (Kind::Write, "a", i);
        model.add(action, world.clock.now());
        world.act(&killed, owner(1), action);
    }
    settle(&killed).await;
    world.act(&killed, owner(1), (Kind::Write, "lost", 99));
    drop(killed);
    let seen = report(&other, owner(1)).await;
    model.check(&seen);
    assert_eq!(seen.sizes(), world.keys.sum(owner(1)));
    other.changed(owner(1));
    settle(&other).await;
    let all = other.report(Scope::All).await.unwrap();
    assert_eq!(all.sizes(), world.keys.sum(owner(1)));
}

#[tokio::test(start_paused = true)]
async fn operations_show_within_a_second() {
    let world = World::new().await;
    let gateway = world.gateway();
    let running = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.run().await }
    });
    for i in 1..=5 {
        world.act(&gateway, owner(1), (Kind::Write, "a", i));
        tokio::time::sleep(std::time::Duration::from_millis(999)).await;
        assert_eq!(report(&gateway, owner(1)).await.summary().counts.writes, i);
    }
    running.abort();
}
