//! `/internal/v1/keyring`.

use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::ErrorCode;
use coffer_api::internal::{KeyringRequest, WrappedKeyring};
use coffer_server::{Failure, HttpError, ServiceCaller, ServiceKeys, ValidJson};

use crate::domain::events::{Action, Actor, Event, Events};
use crate::domain::keyrings::{Keyrings, KeyringsError};

/// The calling service's keyring, sealed so that only the holder of its secret opens it. It is recorded
/// before it is handed over.
pub(super) async fn hand_over(
    ServiceCaller(caller): ServiceCaller,
    _: ValidJson<KeyringRequest>,
    services: (Data<Keyrings>, Data<Events>, Data<ServiceKeys>),
) -> Result<Json<WrappedKeyring>, HttpError> {
    let (keyrings, events, secrets) = services;
    let service = caller.service;
    // A caller was only let in with this secret.
    let secret = secrets.get(service).ok_or(Failure::of(ErrorCode::InvalidServiceToken))?;
    let wrapped = keyrings.hand_over(service.as_str(), secret.expose()).map_err(|error| match error {
        KeyringsError::UnknownService(_) => Failure::of(ErrorCode::NotFound).with_cause(error),
        other => Failure::internal(other),
    })?;
    let name = service.as_str().to_owned();
    let event = Event::new(Action::KeyringHandedOver { service: name.clone() }).by(Actor::Service(name));
    events.record(event).await.map_err(Failure::unavailable)?;
    Ok(Json(WrappedKeyring { wrapped: STANDARD.encode(wrapped) }))
}
