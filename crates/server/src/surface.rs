//! The ways in which our surfaces say that something went wrong.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use coffer_api::contract::Outcome;
use coffer_api::contract::validation::{Location, ValidationError, ValidationErrors};
use coffer_api::problem::{PROBLEM_JSON, Problem};
use coffer_api::trace::TraceContext;
use coffer_api::{ErrorCode, FieldError};
use serde_json::json;

use crate::failure::Failure;

/// How a surface answers failures.
pub trait Surface: fmt::Debug + 'static {
    /// The HTTP status of the answer to `failure`.
    fn status(failure: &Failure) -> StatusCode;

    /// The answer to `failure`.
    fn answer(failure: &Failure) -> HttpResponse;
}

/// Our own surface: RFC 9457 problem documents.
#[derive(Clone, Copy, Debug)]
pub enum Native {}

/// The KMS's file contract: outcomes are HTTP 200 with a number in the body; faults are not outcomes.
#[derive(Clone, Copy, Debug)]
pub enum KmsContract {}

/// The data service's file contract: real status, repeated in the body.
#[derive(Clone, Copy, Debug)]
pub enum DataContract {}

/// The gateway's contracts: real status, and a text in `detail`, as the source systems' framework has it.
#[derive(Clone, Copy, Debug)]
pub enum DetailContract {}

/// The contract of encrypted configuration: as [`DetailContract`], but its texts name what they are about, and what
/// is there already is a bad request.
#[derive(Clone, Copy, Debug)]
pub enum ConfigsContract {}

fn builder(status: StatusCode, failure: &Failure) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    if let Some(seconds) = failure.retry_after_s {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    match failure.code {
        // RFC 9110, section 15.5.2 asks for a challenge with every 401.
        ErrorCode::InvalidSession | ErrorCode::NotAuthenticated | ErrorCode::InvalidServiceToken
            if status == StatusCode::UNAUTHORIZED =>
        {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        // What is left of the request will not be read, so the connection cannot carry another one.
        ErrorCode::BodyTooLarge | ErrorCode::RequestTimeout => {
            response.force_close();
        }
        _ => {}
    }
    response
}

impl Surface for Native {
    fn status(failure: &Failure) -> StatusCode {
        failure.status()
    }

    fn answer(failure: &Failure) -> HttpResponse {
        let mut problem = Problem::of(failure.code);
        if let Some(context) = TraceContext::current() {
            context.request_id.as_str().clone_into(&mut problem.request_id);
        }
        if failure.code.status() != StatusCode::INTERNAL_SERVER_ERROR {
            problem.detail.clone_from(&failure.detail);
            problem.errors.clone_from(&failure.fields);
        }
        builder(failure.status(), failure).content_type(PROBLEM_JSON).json(problem)
    }
}

/// Whether `code` is an outcome that the KMS's contract reports with HTTP 200.
const fn is_outcome(code: ErrorCode) -> bool {
    matches!(code.status(), 400 | 401 | 403 | 404 | 409 | 429)
}

impl Surface for KmsContract {
    fn status(failure: &Failure) -> StatusCode {
        if is_outcome(failure.code) { StatusCode::OK } else { failure.status() }
    }

    fn answer(failure: &Failure) -> HttpResponse {
        contract_answer(Self::status(failure), failure.code.kms_contract_code(), failure)
    }
}

impl Surface for DataContract {
    fn status(failure: &Failure) -> StatusCode {
        failure.status()
    }

    fn answer(failure: &Failure) -> HttpResponse {
        contract_answer(failure.status(), failure.code.status(), failure)
    }
}

/// What the contracts of the gateway call an error.
const fn detail(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NotAuthenticated => "Not authenticated",
        ErrorCode::InvalidSession => "Invalid or expired session",
        ErrorCode::PermissionDenied => "Admin access required",
        ErrorCode::KeyNotFound => "Key not found",
        other => other.title(),
    }
}

impl Surface for DetailContract {
    fn status(failure: &Failure) -> StatusCode {
        failure.status()
    }

    fn answer(failure: &Failure) -> HttpResponse {
        let mut response = builder(failure.status(), failure);
        if failure.code == ErrorCode::InvalidInput {
            return response.json(validation_errors(failure));
        }
        response.json(json!({ "detail": detail(failure.code) }))
    }
}

impl Surface for ConfigsContract {
    fn status(failure: &Failure) -> StatusCode {
        match failure.code {
            ErrorCode::ConfigExists | ErrorCode::SchemaMismatch => StatusCode::BAD_REQUEST,
            _ => failure.status(),
        }
    }

    fn answer(failure: &Failure) -> HttpResponse {
        let mut response = builder(Self::status(failure), failure);
        if failure.code == ErrorCode::InvalidInput {
            return response.json(validation_errors(failure));
        }
        let said = failure.detail.as_deref().filter(|_| failure.code != ErrorCode::Internal);
        response.json(json!({ "detail": said.unwrap_or_else(|| detail(failure.code)) }))
    }
}

fn validation_errors(failure: &Failure) -> ValidationErrors {
    ValidationErrors { detail: failure.fields.iter().map(field_error).collect() }
}

fn contract_answer(status: StatusCode, code: u16, failure: &Failure) -> HttpResponse {
    let mut response = builder(status, failure);
    if failure.code == ErrorCode::InvalidInput {
        return response.json(validation_errors(failure));
    }
    response.json(Outcome::new(code, failure.code.as_str()))
}

/// A field that a domain refused, in the contract's shape. The value is not at hand any more, and may
/// have been a secret, so none is echoed.
fn field_error(error: &FieldError) -> ValidationError {
    ValidationError {
        kind: "value_error".to_owned(),
        loc: vec![Location::from("body"), Location::from(error.field.as_ref())],
        msg: format!("Value error, {}", error.message),
        input: serde_json::Value::Null,
        ctx: None,
    }
}
