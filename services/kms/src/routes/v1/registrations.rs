//! `/api/v1/registrations`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use coffer_api::Problem;
use coffer_api::identity::{Register, Registered, RegistrationPending, ResendCode, VerifyRegistration};
use coffer_core::UserName;
use coffer_server::{Failure, HttpError, ValidJson};

use super::wire;
use crate::domain::identity::{Identity, Wish};
use crate::routes::visitor::Visitor;

/// Asks for an account and sends a code.
#[utoipa::path(post, path = "/api/v1/registrations", tag = "registrations", request_body = Register,
    responses(
        (status = 202, description = "A code is on its way", body = RegistrationPending),
        (status = 409, description = "`user_exists` or `user_name_taken`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn register(
    visitor: Visitor,
    body: ValidJson<Register>,
    identity: Data<Identity>,
) -> Result<HttpResponse, HttpError> {
    let Register { email, password, user_name } = body.into_inner();
    let wish = Wish {
        email: wire::email(&email)?,
        password: wire::new_password("password", password)?,
        user_name: user_name.as_deref().map(parse_user_name).transpose()?,
    };
    let code_expires_at = identity.register(wish, &visitor.by_native()).await?;
    Ok(HttpResponse::Accepted().json(RegistrationPending { code_expires_at }))
}

/// Completes a registration by its code.
#[utoipa::path(post, path = "/api/v1/registrations/verify", tag = "registrations",
    request_body = VerifyRegistration,
    responses(
        (status = 201, description = "The account exists", body = Registered),
        (status = 401, description = "`otp_failed`", body = Problem),
        (status = 404, description = "`no_pending_registration`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn verify(
    visitor: Visitor,
    body: ValidJson<VerifyRegistration>,
    identity: Data<Identity>,
) -> Result<HttpResponse, HttpError> {
    let email = wire::email(&body.email)?;
    let user = identity.verify_registration(&email, wire::code(&body.code)?, &visitor.by_native()).await?;
    Ok(HttpResponse::Created().json(Registered { user: wire::user(user) }))
}

/// Sends another code for a pending registration. The answer is the same if nothing is pending.
#[utoipa::path(post, path = "/api/v1/registrations/code", tag = "registrations", request_body = ResendCode,
    responses(
        (status = 202, description = "If a registration is pending, a code is on its way",
            body = RegistrationPending),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn resend(
    visitor: Visitor,
    body: ValidJson<ResendCode>,
    identity: Data<Identity>,
) -> Result<HttpResponse, HttpError> {
    let email = wire::email(&body.email)?;
    let code_expires_at = identity.resend_code(&email, &visitor.by_native()).await?;
    Ok(HttpResponse::Accepted().json(RegistrationPending { code_expires_at }))
}

fn parse_user_name(text: &str) -> Result<UserName, Failure> {
    text.parse().map_err(|error: coffer_core::UserNameError| Failure::field("user_name", error.to_string()))
}
