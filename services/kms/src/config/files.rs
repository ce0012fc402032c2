//! `files.*`: file keys and the names of files.

use std::thread::available_parallelism;
use std::time::Duration;

use coffer_crypto::filekey::RsaBits;
use serde::Deserialize;

/// How files are named and their keys kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesSettings {
    /// One name space for all, as in the original file service. The data service must be set alike.
    pub shared_names: bool,
    /// The size of new RSA keys: 2048, 3072 or 4096.
    pub rsa_bits: u32,
    /// Key pairs that are kept ready, so that asking for a file key is a look-up; for all replicas together.
    pub pool_pairs: usize,
    /// Threads of lowest priority that make them; 0 means one for each core.
    pub pool_threads: usize,
    /// How long a request waits for a pair when there is none, in seconds.
    pub pool_wait_s: u32,
    /// Threads that do nothing but open wrapped keys; 0 means that those that serve the requests do it.
    pub unwrap_threads: usize,
    /// Files that one owner may have.
    pub files_per_owner_max: u32,
    /// Grants that one file may have.
    pub grants_per_file_max: u32,
    /// After how many days a file key gets another version by itself; 0 for never.
    pub key_days: u32,
}

impl Default for FilesSettings {
    fn default() -> Self {
        Self {
            shared_names: false,
            rsa_bits: 2048,
            pool_pairs: 256,
            pool_threads: 0,
            pool_wait_s: 10,
            unwrap_threads: 0,
            files_per_owner_max: 1_000_000,
            grants_per_file_max: 1000,
            key_days: 0,
        }
    }
}

/// `files.*` has a value that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilesSettingsError {
    /// No such size.
    #[error("files.rsa_bits is {0}; 2048, 3072 and 4096 are accepted")]
    RsaBits(u32),
    /// A pool this large would take hours to fill and gigabytes to keep.
    #[error("files.pool_pairs is {0}; at most {POOL_PAIRS_MAX} are accepted")]
    PoolPairs(usize),
}

/// The largest pool.
const POOL_PAIRS_MAX: usize = 1_000_000;

impl FilesSettings {
    /// [`Self::rsa_bits`] as a size.
    pub fn rsa_bits(&self) -> Result<RsaBits, FilesSettingsError> {
        let bits = usize::try_from(self.rsa_bits).ok().and_then(RsaBits::from_bits);
        bits.ok_or(FilesSettingsError::RsaBits(self.rsa_bits))
    }

    /// [`Self::pool_pairs`], within its limit.
    pub fn pool_pairs(&self) -> Result<usize, FilesSettingsError> {
        let within = self.pool_pairs <= POOL_PAIRS_MAX;
        within.then_some(self.pool_pairs).ok_or(FilesSettingsError::PoolPairs(self.pool_pairs))
    }

    /// [`Self::pool_wait_s`] as a duration.
    pub fn pool_wait(&self) -> Duration {
        Duration::from_secs(self.pool_wait_s.into())
    }

    /// [`Self::key_days`] as a duration, unless keys are never rotated by age.
    pub fn key_age(&self) -> Option<Duration> {
        (self.key_days > 0).then(|| Duration::from_hours(24) * self.key_days)
    }

    /// [`Self::pool_threads`], with 0 resolved.
    pub fn pool_threads(&self) -> usize {
        threads(self.pool_threads)
    }
}

fn threads(wanted: usize) -> usize {
    if wanted == 0 { available_parallelism().map_or(1, usize::from) } else { wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sizes_that_clients_know_are_accepted() {
        let of = |rsa_bits| FilesSettings { rsa_bits, ..FilesSettings::default() }.rsa_bits();
        assert_eq!(of(4096), Ok(RsaBits::Rsa4096));
        assert_eq!(of(1024), Err(FilesSettingsError::RsaBits(1024)));
    }
}
