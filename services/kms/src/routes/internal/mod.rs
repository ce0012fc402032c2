//! What other services ask. Nothing here is reachable from the public listener, and every handler takes a
//! [`ServiceCaller`](coffer_server::ServiceCaller).

mod access;
mod feed;
mod keyring;
mod sessions;

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
        .service(native(internal::FEED).post(feed::since));
}
