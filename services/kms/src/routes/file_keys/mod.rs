//! File keys and grants: the file contract's three calls and the native surface, over one domain.

mod caller;
mod contract;
mod failure;
mod grants;
mod keys;
mod parse;
mod rotation;
mod shared;
mod versions;

use actix_web::web::ServiceConfig;
use coffer_api::paths;
use coffer_server::routes::{contract as contract_route, native};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

/// The public routes. They need `Data<FileKeys>`.
pub(super) fn public(app: &mut ServiceConfig) {
    app.service(contract_route(paths::contract::GET_PUBLIC_KEY).post(contract::get_public_key))
        .service(contract_route(paths::contract::GET_PRIVATE_KEY).post(contract::get_private_key))
        .service(contract_route(paths::contract::GRANT_ACCESS).post(contract::grant_access))
        .service(native(paths::v1::FILE_KEYS).post(keys::create).get(keys::list))
        .service(native(paths::v1::FILE_KEY_SHOW).get(keys::show))
        .service(native(paths::v1::FILE_KEY_EXPORT).post(keys::export))
        .service(native(paths::v1::FILE_KEY_UNWRAP).post(keys::unwrap))
        .service(native(paths::v1::FILE_KEY_ROTATE).post(rotation::rotate))
        .service(native(paths::v1::FILE_KEY_DESTROY).post(rotation::destroy))
        .service(native(paths::v1::FILE_KEY_VERSIONS).get(rotation::versions))
        .service(native(paths::v1::FILE_KEY_USES).get(rotation::uses))
        .service(native(paths::v1::FILE_VERSIONS).post(versions::register))
        .service(native(paths::v1::FILE_VERSIONS_PUBLISH).post(versions::publish))
        .service(native(paths::v1::FILE_VERSIONS_COPY).post(versions::copy))
        .service(native(paths::v1::FILE_VERSIONS_OPEN).post(versions::open))
        .service(native(paths::v1::FILE_VERSIONS_PRESENT).post(versions::present))
        .service(native(paths::v1::GRANTS).post(grants::create).get(grants::list))
        .service(native(paths::v1::GRANTS_REVOKE).post(grants::revoke))
        .service(native(paths::v1::SHARED).get(shared::list));
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(
    contract::get_public_key,
    contract::get_private_key,
    contract::grant_access,
    keys::create,
    keys::list,
    keys::show,
    keys::export,
    keys::unwrap,
    rotation::rotate,
    rotation::destroy,
    rotation::versions,
    rotation::uses,
    versions::register,
    versions::publish,
    versions::open,
    versions::copy,
    versions::present,
    grants::create,
    grants::list,
    grants::revoke,
    shared::list,
))]
struct Document;

/// What these routes add to the OpenAPI document.
pub(super) fn document() -> OpenApi {
    Document::openapi()
}
