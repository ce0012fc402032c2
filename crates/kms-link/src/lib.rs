//! What a service that relies on the KMS needs: live sessions, the revocation feed, its keyring.
//!
//! Sessions are checked in memory ([`sessions`]); the KMS's feed says what to forget ([`follower`]), and
//! when the feed cannot be followed nothing in memory is believed any more ([`freshness`]). Last uses go
//! back in batches ([`touches`]). The service's own keyring is fetched at the start and kept up to date
//! ([`keys`]). [`Link`] puts these together.
//!
//! Not here: what only one service asks the KMS, such as whose file a name means. That service has a port of
//! its own on top of [`Kms`], and keeps its answers as a [`Dependent`].

pub mod follower;
pub mod freshness;
pub mod keys;
pub mod kms;
pub mod link;
pub mod remote;
pub mod sessions;
pub mod sharded;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod touches;

pub use follower::{Dependent, Follower};
pub use freshness::{ANSWER_AGE_MAX, Freshness, Mark};
pub use keys::Keys;
pub use kms::{Kms, KmsError};
pub use link::Link;
pub use remote::RemoteKms;
pub use sessions::{SessionError, Sessions};
pub use sharded::Sharded;
