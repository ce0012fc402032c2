//! HTTP in and out. Handlers say who may call, what they take and what they give; then make one call.

mod contract;
mod events;
mod file_keys;
mod internal;
mod mailbox;
mod openapi;
mod parts;
#[cfg(test)]
mod tests;
mod v1;
mod visitor;

use actix_web::web::ServiceConfig;
use coffer_api::{identity, paths};
use coffer_server::routes::{contract as contract_path, native};

pub(crate) use openapi::KEPT as OPENAPI;
pub(crate) use parts::Parts;

/// The public routes.
pub(crate) fn public(app: &mut ServiceConfig, parts: &Parts) {
    parts.configure(app);
    // First, because paths are tried in this order, and nothing is asked for as often as a file key.
    file_keys::public(app);
    app.service(contract_path(paths::contract::REGISTER).post(contract::identity::register))
        .service(contract_path(paths::contract::VERIFY_REGISTER).post(contract::identity::verify_register))
        .service(contract_path(paths::contract::LOGIN).post(contract::identity::login))
        .service(contract_path(paths::contract::VERIFY_LOGIN).post(contract::identity::verify_login))
        .service(native(identity::REGISTRATIONS).post(v1::registrations::register))
        .service(native(identity::REGISTRATIONS_VERIFY).post(v1::registrations::verify))
        .service(native(identity::REGISTRATIONS_CODE).post(v1::registrations::resend))
        .service(
            native(identity::SESSIONS)
                .post(v1::log_in::log_in)
                .get(v1::sessions::list)
                .delete(v1::sessions::end_all),
        )
        .service(native(identity::SESSIONS_VERIFY).post(v1::log_in::verify))
        .service(native(identity::SESSIONS_CURRENT).delete(v1::sessions::end_current))
        .service(native(identity::SESSION).delete(v1::sessions::end_one))
        .service(native(identity::ME).get(v1::sessions::me))
        .service(native(identity::PASSWORD).post(v1::passwords::change))
        .service(native(identity::PASSWORD_RESET).post(v1::passwords::request_reset))
        .service(native(identity::PASSWORD_RESET_VERIFY).post(v1::passwords::reset))
        .service(native(identity::USERS).get(v1::users::list))
        .service(native(identity::USER).patch(v1::users::change))
        .service(native(identity::EVENTS).get(events::list));
}

/// The internal routes.
pub(crate) fn internal(app: &mut ServiceConfig, parts: &Parts) {
    parts.configure(app);
    internal::configure(app);
    if parts.mailbox.is_some() {
        app.service(native(mailbox::PATH).get(mailbox::letters));
    }
}
