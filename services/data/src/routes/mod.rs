//! HTTP: the route tables and the translation between requests and the domain.

mod contract;
mod envelope;
mod file;
mod internal;
mod names;
mod native;
mod openapi;
mod requester;

use actix_web::web::{Data, ServiceConfig};
use coffer_api::paths;
use coffer_server::routes;

use crate::domain::library::Library;

pub(crate) use openapi::KEPT as OPENAPI;
pub(crate) use requester::Openness;

/// The public routes.
pub(crate) fn public(app: &mut ServiceConfig, library: &Data<Library>, openness: Openness) {
    app.app_data(library.clone())
        .app_data(Data::new(openness))
        .service(routes::contract(paths::contract::UPLOAD).post(contract::upload))
        .service(routes::contract(paths::contract::DOWNLOAD).get(contract::download))
        .service(routes::contract(paths::contract::LIST_FILES).get(contract::list_files))
        .service(routes::native(paths::v1::FILES).get(native::files))
        .service(
            routes::native(paths::v1::FILE)
                .put(file::put)
                .get(file::get)
                .head(file::head)
                .delete(file::kept::delete),
        )
        .service(routes::native(paths::v1::FILE_HISTORY).get(file::kept::history))
        .service(routes::native(paths::v1::FILE_COPY).post(file::copies::copy))
        .service(routes::native(paths::v1::FILE_MOVE).post(file::copies::rename))
        .service(routes::native(paths::v1::FILE_TRASH).get(file::kept::trash))
        .service(routes::native(paths::v1::FILE_TRASH_RESTORE).post(file::kept::restore));
}

/// The internal routes.
pub(crate) fn internal(app: &mut ServiceConfig, library: &Data<Library>) {
    app.app_data(library.clone())
        .service(routes::native(paths::internal::FILES_EXISTS).post(internal::file_exists))
        .service(routes::native(paths::internal::FILES_HEADS).post(internal::heads::list))
        .service(routes::native(paths::internal::FILES_HEADS_REPLACE).post(internal::heads::replace))
        .service(routes::native(paths::internal::FILES_FENCE).post(internal::heads::fence));
}
