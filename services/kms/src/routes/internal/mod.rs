//! What other services ask. Nothing here is reachable from the public listener, and every handler takes a
//! [`ServiceCaller`](coffer_server::ServiceCaller).

mod access;
mod feed;
mod keyring;

use actix_web::web::ServiceConfig;
use coffer_api::paths::internal;
use coffer_server::routes::native;

/// The internal routes of keys and revocations. They need `Data` of `FileKeys`, `Keyrings`, `Events`, `Feed`
/// and `ServiceKeys`.
pub fn configure(app: &mut ServiceConfig) {
    app.service(native(internal::KEYRING).post(keyring::hand_over))
        .service(native(internal::ACCESS_RESOLVE).post(access::resolve))
        .service(native(internal::ACCESS_SHARED).post(access::shared))
        .service(native(internal::FEED).post(feed::since));
}
