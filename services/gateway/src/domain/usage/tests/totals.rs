//! Totals of keys: folded exactly once, and counted anew where the log no longer reaches.

use std::time::Duration;

use coffer_store::testing::Fault::{UnknownDone, UnknownNotDone};

use super::super::Kind;
use super::keys::{RETENTION, sizes};
use super::world::{World, owner, report, settle};

#[tokio::test(start_paused = true)]
async fn totals_are_exact_at_once_and_before_anything_is_flushed() {
    let world = World::new().await;
    let gateway = world.gateway();
    for i in 0..2_500 {
        world.keys.store(owner(1), &format!("k{}", i % 700), sizes(i, i % 3 == 0));
    }
    assert_eq!(report(&gateway, owner(1)).await.sizes(), world.keys.sum(owner(1)));
    settle(&gateway).await;
    assert_eq!(report(&gateway, owner(1)).await.sizes().keys, 700);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_folded_once_also_when_nobody_knows_whether_it_was() {
    for fault in [UnknownDone, UnknownNotDone] {
        let world = World::new().await;
        let gateway = world.gateway();
        world.act(&gateway, owner(1), (Kind::Write, "a", 5));
        settle(&gateway).await;
        for i in 0..20 {
            world.act(&gateway, owner(1), (Kind::Write, &format!("k{i}"), i));
            world.records.fail([fault]);
            gateway.flush().await.unwrap();
        }
        let stored = gateway.inner.writer.repo.summary(crate::repo::usage::Scope::Owner(owner(1))).await;
        assert_eq!(stored.unwrap().1.totals.sizes, world.keys.sum(owner(1)), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_expires_or_is_deleted_elsewhere_loses_its_figures() {
    let world = World::new().await;
    let (gateway, other) = (world.gateway(), world.gateway());
    for key in ["stays", "expires", "goes", "returns"] {
        world.act(&gateway, owner(1), (Kind::Write, key, 1));
        world.act(&gateway, owner(1), (Kind::Read, key, 1));
    }
    settle(&gateway).await;
    world.keys.expire(owner(1), "expires");
    world.clock.advance(Duration::from_millis(5));
    world.act(&other, owner(1), (Kind::Delete, "goes", 0));
    world.act(&other, owner(1), (Kind::Delete, "returns", 0));
    world.clock.advance(Duration::from_millis(5));
    world.act(&other, owner(1), (Kind::Write, "returns", 1));
    // This read was before the key expired, and is written after.
    world.act(&gateway, owner(1), (Kind::Read, "expires", 1));
    gateway.changed(owner(1));
    settle(&gateway).await;
    settle(&other).await;
    let report = report(&gateway, owner(1)).await;
    let keys: Vec<_> = report.summary().top.keys().iter().map(|one| (one.key.as_str(), one.count)).collect();
    assert_eq!(keys, [("stays", 2), ("returns", 1)]);
    assert_eq!((report.summary().unique_keys, report.sizes().keys), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn very_many_keys_that_go_at_once_are_taken_in_steps() {
    let world = World::new().await;
    let gateway = world.gateway();
    for i in 0..3_000 {
        world.act(&gateway, owner(1), (Kind::Write, &format!("k{i}"), 1));
    }
    settle(&gateway).await;
    for i in 0..2_990 {
        world.keys.expire(owner(1), &format!("k{i}"));
    }
    gateway.changed(owner(1));
    settle(&gateway).await;
    let report = report(&gateway, owner(1)).await;
    assert_eq!((report.sizes().keys, report.summary().unique_keys), (10, 10));
    assert_eq!(report.summary().top.keys().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn keys_are_counted_anew_when_the_log_was_cut() {
    let world = World::new().await;
    let gateway = world.gateway();
    world.act(&gateway, owner(1), (Kind::Write, "before", 60));
    settle(&gateway).await;
    for i in 0..2_500 {
        world.keys.store(owner(1), &format!("k{i}"), sizes(i, i % 2 == 0));
    }
    world.keys.delete(owner(1), "before");
    world.keys.cut(owner(1));
    world.clock.advance(RETENTION + Duration::from_hours(1));
    gateway.changed(owner(1));
    settle(&gateway).await;
    assert_eq!(report(&gateway, owner(1)).await.sizes(), world.keys.sum(owner(1)));
}

#[tokio::test(start_paused = true)]
async fn changes_while_keys_are_counted_are_neither_missed_nor_doubled() {
    let world = World::new().await;
    let gateway = world.gateway();
    for i in 0..2_500 {
        world.keys.store(owner(1), &format!("k{i:04}"), sizes(10, false));
    }
    world.keys.run_out(owner(1), "k2000");
    let told = world.keys.run_out(owner(1), "k0003");
    // After the second page; what is pushed first happens last.
    world.keys.meanwhile(|keys| {
        for key in ["k0001", "k0999", "k1500", "k2400"] {
            assert!(keys.delete(owner(1), key));
        }
        keys.store(owner(1), "k1500", sizes(77, true));
        keys.store(owner(1), "k1234a", sizes(5, true));
    });
    world.keys.meanwhile(move |keys| {
        keys.store(owner(1), "a new one", sizes(3, true));
        keys.store(owner(1), "k0500", sizes(99, true));
        keys.store(owner(1), "k2300", sizes(98, true));
        keys.store(owner(1), "k0500b", sizes(4, true));
        assert!(keys.delete(owner(1), "k0500b"));
        assert!(keys.delete(owner(1), "k0600"));
        keys.store(owner(1), "k0600", sizes(42, true));
        keys.tell_expired(owner(1), "k0003", told);
    });
    world.keys.cut(owner(1));
    gateway.changed(owner(1));
    settle(&gateway).await;
    let stored =
        gateway.inner.writer.repo.summary(crate::repo::usage::Scope::Owner(owner(1))).await.unwrap().1;
    assert_eq!(stored.totals.sizes, world.keys.sum(owner(1)));
}

#[tokio::test(start_paused = true)]
async fn totals_are_kept_also_where_operations_are_not_counted() {
    let world = World::new().await;
    let gateway = world.gateway_that(false);
    world.act(&gateway, owner(1), (Kind::Write, "a", 5));
    world.act(&gateway, owner(1), (Kind::Read, "a", 5));
    settle(&gateway).await;
    let report = report(&gateway, owner(1)).await;
    assert_eq!((report.sizes().keys, report.summary().counts.total()), (1, 0));
    assert_eq!(gateway.report(crate::repo::usage::Scope::All).await.unwrap().sizes().keys, 1);
}
