//! This service's keyring: fetched from the KMS at the start, kept in memory only, and kept up to date.

use std::sync::Arc;
use std::time::Duration;

use coffer_auth::service_token::{ServiceName, ServiceSecret};
use coffer_core::base64;
use coffer_crypto::keyring::{HandoverError, Keyring, KeyringError, handover_open};

use crate::kms::{Kms, KmsError};

/// How often new versions are looked for. A rotation spreads a version for longer than this before it is
/// used, so a process that follows it never meets a version that it does not hold.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(30);
/// The first wait after a failure; it doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(100);
/// The longest wait after a failure.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Why there is no usable keyring.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The KMS did not hand it over.
    #[error(transparent)]
    Kms(#[from] KmsError),
    /// What the KMS answered is no base64.
    #[error("the keyring that the KMS handed over is not base64")]
    Encoding,
    /// What the KMS handed over does not open: the secrets of the two services differ.
    #[error("opening the keyring; is `internal.secret` the one that the KMS has for this service?")]
    Open(#[source] HandoverError),
    /// The keyring contradicts the one that is in use.
    #[error("taking over a newer keyring")]
    Adopt(#[source] KeyringError),
}

/// Fetches and follows the keyring.
#[derive(Debug)]
pub struct Keys {
    kms: Arc<dyn Kms>,
    service: ServiceName,
    secret: Arc<ServiceSecret>,
}

impl Keys {
    /// The keys of `service`, which the `secret` that it shares with the KMS opens.
    pub fn new(kms: Arc<dyn Kms>, service: ServiceName, secret: Arc<ServiceSecret>) -> Self {
        Self { kms, service, secret }
    }

    /// The keyring as the KMS has it now.
    pub async fn fetch(&self) -> Result<Keyring, KeysError> {
        let answer = self.kms.keyring().await?;
        let handed = base64::decode(answer.wrapped.as_bytes()).ok_or(KeysError::Encoding)?;
        handover_open(self.secret.expose(), self.service.as_str(), &handed).map_err(KeysError::Open)
    }

    /// The keyring, however long it takes until the KMS hands it over.
    pub async fn wait_for(&self) -> Keyring {
        let mut wait = RETRY_MIN;
        loop {
            match self.fetch().await {
                Ok(keyring) => return keyring,
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, retry_ms = wait.as_millis(), "waiting for the keyring");
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY_MAX);
        }
    }

    /// Takes over what is new, again and again. Never ends by itself.
    pub async fn follow(self, keyring: Arc<Keyring>) {
        loop {
            tokio::time::sleep(REFRESH_INTERVAL).await;
            if let Err(error) = self.refresh(&keyring).await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "the keyring could not be refreshed");
            }
        }
    }

    async fn refresh(&self, keyring: &Keyring) -> Result<(), KeysError> {
        keyring.adopt(&self.fetch().await?).map_err(KeysError::Adopt)
    }
}
