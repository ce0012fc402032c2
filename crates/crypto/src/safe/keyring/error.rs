//! Why keyrings refuse.

use super::{KeyId, VERSIONS_MAX};

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Too short to be a sealed value.
    #[error("too short to be a sealed value")]
    TooShort,
    /// Sealed under a version that this keyring does not hold: destroyed, not yet spread here, or forged.
    #[error("sealed under key version {0}, which this keyring does not hold")]
    UnknownKey(KeyId),
    /// Changed, moved from another place, or sealed under another keyring.
    #[error("the value is not as it was sealed for this place")]
    Refused,
}

/// Why a keyring does not change as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no such version.
    #[error("the keyring has no version {0}")]
    Unknown(KeyId),
    /// The version is older than the active one.
    #[error("version {0} is older than the active one")]
    Older(KeyId),
    /// The version is active or waits to be.
    #[error("version {0} is in use")]
    InUse(KeyId),
    /// The version is known with another key.
    #[error("version {0} is known with another key")]
    Conflict(KeyId),
    /// The keyring holds as many versions as it may.
    #[error("a keyring holds at most {VERSIONS_MAX} versions: destroy old ones first")]
    Full,
}

/// Why a wrapped keyring does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// Not a wrapped keyring, or of a format that this version does not know.
    #[error("not a wrapped keyring of a known format")]
    Format,
    /// Changed, of another service, or wrapped under another key.
    #[error("the keyring was changed, or was wrapped for another service or under another key")]
    Refused,
}
