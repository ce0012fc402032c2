//! What other services ask. Nothing here is reachable from the public listener, and every handler takes a
//! [`ServiceCaller`](coffer_server::ServiceCaller).

mod access;
mod feed;
mod gateway;
mod keyring;
mod sessions;
mod users;

use actix_web::web::ServiceConfig;
use coffer_api::paths::internal;
use coffer_server::routes::native;

/// The internal routes. They need `Data` of `Identity`, `FileKeys`, `Keyrings`, `Events`, `Feed` and
/// `ServiceKeys`.
pub(super) fn configure(app: &mut ServiceConfig) {
    app.service(native(internal::KEYRING).post(keyring::hand_over))
        .service(native(internal::SESSIONS_CHECK).post(sessions::check))
        .service(native(internal::SESSIONS_TOUCH).post(sessions::touch))
        .service(native(internal::ACCESS_RESOLVE).post(access::resolve))
        .service(native(internal::ACCESS_SHARED).post(access::shared))
        .service(native(internal::FEED).post(feed::since))
        .service(native(internal::USERS_REGISTER).post(users::register))
        .service(native(internal::USERS_REGISTER_VERIFY).post(users::verify_registration))
        .service(native(internal::USERS_LOG_IN).post(users::log_in))
        .service(native(internal::USERS_LOG_IN_VERIFY).post(users::verify_log_in))
        .service(native(internal::USERS_LOG_OUT).post(users::log_out))
        .service(native(internal::USERS_ME).post(users::me))
        .service(native(internal::USERS_LIST).post(users::list))
        .service(native(internal::USERS_FACTS).post(users::facts))
        .service(native(internal::ADDRESSES_BLIND).post(users::blind))
        .service(native(internal::ADDRESSES_OWNER).post(users::owner));
}
