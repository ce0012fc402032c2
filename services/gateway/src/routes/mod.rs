//! HTTP: the route tables and the translation between requests and the domain.

mod browser;
mod caller;
mod contract;
mod cookies;
mod forward;
mod openapi;
mod operations;
mod pages;
mod path_key;
mod reports;
#[cfg(test)]
mod table_tests;
mod v1;

use actix_web::web::{Data, ServiceConfig};
use coffer_api::contract::configs as paths_of_configs;
use coffer_api::contract::kv as paths_of_keys;
use coffer_api::contract::people as paths_of_people;
use coffer_api::contract::usage as paths_of_usage;
use coffer_api::paths::{contract as file_contract, v1 as paths};
use coffer_core::Clock;
use coffer_kms_link::Link;
use coffer_server::routes::{Endpoint, contract as contract_path, native};

use crate::domain::configs::Door;
use crate::domain::kms::UserKms;
use crate::domain::usage::Calendar;
use crate::domain::vault::Vault;
use contract::{configs, kv, people, usage};
use forward::{files, stream_to_data, to_data, to_kms};

pub(crate) use cookies::admit;
pub(crate) use forward::Upstreams;
pub(crate) use openapi::KEPT as OPENAPI;
pub(crate) use v1::events::{SeatLimits, Watchers};

/// The KMS, for handlers.
type Kms = Data<dyn UserKms>;

/// What handlers work with.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) kms: Kms,
    pub(crate) link: Data<Link>,
    pub(crate) clock: Data<dyn Clock>,
    pub(crate) vault: Data<Vault>,
    pub(crate) upstreams: Data<Upstreams>,
    pub(crate) owners: Data<v1::kv::Owners>,
    pub(crate) watchers: Data<Watchers>,
    pub(crate) door: Data<Door>,
    pub(crate) calendar: Data<Calendar>,
}

/// The KMS's native paths that are passed on as they are.
const OF_THE_KMS: [&str; 27] = [
    paths::REGISTRATIONS,
    paths::REGISTRATIONS_CODE,
    paths::REGISTRATIONS_VERIFY,
    paths::SESSION,
    paths::ME,
    paths::PASSWORD,
    paths::PASSWORD_RESET,
    paths::PASSWORD_RESET_VERIFY,
    paths::USERS,
    paths::USER,
    paths::EVENTS,
    paths::FILE_KEYS,
    paths::FILE_KEY_DESTROY,
    paths::FILE_KEY_EXPORT,
    paths::FILE_KEY_ROTATE,
    paths::FILE_KEY_SHOW,
    paths::FILE_KEY_UNWRAP,
    paths::FILE_KEY_USES,
    paths::FILE_KEY_VERSIONS,
    paths::FILE_VERSIONS,
    paths::FILE_VERSIONS_COPY,
    paths::FILE_VERSIONS_OPEN,
    paths::FILE_VERSIONS_PRESENT,
    paths::FILE_VERSIONS_PUBLISH,
    paths::GRANTS,
    paths::GRANTS_REVOKE,
    paths::SHARED,
];

/// The public routes.
pub(crate) fn public(app: &mut ServiceConfig, parts: &Parts) {
    app.app_data(parts.kms.clone())
        .app_data(parts.link.clone())
        .app_data(parts.clock.clone())
        .app_data(parts.vault.clone())
        .app_data(parts.upstreams.clone())
        .app_data(parts.owners.clone())
        .app_data(parts.watchers.clone())
        .app_data(parts.door.clone())
        .app_data(parts.calendar.clone())
        .service(contract_path(paths_of_people::REGISTER).post(people::register))
        .service(contract_path(paths_of_people::VERIFY_REGISTER).post(people::verify_register))
        .service(contract_path(paths_of_people::LOGIN).post(people::login))
        .service(contract_path(paths_of_people::VERIFY_LOGIN).post(people::verify_login))
        .service(contract_path(paths_of_people::LOGOUT).post(people::logout))
        .service(contract_path(paths_of_people::ME).get(people::me))
        .service(contract_path(paths_of_people::USERS).get(people::users))
        .service(contract_path(paths_of_people::ABOUT).get(people::about))
        .service(contract_path(paths_of_keys::STORE).post(kv::store))
        .service(contract_path(paths_of_keys::RETRIEVE).get(kv::retrieve))
        .service(contract_path(paths_of_keys::DELETE).delete(kv::delete))
        .service(contract_path(paths_of_keys::KEYS).get(kv::keys))
        .service(contract_path(paths_of_usage::STATS).get(usage::stats))
        .service(contract_path(paths_of_usage::ANALYSIS).get(usage::analysis))
        .service(native(paths::USAGE).get(v1::usage::overview))
        .service(native(paths::USAGE_DAYS).get(v1::usage::days))
        .service(native(paths::USAGE_HOURS).get(v1::usage::hours))
        .service(native(paths::USAGE_TOP).get(v1::usage::top))
        .service(native(paths::USAGE_RECENT).get(v1::usage::recent))
        .service(native(paths::USAGE_UNREAD).get(v1::usage::unread))
        .service(native(paths::USAGE_KEY).get(v1::usage::key))
        .service(contract_path(paths_of_configs::ABOUT).get(pages::front))
        .service(contract_path("/app").get(pages::page))
        .service(native(paths::SESSIONS).post(browser::log_in).get(to_kms).delete(browser::log_out))
        .service(native(paths::SESSIONS_VERIFY).post(browser::verify))
        .service(native(paths::SESSIONS_CURRENT).delete(browser::log_out))
        .service(native(paths::FILES).get(to_data))
        .service(
            native(paths::FILE)
                .get(stream_to_data)
                .head(stream_to_data)
                .put(stream_to_data)
                .delete(stream_to_data),
        )
        .service(native(paths::FILE_HISTORY).get(to_data))
        .service(native(paths::FILE_COPY).post(to_data))
        .service(native(paths::FILE_MOVE).post(to_data))
        .service(native(paths::FILE_TRASH).get(to_data))
        .service(native(paths::FILE_TRASH_RESTORE).post(to_data))
        .service(contract_path(file_contract::UPLOAD).post(files))
        .service(contract_path(file_contract::DOWNLOAD).get(files))
        .service(contract_path(file_contract::LIST_FILES).get(files));
    configurations(app);
    native_configurations(app);
    native_keys(app);
    for path in OF_THE_KMS {
        app.service(any(path));
    }
}

