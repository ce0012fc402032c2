//! Registering, logging in and seeing users by name.

use std::net::IpAddr;

use actix_web::http::header;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, Responder};
use coffer_api::ErrorCode;
use coffer_api::contract::people::{
    About, ListedUser, LogIn, LoggedInUser, LoggedOut, MeAnswer, MeUser, Outcome, Proof, Register,
    UsersAnswer,
};
use coffer_api::contract::validation::ValidationErrors;
use coffer_api::identity::{NewSession, User};
use coffer_api::internal::users::{
    Login, NamedCode, NamedLogIn, NamedLoggedIn, NamedRegistered, NamedRegistration,
};
use coffer_auth::permission::SeeUsers;
use coffer_auth::principal::Permission as _;
use coffer_server::{ClientAddress, DetailContract, Failure, HttpError, JsonBody};

use crate::domain::kms::AskError;
use crate::domain::usage::Calendar;
use crate::routes::Kms;
use crate::routes::caller::Caller;

type Body<T> = JsonBody<T, DetailContract>;
type Answered = Result<HttpResponse, HttpError<DetailContract>>;

const TAKEN: &str = "Username or email already exists";
const REGISTERED: &str = "User registered successfully";
const PENDING: &str = "Registration pending: enter the code sent to your e-mail";
const INVALID_CREDENTIALS: &str = "Invalid credentials";
const INVALID_CODE: &str = "Invalid or expired code";
const DEACTIVATED: &str = "Account is deactivated";
const OTP_REQUIRED: &str = "otp_required";
const TOO_MANY: &str = "Too many attempts. Try again later";

/// Becomes a user.
#[utoipa::path(post, path = "/register", tag = "users", request_body = Register,
    responses(
        (status = 200, description = "`User registered successfully`, `Registration pending: …` or \
            `Username or email already exists`", body = Outcome),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors)))]
pub(in crate::routes) async fn register(
    ClientAddress(client): ClientAddress,
    body: Body<Register>,
    kms: Kms,
) -> Answered {
    let Register { username, email, password } = body.into_inner();
    let wish = NamedRegistration { user_name: username, email, password, client };
    match kms.register(&wish).await {
        Ok(NamedRegistered::Pending(_)) => Ok(outcome(Outcome::done(PENDING))),
        Ok(NamedRegistered::Registered(_)) => Ok(outcome(Outcome::done(REGISTERED))),
        Err(error) => refused(error, |code| match code {
            ErrorCode::UserExists | ErrorCode::UserNameTaken => Some(TAKEN),
            _ => None,
        }),
    }
}

/// Completes a registration by the code from the e-mail.
#[utoipa::path(post, path = "/verify_register", tag = "users", request_body = Proof,
    responses(
        (status = 200, description = "`User registered successfully` or `Invalid or expired code`", body = Outcome),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors)))]
pub(in crate::routes) async fn verify_register(
    ClientAddress(client): ClientAddress,
    body: Body<Proof>,
    kms: Kms,
) -> Answered {
    let Some(code) = named_code(body, client) else { return Ok(outcome(Outcome::refused(INVALID_CODE))) };
    match kms.verify_registration(&code).await {
        Ok(_) => Ok(outcome(Outcome::done(REGISTERED))),
        Err(error) => refused(error, |code| match code {
            ErrorCode::OtpFailed | ErrorCode::NoPendingRegistration => Some(INVALID_CODE),
            ErrorCode::UserExists | ErrorCode::UserNameTaken => Some(TAKEN),
            _ => None,
        }),
    }
}

/// Logs in by password.
#[utoipa::path(post, path = "/login", tag = "users", request_body = LogIn,
    responses(
        (status = 200, description = "`Login successful` with a token, `otp_required`, `Invalid credentials` or \
            `Account is deactivated`", body = Outcome),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors)))]
pub(in crate::routes) async fn login(
    ClientAddress(client): ClientAddress,
    body: Body<LogIn>,
    kms: Kms,
) -> Answered {
    let LogIn { username, password } = body.into_inner();
    // What is no name and no address belongs to nobody.
    let Ok(login) = username.parse::<Login>() else {
        return Ok(outcome(Outcome::refused(INVALID_CREDENTIALS)));
    };
    match kms.log_in(&NamedLogIn { login, password, client }).await {
        Ok(NamedLoggedIn::OtpRequired(_)) => Ok(outcome(Outcome::refused(OTP_REQUIRED))),
        Ok(NamedLoggedIn::Opened(session)) => Ok(outcome(logged_in(*session))),
        Ok(NamedLoggedIn::Deactivated) => Ok(outcome(Outcome::refused(DEACTIVATED))),
        Err(error) => refused(error, |code| (code == ErrorCode::LoginFailed).then_some(INVALID_CREDENTIALS)),
    }
}

/// Completes a log-in by the code from the e-mail.
#[utoipa::path(post, path = "/verify_login", tag = "users", request_body = Proof,
    responses(
        (status = 200, description = "`Login successful` with a token, or `Invalid or expired code`", body = Outcome),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors)))]
