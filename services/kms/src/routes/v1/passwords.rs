//! `/api/v1/password`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use coffer_api::Problem;
use coffer_api::identity::{ChangePassword, RequestReset, ResetRequested, VerifyReset};
use coffer_server::{HttpError, Session, ValidJson};

use super::{sessions, wire};
use crate::domain::identity::Identity;
use crate::routes::visitor::Visitor;

/// Changes the caller's password and ends all other sessions.
#[utoipa::path(post, path = "/api/v1/password", tag = "password", request_body = ChangePassword,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 204, description = "The password is changed"),
        (status = 401, description = "`login_failed`: the current password is wrong; `invalid_session`",
            body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn change(
    caller: Session,
    visitor: Visitor,
    body: ValidJson<ChangePassword>,
    identity: Data<Identity>,
) -> Result<HttpResponse, HttpError> {
    let ChangePassword { current_password, new_password } = body.into_inner();
    let current = wire::password("current_password", current_password)?;
    let new = wire::new_password("new_password", new_password)?;
    let live = sessions::live(&identity, &caller).await?;
    identity.change_password(&live, (current, new), &visitor.by_native()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Asks for a code that sets a new password. The answer is the same for every address.
#[utoipa::path(post, path = "/api/v1/password/reset", tag = "password", request_body = RequestReset,
    responses(
        (status = 202, description = "If the address has an account, a code is on its way",
            body = ResetRequested),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn request_reset(
    visitor: Visitor,
    body: ValidJson<RequestReset>,
    identity: Data<Identity>,
) -> Result<HttpResponse, HttpError> {
    let email = wire::email(&body.email)?;
    let code_expires_at = identity.into_inner().request_reset(email, visitor.by_native()).await?;
    Ok(HttpResponse::Accepted().json(ResetRequested { code_expires_at }))
}

/// Sets a new password by code and ends all sessions.
#[utoipa::path(post, path = "/api/v1/password/reset/verify", tag = "password", request_body = VerifyReset,
    responses(
        (status = 204, description = "The password is set"),
        (status = 401, description = "`otp_failed`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn reset(
    visitor: Visitor,
    body: ValidJson<VerifyReset>,
    identity: Data<Identity>,
) -> Result<HttpResponse, HttpError> {
    let VerifyReset { email, code, new_password } = body.into_inner();
    let (email, new) = (wire::email(&email)?, wire::new_password("new_password", new_password)?);
    identity.reset_password((&email, wire::code(&code)?), new, &visitor.by_native()).await?;
    Ok(HttpResponse::NoContent().finish())
}
