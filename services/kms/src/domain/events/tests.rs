use coffer_store::records::Records as _;

use super::*;
use crate::domain::test_store::TestStore;
use crate::repo::tables::EVENT;

const DAY: Duration = Duration::from_hours(24);

/// Another process over the same store.
fn process(world: &TestStore) -> Events {
    Events::start(EventParts {
        store: world.sealed.clone(),
        clock: world.clock.clone(),
        random: world.random.clone(),
        retention: 30 * DAY,
    })
}

fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

async fn all(events: &Events, filter: &EventFilter, limit: usize) -> Vec<RecordedEvent> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = events.page(filter, before, limit).await.unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items);
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn what_record_has_acknowledged_another_process_reads() {
    let world = TestStore::new();
    let (one, other) = (process(&world), process(&world));
    one.record(Event::new(Action::Registered).by_user(user(1))).await.unwrap();
    let page = other.page(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].actor, Actor::User(user(1)));
}

#[tokio::test]
async fn events_of_all_processes_and_days_come_newest_first_in_pages() {
    let world = TestStore::new();
    let processes: Vec<_> = (0..6).map(|_| process(&world)).collect();
    for n in 0..60 {
        let event = Event::new(Action::SessionsEnded).by_user(user(n));
        processes[usize::from(n) % 6].record(event).await.unwrap();
        world.clock.advance(Duration::from_hours(5));
    }
    for limit in [1, 7, 100] {
        let found = all(&processes[0], &EventFilter::default(), limit).await;
        let actors: Vec<_> = found.iter().map(|event| event.actor.clone()).collect();
        let expected: Vec<_> = (0..60).rev().map(|n| Actor::User(user(n))).collect();
        assert_eq!(actors, expected, "in pages of {limit}");
    }
}

#[tokio::test]
async fn a_filter_finds_a_rare_event_behind_many_others() {
    let world = TestStore::new();
    let events = process(&world);
    events.record(Event::new(Action::UserDeactivated).by_user(user(1)).to(user(2))).await.unwrap();
    for _ in 0..20 {
        world.clock.advance(Duration::from_hours(12));
        events.record(Event::new(Action::PasswordAccepted).by_user(user(3))).await.unwrap();
    }
    let of_user = EventFilter { user: Some(user(2)), kind: None };
    assert_eq!(all(&events, &of_user, 5).await.len(), 1);
    let of_kind = EventFilter { user: None, kind: Some("password_accepted".into()) };
    assert_eq!(all(&events, &of_kind, 5).await.len(), 20);
}

#[tokio::test]
async fn events_beyond_the_retention_are_gone() {
    let world = TestStore::new();
    let events = process(&world);
    events.record(Event::new(Action::Registered)).await.unwrap();
    world.clock.advance(31 * DAY);
    assert_eq!(all(&events, &EventFilter::default(), 10).await, []);
}

#[tokio::test]
async fn a_crowd_s_events_share_records_and_come_back_one_by_one() {
    let world = TestStore::new();
    let events = process(&world);
    let mut expected = Vec::new();
    for round in 0..5 {
        let crowd = (0..20).map(|n| {
            let event = Event::new(Action::SessionsEnded).by_user(user(round * 20 + n));
            events.record(event)
        });
        for outcome in futures_util::future::join_all(crowd).await {
            outcome.unwrap();
        }
        world.clock.advance(Duration::from_millis(50));
        expected.extend((0..20).map(|n| Actor::User(user(round * 20 + n))));
    }
    expected.reverse();
    let records = world.records.sweep(EVENT, None, 1000).await.unwrap().items.len();
    assert!(records <= 20, "100 events took {records} records");
    // Pages end in the middle of records, and of windows.
    for limit in [1, 19, 20, 21, 500] {
        let found = all(&events, &EventFilter::default(), limit).await;
        let actors: Vec<_> = found.into_iter().map(|event| event.actor).collect();
        assert_eq!(actors, expected, "in pages of {limit}");
    }
}

#[tokio::test]
async fn events_of_one_window_by_several_processes_are_neither_lost_nor_told_twice() {
    let world = TestStore::new();
    let processes: Vec<_> = (0..12).map(|_| process(&world)).collect();
    for n in 0..120 {
        let event = Event::new(Action::SessionsEnded).by_user(user(n));
        processes[usize::from(n) % 12].record(event).await.unwrap();
        if n % 10 == 0 {
            world.clock.advance(Duration::from_millis(17));
        }
    }
    for limit in [1, 7, 200] {
        let found = all(&processes[0], &EventFilter::default(), limit).await;
        assert_eq!(found.len(), 120, "in pages of {limit}");
        assert!(found.is_sorted_by(|a, b| a.id > b.id), "in pages of {limit}");
    }
}
