//! `/internal/v1/users` and `/internal/v1/addresses`: what the gateway asks about people.

use std::net::IpAddr;

use actix_web::web::{Data, Json};
use coffer_api::ErrorCode;
use coffer_api::identity::{NewSession, User};
use coffer_api::internal::users::{
    AddressOwner, AddressQuestion, BlindedAddress, ListedUser, ListedUsers, MeAnswer, NamedCode, NamedLogIn,
    NamedLoggedIn, NamedRegistered, NamedRegistration, SessionEnd, USERS_MAX, UserFacts, UserFactsAnswer,
    UserListing,
};
use coffer_api::internal::{Done, SessionCheck};
use coffer_auth::permission::SeeUsers;
use coffer_auth::principal::Permission as _;
use coffer_server::{Failure, HttpError, ValidJson};

use super::gateway::GatewayCaller;
use crate::domain::events::Origin;
use crate::domain::identity::{
    Client, Identity, IdentityError, LogInOutcome, NamedWish, Registered, Surface,
};
use crate::routes::v1::{sessions, wire};
use crate::routes::visitor::Visitor;

/// Users in one page.
const PAGE_USERS: usize = 500;

/// The person behind the gateway: it says which address it saw.
fn origin(Visitor(gateway): Visitor, client: IpAddr) -> Origin {
    Origin { address: Some(client), ..gateway }
}

fn client_of(gateway: Visitor, client: IpAddr) -> Client {
    Client::new(origin(gateway, client), Surface::Names)
}

/// Becomes a user with a name.
pub(super) async fn register(
    _: GatewayCaller,
    gateway: Visitor,
    asked: ValidJson<NamedRegistration>,
    identity: Data<Identity>,
) -> Result<Json<NamedRegistered>, HttpError> {
    let NamedRegistration { user_name, email, password, client } = asked.into_inner();
    let wish = NamedWish { user_name, email, password: wire::password("password", password)? };
    Ok(Json(match identity.register_named(wish, &client_of(gateway, client)).await? {
        Registered::Pending(code_expires_at) => NamedRegistered::Pending(code_expires_at),
        Registered::Made(user) => NamedRegistered::Registered(wire::user(*user)),
    }))
}

/// Completes a registration by its code.
pub(super) async fn verify_registration(
    _: GatewayCaller,
    gateway: Visitor,
    asked: ValidJson<NamedCode>,
    identity: Data<Identity>,
) -> Result<Json<User>, HttpError> {
    let (client, code) = (client_of(gateway, asked.client), wire::code(&asked.code)?);
    Ok(Json(wire::user(identity.verify_named_registration(&asked.login, code, &client).await?)))
}

/// The first step of logging in: the password.
pub(super) async fn log_in(
    _: GatewayCaller,
    gateway: Visitor,
    asked: ValidJson<NamedLogIn>,
    identity: Data<Identity>,
) -> Result<Json<NamedLoggedIn>, HttpError> {
    let NamedLogIn { login, password, client } = asked.into_inner();
    let password = wire::password("password", password)?;
    Ok(Json(match identity.log_in_named(&login, password, &client_of(gateway, client)).await {
        Ok(LogInOutcome::CodeSent(code_expires_at)) => NamedLoggedIn::OtpRequired(code_expires_at),
        Ok(LogInOutcome::Opened(opened)) => NamedLoggedIn::Opened(Box::new(wire::new_session(*opened))),
        Err(IdentityError::Deactivated) => NamedLoggedIn::Deactivated,
        Err(error) => return Err(error.into()),
    }))
}

/// The second step of logging in: the code.
pub(super) async fn verify_log_in(
    _: GatewayCaller,
    gateway: Visitor,
    asked: ValidJson<NamedCode>,
    identity: Data<Identity>,
) -> Result<Json<NewSession>, HttpError> {
    let (client, code) = (client_of(gateway, asked.client), wire::code(&asked.code)?);
    Ok(Json(wire::new_session(identity.verify_log_in_named(&asked.login, code, &client).await?)))
}

/// Ends the session that a token opens; one that has ended stays so.
pub(super) async fn log_out(
    _: GatewayCaller,
    gateway: Visitor,
    asked: ValidJson<SessionEnd>,
    identity: Data<Identity>,
) -> Result<Json<Done>, HttpError> {
    let origin = origin(gateway, asked.client);
    match identity.check_session(asked.token.expose()).await? {
        Some(live) => match identity.end_session(live.user.id, live.session, &origin).await {
            Ok(()) | Err(IdentityError::SessionNotFound) => {}
            Err(error) => return Err(error.into()),
        },
        None => identity.forget_lately(),
    }
    Ok(Json(Done {}))
}

/// Whose session a token opens.
pub(super) async fn me(
    _: GatewayCaller,
    asked: ValidJson<SessionCheck>,
    identity: Data<Identity>,
) -> Result<Json<MeAnswer>, HttpError> {
    let live = identity.check_session(asked.token.expose()).await?;
    Ok(Json(MeAnswer { me: live.map(sessions::me_of) }))
}

/// All users, for a caller who may see them.
pub(super) async fn list(
    _: GatewayCaller,
    asked: ValidJson<UserListing>,
    identity: Data<Identity>,
) -> Result<Json<ListedUsers>, HttpError> {
    let live = identity.check_session(asked.token.expose()).await?;
    let live = live.ok_or(Failure::of(ErrorCode::InvalidSession))?;
    SeeUsers::check(&live.principal()).map_err(|_| Failure::of(ErrorCode::PermissionDenied))?;
    let page = identity.list_users(asked.after, PAGE_USERS).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for user in page.items {
        let last_login_at = identity.last_log_in(user.id).await?;
        items.push(ListedUser { user: wire::user(user), last_login_at });
    }
    Ok(Json(ListedUsers { items, next: page.next }))
}

/// Who users are.
pub(super) async fn facts(
    _: GatewayCaller,
    asked: ValidJson<UserFacts>,
    identity: Data<Identity>,
) -> Result<Json<UserFactsAnswer>, HttpError> {
    if asked.ids.len() > USERS_MAX {
        return Err(Failure::field("ids", format!("has more than {USERS_MAX} items")).into());
    }
    let mut users = Vec::with_capacity(asked.ids.len());
    for id in &asked.ids {
        users.extend(identity.user(*id).await?.map(wire::user));
    }
    Ok(Json(UserFactsAnswer { users }))
}

/// An address as grants know it.
pub(super) async fn blind(
    _: GatewayCaller,
    asked: ValidJson<AddressQuestion>,
    identity: Data<Identity>,
) -> Result<Json<BlindedAddress>, HttpError> {
    Ok(Json(BlindedAddress { address_hash: identity.blind(&asked.email) }))
}

/// Who proved an address.
pub(super) async fn owner(
    _: GatewayCaller,
    asked: ValidJson<AddressQuestion>,
    identity: Data<Identity>,
) -> Result<Json<AddressOwner>, HttpError> {
    Ok(Json(AddressOwner { user_id: identity.owner_of(&asked.email).await? }))
}
