//! Who calls on the gateway's contracts: a request without a session is told apart from one whose session has
//! ended.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use coffer_api::ErrorCode;
use coffer_auth::Principal;
use coffer_server::{CallerToken, DetailContract, Failure, HttpError, Session, Token};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

/// A caller with a live session, and the token it was made with.
#[derive(Debug)]
pub(super) struct Caller {
    /// The token, to ask the KMS with.
    pub(super) token: Token,
    principal: Principal,
}

impl Deref for Caller {
    type Target = Principal;
    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl FromRequest for Caller {
    type Error = HttpError<DetailContract>;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let token = CallerToken::<DetailContract>::from_request(request, payload).into_inner();
        let session = Session::<DetailContract>::from_request(request, payload);
        async move {
            let token = token?.token.ok_or(Failure::of(ErrorCode::NotAuthenticated))?;
            Ok(Self { token, principal: *session.await? })
        }
        .boxed_local()
    }
}
