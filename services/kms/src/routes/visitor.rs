//! Where a request comes from, for limits and security events.

use std::convert::Infallible;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use coffer_api::trace::TraceContext;
use coffer_server::ClientAddress;
use futures_util::future::{Ready, ready};

use crate::domain::events::Origin;
use crate::domain::identity::{Client, Surface};

/// Whoever sent the request, known or not.
#[derive(Clone, Debug)]
pub(crate) struct Visitor(pub(crate) Origin);

impl Visitor {
    /// The visitor on the file contract.
    pub(super) fn by_contract(self) -> Client {
        Client::new(self.0, Surface::Contract)
    }

    /// The visitor on the native surface.
    pub(super) fn by_native(self) -> Client {
        Client::new(self.0, Surface::Native)
    }
}

impl FromRequest for Visitor {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let address = ClientAddress::from_request(request, payload).into_inner().map(|client| client.0);
        let request_id = TraceContext::current().map(|context| context.request_id.as_str().to_owned());
        ready(address.map(|address| Self(Origin { address: Some(address), request_id })))
    }
}
