//! Key pairs made ahead, in the store.
//!
//! Table `pool`; the partition is the size of the keys: the counter `count`, and under `pair` each pair by
//! a random key. Whoever takes pairs deletes them in a commit that is guarded by their versions, so a pair
//! is given out once, whatever crashes and however many processes take. They begin at a random key, so
//! processes rarely want the same pairs. The counter changes in the same commits: it is exact.

use std::fmt;
use std::sync::Arc;

use coffer_core::Random;
use coffer_crypto::filekey::{FileKeyPair, RsaBits};
use coffer_store::records::{
    Outcome, Partition, Sealed, SealedCommit, Sort, SortRange, StoreError, Stored, Value,
};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::tables::POOL;

/// How often taking is tried while other processes take the same pairs.
const TRIES_MAX: usize = 16;

/// A key pair in the forms that are stored and sent.
#[derive(PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct StoredPair {
    /// The public half, PEM `SubjectPublicKeyInfo`.
    pub public_pem: String,
    /// The private half, PKCS#8 DER.
    #[serde(with = "serde_bytes")]
    pub private_pkcs8: Vec<u8>,
}

impl StoredPair {
    /// A new pair; this takes a core for 50 ms and more.
    pub fn make(bits: RsaBits) -> Self {
        let pair = FileKeyPair::generate(bits);
        Self {
            public_pem: pair.public_key_pem_spki(),
            private_pkcs8: pair.private_key_pkcs8_der().expose().to_vec(),
        }
    }
}

impl fmt::Debug for StoredPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredPair(redacted)")
    }
}

/// The pairs of all processes.
#[derive(Clone, Debug)]
pub struct PoolRepo {
    store: Sealed,
    random: Arc<dyn Random>,
    partition: Partition,
    count: Sort,
}

impl PoolRepo {
    /// The pairs of `bits` in `store`.
    pub fn new(store: Sealed, random: Arc<dyn Random>, bits: RsaBits) -> Self {
        let partition = Partition::new(POOL, bits.bits().to_be_bytes());
        Self { store, random, partition, count: Sort::of("count").build() }
    }

    /// How many pairs there are.
    pub async fn count(&self) -> Result<usize, StoreError> {
        match self.store.records().get(&self.partition, &self.count).await?.map(|record| record.value) {
            None => Ok(0),
            Some(Value::Counter(count)) => Ok(size(count)),
            Some(Value::Bytes(_)) => {
                Err(StoreError::Corrupt { what: "the pool's count is no number".into() })
            }
        }
    }

    /// Adds pairs and gives how many there are now. If it fails, none of `pairs` may be used: they may
    /// be in the store.
    pub async fn add(&self, pairs: Vec<StoredPair>) -> Result<usize, StoreError> {
        let step = i64::try_from(pairs.len()).map_err(|_| StoreError::Limit("far too many pairs"))?;
        let mut commit = SealedCommit::new().add(&self.count, step, None);
        for pair in &pairs {
            commit = commit.put_as(&self.random_key(), pair, None);
        }
        self.commit(commit).await?.ok_or(StoreError::Limit("a commit without guards was refused"))
    }

    /// Takes at most `pairs_max` pairs, and says how many are left.
    pub async fn take(&self, pairs_max: usize) -> Result<(Vec<StoredPair>, usize), StoreError> {
        for _ in 0..TRIES_MAX {
            let found = self.some(pairs_max).await?;
            if found.is_empty() {
                return Ok((Vec::new(), 0));
            }
            let step = i64::try_from(found.len()).map_err(|_| StoreError::Limit("far too many pairs"))?;
            let mut commit = SealedCommit::new().add(&self.count, -step, None);
            for pair in &found {
                commit = commit.at_version(&pair.sort, pair.version).delete(&pair.sort);
            }
            if let Some(left) = self.commit(commit).await? {
                return Ok((found.into_iter().map(|pair| pair.value).collect(), left));
            }
        }
        Err(StoreError::Unavailable {
            doing: "taking key pairs",
            source: "other processes were faster every time".into(),
        })
    }

    /// Some pairs, from a random one on.
    async fn some(&self, pairs_max: usize) -> Result<Vec<Stored<StoredPair>>, StoreError> {
        let all = Sort::of("pair").children();
        let start = self.random_key();
        let from = SortRange { from: start.as_bytes().to_vec().into(), until: all.until.clone() };
        let page = self.store.scan_as(&self.partition, &from, pairs_max).await?;
        if !page.items.is_empty() {
            return Ok(page.items);
        }
        Ok(self.store.scan_as(&self.partition, &all, pairs_max).await?.items)
    }

    async fn commit(&self, commit: SealedCommit) -> Result<Option<usize>, StoreError> {
        Ok(match self.store.commit(&self.partition, commit).await? {
            Outcome::Committed(done) => Some(done.counters.first().map_or(0, |count| size(*count))),
            Outcome::Refused { .. } => None,
        })
    }

    fn random_key(&self) -> Sort {
        let mut key = [0; 16];
        self.random.fill(&mut key);
        Sort::of("pair").and(key).build()
    }
}

fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}
