//! The figures are those of plain counting.

use std::time::Duration;

use coffer_core::{Clock as _, Random as _, SeededRandom};

use super::super::page::{KeyHash, PageId};
use super::super::{Kind, Unread, UnreadQuery};
use super::world::{Model, World, owner, report, settle};
use crate::repo::usage::Scope;

/// A random history over two gateways, of so many operations.
async fn history(world: &World, seed: u64, operations: usize) -> Model {
    let (gateways, random) = ([world.gateway(), world.gateway()], SeededRandom::new(seed));
    let mut model = Model::default();
    for _ in 0..operations {
        let mut bytes = [0; 6];
        random.fill(&mut bytes);
        world.clock.advance(Duration::from_secs(u64::from(bytes[0])));
        let key = format!("user:{}", bytes[1] % 100);
        let exists = model.keys.contains_key(&key);
        let kind = match bytes[2] % 10 {
            0 if exists => Kind::Delete,
            1..=6 if exists => Kind::Read,
            _ => Kind::Write,
        };
        let action = (kind, key.as_str(), u64::from(bytes[3]));
        model.add(action, world.clock.now());
        // Which gateway serves, and whether it flushes now. A key has one gateway: two that delete and write the
        // same key within a second may put their figures in either order.
        let gateway = &gateways[usize::from(bytes[1] % 2)];
        world.act(gateway, owner(1), action);
        if bytes[5] < 20 {
            settle(gateway).await;
        }
    }
    for gateway in &gateways {
        settle(gateway).await;
    }
    model
}

#[tokio::test(start_paused = true)]
async fn a_random_history_over_two_gateways_gives_the_figures_of_plain_counting() {
    for seed in 0..4 {
        let world = World::new().await;
        let model = history(&world, seed, 3_000).await;
        let report = report(&world.gateway(), owner(1)).await;
        model.check(&report);
        assert_eq!(report.sizes(), world.keys.sum(owner(1)));
    }
}

#[tokio::test]
async fn a_random_history_gives_the_same_figures_on_every_back_end() {
    for backend in ["memory", "sqlite", "redis"] {
        let world = World::on(backend).await;
        let model = history(&world, 77, 60).await;
        let report = report(&world.gateway(), owner(1)).await;
        model.check(&report);
        assert_eq!(report.sizes(), world.keys.sum(owner(1)), "{backend}");
    }
}

#[tokio::test]
async fn gateways_that_flush_at_the_same_time_lose_nothing() {
    for backend in ["memory", "sqlite", "redis"] {
        let world = World::on(backend).await;
        let gateways = [world.gateway(), world.gateway(), world.gateway()];
        for round in 0..4 {
            for (number, gateway) in gateways.iter().enumerate() {
                for key in 0..20 {
                    world.act(gateway, owner(1), (Kind::Write, &format!("k{key}"), 10));
                    world.act(gateway, owner(1), (Kind::Read, &format!("own-{number}"), round));
                }
            }
            let [a, b, c] = gateways.each_ref().map(super::world::settle);
            tokio::join!(a, b, c);
        }
        for scope in [Scope::Owner(owner(1)), Scope::All] {
            let report = gateways[0].report(scope).await.unwrap();
            let counts = report.summary().counts;
            assert_eq!((counts.writes, counts.reads), (240, 240), "{backend} {scope:?}");
            assert_eq!(report.summary().unique_keys, 23, "{backend} {scope:?}");
            let top = &report.summary().top.keys()[..4];
            let top: Vec<_> = top.iter().map(|one| (one.key.as_str(), one.count)).collect();
            assert_eq!(top, [("own-0", 80), ("own-1", 80), ("own-2", 80), ("k0", 12)], "{backend}");
            assert_eq!(report.sizes(), world.keys.sum(owner(1)), "{backend} {scope:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_figures_of_all_are_the_sum_of_those_of_each() {
    let world = World::new().await;
    let gateway = world.gateway();
    for number in 1..=5 {
        for i in 0..number {
            world.act(&gateway, owner(number), (Kind::Write, "same name", u64::from(i)));
        }
        settle(&gateway).await;
    }
    world.act(&gateway, owner(5), (Kind::Delete, "same name", 0));
    settle(&gateway).await;
    let all = gateway.report(Scope::All).await.unwrap();
    assert_eq!((all.summary().counts.writes, all.summary().counts.deletes), (15, 1));
    assert_eq!((all.sizes().keys, all.summary().unique_keys), (4, 4));
    let top: Vec<_> = all.summary().top.keys().iter().map(|one| (one.owner.unwrap(), one.count)).collect();
    assert_eq!(top, [(owner(4), 4), (owner(3), 3), (owner(2), 2), (owner(1), 1)]);
    assert!(all.summary().recent.iter().all(|one| one.owner.is_some()));
    let own = report(&gateway, owner(3)).await;
    assert!(own.summary().recent.iter().all(|one| one.owner.is_none()));
}

#[tokio::test(start_paused = true)]
async fn keys_whose_page_was_cut_keep_their_figures() {
    let world = World::new().await;
    let gateway = world.gateway();
    let root = PageId::root(KeyHash::of("0"));
    let names: Vec<String> = (0..)
        .map(|i: u32| i.to_string())
        .filter(|name| PageId::root(KeyHash::of(name)) == root)
        .take(700)
        .collect();
    for round in 0..2 {
        for name in &names {
            world.act(&gateway, owner(1), (Kind::Write, name, round));
        }
        settle(&gateway).await;
    }
    let report = report(&gateway, owner(1)).await;
    assert_eq!(report.summary().unique_keys, 700);
    assert!(report.summary().top.keys().iter().all(|one| one.count == 2));
    world.clock.advance(Duration::from_hours(48));
    let mut found = unread_keys(&gateway, 24, 90).await;
    found.sort_by_key(|one| one.key.parse::<u32>().unwrap());
    assert!(found.iter().map(|one| &one.key).eq(&names));
    assert!(found.iter().all(|one| one.access.writes == 2));
    for one in &found {
        assert_eq!(gateway.key(owner(1), &one.key).await.unwrap(), Some(one.access));
    }
    assert_eq!(gateway.key(owner(1), "another").await.unwrap(), None);
    assert_eq!(gateway.key(owner(2), &names[0]).await.unwrap(), None);
}

async fn unread_keys(gateway: &super::super::Usage, hours: u64, limit: usize) -> Vec<Unread> {
    let since = gateway.inner.writer.clock.now().minus(Duration::from_hours(hours));
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = gateway.unread(owner(1), &UnreadQuery { since, after, limit }).await.unwrap();
        assert!(page.keys.len() <= limit);
        all.extend(page.keys);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_nobody_has_read_are_listed_and_no_others() {
    let world = World::new().await;
    let gateway = world.gateway();
    for i in 0..300 {
        world.act(&gateway, owner(1), (Kind::Write, &format!("k{i}"), 1));
    }
    settle(&gateway).await;
    world.clock.advance(Duration::from_hours(48));
    for i in 0..100 {
        world.act(&gateway, owner(1), (Kind::Read, &format!("k{i}"), 1));
        world.act(&gateway, owner(1), (Kind::Write, &format!("k{}", i + 100), 1));
        world.act(&gateway, owner(1), (Kind::Delete, &format!("k{}", i + 200), 1));
    }
    settle(&gateway).await;
    let mut keys: Vec<_> = unread_keys(&gateway, 24, 7).await.into_iter().map(|one| one.key).collect();
    keys.sort_unstable();
    let mut expected: Vec<_> = (100..200).map(|i| format!("k{i}")).collect();
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(unread_keys(&gateway, 72, 7).await, []);
}
