//! `keyring.*`: the root key, and when keys are replaced.

use std::num::NonZeroU32;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

/// Where the root key comes from (one of the four), and how old or used a key may become.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyringSettings {
    /// The root key: 32 bytes in base64.
    pub root_key: Option<SecretString>,
    /// A file that holds the root key in base64.
    pub root_key_file: Option<PathBuf>,
    /// A password that the root key is made of.
    pub password: Option<SecretString>,
    /// A file that holds that password.
    pub password_file: Option<PathBuf>,
    /// A keyring's active key is replaced after so many days.
    pub rotation_days: NonZeroU32,
    /// A keyring's active key is replaced after so many sealings, but at most hourly.
    pub rotation_uses: u64,
}

impl Default for KeyringSettings {
    fn default() -> Self {
        Self {
            root_key: None,
            root_key_file: None,
            password: None,
            password_file: None,
            rotation_days: NonZeroU32::new(90).expect("a constant over zero"),
            rotation_uses: 1_000_000,
        }
    }
}