pub(in crate::routes) async fn verify_login(
    ClientAddress(client): ClientAddress,
    body: Body<Proof>,
    kms: Kms,
) -> Answered {
    let Some(code) = named_code(body, client) else { return Ok(outcome(Outcome::refused(INVALID_CODE))) };
    match kms.verify_log_in(&code).await {
        Ok(session) => Ok(outcome(logged_in(session))),
        Err(error) => refused(error, |code| (code == ErrorCode::OtpFailed).then_some(INVALID_CODE)),
    }
}

/// Ends the session.
#[utoipa::path(post, path = "/logout", tag = "users", security(("bearer" = [])),
    responses((status = 200, body = LoggedOut), (status = 401, description = "No session, or one that has ended")))]
pub(in crate::routes) async fn logout(
    caller: Caller,
    ClientAddress(client): ClientAddress,
    services: (Kms, Data<coffer_kms_link::Link>),
) -> Result<Json<LoggedOut>, HttpError<DetailContract>> {
    let (kms, link) = services;
    kms.log_out(caller.token.expose(), client).await?;
    link.sessions().forget(&caller.session);
    Ok(Json(LoggedOut { success: true, message: "Logged out successfully" }))
}

/// Who the caller is.
#[utoipa::path(get, path = "/me", tag = "users", security(("bearer" = [])),
    responses((status = 200, body = MeAnswer), (status = 401, description = "No session, or one that has ended")))]
pub(in crate::routes) async fn me(
    caller: Caller,
    (kms, calendar): (Kms, Data<Calendar>),
) -> Result<Json<MeAnswer>, HttpError<DetailContract>> {
    let me = kms.me(caller.token.expose()).await?.ok_or(Failure::of(ErrorCode::InvalidSession))?;
    let LoggedInUser { id, username, email, role } = contract_user(me.user);
    let expires_at = calendar.write_micros(me.expires_at);
    Ok(Json(MeAnswer { user: MeUser { user_id: id, username, email, role, expires_at } }))
}

/// Every user.
#[utoipa::path(get, path = "/users", tag = "users", security(("bearer" = [])),
    responses(
        (status = 200, body = UsersAnswer),
        (status = 401, description = "No session, or one that has ended"),
        (status = 403, description = "The caller is neither administrator nor manager")))]
pub(in crate::routes) async fn users(
    caller: Caller,
    (kms, calendar): (Kms, Data<Calendar>),
) -> Result<Json<UsersAnswer>, HttpError<DetailContract>> {
    SeeUsers::check(&caller).map_err(|_| Failure::of(ErrorCode::PermissionDenied))?;
    let (mut users, mut after) = (Vec::new(), Some(0));
    while let Some(number) = after {
        let page = kms.users(caller.token.expose(), number).await?;
        users.extend(page.items.into_iter().map(|listed| {
            let (is_active, made) = (listed.user.active, listed.user.created_at);
            let LoggedInUser { id, username, email, role } = contract_user(listed.user);
            let created_at = calendar.write(made).datetime;
            let last_login = listed.last_login_at.map(|moment| calendar.write(moment).datetime);
            ListedUser { id, username, email, role, created_at, last_login, is_active }
        }));
        after = page.next;
    }
    Ok(Json(UsersAnswer { users }))
}

/// What this is.
#[utoipa::path(get, path = "/api", tag = "about", responses((status = 200, body = About)))]
pub(in crate::routes) async fn about() -> impl Responder {
    Json(About { message: "Coffer key-value store", version: env!("CARGO_PKG_VERSION") })
}

fn outcome(outcome: Outcome) -> HttpResponse {
    HttpResponse::Ok().json(outcome)
}

/// The code, and whose it is; what is no name and no address belongs to nobody.
fn named_code(body: Body<Proof>, client: IpAddr) -> Option<NamedCode> {
    let Proof { username, otp } = body.into_inner();
    Some(NamedCode { login: username.parse().ok()?, code: otp, client })
}

fn logged_in(session: NewSession) -> Outcome {
    Outcome::logged_in(session.token, contract_user(session.user))
}

/// A refusal as an outcome, if the contract has words for it.
fn refused(error: AskError, words: impl FnOnce(ErrorCode) -> Option<&'static str>) -> Answered {
    if let AskError::Refused(refusal) = &error
        && refusal.code == ErrorCode::RateLimited
    {
        let mut response = HttpResponse::Ok();
        if let Some(seconds) = refusal.retry_after_s {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        return Ok(response.json(Outcome::refused(TOO_MANY)));
    }
    match error.code().and_then(words) {
        Some(message) => Ok(outcome(Outcome::refused(message))),
        None => Err(error.into()),
    }
}

fn contract_user(user: User) -> LoggedInUser {
    let username = user.user_name.unwrap_or_else(|| user.email.clone());
    LoggedInUser { id: user.number, username, email: user.email, role: user.role.into() }
}
