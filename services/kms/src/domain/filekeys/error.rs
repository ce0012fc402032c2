//! Why file keys refuse.

use coffer_store::records::StoreError;

use super::opener::OpenError;
use crate::domain::group::GroupError;
use crate::domain::pool::PoolError;

/// Why something about a file key was not done.
#[derive(Debug, thiserror::Error)]
pub enum FileKeyError {
    /// The name has a file that was uploaded, or it is somebody else's.
    #[error("there is a file of this name already")]
    FileExists,
    /// The name leads nowhere, as far as the caller may know.
    #[error("there is no such file key")]
    NotFound,
    /// The name leads to a file that the caller may not, or no longer, use.
    #[error("no access to this file key")]
    AccessDenied,
    /// Only the owner may do this, and the caller is not he.
    #[error("only the owner of a file may do this")]
    NotOwner,
    /// The session was opened without a second factor.
    #[error("this needs a session that was opened with a second factor")]
    SecondFactor,
    /// As much as allowed is there already.
    #[error("there are {max} {what} already, and no more are allowed")]
    Limit {
        /// What there is so much of.
        what: &'static str,
        /// How much is allowed.
        max: u32,
    },
    /// A field has a value that makes no sense.
    #[error("{field}: {message}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        message: &'static str,
    },
    /// The ciphertext at this place was not made for this key.
    #[error("ciphertext {0} was not made for this key")]
    NotForThisKey(usize),
    /// The content is not what was registered as this version.
    #[error("this content was not registered as that version of the file")]
    Unregistered,
    /// The present content was wanted, and a later version has been published.
    #[error("a later version of this file has been published")]
    Outdated,
    /// The version of the key was destroyed.
    #[error("this version of the file key was destroyed")]
    KeyDestroyed,
    /// Something that is kept needs the version of the key.
    #[error("something that is kept needs this version of the file key")]
    KeyInUse,
    /// One of several files was refused, and so all were.
    #[error("item {place}")]
    Of {
        /// Which.
        place: usize,
        /// Why.
        #[source]
        why: Box<FileKeyError>,
    },
    /// Others changed the same thing again and again meanwhile.
    #[error("somebody else changed the same thing meanwhile")]
    Conflict,
    /// No key pair can be had at the moment.
    #[error("getting a key pair")]
    Pool(#[from] PoolError),
    /// Too many ciphertexts are being opened at the moment.
    #[error("too much is being unwrapped at once")]
    Busy,
    /// The data service did not answer.
    #[error("asking the data service about a file")]
    Uploads(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store failed.
    #[error("keeping file keys")]
    Store(#[from] StoreError),
    /// A security event or a revocation could not be written.
    #[error("recording what happened")]
    Recording(#[from] GroupError),
}

impl FileKeyError {
    /// Says which of several files it is about; a failure of ours is about none of them.
    pub(crate) fn of(self, place: usize) -> Self {
        match self {
            Self::Busy | Self::Conflict | Self::Store(_) | Self::Recording(_) | Self::Uploads(_) => self,
            _ => Self::Of { place, why: Box::new(self) },
        }
    }
}

impl From<OpenError> for FileKeyError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Busy => Self::Busy,
            OpenError::Refused(place) => Self::NotForThisKey(place),
        }
    }
}
