//! `POST /api/v1/sessions` and its second step.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use coffer_api::identity::{LogIn, LogInAnswer, NewSession, VerifyLogIn};
use coffer_api::{Problem, WireSecret};
use coffer_server::{HttpError, ValidJson};

use super::wire;
use crate::domain::identity::{Identity, LogInOutcome};
use crate::routes::visitor::Visitor;

/// The first step of logging in.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "sessions", request_body = LogIn,
    responses(
        (status = 200, description = "A code is on its way, or (`auth.email_otp` = `optional`) a session",
            body = LogInAnswer),
        (status = 401, description = "`login_failed`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn log_in(
    visitor: Visitor,
    body: ValidJson<LogIn>,
    identity: Data<Identity>,
) -> Result<Json<LogInAnswer>, HttpError> {
    let LogIn { email, password, device } = body.into_inner();
    let client = visitor.by_native().with_device(device.as_ref().map(WireSecret::expose));
    let (email, password) = (wire::email(&email)?, wire::password("password", password)?);
    Ok(Json(match identity.log_in(&email, password, &client).await? {
        LogInOutcome::CodeSent(code_expires_at) => LogInAnswer::OtpRequired { code_expires_at },
        LogInOutcome::Opened(opened) => LogInAnswer::LoggedIn(Box::new(wire::new_session(*opened))),
    }))
}

/// The second step of logging in: the code.
#[utoipa::path(post, path = "/api/v1/sessions/verify", tag = "sessions", request_body = VerifyLogIn,
    responses(
        (status = 201, description = "A session; its token is shown this once", body = NewSession),
        (status = 401, description = "`otp_failed`", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn verify(
    visitor: Visitor,
    body: ValidJson<VerifyLogIn>,
    identity: Data<Identity>,
) -> Result<HttpResponse, HttpError> {
    let client = visitor.by_native().with_device(body.device.as_ref().map(WireSecret::expose));
    let email = wire::email(&body.email)?;
    let opened = identity.verify_log_in(&email, wire::code(&body.code)?, &client).await?;
    Ok(HttpResponse::Created().json(wire::new_session(opened)))
}
