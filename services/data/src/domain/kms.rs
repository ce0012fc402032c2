//! What the data service asks the KMS beyond what every service asks: whose file a name means.

use async_trait::async_trait;
use coffer_api::Page;
use coffer_api::internal::{Access, AccessRequest, SharedName, SharedRequest};
use coffer_kms_link::{Kms, KmsError};

/// The KMS, as this service sees it.
#[async_trait]
pub trait FileKms: Kms {
    /// Whose file a name means to a user.
    async fn resolve(&self, request: &AccessRequest) -> Result<Access, KmsError>;

    /// The files that others share with a user.
    async fn shared(&self, request: &SharedRequest) -> Result<Page<SharedName>, KmsError>;
}
