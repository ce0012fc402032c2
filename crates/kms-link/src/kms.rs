//! What every service asks the KMS: the port that domains see.
//!
//! The types are those of the internal listener: they say what a domain needs and nothing about HTTP. A
//! service that asks more has a port of its own on top of this one.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use coffer_api::internal::{FeedAnswer, LiveSession, SessionTouch, WrappedKeyring};

/// The KMS did not answer, or not in a way that can be used. Nothing is known, so nothing is allowed.
#[derive(Debug, thiserror::Error)]
#[error("the KMS does not answer while {doing}")]
pub struct KmsError {
    /// What was being asked.
    pub doing: &'static str,
    /// Why.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

/// The KMS, as every service sees it.
#[async_trait]
pub trait Kms: Send + Sync + fmt::Debug {
    /// This service's keyring, wrapped for it.
    async fn keyring(&self) -> Result<WrappedKeyring, KmsError>;

    /// The live session that `token` opens.
    async fn check_session(&self, token: &str) -> Result<Option<LiveSession>, KmsError>;

    /// Reports when sessions were last used. Reports about sessions that are gone are ignored.
    async fn touch(&self, touches: &[SessionTouch]) -> Result<(), KmsError>;

    /// What happened after a position, or, without one, the feed's present end.
    async fn feed(&self, after: Option<u64>) -> Result<FeedAnswer, KmsError>;
}
