//! Who calls: the door that the deployment asks for, and then the user key.

use std::marker::PhantomData;
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use coffer_api::ErrorCode;
use coffer_api::contract::configs::{API_KEY, USER_KEY, USER_KEY_BYTES_MAX, USER_KEY_CHARS_MIN, check_key};
use coffer_api::contract::validation::{Location, ValidationError, Violation};
use coffer_auth::Principal;
use coffer_core::SecretBytes;
use coffer_kms_link::Link;
use coffer_server::extract::ContractRejection;
use coffer_server::{
    BytesInFlight, CallerToken, ClientAddress, ConfigsContract, Failure, HttpError, Native, Reservation,
    Session, Surface, Token,
};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Ready, ready};

use crate::domain::configs::{AccessMode, Door, Holder};
use crate::domain::vault::Vault;
use crate::routes::path_key::{refused, rest_of};
use crate::routes::v1::events::Guard;

type Rejection = ContractRejection<ConfigsContract>;

/// Why somebody is not let in, to be said in the manner of the surface.
enum Refused {
    /// By the header with the user key.
    Header(Violation),
    /// By something else.
    Failure(Failure),
}

impl<E: Into<Failure>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Header(violation) => vec![wrong_header(violation)].into(),
            Refused::Failure(failure) => failure.into(),
        }
    }
}

impl From<Refused> for HttpError<Native> {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Header(violation) => Failure::field(USER_KEY, violation.msg).into(),
            Refused::Failure(failure) => failure.into(),
        }
    }
}

const TOO_SHORT: &str = "x-user-key header missing or too short (minimum 8 characters)";

/// A caller with a user key.
#[derive(Debug)]
pub(in crate::routes) struct Keyed<S: Surface = ConfigsContract> {
    /// What the user key opens.
    pub(in crate::routes) holder: Holder,
    user_key: SecretBytes,
    vault: Data<Vault>,
    client: ClientAddress,
    session: Option<(Token, Principal)>,
    surface: PhantomData<S>,
}

impl<S: Surface> Keyed<S> {
    /// Moves everything to another user key; answers with advice about that one.
    pub(in crate::routes) async fn rekey(&self, new: &str) -> Result<Option<&'static str>, Failure> {
        let (configs, client) = (self.vault.configs()?, self.client.limit_key());
        configs.rekey((self.user_key.expose(), new.as_bytes()), client).await?;
        Ok(configs.holder(new.as_bytes(), client).await?.advice())
    }

    /// A share of the bytes in flight for everything that the user key opens, to be kept as long as that is in memory.
    pub(in crate::routes) async fn share_of_all(
        &self,
        in_flight: &BytesInFlight,
    ) -> Result<Reservation, Failure> {
        in_flight.share(self.holder.bytes().await?)
    }

    /// What counts as one client for limits.
    pub(in crate::routes) fn client(&self) -> IpAddr {
        self.client.limit_key()
    }

    /// What must go on for a watch to go on: the session, where one was asked for.
    pub(in crate::routes) fn guard(self, link: Data<Link>) -> Guard {
        match self.session {
            Some((token, principal)) => Guard::Session(link, token, principal),
            None => Guard::None,
        }
    }

    async fn of(request: HttpRequest, client: ClientAddress) -> Result<Self, Refused> {
        let door: Data<Door> = data(&request)?;
        let mut session = None;
        match door.mode {
            AccessMode::Open => {}
            AccessMode::ApiKey => {
                let api_key = request.headers().get(API_KEY).map_or(&b""[..], |key| key.as_bytes());
                if !door.knows(api_key) {
                    return Err(ErrorCode::InvalidApiKey.into());
                }
            }
            AccessMode::Session => {
                let principal =
                    *Session::<Native>::extract(&request).await.map_err(HttpError::into_failure)?;
                let token =
                    CallerToken::<Native>::extract(&request).await.map_err(HttpError::into_failure)?;
                session = Some((token.token.ok_or(ErrorCode::InvalidSession)?, principal));
            }
        }
        let user_key = user_key(&request)?;
        let vault: Data<Vault> = data(&request)?;
        let holder = vault.configs()?.holder(user_key.expose(), client.limit_key()).await?;
        Ok(Self { holder, user_key, vault, client, session, surface: PhantomData })
    }
}

macro_rules! keyed {
    ($surface:ty, $error:ty) => {
        impl FromRequest for Keyed<$surface> {
            type Error = $error;
            type Future = LocalBoxFuture<'static, Result<Self, $error>>;

            fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
                let Ok(client) = ClientAddress::from_request(request, payload).into_inner();
                let request = request.clone();
                async move { Self::of(request, client).await.map_err(Into::into) }.boxed_local()
            }
        }
    };
}

keyed!(ConfigsContract, Rejection);
keyed!(Native, HttpError<Native>);

/// The user key of a request.
fn user_key(request: &HttpRequest) -> Result<SecretBytes, Refused> {
    let mut sent = request.headers().get_all(USER_KEY);
    let Some(header) = sent.next() else {
        let msg = "Field required".to_owned();
        return Err(Refused::Header(Violation { kind: "missing", msg, ctx: None }));
    };
    if sent.next().is_some() {
        return Err(Refused::Header(Violation::value("the header is given twice")));
    }
    let text = text_of(header.as_bytes());
    if text.chars().count() < USER_KEY_CHARS_MIN {
        return Err(Failure::of(ErrorCode::InvalidUserKey).with_detail(TOO_SHORT).into());
    }
    if text.len() > USER_KEY_BYTES_MAX {
        return Err(Refused::Header(Violation::too_long(USER_KEY_BYTES_MAX, "bytes")));
    }
    Ok(SecretBytes::new(text.into_bytes()))
}

/// The text of a header. Some clients send letters beyond ASCII in UTF-8, as everything else has them; others in
/// ISO 8859-1, as HTTP once had it. What is no UTF-8 is the latter, so that it is the same user key from all of them.
fn text_of(header: &[u8]) -> String {
    // Room for all of it at once, so that nothing is left behind by moving.
    let mut text = String::with_capacity(header.len() * 2);
    match std::str::from_utf8(header) {
        Ok(utf8) => text.push_str(utf8),
        Err(_) => text.extend(header.iter().copied().map(char::from)),
    }
    text
}

/// What is wrong with the header. What was sent is never repeated.
fn wrong_header(Violation { kind, msg, ctx }: Violation) -> ValidationError {
    let loc = vec![Location::from("header"), Location::from(USER_KEY)];
    ValidationError { kind: kind.to_owned(), loc, msg, input: serde_json::Value::Null, ctx }
}

fn data<T: 'static>(request: &HttpRequest) -> Result<Data<T>, Failure> {
    request.app_data::<Data<T>>().cloned().ok_or_else(|| Failure::internal("the application lacks its data"))
}

/// The key that everything behind the first segment of the path names.
#[derive(Debug)]
pub(in crate::routes) struct ConfigKey(pub(super) String);

impl FromRequest for ConfigKey {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = rest_of(request.uri().path()).and_then(|key| {
            check_key(&key)?;
            Ok(Self(key.into_owned()))
        });
        ready(key.map_err(|violation| vec![refused(violation)].into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_key_is_the_same_in_either_encoding_of_a_header() {
        let key = "schlüssel ganz geheim nr 9";
        let latin: Vec<u8> = key.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
        assert!(std::str::from_utf8(&latin).is_err());
        assert_eq!(text_of(&latin), key);
        assert_eq!(text_of(key.as_bytes()), key);
        assert_eq!(text_of("鍵と鍵と鍵と鍵".as_bytes()), "鍵と鍵と鍵と鍵");
    }
}
