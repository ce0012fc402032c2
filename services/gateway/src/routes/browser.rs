//! Logging in and out of browsers: as the KMS does it, but the session's token goes into a cookie that no
//! script can read, where the request asks for that (`coffer-session: cookie`).

use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::{Bytes, BytesMut};
use coffer_api::WireSecret;
use coffer_api::identity::{CookieLogIn, CookieSession, LogIn, LogInAnswer, NewSession, VerifyLogIn};
use coffer_api::paths::headers;
use coffer_client::ForwardAnswer;
use coffer_core::Clock;
use coffer_server::{ClientAddress, Failure, HttpError, Native, PassedBody, ValidJson};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;

use super::cookies::{
    DEVICE_COOKIE, DEVICE_COOKIE_S, SESSION_COOKIE, check_own_page, cookie, no_session_cookie, set_cookie,
};
use super::forward::{self, Upstreams, as_sent, pass_back};
use crate::failures::not_passed_on;

/// The largest answer to a log-in that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

type Answered = Result<HttpResponse, HttpError<Native>>;

/// A body that names the device it comes from.
trait FromDevice: DeserializeOwned + Serialize + 'static {
    fn device(&mut self) -> &mut Option<WireSecret>;
}

impl FromDevice for LogIn {
    fn device(&mut self) -> &mut Option<WireSecret> {
        &mut self.device
    }
}

impl FromDevice for VerifyLogIn {
    fn device(&mut self) -> &mut Option<WireSecret> {
        &mut self.device
    }
}

fn wants_cookie(request: &HttpRequest) -> bool {
    request.headers().get(headers::SESSION).is_some_and(|value| value == "cookie")
}

/// The first step of logging in.
pub(super) async fn log_in(
    request: HttpRequest,
    client: ClientAddress,
    payload: Payload,
    services: (Data<Upstreams>, Data<dyn Clock>),
) -> Answered {
    let (upstreams, clock) = services;
    let answer = match ask::<LogIn>(request, client, payload, upstreams).await? {
        Asked::ForCookie(answer) => answer,
        Asked::PassedOn(response) => return Ok(response),
    };
    match read::<LogInAnswer>(answer).await? {
        LogInAnswer::OtpRequired { code_expires_at } => {
            Ok(HttpResponse::Ok().json(CookieLogIn::OtpRequired { code_expires_at }))
        }
        LogInAnswer::LoggedIn(session) => {
            let mut response = HttpResponse::Ok();
            let session = into_cookies(*session, &mut response, &**clock);
            Ok(response.json(CookieLogIn::LoggedIn(session)))
        }
    }
}

/// The second step of logging in.
pub(super) async fn verify(
    request: HttpRequest,
    client: ClientAddress,
    payload: Payload,
    services: (Data<Upstreams>, Data<dyn Clock>),
) -> Answered {
    let (upstreams, clock) = services;
    let answer = match ask::<VerifyLogIn>(request, client, payload, upstreams).await? {
        Asked::ForCookie(answer) => answer,
        Asked::PassedOn(response) => return Ok(response),
    };
    let mut response = HttpResponse::Created();
    let session = into_cookies(read::<NewSession>(answer).await?, &mut response, &**clock);
    Ok(response.json(session))
}

/// Ends sessions, the browser's own included: its cookie goes with it.
pub(super) async fn log_out(
    request: HttpRequest,
    client: ClientAddress,
    body: PassedBody<Native>,
    upstreams: Data<Upstreams>,
) -> Answered {
    let by_cookie = cookie(request.headers(), SESSION_COOKIE).is_some();
    let mut response = forward::to_kms(request, client, body, upstreams).await?;
    if by_cookie
        && response.status().is_success()
        && let Some(line) = no_session_cookie()
    {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    Ok(response)
}

enum Asked {
    /// What the KMS answers, to be told without what goes into cookies.
    ForCookie(ForwardAnswer),
    /// A refusal, or what was not asked for in a cookie: told as the KMS answered it.
    PassedOn(HttpResponse),
}

/// Asks the KMS; where a cookie is wanted, with the device's cookie in the body.
async fn ask<T: FromDevice>(
    request: HttpRequest,
    client: ClientAddress,
    payload: Payload,
    upstreams: Data<Upstreams>,
) -> Result<Asked, HttpError<Native>> {
    let mut payload = payload.into_inner();
    if !wants_cookie(&request) {
        let body = PassedBody::from_request(&request, &mut payload).await?;
        return forward::to_kms(request, client, body, upstreams).await.map(Asked::PassedOn);
    }
    check_own_page(request.headers())?;
    let mut body = ValidJson::<T>::from_request(&request, &mut payload).await?.into_inner();
    if let Some(device) = cookie(request.headers(), DEVICE_COOKIE) {
        body.device().get_or_insert_with(|| device.into());
    }
    let body = Bytes::from(serde_json::to_vec(&body).map_err(Failure::internal)?);
    let (length, piece) = (body.len(), stream::iter([Ok::<_, Infallible>(body)]));
    let passed = as_sent(&request, client, Some((Some(length), piece)));
    let answer = upstreams.kms.forward(passed).await.map_err(not_passed_on)?;
    Ok(if answer.status < 300 { Asked::ForCookie(answer) } else { Asked::PassedOn(pass_back(answer)) })
}

async fn read<T: DeserializeOwned>(answer: ForwardAnswer) -> Result<T, Failure> {
    let mut body = Box::pin(answer.into_body());
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece.map_err(not_passed_on)?);
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(Failure::internal("the KMS answers a log-in with more than a session"));
        }
    }
    serde_json::from_slice(&bytes).map_err(Failure::internal)
}

/// Puts what no script is to see into cookies of the response. The rest is left.
fn into_cookies(session: NewSession, response: &mut HttpResponseBuilder, clock: &dyn Clock) -> CookieSession {
    let NewSession { token, expires_at, device, user } = session;
    let lasts_s = i64::try_from(expires_at.since(clock.now()).as_secs()).unwrap_or(i64::MAX);
    let of_session = set_cookie(SESSION_COOKIE, &token.into_secret(), lasts_s);
    let of_device =
        device.and_then(|device| set_cookie(DEVICE_COOKIE, &device.into_secret(), DEVICE_COOKIE_S));
    for line in of_session.into_iter().chain(of_device) {
        response.append_header((header::SET_COOKIE, line));
    }
    CookieSession { expires_at, user }
}
