//! Why something is not done with configurations.

use coffer_auth::workers::WorkError;
use coffer_crypto::space::SpaceError;
use coffer_store::records::StoreError;

use super::references::ReferenceError;
use super::schema::SchemaError;
use super::transfer::DocumentError;

/// Why something is not done with configurations.
#[derive(Debug, thiserror::Error)]
pub enum ConfigsError {
    /// No configuration of this user key has this name.
    #[error("Configuration with key '{key}' not found")]
    NotFound {
        /// The key.
        key: String,
    },
    /// There is one of this name already.
    #[error("Configuration with key '{key}' already exists")]
    Exists {
        /// The key.
        key: String,
    },
    /// The key is in several environments, of which none is the default one.
    #[error("Configuration with key '{key}' is in several environments, name one: {}", environments.join(", "))]
    EnvironmentNeeded {
        /// The key.
        key: String,
        /// Where it is.
        environments: Vec<String>,
    },
    /// The configuration has no such version any more, or never had.
    #[error("the configuration has no such version")]
    VersionNotFound,
    /// What the caller made a condition does not hold.
    #[error("the configuration is not as the caller expects it")]
    Conflict {
        /// The version that it has, if there is one.
        version: Option<u64>,
    },
    /// A promotion that cannot be.
    #[error("a promotion has 1 to 50 different keys, 4 MiB of values, and leads to another environment")]
    Promotion,
    /// The new user key has a name space of its own.
    #[error("the new user key has configurations already")]
    UserKeyInUse,
    /// The new user key is the old one.
    #[error("the new user key is the old one")]
    SameUserKey,
    /// The user key has nothing that could be moved.
    #[error("nothing is kept under this user key")]
    NothingKept,
    /// The value is too large.
    #[error("a value has at most {bytes_max} bytes")]
    ValueTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The name space is full, or there is no room for any.
    #[error("{what}")]
    Full {
        /// What is full.
        what: &'static str,
    },
    /// A derivation would take too long, or the address has asked for too many.
    #[error("too many new user keys; come back in {retry_after_s} s")]
    TooManyUserKeys {
        /// When, in seconds.
        retry_after_s: u32,
    },
    /// The threads that derive have ended.
    #[error("user keys cannot be derived")]
    Workers(#[source] WorkError),
    /// A position that cannot be one.
    #[error("is not a position")]
    Position,
    /// The changes after a position are not kept any more.
    #[error("the changes after this position are no longer kept")]
    ChangesGone,
    /// The user key does not open what it is used for, or no longer.
    #[error("this user key does not open what the position is of, or no longer")]
    NotOurs,
    /// The derived form of the user key is no longer in memory.
    #[error("the user key has to be brought again")]
    Forgotten,
    /// What is imported is no document, or what is exported can be none.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A reference cannot be resolved.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A schema cannot be one, or a value does not match it.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A value of many does not match its schema.
    #[error("configuration '{key}': {error}")]
    SchemaOf {
        /// The key.
        key: String,
        /// Why.
        error: SchemaError,
    },
    /// The configuration has no schema.
    #[error("the configuration has no schema")]
    NoSchema,
    /// More than is done at once.
    #[error("at most {max} configurations at once")]
    TooManyAtOnce {
        /// The limit.
        max: usize,
    },
    /// Something that was done beside the request threads was not finished.
    #[error("work was broken off")]
    Broken,
    /// So many others change the same name space that it was given up.
    #[error("the configuration is changed by too many at the same time")]
    Contended,
    /// What is stored does not open for the user key that it was stored for.
    #[error("a wrap does not open")]
    Wrap(#[source] SpaceError),
    /// The storage did not do it.
    #[error("the storage failed")]
    Store(#[from] StoreError),
}
