//! The gateway as a caller.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use coffer_api::ErrorCode;
use coffer_auth::service_token::ServiceName;
use coffer_server::{Failure, HttpError, ServiceCaller};
use futures_util::future::{Ready, ready};

/// The gateway, which alone registers and logs in people by name and sees users.
#[derive(Clone, Copy, Debug)]
pub(super) struct GatewayCaller;

impl FromRequest for GatewayCaller {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = ServiceCaller::from_request(request, payload).into_inner();
        ready(caller.and_then(|ServiceCaller(caller)| match caller.service {
            ServiceName::Gateway => Ok(Self),
            ServiceName::Kms | ServiceName::Data => Err(Failure::of(ErrorCode::PermissionDenied).into()),
        }))
    }
}
