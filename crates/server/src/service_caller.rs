//! Which service is calling, on the internal listener.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use coffer_api::ErrorCode;
use coffer_auth::service_token::{ServiceIdentity, ServiceName, ServiceSecret, claimed_issuer};
use futures_util::future::{Ready, ready};

use crate::failure::{Failure, HttpError};
use crate::scaffold::Scaffold;
use crate::surface::Native;

/// The services that may call, each with the secret that it shares with this one.
#[derive(Clone, Default)]
pub struct ServiceKeys(BTreeMap<ServiceName, Arc<ServiceSecret>>);

impl ServiceKeys {
    /// Lets `service` call with `secret`.
    #[must_use]
    pub fn with(mut self, service: ServiceName, secret: Arc<ServiceSecret>) -> Self {
        self.0.insert(service, secret);
        self
    }

    /// The secret shared with `service`.
    pub fn get(&self, service: ServiceName) -> Option<&Arc<ServiceSecret>> {
        self.0.get(&service)
    }
}

impl fmt::Debug for ServiceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A service that has proved who it is. Every internal handler takes one.
#[derive(Clone, Debug)]
pub struct ServiceCaller(pub ServiceIdentity);

fn identify(request: &HttpRequest) -> Result<ServiceCaller, Failure> {
    let refused = || Failure::of(ErrorCode::InvalidServiceToken);
    let value = request.headers().get(header::AUTHORIZATION).ok_or_else(refused)?;
    let token = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).ok_or_else(refused)?;
    verify(Scaffold::of(request)?, token).map(ServiceCaller)
}

/// Whose `token` is, if it was made for this service by one that it knows.
pub(crate) fn verify(scaffold: &Scaffold, token: &str) -> Result<ServiceIdentity, Failure> {
    let refused = || Failure::of(ErrorCode::InvalidServiceToken);
    // Only says which secret to try; everything it claims is verified with that secret below.
    let issuer = claimed_issuer(token).ok_or_else(refused)?;
    let secret = scaffold.service_keys.get(issuer).ok_or_else(refused)?;
    secret
        .verify(token, (issuer, scaffold.service), scaffold.clock.now())
        .map_err(|error| refused().with_cause(error))
}

impl FromRequest for ServiceCaller {
    type Error = HttpError<Native>;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identify(request).map_err(HttpError::from))
    }
}
