//! Opening wrapped content keys, with parsed keys kept at hand.
//!
//! An opening is done on the thread that its request came in on, when it is its [turn](super::turns), or on
//! threads of its own where the operator wants that.
//!
//! A parsed key is kept by (file, version). The cache saves unsealing and parsing only: whether the
//! caller may use the key is found out every time, before the cache is looked at.

use std::fmt;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use coffer_auth::workers::{WorkError, Workers};
use coffer_core::{FileId, SecretBytes};
use coffer_crypto::filekey::PrivateKey;
use moka::sync::Cache;

use super::turns::Turns;

/// Parsed keys that are kept, at most; each takes a few KiB.
const KEYS_MAX: u64 = 1024;
/// A parsed key that nobody uses is dropped after this time.
const KEY_IDLE: Duration = Duration::from_mins(10);
/// Requests that may wait for a thread, for each thread.
const WAITING_PER_THREAD: usize = 128;

/// A thread with so many requests before it is busy for longer than a commit takes.
const CROWD_PER_CORE: usize = 8;

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

/// Where openings are done.
enum Place {
    OnTheSpot(Turns),
    Apart(Workers),
}

/// Opens ciphertexts.
pub(super) struct Opener {
    place: Place,
    keys: Cache<KeyName, Arc<PrivateKey>>,
    /// Requests that wait, from which on it is a crowd.
    crowd: usize,
}

impl Opener {
    /// An opener that keeps `threads` threads busy; with 0, those that the requests came in on.
    pub(super) fn start(threads: usize) -> Result<Self, WorkError> {
        let keys = Cache::builder().max_capacity(KEYS_MAX).time_to_idle(KEY_IDLE).build();
        let cores = available_parallelism().map_or(1, usize::from);
        let place = if threads == 0 {
            Place::OnTheSpot(Turns::new(cores * WAITING_PER_THREAD))
        } else {
            Place::Apart(Workers::start("unwrap", threads, threads * WAITING_PER_THREAD)?)
        };
        Ok(Self { place, keys, crowd: cores * CROWD_PER_CORE })
    }

    /// Whether so many openings wait that the threads have enough to do until a commit is done.
    pub(super) fn is_crowded(&self) -> bool {
        match &self.place {
            Place::OnTheSpot(turns) => turns.waiting() >= self.crowd,
            Place::Apart(_) => false,
        }
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

    /// Drops a parsed key that was destroyed.
    pub(super) fn forget(&self, name: KeyName) {
        self.keys.invalidate(&name);
    }

    /// Opens all of `ciphertexts`, or says which is the first that does not open.
    pub(super) async fn open(
        &self,
        key: Arc<PrivateKey>,
        ciphertexts: Arc<[Vec<u8>]>,
    ) -> Result<Vec<SecretBytes>, OpenError> {
        let bytes = usize::from(key.bits().bits() / 8);
        if let Some(place) = ciphertexts.iter().position(|ciphertext| ciphertext.len() != bytes) {
            return Err(OpenError::Refused(place));
        }
        match &self.place {
            Place::Apart(workers) => {
                let all =
                    move || (0..ciphertexts.len()).map(|place| open_one(&key, &ciphertexts, place)).collect();
                workers.run(all).await.map_err(|_| OpenError::Busy)?
            }
            Place::OnTheSpot(turns) => {
                let mut turn = turns.take().await.ok_or(OpenError::Busy)?;
                let mut opened = Vec::with_capacity(ciphertexts.len());
                for place in 0..ciphertexts.len() {
                    opened.push(turn.step(|| open_one(&key, &ciphertexts, place)).await?);
                }
                Ok(opened)
            }
        }
    }
}

fn open_one(key: &PrivateKey, ciphertexts: &[Vec<u8>], place: usize) -> Result<SecretBytes, OpenError> {
    key.open_oaep_sha256(&ciphertexts[place]).map_err(|_| OpenError::Refused(place))
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
        for threads in [0, 1] {
            let opener = Opener::start(threads).unwrap();
            let open = |ciphertexts: [Vec<u8>; 2]| opener.open(Arc::clone(&key), ciphertexts.into());
            let both = open([seal(b"one"), seal(b"two")]).await.unwrap();
            assert_eq!(both.iter().map(SecretBytes::expose).collect::<Vec<_>>(), [b"one", b"two"]);

            let long = [seal(b"one"), vec![0]].concat();
            let short = seal(b"one")[1..].to_vec();
            for wrong in [long, short, vec![0; 256], Vec::new()] {
                let outcome = open([seal(b"one"), wrong]).await;
                assert_eq!(outcome.err(), Some(OpenError::Refused(1)));
            }
        }
    }

    #[tokio::test]
    async fn more_than_may_wait_are_turned_away_and_the_others_served() {
        let pair = FileKeyPair::generate(RsaBits::Rsa2048);
        let key = Arc::new(PrivateKey::from_pkcs8_der(pair.private_key_pkcs8_der().expose()).unwrap());
        let sealed = pair.public().seal_oaep_sha256(b"x").unwrap();
        let opener = Opener::start(1).unwrap();
        let sealed: Arc<[Vec<u8>]> = Arc::new([sealed]);
        let calls = (0..WAITING_PER_THREAD + 20).map(|_| opener.open(Arc::clone(&key), Arc::clone(&sealed)));
        let outcomes = join_all(calls).await;
        let busy = outcomes.iter().filter(|outcome| matches!(outcome, Err(OpenError::Busy))).count();
        // Those that the thread took meanwhile made room for others.
        assert!((1..=20).contains(&busy), "{busy}");
        assert!(outcomes.iter().filter(|outcome| outcome.is_ok()).count() >= WAITING_PER_THREAD);
        assert!(opener.open(key, sealed).await.is_ok());
    }
}
