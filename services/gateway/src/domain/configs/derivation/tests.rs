//! Derivations: shared, bounded, remembered for a while and wiped.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use coffer_core::{ManualClock, SecretKey, SystemRandom, Timestamp};
use coffer_crypto::hash::sha256;
use coffer_crypto::space::{SALT_BYTES, UserKey};
use futures_util::future::join_all;

use super::*;

fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

/// A deriver whose derivations wait for a barrier, if there is one, and are counted.
fn deriver(
    settings: &ConfigsSettings,
    barrier: Option<Arc<Barrier>>,
) -> (Deriver, Arc<AtomicUsize>, Arc<ManualClock>) {
    let (count, clock) = (Arc::new(AtomicUsize::new(0)), Arc::new(ManualClock::at(Timestamp::from_ms(1))));
    let counted = Arc::clone(&count);
    let derive: Derive = Arc::new(move |user_key| {
        counted.fetch_add(1, Ordering::SeqCst);
        if let Some(barrier) = &barrier {
            barrier.wait();
        }
        UserKey::of(&SecretKey::init_with(|out| *out = sha256(user_key)))
    });
    let deployment = Arc::new(Deployment { salt: [0; SALT_BYTES], pepper: make_secret_key(&SystemRandom) });
    let deriver = Deriver::start(settings, deployment, derive, (clock.clone(), &SystemRandom)).unwrap();
    (deriver, count, clock)
}

#[tokio::test]
async fn of_64_concurrent_first_requests_with_one_user_key_one_derives() {
    let barrier = Arc::new(Barrier::new(2));
    // Room for one: any other derivation would be refused.
    let settings = ConfigsSettings {
        derivation_queue_max: 1,
        derivations_per_address_per_minute_max: 1,
        ..Default::default()
    };
    let (deriver, count, _) = deriver(&settings, Some(Arc::clone(&barrier)));
    let requests: Vec<_> = (0..64)
        .map(|number| {
            let deriver = deriver.clone();
            tokio::spawn(async move { deriver.derived(b"a new user key", address(number)).await.unwrap() })
        })
        .collect();
    while count.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    barrier.wait();
    let answers = tokio::time::timeout(Duration::from_secs(30), join_all(requests)).await;
    let answers: Vec<_> =
        answers.expect("one derivation serves all of them").into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|one| Arc::ptr_eq(one, &answers[0])));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_user_keys_is_refused_at_once_and_known_ones_are_served_meanwhile() {
    let settings = ConfigsSettings { derivation_queue_max: 8, ..Default::default() };
    let barrier = Arc::new(Barrier::new(2));
    let (deriver, count, _) = deriver(&settings, Some(Arc::clone(&barrier)));
    let known = {
        let deriver = deriver.clone();
        tokio::spawn(async move { deriver.derived(b"a known user key", address(1)).await })
    };
    barrier.wait();
    assert!(known.await.unwrap().is_ok());

    let flood: Vec<_> = (0..200u8)
        .map(|number| {
            let deriver = deriver.clone();
            tokio::spawn(async move { deriver.derived(&[number; 8], address(number)).await.err() })
        })
        .collect();
    let mut refused = 0;
    // The one that was begun waits at the barrier; on a busy machine a thread of low priority takes its time.
    while refused < 190 || count.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        refused = flood.iter().filter(|task| task.is_finished()).count();
    }
    let served =
        tokio::time::timeout(Duration::from_secs(1), deriver.derived(b"a known user key", address(1)));
    assert!(served.await.unwrap().is_ok(), "no derivation of the flood is done yet");
    assert!(deriver.0.pending.lock().unwrap().len() <= 200);

    // Whoever of the flood gave up is forgotten, and what nobody waits for is not derived.
    flood.iter().for_each(tokio::task::JoinHandle::abort);
    let outcomes = join_all(flood).await;
    let later: Vec<_> = outcomes.into_iter().filter_map(|task| task.ok().flatten()).collect();
    assert!(later.len() >= 190 && later.iter().all(|refusal| matches!(refusal, Refusal::Later(1..))));
    barrier.wait();
    deriver.sweep();
    assert!(deriver.0.pending.lock().unwrap().is_empty());
    let (next, last) = (deriver.clone(), tokio::spawn(async move { next_of(&deriver).await }));
    tokio::task::spawn_blocking(move || barrier.wait()).await.unwrap();
    last.await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 3, "the known one, the one begun, and the next");
    assert!(next.0.cache.len() <= 3);
}

async fn next_of(deriver: &Deriver) {
    // What was given up stands in the queue until the thread comes by.
    for number in (0..=u8::MAX).cycle() {
        match deriver.derived(b"the next user key", address(number)).await {
            Ok(_) => return,
            Err(refusal) => assert!(matches!(refusal, Refusal::Later(_)), "{refusal:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_derived_key_is_wiped_when_it_was_idle_and_when_its_life_is_over() {
    let settings = ConfigsSettings { derived_key_idle_s: 10, derived_key_life_s: 25, ..Default::default() };
    let (deriver, count, clock) = deriver(&settings, None);
    let weak = Arc::downgrade(&deriver.derived(b"a user key", address(1)).await.unwrap());
    for _ in 0..2 {
        clock.advance(Duration::from_secs(9));
        deriver.sweep();
        assert!(deriver.derived(b"a user key", address(1)).await.is_ok());
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    clock.advance(Duration::from_secs(7));
    assert!(weak.upgrade().is_some(), "it is the sweep that wipes");
    deriver.sweep();
    // Nobody else has it, so it was dropped, and its keys wipe themselves then.
    assert!(weak.upgrade().is_none() && deriver.0.cache.len() == 0);
    deriver.derived(b"a user key", address(1)).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);

    let idle = Arc::downgrade(&deriver.derived(b"another key", address(1)).await.unwrap());
    clock.advance(Duration::from_secs(10));
    deriver.sweep();
    assert!(idle.upgrade().is_none());
}

#[tokio::test]
async fn there_are_never_more_than_so_many_and_the_least_used_goes_first() {
    let settings = ConfigsSettings { derived_keys_max: 3, ..Default::default() };
    let (deriver, count, clock) = deriver(&settings, None);
    let bring = async |name: &str| {
        clock.advance(Duration::from_secs(1));
        deriver.derived(name.as_bytes(), address(1)).await.unwrap();
        count.load(Ordering::SeqCst)
    };
    for name in ["key one", "key two", "key three", "key one"] {
        bring(name).await;
    }
    assert_eq!(bring("key four").await, 4);
    assert_eq!((deriver.0.cache.len(), bring("key one").await), (3, 4), "it was used lately");
    assert_eq!(bring("key two").await, 5, "it was not");
}

#[test]
fn nothing_of_a_user_key_is_shown() {
    let user_key = UserKey::of(&SecretKey::init_with(|key| key.fill(0xab)));
    let deployment = Deployment { salt: [7; SALT_BYTES], pepper: make_secret_key(&SystemRandom) };
    let place = Place::of(&user_key, &deployment.pepper);
    let derived =
        Derived { user_key, place, advice: None, until: Timestamp::from_ms(1), space: RwLock::default() };
    let shown = format!("{derived:?} {deployment:?}");
    assert!(shown.contains("UserKey(redacted)") && shown.contains("SecretKey(redacted)"), "{shown}");
}
