//! `files.*`: file keys and the names of files.

use serde::Deserialize;

/// How files are named and their keys kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesSettings {
    /// One name space for all, as in the original file service. The data service must be set alike.
    pub shared_names: bool,
    /// Key pairs that are kept ready, so that asking for a file key is a look-up.
    pub pool_pairs: usize,
    /// The size of new RSA keys: 2048, 3072 or 4096.
    pub rsa_bits: u32,
}

impl Default for FilesSettings {
    fn default() -> Self {
        Self { shared_names: false, pool_pairs: 64, rsa_bits: 2048 }
    }
}
