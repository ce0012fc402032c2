//! Who calls: the door that the deployment asks for, and then the user key.

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use coffer_api::ErrorCode;
use coffer_api::contract::configs::{API_KEY, USER_KEY, USER_KEY_BYTES_MAX, USER_KEY_CHARS_MIN, check_key};
use coffer_api::contract::validation::{Location, ValidationError, Violation};
use coffer_core::SecretBytes;
use coffer_server::extract::ContractRejection;
use coffer_server::{ClientAddress, ConfigsContract, Failure, Session};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Ready, ready};

use crate::domain::configs::{AccessMode, Door, Holder};
use crate::domain::vault::Vault;
use crate::routes::path_key::{refused, rest_of};

type Rejection = ContractRejection<ConfigsContract>;

const TOO_SHORT: &str = "x-user-key header missing or too short (minimum 8 characters)";

/// A caller with a user key.
#[derive(Debug)]
pub(in crate::routes) struct Keyed {
    /// What the user key opens.
    pub(super) holder: Holder,
    user_key: SecretBytes,
    vault: Data<Vault>,
    client: ClientAddress,
}

impl Keyed {
    /// Moves everything to another user key; answers with advice about that one.
    pub(super) async fn rekey(&self, new: &str) -> Result<Option<&'static str>, Failure> {
        let (configs, client) = (self.vault.configs()?, self.client.limit_key());
        configs.rekey((self.user_key.expose(), new.as_bytes()), client).await?;
        Ok(configs.holder(new.as_bytes(), client).await?.advice())
    }
}

impl FromRequest for Keyed {
    type Error = Rejection;
    type Future = LocalBoxFuture<'static, Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = Session::<ConfigsContract>::from_request(request, payload);
        let client = ClientAddress::from_request(request, payload).into_inner();
        let request = request.clone();
        async move {
            let door: Data<Door> = data(&request)?;
            match door.mode {
                AccessMode::Open => {}
                AccessMode::ApiKey => {
                    let api_key = request.headers().get(API_KEY).map_or(&b""[..], |key| key.as_bytes());
                    if !door.knows(api_key) {
                        return Err(Failure::of(ErrorCode::InvalidApiKey).into());
                    }
                }
                AccessMode::Session => drop(session.await.map_err(ContractRejection::Unreadable)?),
            }
            let user_key = user_key(&request)?;
            let Ok(client) = client;
            let vault: Data<Vault> = data(&request)?;
            let holder =
                vault.configs().map_err(Failure::from)?.holder(user_key.expose(), client.limit_key());
            let holder = holder.await.map_err(Failure::from)?;
            Ok(Self { holder, user_key, vault, client })
        }
        .boxed_local()
    }
}

/// The user key of a request.
fn user_key(request: &HttpRequest) -> Result<SecretBytes, Rejection> {
    let mut sent = request.headers().get_all(USER_KEY);
    let Some(header) = sent.next() else {
        let msg = "Field required".to_owned();
        return Err(vec![wrong_header(Violation { kind: "missing", msg, ctx: None })].into());
    };
    if sent.next().is_some() {
        return Err(vec![wrong_header(Violation::value("the header is given twice"))].into());
    }
    let bytes = header.as_bytes();
    let chars = std::str::from_utf8(bytes).map_or(bytes.len(), |text| text.chars().count());
    if chars < USER_KEY_CHARS_MIN {
        return Err(Failure::of(ErrorCode::InvalidUserKey).with_detail(TOO_SHORT).into());
    }
    if bytes.len() > USER_KEY_BYTES_MAX {
        return Err(vec![wrong_header(Violation::too_long(USER_KEY_BYTES_MAX, "bytes"))].into());
    }
    Ok(SecretBytes::new(bytes.to_vec()))
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
