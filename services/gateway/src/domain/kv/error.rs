//! Why something is not done with a key.

use coffer_compression::FrameError;
use coffer_store::records::StoreError;

use super::key::KeyError;

/// Why something is not done with a key.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    /// The text is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no such key.
    #[error("there is no such key")]
    NotFound,
    /// The key has no such version any more, or never had.
    #[error("the key has no such version")]
    VersionNotFound,
    /// The trash has no such key.
    #[error("there is no such key in the trash")]
    NotInTrash,
    /// There is no such grant.
    #[error("there is no such grant")]
    GrantNotFound,
    /// What the caller made a condition does not hold.
    #[error("the key is not as the caller expects it")]
    Conflict {
        /// The revision that the key has, as far as it is known.
        revision: Option<u64>,
    },
    /// The caller may not use this.
    #[error("the caller may not use this")]
    Denied,
    /// The caller may read this and not change it.
    #[error("the caller may not change this")]
    ReadOnly,
    /// The value is too large.
    #[error("a value has at most {bytes_max} bytes")]
    ValueTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The owner has as many keys as one may have.
    #[error("an owner has at most {keys_max} keys")]
    TooManyKeys {
        /// The limit.
        keys_max: u64,
    },
    /// The owner has given as many grants as one may give.
    #[error("an owner gives at most {grants_max} grants, and {per_subject_max} to one grantee")]
    TooManyGrants {
        /// The limit for one owner.
        grants_max: usize,
        /// The limit for one grantee.
        per_subject_max: usize,
    },
    /// The expiry is not in the future.
    #[error("an expiry is in the future")]
    ExpiryPassed,
    /// A batch is empty, names a key twice or does too much.
    #[error(
        "a batch has 1 to {ops_max} operations on different keys, and what it does at once has its limits"
    )]
    Batch {
        /// The limit.
        ops_max: usize,
    },
    /// The position is none that a watcher was given.
    #[error("not a position in the changes")]
    Position,
    /// The cursor is none that a page ended with.
    #[error("not a cursor of this list")]
    Cursor,
    /// The changes after this position are not all kept any more.
    #[error("the changes after this position are no longer kept")]
    Gone,
    /// So many others change the same key that it was given up.
    #[error("the key is changed by too many at the same time")]
    Contended,
    /// There is no room for the value in memory.
    #[error("too many large values are in memory")]
    NoMemory,
    /// What is done on another thread was not done.
    #[error("a worker has failed")]
    Worker(#[source] tokio::task::JoinError),
    /// A stored value is damaged.
    #[error("a stored value does not unpack")]
    Frame(#[source] FrameError),
    /// The storage did not do it.
    #[error("the storage failed")]
    Store(#[from] StoreError),
}
