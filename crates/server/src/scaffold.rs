//! What the extractors of a service need to know, in one place that each worker shares.

use std::fmt;
use std::sync::Arc;

use actix_web::{HttpRequest, web};
use async_trait::async_trait;
use coffer_auth::Principal;
use coffer_auth::service_token::ServiceName;
use coffer_core::{Clock, SystemClock};

use crate::authentication::{AuthenticationError, Authenticator, Token};
use crate::body::BodyLimits;
use crate::failure::Failure;
use crate::in_flight::BytesInFlight;
use crate::network::Networks;
use crate::service_caller::ServiceKeys;

/// What the extractors of one service share.
pub(crate) struct Scaffold {
    pub(crate) service: ServiceName,
    pub(crate) body: BodyLimits,
    /// One body that is passed on as it arrives.
    pub(crate) passed_body_bytes_max: usize,
    /// One body of any length.
    pub(crate) streamed_body_bytes_max: u64,
    pub(crate) bytes_in_flight: BytesInFlight,
    pub(crate) trusted_proxies: Networks,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) service_keys: ServiceKeys,
    pub(crate) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Scaffold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scaffold").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Scaffold {
    /// A scaffold that lets nobody in.
    pub(crate) fn new(service: ServiceName) -> Self {
        let body = BodyLimits::default();
        Self {
            service,
            body,
            passed_body_bytes_max: body.bytes_max,
            streamed_body_bytes_max: body.bytes_max as u64,
            bytes_in_flight: BytesInFlight::new(body.in_flight_bytes_max),
            trusted_proxies: Networks::default(),
            authenticator: Arc::new(Nobody),
            service_keys: ServiceKeys::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// The scaffold of the service that got `request`.
    pub(crate) fn of(request: &HttpRequest) -> Result<&Self, Failure> {
        request
            .app_data::<web::Data<Self>>()
            .map(web::Data::get_ref)
            .ok_or_else(|| Failure::internal("the scaffold is not registered with the application"))
    }
}

/// Fails closed where a service names no authenticator.
struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn authenticate(&self, _: &Token) -> Result<Principal, AuthenticationError> {
        Err(AuthenticationError::Invalid)
    }
}
