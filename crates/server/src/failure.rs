//! The one way from an error to an answer.
//!
//! A domain error says which public code it is by `impl From<DomainError> for Failure`; the handler's
//! return type says on which surface it is answered ([`HttpError`]); `?` does the rest. The cause of a
//! fault never leaves the server: it is logged, once, where the answer is made, under the request id
//! that the answer carries.
//!
//! The road not taken: choosing the surface at run time, from the request. The type is free, and a
//! handler that forgets its surface does not compile into the wrong one silently.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use coffer_api::trace::TraceContext;
use coffer_api::{ErrorCode, FieldError};

use crate::surface::{Native, Surface};

/// A cause that is logged and not shown.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Seconds that a client is asked to wait when something is out of reach.
pub const UNAVAILABLE_RETRY_AFTER_S: u32 = 1;

/// Why a request is not answered as it hoped to be.
#[derive(Debug)]
pub struct Failure {
    /// What clients are told.
    pub code: ErrorCode,
    /// What happened this time, in words for the caller.
    pub detail: Option<Cow<'static, str>>,
    /// The fields that are wrong.
    pub fields: Vec<FieldError>,
    /// When to come back.
    pub retry_after_s: Option<u32>,
    /// What is logged and not shown.
    pub cause: Option<Cause>,
}

impl Failure {
    /// The failure `code`, without particulars.
    pub const fn of(code: ErrorCode) -> Self {
        Self { code, detail: None, fields: Vec::new(), retry_after_s: None, cause: None }
    }

    /// A fault of ours.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..Self::of(ErrorCode::Internal) }
    }

    /// Something that is needed is out of reach.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        let retry_after_s = Some(UNAVAILABLE_RETRY_AFTER_S);
        Self { cause: Some(cause.into()), retry_after_s, ..Self::of(ErrorCode::Unavailable) }
    }

    /// A field that is absent or not valid.
    pub fn field(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { fields: vec![FieldError::new(field, message)], ..Self::of(ErrorCode::InvalidInput) }
    }

    /// Too many attempts.
    pub const fn rate_limited(retry_after_s: u32) -> Self {
        let mut failure = Self::of(ErrorCode::RateLimited);
        failure.retry_after_s = Some(retry_after_s);
        failure
    }

    /// The same failure with words for the caller. Not for faults: those say nothing but their title.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The same failure with a cause for the log.
    #[must_use]
    pub fn with_cause(self, cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// The HTTP status that the code stands for.
    pub fn status(&self) -> StatusCode {
        // The table is tested to hold only statuses from 400 to 599.
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Writes the cause to the log, with everything it came from.
    fn log(&self) {
        let Some(cause) = &self.cause else { return };
        let chain = Chain(cause.as_ref());
        let id = TraceContext::current().map(|context| context.request_id);
        let request_id = id.as_ref().map_or("", |id| id.as_str());
        if self.code == ErrorCode::Internal {
            tracing::error!(request_id, code = self.code.as_str(), cause = %chain, "request failed");
        } else if self.code.is_fault() {
            tracing::warn!(request_id, code = self.code.as_str(), cause = %chain, "request failed");
        } else {
            tracing::debug!(request_id, code = self.code.as_str(), cause = %chain, "request refused");
        }
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::of(code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

/// An error with all of its sources, in one line.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(error) = next {
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}

/// A failure on its way to the client of the surface `S`.
pub struct HttpError<S: Surface = Native> {
    failure: Box<Failure>,
    surface: PhantomData<S>,
}

impl<S: Surface, E: Into<Failure>> From<E> for HttpError<S> {
    fn from(error: E) -> Self {
        Self { failure: Box::new(error.into()), surface: PhantomData }
    }
}

impl<S: Surface> HttpError<S> {
    /// What went wrong, to be said on another surface.
    pub fn into_failure(self) -> Failure {
        *self.failure
    }

    /// What went wrong.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }
}

impl<S: Surface> fmt::Debug for HttpError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl<S: Surface> fmt::Display for HttpError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.failure, f)
    }
}

impl<S: Surface> ResponseError for HttpError<S> {
    fn status_code(&self) -> StatusCode {
        S::status(&self.failure)
    }

    fn error_response(&self) -> HttpResponse {
        self.failure.log();
        S::answer(&self.failure)
    }
}
