//! Whose space an address names.

use std::time::Duration;

use coffer_api::ErrorCode;
use coffer_core::{EmailAddress, UserId};
use coffer_server::Failure;
use moka::sync::Cache;

use crate::domain::kms::UserKms;

/// An address leads to the same user for this long. It gives no access, so it does not matter if it led to another
/// one a moment ago.
const BELIEVED: Duration = Duration::from_secs(30);
/// Addresses in memory, at most.
const ADDRESSES_MAX: u64 = 10_000;

/// The users behind addresses that were asked for lately.
#[derive(Debug)]
pub(crate) struct Owners(Cache<String, UserId>);

impl Default for Owners {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(ADDRESSES_MAX).time_to_live(BELIEVED).build())
    }
}

impl Owners {
    /// Who has this address. Nobody is answered as somebody who shares nothing is.
    pub(super) async fn find(&self, kms: &dyn UserKms, address: &EmailAddress) -> Result<UserId, Failure> {
        if let Some(owner) = self.0.get(address.as_str()) {
            return Ok(owner);
        }
        let owner = kms.address_owner(address).await?.ok_or(Failure::of(ErrorCode::AccessDenied))?;
        self.0.insert(address.as_str().to_owned(), owner);
        Ok(owner)
    }
}
