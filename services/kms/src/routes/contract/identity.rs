//! The file contract's calls about users.

use actix_web::web::{Data, Json};
use coffer_api::contract::kms::{Answer, Credentials, OtpProof};
use coffer_api::contract::validation::ValidationErrors;
use coffer_auth::password::Password;
use coffer_core::SecretString;
use coffer_server::{Failure, HttpError, JsonBody, KmsContract};

use crate::domain::identity::{Identity, LogInOutcome, Wish};
use crate::routes::visitor::Visitor;

type Answered = Result<Json<Answer>, HttpError<KmsContract>>;

/// Asks for an account and sends a code.
#[utoipa::path(post, path = "/register", tag = "file contract", request_body = Credentials,
    responses(
        (status = 200, description = "`registration_pending`; 400 `user_exists`; 429 `rate_limited`", body = Answer),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors)))]
pub(in crate::routes) async fn register(
    visitor: Visitor,
    body: JsonBody<Credentials>,
    identity: Data<Identity>,
) -> Answered {
    let Credentials { email, password } = body.into_inner();
    let wish = Wish { email, password: password_of(password.into_secret())?, user_name: None };
    identity.register(wish, &visitor.by_contract()).await?;
    Ok(Json(Answer::registration_pending()))
}

/// Completes a registration by its code.
#[utoipa::path(post, path = "/verify_register", tag = "file contract", request_body = OtpProof,
    responses(
        (status = 200, description = "`registration_success`; 400 `no_pending_registration`; 401 `otp_failed`; \
            429 `rate_limited`", body = Answer),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors)))]
pub(in crate::routes) async fn verify_register(
    visitor: Visitor,
    body: JsonBody<OtpProof>,
    identity: Data<Identity>,
) -> Answered {
    identity.verify_registration(&body.email, body.otp.expose(), &visitor.by_contract()).await?;
    Ok(Json(Answer::registration_success()))
}

/// The first step of logging in. A code always follows.
#[utoipa::path(post, path = "/login", tag = "file contract", request_body = Credentials,
    responses(
        (status = 200, description = "`login_otp_sent`; 401 `login_failed`; 429 `rate_limited`", body = Answer),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors)))]
pub(in crate::routes) async fn login(
    visitor: Visitor,
    body: JsonBody<Credentials>,
    identity: Data<Identity>,
) -> Answered {
    let Credentials { email, password } = body.into_inner();
    let password = password_of(password.into_secret())?;
    match identity.log_in(&email, password, &visitor.by_contract()).await? {
        LogInOutcome::CodeSent(_) => Ok(Json(Answer::login_otp_sent())),
        LogInOutcome::Opened(_) => Err(Failure::internal("a log-in of the contract needs a code").into()),
    }
}

/// The second step of logging in: the code.
#[utoipa::path(post, path = "/verify_login", tag = "file contract", request_body = OtpProof,
    responses(
        (status = 200, description = "`login_success` with `sid`; 401 `otp_failed`; 429 `rate_limited`", body = Answer),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors)))]
pub(in crate::routes) async fn verify_login(
    visitor: Visitor,
    body: JsonBody<OtpProof>,
    identity: Data<Identity>,
) -> Answered {
    let opened = identity.verify_log_in(&body.email, body.otp.expose(), &visitor.by_contract()).await?;
    Ok(Json(Answer::login_success(opened.token)))
}

fn password_of(text: SecretString) -> Result<Password, Failure> {
    Password::new(text).map_err(|error| Failure::field("password", error.to_string()))
}
