//! Who is calling: session tokens, the port that checks them, and the extractors that handlers name.
//!
//! This crate does not know where sessions are kept. A service fills the port [`Authenticator`]: the KMS
//! with its own sessions, the others with a client of the KMS. A handler that takes [`Session`] or
//! [`Granted`] runs for nobody else.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{FromRequest, HttpRequest};
use async_trait::async_trait;
use coffer_api::{ErrorCode, paths};
use coffer_auth::principal::{Permission, Principal, Refusal};
use coffer_core::{ExposeSecret as _, SecretString};
use futures_util::future::{FutureExt as _, LocalBoxFuture, Ready, ready};

use crate::failure::{Cause, Failure, HttpError};
use crate::scaffold::Scaffold;
use crate::surface::{Native, Surface};

/// Characters of a session token: 32 bytes in base64url without padding.
pub const TOKEN_CHARS: usize = 43;

/// A session token as a client sent it; well formed, not yet checked.
pub struct Token(SecretString);

impl Token {
    /// Takes the text if it could be a token at all.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (text.len() == TOKEN_CHARS && text.bytes().all(valid)).then(|| Self(SecretString::from(text)))
    }

    /// The token's text; for checking and for passing on, never for keeping.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Why a token does not make a principal.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// It opens nothing, for whatever reason.
    #[error("the session does not exist or has ended")]
    Invalid,
    /// It cannot be checked at the moment, so it opens nothing either.
    #[error("sessions cannot be checked at the moment")]
    Unavailable(#[source] Cause),
}

impl From<AuthenticationError> for Failure {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Invalid => Self::of(ErrorCode::InvalidSession),
            AuthenticationError::Unavailable(_) => Self::unavailable(error),
        }
    }
}

/// The port behind which sessions are checked.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Whose session `token` opens.
    async fn authenticate(&self, token: &Token) -> Result<Principal, AuthenticationError>;

    /// Whose session `token` opened a moment ago, for handlers that say that this is enough by taking
    /// [`LatelyGranted`]. A service says what a moment is; unless it does, it is no time at all.
    async fn authenticate_lately(&self, token: &Token) -> Result<Principal, AuthenticationError> {
        self.authenticate(token).await
    }
}

/// The token that a request carries in `sid` or in `Authorization: Bearer`, unchecked.
///
/// For the few handlers that also serve callers without one; the others take [`Session`].
#[derive(Debug)]
pub struct CallerToken<S: Surface = Native> {
    /// The token, if there is one.
    pub token: Option<Token>,
    surface: PhantomData<S>,
}

fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, rest) = value.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
}

/// The token in `headers`, which may be sent several times but must be one. A header that cannot be a token
/// counts as a session that does not exist.
fn token_in(headers: &HeaderMap) -> Result<Option<Token>, Failure> {
    let sids = headers.get_all(paths::headers::SID).map(|value| value.as_bytes().trim_ascii());
    let mut sent = sids.chain(headers.get_all(header::AUTHORIZATION).filter_map(bearer));
    let Some(text) = sent.next() else { return Ok(None) };
    if sent.any(|other| other != text) {
        return Err(Failure::of(ErrorCode::ConflictingCredentials));
    }
    let token = std::str::from_utf8(text).ok().and_then(Token::parse);
    token.map(Some).ok_or(Failure::of(ErrorCode::InvalidSession))
}

impl<S: Surface> FromRequest for CallerToken<S> {
    type Error = HttpError<S>;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = token_in(request.headers());
        ready(token.map(|token| Self { token, surface: PhantomData }).map_err(HttpError::from))
    }
}

fn needed_token(request: &HttpRequest) -> Result<Token, Failure> {
    token_in(request.headers())?.ok_or(Failure::of(ErrorCode::InvalidSession))
}

async fn principal(request: HttpRequest) -> Result<Principal, Failure> {
    let token = needed_token(&request)?;
    Ok(Scaffold::of(&request)?.authenticator.authenticate(&token).await?)
}

/// A caller with a live session.
#[derive(Clone, Copy, Debug)]
pub struct Session<S: Surface = Native> {
    principal: Principal,
    surface: PhantomData<S>,
}

impl<S: Surface> Deref for Session<S> {
    type Target = Principal;
    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl<S: Surface> FromRequest for Session<S> {
    type Error = HttpError<S>;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { Ok(Self { principal: principal(request).await?, surface: PhantomData }) }.boxed_local()
    }
}

/// A caller with a live session that holds the permission `P`.
#[derive(Clone, Copy, Debug)]
pub struct Granted<P: Permission, S: Surface = Native> {
    principal: Principal,
    marker: PhantomData<(P, S)>,
}

impl<P: Permission, S: Surface> Granted<P, S> {
    fn of(principal: Principal) -> Result<Self, Failure> {
        P::check(&principal)?;
        Ok(Self { principal, marker: PhantomData })
    }
}

impl<P: Permission, S: Surface> Deref for Granted<P, S> {
    type Target = Principal;
    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::of(match refusal {
            Refusal::Role => ErrorCode::PermissionDenied,
            Refusal::SecondFactor => ErrorCode::SecondFactorRequired,
        })
    }
}

impl<P: Permission, S: Surface> FromRequest for Granted<P, S> {
    type Error = HttpError<S>;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { Ok(Self::of(principal(request).await?)?) }.boxed_local()
    }
}

/// A caller who a moment ago had a live session that holds the permission `P`: see
/// [`Authenticator::authenticate_lately`].
#[derive(Clone, Copy, Debug)]
pub struct LatelyGranted<P: Permission, S: Surface = Native>(Granted<P, S>);

impl<P: Permission, S: Surface> Deref for LatelyGranted<P, S> {
    type Target = Principal;
    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl<P: Permission, S: Surface> FromRequest for LatelyGranted<P, S> {
    type Error = HttpError<S>;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let token = needed_token(&request)?;
            let authenticator = &Scaffold::of(&request)?.authenticator;
            let principal = authenticator.authenticate_lately(&token).await.map_err(Failure::from)?;
            Ok(Self(Granted::of(principal)?))
        }
        .boxed_local()
    }
}

/// A caller who had the right before the body was read and has it still after that: for what releases secrets. A
/// body may take its time, and a session that ends meanwhile must not be served any more.
#[derive(Debug)]
pub struct GrantedFor<G, B> {
    /// Who asks.
    pub caller: G,
    /// What is asked.
    pub body: B,
}

impl<G, B> FromRequest for GrantedFor<G, B>
where
    G: FromRequest + 'static,
    B: FromRequest<Error = G::Error> + 'static,
{
    type Error = G::Error;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let (first, body) =
            (G::from_request(&request, &mut Payload::None), B::from_request(&request, payload));
        async move {
            first.await?;
            let body = body.await?;
            let caller = G::from_request(&request, &mut Payload::None).await?;
            Ok(Self { caller, body })
        }
        .boxed_local()
    }
}
