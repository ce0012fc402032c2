//! Opening wrapped content keys: RSA on a bounded number of threads, with parsed keys kept at hand.
//!
//! One opening takes a quarter of a millisecond of a core and more: see [`Workers`].
//!
//! A parsed key is kept by (file, version). The cache saves unsealing and parsing only: whether the
//! caller may use the key is asked of the store every time, before the cache is looked at.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use coffer_auth::workers::{WorkError, Workers};
use coffer_core::{FileId, SecretBytes};
use coffer_crypto::filekey::PrivateKey;
use moka::sync::Cache;

/// Parsed keys that are kept, at most; each takes a few KiB.
const KEYS_MAX: u64 = 1024;
/// A parsed key that nobody uses is dropped after this time.
const KEY_IDLE: Duration = Duration::from_mins(10);
/// Requests that may wait for a thread, for each thread.
const WAITING_PER_THREAD: usize = 128;

/// Why a ciphertext was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenError {
    /// Too much is waiting.
    Busy,
    /// The ciphertext at this place is not for this key.
    Refused(usize),
}

/// A file key's version.
pub(super) type KeyName = (FileId, u32);

/// Opens ciphertexts.
pub(super) struct Opener {
    workers: Workers,
    keys: Cache<KeyName, Arc<PrivateKey>>,
}

impl Opener {
    /// An opener that keeps `threads` threads busy.
    pub(super) fn start(threads: usize) -> Result<Self, WorkError> {
        let keys = Cache::builder().max_capacity(KEYS_MAX).time_to_idle(KEY_IDLE).build();
        Ok(Self { workers: Workers::start("unwrap", threads, threads * WAITING_PER_THREAD)?, keys })
    }

    /// The parsed key of this name, if it is at hand.
    pub(super) fn key(&self, name: KeyName) -> Option<Arc<PrivateKey>> {
        self.keys.get(&name)
    }

    /// Keeps a parsed key.
    pub(super) fn keep(&self, name: KeyName, key: PrivateKey) -> Arc<PrivateKey> {
        let key = Arc::new(key);
        self.keys.insert(name, Arc::clone(&key));
        key
    }

    /// Opens all of `ciphertexts`, or says which is the first that does not open.
    pub(super) async fn open(
        &self,
        key: Arc<PrivateKey>,
        ciphertexts: Vec<Vec<u8>>,
    ) -> Result<Vec<SecretBytes>, OpenError> {
        self.workers.run(move || open_all(&key, &ciphertexts)).await.map_err(|_| OpenError::Busy)?
    }
}

fn open_all(key: &PrivateKey, ciphertexts: &[Vec<u8>]) -> Result<Vec<SecretBytes>, OpenError> {
    let bytes = usize::from(key.bits().bits() / 8);
    if let Some(place) = ciphertexts.iter().position(|ciphertext| ciphertext.len() != bytes) {
        return Err(OpenError::Refused(place));
    }
    let open = |(place, ciphertext): (usize, &Vec<u8>)| {
        key.open_oaep_sha256(ciphertext).map_err(|_| OpenError::Refused(place))
    };
    ciphertexts.iter().enumerate().map(open).collect()
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener({} keys)", self.keys.entry_count())
    }
}

#[cfg(test)]
mod tests {
    use coffer_crypto::filekey::{FileKeyPair, RsaBits};
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn what_is_not_for_the_key_is_named_by_its_place() {
        let pair = FileKeyPair::generate(RsaBits::Rsa2048);
        let key = Arc::new(PrivateKey::from_pkcs8_der(pair.private_key_pkcs8_der().expose()).unwrap());
        let seal = |text: &[u8]| pair.public().seal_oaep_sha256(text).unwrap();
        let opener = Opener::start(1).unwrap();
        let both = opener.open(Arc::clone(&key), vec![seal(b"one"), seal(b"two")]).await.unwrap();
        assert_eq!(both.iter().map(SecretBytes::expose).collect::<Vec<_>>(), [b"one", b"two"]);

        let long = [seal(b"one"), vec![0]].concat();
        let short = seal(b"one")[1..].to_vec();
        for wrong in [long, short, vec![0; 256], Vec::new()] {
            let outcome = opener.open(Arc::clone(&key), vec![seal(b"one"), wrong]).await;
            assert_eq!(outcome.err(), Some(OpenError::Refused(1)));
        }
    }

    #[tokio::test]
    async fn more_than_may_wait_are_turned_away_and_the_others_served() {
        let pair = FileKeyPair::generate(RsaBits::Rsa2048);
        let key = Arc::new(PrivateKey::from_pkcs8_der(pair.private_key_pkcs8_der().expose()).unwrap());
        let sealed = pair.public().seal_oaep_sha256(b"x").unwrap();
        let opener = Opener::start(1).unwrap();
        let calls = (0..WAITING_PER_THREAD + 20).map(|_| opener.open(Arc::clone(&key), vec![sealed.clone()]));
        let outcomes = join_all(calls).await;
        let busy = outcomes.iter().filter(|outcome| matches!(outcome, Err(OpenError::Busy))).count();
        // Those that the thread took meanwhile made room for others.
        assert!((1..=20).contains(&busy), "{busy}");
        assert!(outcomes.iter().filter(|outcome| outcome.is_ok()).count() >= WAITING_PER_THREAD);
        assert!(opener.open(key, vec![sealed]).await.is_ok());
    }
}
