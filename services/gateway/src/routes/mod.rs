//! HTTP: the route tables and the translation between requests and the domain.

mod browser;
mod caller;
mod contract;
mod cookies;
mod forward;
mod openapi;
mod pages;

use actix_web::web::{Data, ServiceConfig};
use coffer_api::contract::people as paths_of_people;
use coffer_api::paths::{contract as file_contract, v1};
use coffer_core::Clock;
use coffer_kms_link::Link;
use coffer_server::routes::{Endpoint, contract as contract_path, native};

use crate::domain::kms::UserKms;
use contract::people;
use forward::{files, to_data, to_kms};

pub(crate) use cookies::admit;
pub(crate) use forward::Upstreams;
pub(crate) use openapi::document;

/// The KMS, for handlers.
type Kms = Data<dyn UserKms>;

/// What handlers work with.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) kms: Kms,
    pub(crate) link: Data<Link>,
    pub(crate) clock: Data<dyn Clock>,
    pub(crate) upstreams: Data<Upstreams>,
}

/// The KMS's native paths that are passed on as they are.
const OF_THE_KMS: [&str; 18] = [
    v1::REGISTRATIONS,
    v1::REGISTRATIONS_CODE,
    v1::REGISTRATIONS_VERIFY,
    v1::SESSION,
    v1::ME,
    v1::PASSWORD,
    v1::PASSWORD_RESET,
    v1::PASSWORD_RESET_VERIFY,
    v1::USERS,
    v1::USER,
    v1::EVENTS,
    v1::FILE_KEYS,
    v1::FILE_KEY_EXPORT,
    v1::FILE_KEY_SHOW,
    v1::FILE_KEY_UNWRAP,
    v1::GRANTS,
    v1::GRANTS_REVOKE,
    v1::SHARED,
];

/// The public routes.
pub(crate) fn public(app: &mut ServiceConfig, parts: &Parts) {
    app.app_data(parts.kms.clone())
        .app_data(parts.link.clone())
        .app_data(parts.clock.clone())
        .app_data(parts.upstreams.clone())
        .service(contract_path(paths_of_people::REGISTER).post(people::register))
        .service(contract_path(paths_of_people::VERIFY_REGISTER).post(people::verify_register))
        .service(contract_path(paths_of_people::LOGIN).post(people::login))
        .service(contract_path(paths_of_people::VERIFY_LOGIN).post(people::verify_login))
        .service(contract_path(paths_of_people::LOGOUT).post(people::logout))
        .service(contract_path(paths_of_people::ME).get(people::me))
        .service(contract_path(paths_of_people::USERS).get(people::users))
        .service(contract_path(paths_of_people::ABOUT).get(people::about))
        .service(contract_path("/").get(pages::page))
        .service(contract_path("/app").get(pages::page))
        .service(native(v1::SESSIONS).post(browser::log_in).get(to_kms).delete(browser::log_out))
        .service(native(v1::SESSIONS_VERIFY).post(browser::verify))
        .service(native(v1::SESSIONS_CURRENT).delete(browser::log_out))
        .service(native(v1::FILES).get(to_data))
        .service(contract_path(file_contract::UPLOAD).post(files))
        .service(contract_path(file_contract::DOWNLOAD).get(files))
        .service(contract_path(file_contract::LIST_FILES).get(files));
    for path in OF_THE_KMS {
        app.service(any(path));
    }
}

/// A path with every method that the KMS could know; it refuses what it does not.
fn any(path: &'static str) -> Endpoint {
    native(path).get(to_kms).post(to_kms).put(to_kms).patch(to_kms).delete(to_kms)
}
