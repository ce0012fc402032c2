use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::*;
use crate::domain::test_store::TestStore;
use crate::repo::tables::POOL;

/// A block, fetched when one less than the least was at hand.
const AT_HAND_MAX: usize = 7 + 16;

/// Makes pairs that are numbers, and counts them.
#[derive(Clone, Default)]
struct Numbers(Arc<AtomicU64>);

impl Numbers {
    fn make(&self) -> MakePair {
        let next = Arc::clone(&self.0);
        Arc::new(move || {
            let number = next.fetch_add(1, Ordering::SeqCst);
            StoredPair { public_pem: number.to_string(), private_pkcs8: b"a private half".to_vec() }
        })
    }

    fn made(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

fn start(world: &TestStore, make: MakePair, pairs_target: usize) -> KeyPool {
    start_with(world, make, pairs_target, Duration::from_secs(20))
}

fn start_with(world: &TestStore, make: MakePair, pairs_target: usize, wait_max: Duration) -> KeyPool {
    let settings = PoolSettings { bits: RsaBits::Rsa2048, pairs_target, threads: 2, wait_max };
    let parts = PoolParts { store: world.sealed.clone(), random: world.random.clone(), make };
    KeyPool::start(parts, settings).unwrap()
}

fn nothing() -> MakePair {
    Arc::new(|| {
        loop {
            std::thread::park();
        }
    })
}

fn repo(world: &TestStore) -> PoolRepo {
    PoolRepo::new(world.sealed.clone(), world.random.clone(), RsaBits::Rsa2048)
}

async fn until_stored(world: &TestStore, pairs: usize) {
    let repo = repo(world);
    timeout(Duration::from_secs(10), async {
        while repo.count().await.unwrap() < pairs {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("the pool fills");
}

#[tokio::test]
async fn no_pair_is_given_twice_by_two_processes_over_one_store() {
    let (world, numbers) = (TestStore::new(), Numbers::default());
    let pools = [0, 1].map(|_| start(&world, numbers.make(), 50));
    let calls = (0..400).map(|n| pools[n % 2].take());
    let taken = futures_util::future::join_all(calls).await;
    let different: HashSet<_> = taken.into_iter().map(|pair| pair.unwrap().public_pem.clone()).collect();
    assert_eq!(different.len(), 400);
}

#[tokio::test]
async fn the_pool_is_filled_to_its_target_and_not_much_beyond() {
    let (world, numbers) = (TestStore::new(), Numbers::default());
    let pools = [0, 1].map(|_| start(&world, numbers.make(), 100));
    until_stored(&world, 100 - 2 * AT_HAND_MAX).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    // On top: what the other process has at hand, and what the threads were told to make at the end.
    assert!((100..=140).contains(&numbers.made()), "{} pairs", numbers.made());
    drop(pools);
}

#[tokio::test]
async fn a_full_pool_serves_a_burst_without_making_a_pair() {
    let (world, numbers) = (TestStore::new(), Numbers::default());
    let filling = start(&world, numbers.make(), 300);
    until_stored(&world, 300 - AT_HAND_MAX).await;
    filling.close().await;
    let pool = start(&world, nothing(), 300);
    let burst = futures_util::future::join_all((0..277).map(|_| pool.take())).await;
    assert!(burst.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_clean_stop_puts_back_what_was_at_hand() {
    let (world, numbers) = (TestStore::new(), Numbers::default());
    let pool = start(&world, numbers.make(), 40);
    pool.take().await.unwrap();
    until_stored(&world, 39 - AT_HAND_MAX).await;
    pool.close().await;
    assert!(matches!(pool.take().await, Err(PoolError::Closed)));
    let stored = repo(&world).count().await.unwrap();
    assert_eq!(numbers.made(), stored as u64 + 1, "all but the one that was taken");
}

#[tokio::test]
async fn waiting_for_a_pair_ends() {
    let world = TestStore::new();
    let pool = start_with(&world, nothing(), 10, Duration::from_millis(20));
    assert_eq!(pool.take().await.err(), Some(PoolError::TimedOut));
}

#[tokio::test]
async fn too_many_who_wait_are_turned_away_at_once() {
    let world = TestStore::new();
    let pool = start(&world, nothing(), 10);
    let refused = AtomicUsize::new(0);
    let takes = (0..WAITING_CALLERS_MAX + 5).map(|_| async {
        if pool.take().await.err() == Some(PoolError::Crowded) {
            refused.fetch_add(1, Ordering::SeqCst);
        }
    });
    let _ = timeout(Duration::from_millis(100), futures_util::future::join_all(takes)).await;
    assert_eq!(refused.load(Ordering::SeqCst), 5);
    // Those who waited have gone, so there is room again.
    assert!(timeout(Duration::from_millis(10), pool.take()).await.is_err());
}

#[tokio::test]
async fn a_pair_is_never_in_the_store_in_plain() {
    let world = TestStore::new();
    let pair = StoredPair { public_pem: "planted-public".into(), private_pkcs8: b"planted-private".to_vec() };
    repo(&world).add(vec![pair]).await.unwrap();
    let dump = world.dump(POOL).await;
    assert!(!dump.is_empty() && !dump.contains("planted"), "{dump}");
    let (pairs, left) = repo(&world).take(5).await.unwrap();
    assert_eq!((pairs[0].private_pkcs8.as_slice(), left), (b"planted-private".as_slice(), 0));
}

#[test]
fn a_made_pair_belongs_together() {
    use coffer_crypto::filekey::{PrivateKey, PublicKey};

    let pair = StoredPair::make(RsaBits::Rsa2048);
    let sealed = PublicKey::from_pem(&pair.public_pem).unwrap().seal_oaep_sha256(b"content key").unwrap();
    let private = PrivateKey::from_pkcs8_der(&pair.private_pkcs8).unwrap();
    assert_eq!(private.open_oaep_sha256(&sealed).unwrap().expose(), b"content key");
}
