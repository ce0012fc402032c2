//! The KMS over HTTP, as the domain's port.

use std::sync::Arc;

use async_trait::async_trait;
use coffer_api::Page;
use coffer_api::internal::{
    Access, AccessRequest, FeedAnswer, LiveSession, SessionState, SessionTouch, SharedName, SharedRequest,
    WrappedKeyring,
};
use coffer_auth::service_token::{ServiceName, ServiceSecret, ServiceTokens};
use coffer_client::{ClientError, InternalKms};
use coffer_core::{Clock, Random};

use crate::domain::kms::{Kms, KmsError};

/// The KMS's internal listener.
#[derive(Debug)]
pub(crate) struct RemoteKms(InternalKms);

impl RemoteKms {
    /// The KMS at `url`, to which `secret` proves this service.
    pub(crate) fn new(
        url: &str,
        secret: Arc<ServiceSecret>,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Result<Self, ClientError> {
        let tokens = ServiceTokens::new(secret, (ServiceName::Data, ServiceName::Kms), clock, random);
        let source = Arc::new(move || tokens.current().map_err(Into::into));
        InternalKms::new(url, source).map(Self)
    }
}

fn failed(doing: &'static str) -> impl FnOnce(ClientError) -> KmsError {
    move |source| KmsError { doing, source: source.into() }
}

#[async_trait]
impl Kms for RemoteKms {
    async fn keyring(&self) -> Result<WrappedKeyring, KmsError> {
        self.0.keyring().await.map_err(failed("handing over the keyring"))
    }

    async fn check_session(&self, token: &str) -> Result<Option<LiveSession>, KmsError> {
        match self.0.check_session(token).await.map_err(failed("checking a session"))? {
            SessionState::Live(session) => Ok(Some(session)),
            SessionState::Ended => Ok(None),
        }
    }

    async fn touch(&self, touches: &[SessionTouch]) -> Result<(), KmsError> {
        self.0.touch_sessions(touches.to_vec()).await.map_err(failed("taking reports of use"))
    }

    async fn resolve(&self, request: &AccessRequest) -> Result<Access, KmsError> {
        self.0.resolve(request).await.map_err(failed("resolving a name"))
    }

    async fn shared(&self, request: &SharedRequest) -> Result<Page<SharedName>, KmsError> {
        self.0.shared(request).await.map_err(failed("listing shared files"))
    }

    async fn feed(&self, after: Option<u64>) -> Result<FeedAnswer, KmsError> {
        self.0.feed(after).await.map_err(failed("telling what was revoked"))
    }
}
