//! Extractors of the contract surfaces.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, web};
use coffer_api::contract::validation::{Request, ValidationError, ValidationErrors};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Ready, ready};
use serde::de::DeserializeOwned;

use super::{check_utf8, explain, strict};
use crate::body;
use crate::failure::{Failure, HttpError};
use crate::in_flight::Reservation;
use crate::scaffold::Scaffold;
use crate::surface::{DataContract, Surface};

/// Why a request of a contract surface was not even understood. What is not valid is answered alike on all of
/// them.
#[derive(Debug)]
pub enum ContractRejection<S: Surface = DataContract> {
    /// 422: fields are absent or not valid.
    Invalid(ValidationErrors),
    /// The body could not be read.
    Unreadable(HttpError<S>),
}

impl<S: Surface> From<Vec<ValidationError>> for ContractRejection<S> {
    fn from(detail: Vec<ValidationError>) -> Self {
        Self::Invalid(ValidationErrors { detail })
    }
}

impl<S: Surface> From<Failure> for ContractRejection<S> {
    fn from(failure: Failure) -> Self {
        Self::Unreadable(failure.into())
    }
}

impl<S: Surface> fmt::Display for ContractRejection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(_) => f.write_str("the request is not valid"),
            Self::Unreadable(error) => error.fmt(f),
        }
    }
}

impl<S: Surface> ResponseError for ContractRejection<S> {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unreadable(error) => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Invalid(errors) => HttpResponse::UnprocessableEntity().json(errors),
            Self::Unreadable(error) => error.error_response(),
        }
    }
}

/// A JSON body, whatever its content type says: the original's clients are not careful about it.
///
/// It keeps its share of the bytes in flight until it is dropped.
#[derive(Debug)]
pub struct JsonBody<T, S: Surface = DataContract> {
    value: T,
    reservation: Reservation,
    surface: PhantomData<S>,
}

impl<T, S: Surface> JsonBody<T, S> {
    /// The value; for bodies that are small or used up at once.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The value and its share of the bytes in flight, to be kept as long as the bytes are.
    pub fn into_parts(self) -> (T, Reservation) {
        (self.value, self.reservation)
    }
}

impl<T, S: Surface> Deref for JsonBody<T, S> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

fn parse_json<T: Request + DeserializeOwned>(bytes: &[u8]) -> Result<T, Vec<ValidationError>> {
    if let Ok(value) = strict::from_slice(bytes) {
        return Ok(value);
    }
    // Where every field is well but the parse failed, a name stood twice; the last one counts.
    let value = explain::body(bytes, T::FIELDS)?;
    serde_json::from_value(value).map_err(|_| vec![explain::unexplained("body")])
}

impl<T: Request + DeserializeOwned + 'static, S: Surface> FromRequest for JsonBody<T, S> {
    type Error = ContractRejection<S>;
    type Future = LocalBoxFuture<'static, Result<Self, ContractRejection<S>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        async move {
            let scaffold = Scaffold::of(&request)?;
            let (bytes, reservation) =
                body::read(&request, &mut payload, &scaffold.body, &scaffold.bytes_in_flight).await?;
            Ok(Self { value: parse_json(&bytes)?, reservation, surface: PhantomData })
        }
        .boxed_local()
    }
}

/// A query string.
#[derive(Clone, Debug)]
pub struct ContractQuery<T>(pub T);

impl<T> Deref for ContractQuery<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

fn parse_query<T: Request + DeserializeOwned>(query: &str) -> Result<T, Vec<ValidationError>> {
    check_utf8(query).map_err(|error| {
        let field = T::FIELDS.iter().find(|field| error.parameter.as_deref() == Some(field.name));
        vec![explain::not_unicode("query", field.map(|field| field.name))]
    })?;
    if let Ok(value) = web::Query::<T>::from_query(query) {
        return Ok(value.into_inner());
    }
    explain::query(query, T::FIELDS)?;
    Err(vec![explain::unexplained("query")])
}

impl<T: Request + DeserializeOwned> FromRequest for ContractQuery<T> {
    type Error = ContractRejection;
    type Future = Ready<Result<Self, ContractRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse_query(request.query_string()).map(Self).map_err(ContractRejection::from))
    }
}