/// The contract of encrypted configuration.
fn configurations(app: &mut ServiceConfig) {
    use paths_of_configs as paths;
    app.service(contract_path(paths::CONFIGS).get(configs::list).post(configs::create))
        // Before the one that takes every key: this one is a key as well.
        .service(
            contract_path(paths::REKEY)
                .post(configs::rekey)
                .get(configs::read)
                .put(configs::update)
                .delete(configs::delete),
        )
        .service(contract_path(paths::CONFIG).get(configs::read).put(configs::update).delete(configs::delete))
        .service(contract_path(paths::CLUSTER_STATUS).get(configs::cluster_status))
        .service(contract_path(paths::CLUSTER_HEALTH).get(configs::cluster_health));
}

/// The native routes of encrypted configuration.
fn native_configurations(app: &mut ServiceConfig) {
    use v1::configs::{batch, history, items, schema, transfer, unread, value, watch};
    app.service(native(paths::CONFIGS_ITEMS).get(items::list))
        .service(native(paths::CONFIGS_SUMMARY).get(items::summary))
        .service(native(paths::CONFIGS_REKEY).post(items::rekey))
        .service(native(paths::CONFIGS_VALUE).get(value::get).put(value::put).delete(value::delete))
        .service(native(paths::CONFIGS_HISTORY).get(history::history))
        .service(native(paths::CONFIGS_DIFF).get(history::diff))
        .service(native(paths::CONFIGS_ROLLBACK).post(history::rollback))
        .service(native(paths::CONFIGS_BATCH).post(batch::batch))
        .service(native(paths::CONFIGS_PROMOTE).post(batch::promote))
        .service(native(paths::CONFIGS_SCHEMA).get(schema::get).put(schema::put).delete(schema::delete))
        .service(native(paths::CONFIGS_UNREAD).get(unread::unread))
        .service(native(paths::CONFIGS_WATCH).get(watch::watch))
        .service(native(paths::CONFIGS_EXPORT).get(transfer::export))
        .service(native(paths::CONFIGS_IMPORT).post(transfer::import));
}

/// The native routes of the key-value store.
fn native_keys(app: &mut ServiceConfig) {
    use v1::kv::{batch, changes, history, items, sharing, trash, value, watch};
    app.service(native(paths::KV_ITEMS).get(items::list))
        .service(native(paths::KV_VALUE).get(value::get).put(value::put).delete(value::delete))
        .service(native(paths::KV_META).get(value::meta))
        .service(native(paths::KV_BATCH).post(batch::batch))
        .service(native(paths::KV_COPY).post(items::copy))
        .service(native(paths::KV_MOVE).post(items::rename))
        .service(native(paths::KV_HISTORY).get(history::history))
        .service(native(paths::KV_DIFF).get(history::diff))
        .service(native(paths::KV_RESTORE).post(history::restore))
        .service(native(paths::KV_TRASH).get(trash::list).delete(trash::purge))
        .service(native(paths::KV_TRASH_RESTORE).post(trash::restore))
        .service(native(paths::KV_GRANTS).get(sharing::grants).post(sharing::grant))
        .service(native(paths::KV_GRANTS_REVOKE).post(sharing::revoke))
        .service(native(paths::KV_SHARED).get(sharing::shared))
        .service(native(paths::KV_CHANGES).get(changes::changes))
        .service(native(paths::KV_WATCH).get(watch::watch));
}

/// A path with every method that the KMS could know; it refuses what it does not.
fn any(path: &'static str) -> Endpoint {
    native(path).get(to_kms).post(to_kms).put(to_kms).patch(to_kms).delete(to_kms)
}
