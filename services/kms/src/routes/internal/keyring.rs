//! `/internal/v1/keyring`.

use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::ErrorCode;
use coffer_api::internal::{KeyringRequest, WrappedKeyring};
use coffer_auth::service_token::ServiceName;
use coffer_server::{Failure, HttpError, ServiceCaller, ServiceKeys, ValidJson};

use crate::domain::events::{Action, Actor, Event, Events, Origin};
use crate::domain::keyrings::{Keyrings, KeyringsError};
use crate::routes::visitor::Visitor;

/// The calling service's keyring, sealed so that only the holder of its secret opens it.
pub(super) async fn hand_over(
    ServiceCaller(caller): ServiceCaller,
    Visitor(origin): Visitor,
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
    record(&keyrings, &events, (service, origin)).await?;
    Ok(Json(WrappedKeyring { wrapped: STANDARD.encode(wrapped) }))
}

/// Records the hand-over before it happens. A service asks every half minute whether there is a new version;
/// the same answer to the same place again is no news for an hour.
async fn record(
    keyrings: &Keyrings,
    events: &Events,
    (service, origin): (ServiceName, Origin),
) -> Result<(), Failure> {
    let name = service.as_str();
    if !keyrings.is_news(name, origin.address) {
        return Ok(());
    }
    let address = origin.address;
    let action = Action::KeyringHandedOver { service: name.to_owned() };
    let event = Event::new(action).by(Actor::Service(name.to_owned())).from(&origin);
    events.record(event).await.map_err(Failure::unavailable)?;
    keyrings.told(name, address);
    Ok(())
}
