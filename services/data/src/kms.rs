//! The KMS over HTTP, as the domain's port.

use async_trait::async_trait;
use coffer_api::Page;
use coffer_api::internal::{Access, AccessRequest, SharedName, SharedRequest};
use coffer_kms_link::{KmsError, RemoteKms};

use crate::domain::kms::FileKms;

#[async_trait]
impl FileKms for RemoteKms {
    async fn resolve(&self, request: &AccessRequest) -> Result<Access, KmsError> {
        self.client().resolve(request).await.map_err(KmsError::of("resolving a name"))
    }

    async fn shared(&self, request: &SharedRequest) -> Result<Page<SharedName>, KmsError> {
        self.client().shared(request).await.map_err(KmsError::of("listing shared files"))
    }
}
