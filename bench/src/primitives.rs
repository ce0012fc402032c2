//! Raw primitives, straight from the engine that Coffer uses, for as long as asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::pbkdf2;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
};

use coffer_crypto::space::{ITERATIONS, SALT_BYTES};

use crate::BenchResult;

/// How often `work` is done per second by as many threads as there are cores.
fn rate(time: Duration, work: impl Fn() + Sync) -> f64 {
    rate_of(std::thread::available_parallelism().map_or(2, usize::from), time, work)
}

/// How often `work` is done per second by so many threads.
#[expect(clippy::disallowed_methods, reason = "a bench measures the machine's own time")]
fn rate_of(threads: usize, time: Duration, work: impl Fn() + Sync) -> f64 {
    let done = AtomicU64::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while start.elapsed() < time {
                    work();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]
    let done = done.into_inner() as f64;
    done / start.elapsed().as_secs_f64()
}

/// RSA-2048 key pairs per second.
pub(crate) fn key_pairs(time: Duration) -> f64 {
    rate(time, || {
        PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("the engine generates keys");
    })
}

/// RSA-2048-OAEP-SHA256 openings of a 32-byte key per second, with the key already parsed.
pub(crate) fn oaep_openings(time: Duration) -> BenchResult<f64> {
    let key = PrivateDecryptingKey::generate(KeySize::Rsa2048)?;
    let public = OaepPublicEncryptingKey::new(key.public_key())?;
    let mut sealed = vec![0; public.ciphertext_size()];
    let sealed = public.encrypt(&OAEP_SHA256_MGF1SHA256, &[7; 32], &mut sealed, None)?.to_vec();
    let key = OaepPrivateDecryptingKey::new(key)?;
    Ok(rate(time, || {
        let mut opened = vec![0; key.min_output_size()];
        key.decrypt(&OAEP_SHA256_MGF1SHA256, &sealed, &mut opened, None).expect("the ciphertext is ours");
    }))
}

/// Derivations of a user key per second, on one core and on all of them.
pub(crate) fn derivations(time: Duration) -> (f64, f64) {
    let derive = || {
        let mut key = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &[7; SALT_BYTES], b"a user key", &mut key);
        std::hint::black_box(&key);
    };
    (rate_of(1, time, derive), rate(time, derive))
}

/// bcrypt verifications per second at `cost`.
pub(crate) fn bcrypt_checks(time: Duration, cost: u32) -> BenchResult<f64> {
    let hash = bcrypt::hash("a password of the bench", cost)?;
    Ok(rate(time, || {
        assert!(bcrypt::verify("a password of the bench", &hash).expect("the hash is ours"));
    }))
}
