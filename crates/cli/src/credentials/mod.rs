//! Sessions on this machine: one file for each profile and KMS origin, readable by its owner alone.
//!
//! The origin is part of the file's name and stands in the file again, together with the data service's and the
//! gateway's. A token is handed out only for exactly these ([`Store::load`], [`Servers::gateway_for`]), so a changed
//! flag, environment variable or file name never sends a session to another server.
//!
//! `current.toml` beside them remembers which servers the profile last logged in to; it holds no secret.

mod device;
mod private_file;

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use coffer_api::WireSecret;
use coffer_core::{EmailAddress, ExposeSecret, SecretString, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::origin::Origin;
pub(crate) use private_file::{PrivateFileError, read as read_private_file};

/// What stays as it is in a file name that is made from an origin.
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-');

/// The name of a set of sessions: letters, digits, `-` and `_`, because it names a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile(String);

/// A text that cannot name a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a profile's name has 1 to 64 letters, digits, `-` or `_`")]
pub(crate) struct ProfileError;

impl Profile {
    /// The name itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if text.is_empty() || text.len() > 64 || !text.bytes().all(valid) {
            return Err(ProfileError);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The servers of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Servers {
    /// The KMS.
    pub(crate) kms: Origin,
    /// The data service.
    pub(crate) data: Origin,
    /// The gateway. Sessions from before there was one have none, and are not made to have one: whoever logged in did
    /// not say that it may see the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gateway: Option<Origin>,
}

impl Servers {
    /// The gateway that may see the token, which must be `asked` if one is given.
    pub(crate) fn gateway_for(&self, asked: Option<&Origin>) -> Result<&Origin, CredentialsError> {
        let gateway = self.gateway.as_ref().ok_or(CredentialsError::NoGateway)?;
        match asked {
            Some(asked) if asked != gateway => Err(CredentialsError::OtherServer {
                what: "gateway",
                expected: gateway.clone(),
                asked: asked.clone(),
            }),
            _ => Ok(gateway),
        }
    }
}

/// A session with the servers that it is for.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// Who may see the token.
    pub(crate) servers: Servers,
    /// Whose session it is.
    pub(crate) email: EmailAddress,
    /// The session token.
    pub(crate) token: SecretString,
    /// When the session ends at the latest.
    pub(crate) expires_at: Timestamp,
}

/// How credentials stand in their file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    kms: Origin,
    data: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gateway: Option<Origin>,
    email: EmailAddress,
    expires_at: Timestamp,
    token: WireSecret,
}

/// Why credentials could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("there is no folder for settings: set COFFER_CONFIG_DIR, XDG_CONFIG_HOME or HOME")]
    NoFolder,
    #[error(transparent)]
    File(#[from] PrivateFileError),
    #[error("{path} cannot be understood; remove it and log in again", path = path.display())]
    Damaged { path: PathBuf },
    #[error("{path} holds a session of another KMS ({found}); remove it and log in again", path = path.display())]
    Foreign { path: PathBuf, found: Origin },
    #[error("this session is for the {what} {expected}, not for {asked}")]
    OtherServer { what: &'static str, expected: Origin, asked: Origin },
    #[error("this session is from before the key-value store and names no gateway")]
    NoGateway,
    #[error("removing {path}", path = path.display())]
    Remove {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The credential files of one profile.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    /// The files of `profile` under the folder for settings, `root`.
    pub(crate) fn new(root: &Path, profile: &Profile) -> Self {
        Self { folder: root.join("credentials").join(profile.as_str()) }
    }

    fn path_of(&self, kms: &Origin, kind: &str) -> PathBuf {
        self.folder.join(format!("{}{kind}.toml", utf8_percent_encode(kms.as_str(), FILE_NAME)))
    }

    fn current_path(&self) -> PathBuf {
        self.folder.join("current.toml")
    }

    /// The session for `kms`, if there is one. With `data` given it must be the session's data service.
    pub(crate) fn load(
        &self,
        kms: &Origin,
        data: Option<&Origin>,
    ) -> Result<Option<Credentials>, CredentialsError> {
        let path = self.path_of(kms, "");
        let Some(text) = private_file::read(&path)? else { return Ok(None) };
        let stored: Stored =
            toml::from_str(&text).map_err(|_| CredentialsError::Damaged { path: path.clone() })?;
        if stored.kms != *kms {
            return Err(CredentialsError::Foreign { path, found: stored.kms });
        }
        if let Some(asked) = data.filter(|asked| **asked != stored.data) {
            let (what, asked) = ("data service", asked.clone());
            return Err(CredentialsError::OtherServer { what, expected: stored.data, asked });
        }
        Ok(Some(Credentials {
            servers: Servers { kms: stored.kms, data: stored.data, gateway: stored.gateway },
            email: stored.email,
            token: stored.token.into_secret(),
            expires_at: stored.expires_at,
        }))
    }

    /// Keeps a session, in place of an earlier one for the same KMS, and remembers its servers.
    pub(crate) fn save(&self, credentials: &Credentials) -> Result<(), CredentialsError> {
        let servers = &credentials.servers;
        let stored = Stored {
            kms: servers.kms.clone(),
            data: servers.data.clone(),
            gateway: servers.gateway.clone(),
            email: credentials.email.clone(),
            expires_at: credentials.expires_at,
            token: credentials.token.expose_secret().into(),
        };
        private_file::write(&self.path_of(&servers.kms, ""), &to_toml(&stored))?;
        private_file::write(&self.current_path(), &to_toml(servers))?;
        Ok(())
    }

    /// Forgets the session for `kms`; there need not be one.
    pub(crate) fn remove(&self, kms: &Origin) -> Result<(), CredentialsError> {
        let path = self.path_of(kms, "");
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(CredentialsError::Remove { path, source })
            }
            _ => Ok(()),
        }
    }

    /// The servers that this profile last logged in to.
    pub(crate) fn current(&self) -> Result<Option<Servers>, CredentialsError> {
        let path = self.current_path();
        let Some(text) = private_file::read(&path)? else { return Ok(None) };
        toml::from_str(&text).map(Some).map_err(|_| CredentialsError::Damaged { path })
    }
}

fn to_toml(value: &impl Serialize) -> Zeroizing<String> {
    Zeroizing::new(toml::to_string(value).expect("a flat table of texts is valid TOML"))
}

/// The folder for settings: `COFFER_CONFIG_DIR`, else `coffer` under the XDG folder for configuration.
/// `variable` reads the environment.
pub(crate) fn config_folder(
    variable: impl Fn(&str) -> Option<std::ffi::OsString>,
) -> Result<PathBuf, CredentialsError> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    path("COFFER_CONFIG_DIR")
        // The XDG specification: a relative path is invalid and must be ignored.
        .or_else(|| path("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).map(|path| path.join("coffer")))
        .or_else(|| path("HOME").map(|path| path.join(".config/coffer")))
        .ok_or(CredentialsError::NoFolder)
}

#[cfg(test)]
mod tests;
