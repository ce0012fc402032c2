//! Where the root key comes from: exactly one of four settings.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use coffer_core::{ExposeSecret as _, Random, SecretString};
use coffer_crypto::root::{PasswordError, PasswordParams, RootKey, RootKeyError};
use zeroize::Zeroizing;

use crate::config::KeyringSettings;

/// What the root key is made of, each time it is needed.
#[derive(Debug)]
pub enum RootSecret {
    /// The key itself as text that has been checked.
    Key(SecretString),
    /// A password.
    Password(SecretString),
}

/// Why the settings give no root key.
#[derive(Debug, thiserror::Error)]
pub enum RootSecretError {
    /// None of the settings is there.
    #[error(
        "there is no root key. Make one with `head -c 32 /dev/urandom | base64 > root.key && chmod 600 root.key` \
         and set keyring.root_key_file (COFFER_KMS__KEYRING__ROOT_KEY_FILE) to its path, or set \
         keyring.password_file to a file with a long password. Keep a copy in a safe place: without it \
         nothing that is stored can be read"
    )]
    Missing,
    /// More than one is.
    #[error(
        "set exactly one of keyring.root_key, keyring.root_key_file, keyring.password and \
         keyring.password_file"
    )]
    Several,
    /// A file cannot be read.
    #[error("reading {setting} {path}")]
    File {
        /// The setting.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A text is not a root key.
    #[error("{setting} holds no root key")]
    Key {
        /// The setting.
        setting: &'static str,
        /// Why not.
        #[source]
        source: RootKeyError,
    },
}

impl RootSecret {
    /// The secret that `settings` name.
    pub fn from_settings(settings: &KeyringSettings) -> Result<Self, RootSecretError> {
        let KeyringSettings { root_key, root_key_file, password, password_file, .. } = settings;
        let key = |setting, text: SecretString| {
            RootKey::from_text(text.expose_secret())
                .map_err(|source| RootSecretError::Key { setting, source })?;
            Ok(Self::Key(text))
        };
        match (root_key, root_key_file, password, password_file) {
            (None, None, None, None) => Err(RootSecretError::Missing),
            (Some(text), None, None, None) => key("keyring.root_key", text.clone()),
            (None, Some(path), None, None) => {
                key("keyring.root_key_file", read("keyring.root_key_file", path)?)
            }
            (None, None, Some(text), None) => Ok(Self::Password(text.clone())),
            (None, None, None, Some(path)) => Ok(Self::Password(read("keyring.password_file", path)?)),
            _ => Err(RootSecretError::Several),
        }
    }

    /// New parameters for a first start, if the root key is made of a password.
    pub(super) fn make_params(&self, random: &dyn Random) -> Option<PasswordParams> {
        matches!(self, Self::Password(_)).then(|| PasswordParams::make(random))
    }

    /// The root key. `params` are those that stand beside the verifier.
    pub(super) fn root_key(&self, params: Option<&PasswordParams>) -> Result<RootKey, RootKeyMismatch> {
        match (self, params) {
            (Self::Key(text), None) => {
                Ok(RootKey::from_text(text.expose_secret()).expect("checked when it was read"))
            }
            (Self::Password(password), Some(params)) => {
                RootKey::from_password(password.expose_secret(), params).map_err(RootKeyMismatch::Password)
            }
            (Self::Key(_), Some(_)) => Err(RootKeyMismatch::MadeOfPassword),
            (Self::Password(_), None) => Err(RootKeyMismatch::MadeOfKey),
        }
    }
}

/// Why the secret makes no root key for this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootKeyMismatch {
    /// The password function refuses.
    #[error("making the root key of the password")]
    Password(#[source] PasswordError),
    /// The store was begun with a password.
    #[error("this store was begun with a password: set keyring.password_file instead of a root key")]
    MadeOfPassword,
    /// The store was begun with a root key.
    #[error("this store was begun with a root key: set keyring.root_key_file instead of a password")]
    MadeOfKey,
}

fn read(setting: &'static str, path: &Path) -> Result<SecretString, RootSecretError> {
    let file = |source| RootSecretError::File { setting, path: path.to_owned(), source };
    let metadata = fs::metadata(path).map_err(file)?;
    // One that belongs to somebody else, as containers are given them, is read because others may.
    let is_ours = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == metadata.uid());
    if metadata.permissions().mode() & 0o077 != 0 && is_ours {
        tracing::warn!(setting, path = %path.display(), "others may read this secret: chmod 600 it");
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(file)?);
    // The newline that an editor leaves is no part of a password.
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: impl FnOnce(&mut KeyringSettings)) -> KeyringSettings {
        let mut settings = KeyringSettings::default();
        change(&mut settings);
        settings
    }

    #[test]
    fn without_a_root_key_the_refusal_says_how_to_make_one() {
        let error = RootSecret::from_settings(&settings(|_| {})).unwrap_err();
        assert!(matches!(error, RootSecretError::Missing));
        assert!(error.to_string().contains("/dev/urandom"));
    }

    #[test]
    fn two_root_keys_are_refused() {
        let both = settings(|settings| {
            settings.root_key = Some("0".repeat(64).into());
            settings.password = Some("correct horse".into());
        });
        assert!(matches!(RootSecret::from_settings(&both), Err(RootSecretError::Several)));
    }

    #[test]
    fn a_file_may_end_in_a_newline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        fs::write(&path, format!("{}\n", "ab".repeat(32))).unwrap();
        let file = settings(|settings| settings.root_key_file = Some(path.clone()));
        let secret = RootSecret::from_settings(&file).unwrap();
        let expected = RootKey::from_bytes(&[0xab; 32]).unwrap().verifier();
        assert_eq!(secret.root_key(None).unwrap().verifier(), expected);

        fs::write(&path, "too short\n").unwrap();
        assert!(matches!(RootSecret::from_settings(&file), Err(RootSecretError::Key { .. })));
        fs::remove_file(&path).unwrap();
        assert!(matches!(RootSecret::from_settings(&file), Err(RootSecretError::File { .. })));
    }
}
