//! What is kept of files beside their present content: versions, and what was deleted.

use actix_web::http::header;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use coffer_api::Problem;
use coffer_api::files::{
    FileHistory, FileTrashPage, FileTrashQuery, FileVersion, RestoreFile, StoredFile, TrashedFile,
};
use coffer_api::page::page_items;
use coffer_api::paths::headers::FILE_VERSION;
use coffer_server::{Failure, HttpError, Native, ValidJson, ValidQuery};

use super::path::Named;
use super::{NO_STORE, conditions, named};
use crate::domain::library::Library;
use crate::domain::native::Trashed;
use crate::domain::native::history::Version;
use crate::routes::native::{read_cursor, write_cursor};
use crate::routes::requester::Requester;

/// Deletes a file. It goes to the trash, with its versions.
#[utoipa::path(delete, path = "/api/v1/files/{name}", tag = "files",
    params(
        ("name" = String, Path, description = "The name, percent-encoded; its `/` stand as they are"),
        ("coffer-owner" = Option<String>, Header, description = "Whose file, by e-mail address, if not the caller's own"),
        ("If-Match" = Option<String>, Header, description = "The file must be one of these")),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`file_not_found`", body = Problem),
        (status = 412, description = "`file_changed`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`; `outcome_unknown`", body = Problem)))]
pub(in crate::routes) async fn delete(
    requester: Requester<Native>,
    request: HttpRequest,
    library: Data<Library>,
) -> Result<HttpResponse, HttpError<Native>> {
    let file = named(&request)?;
    library.delete(&requester.caller, file.wanted(), &conditions::of(&request)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The versions of a file that can be read, the newest first; also of one that the caller deleted.
#[utoipa::path(get, path = "/api/v1/file-history/{name}", tag = "files",
    params(
        ("name" = String, Path, description = "The name, percent-encoded; its `/` stand as they are"),
        ("coffer-owner" = Option<String>, Header, description = "Whose file, by e-mail address, if the name alone could mean another")),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The versions", body = FileHistory),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`file_not_found`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn history(
    requester: Requester<Native>,
    request: HttpRequest,
    library: Data<Library>,
) -> Result<Json<FileHistory>, HttpError<Native>> {
    let file = Named::of(&request, "/api/v1/file-history/")?;
    let versions = library.history(&requester.caller, file.wanted()).await?;
    Ok(Json(FileHistory { items: versions.into_iter().map(version).collect() }))
}

fn version(version: Version) -> FileVersion {
    let gone = |deleted: bool| version.gone.filter(|gone| gone.deleted == deleted).map(|gone| gone.at);
    FileVersion {
        version: version.tag.version,
        size_bytes: version.size_bytes,
        etag: conditions::quoted(&version.tag.text()),
        created_at: version.created_at,
        replaced_at: gone(false),
        deleted_at: gone(true),
        kept_until: version.gone.map(|gone| gone.kept_until),
    }
}

/// Lists the caller's deleted files, in the order of their names' bytes.
#[utoipa::path(get, path = "/api/v1/file-trash", tag = "files", params(FileTrashQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "A page of deleted files", body = FileTrashPage),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn trash(
    requester: Requester<Native>,
    query: ValidQuery<FileTrashQuery>,
    library: Data<Library>,
) -> Result<Json<FileTrashPage>, HttpError<Native>> {
    let after = query.cursor.as_deref().map(read_cursor).transpose()?;
    let page = library.trash(&requester.caller, after.as_ref(), page_items(query.limit)).await?;
    let next_cursor = page.items.last().filter(|_| page.more).map(|last| write_cursor(&last.file_name));
    Ok(Json(FileTrashPage { items: page.items.into_iter().map(trashed).collect(), next_cursor }))
}

fn trashed(file: Trashed) -> TrashedFile {
    let Trashed { file_name, version, size_bytes, deleted_at, kept_until } = file;
    TrashedFile { file_name, version, size_bytes, deleted_at, kept_until }
}

/// Brings a deleted file back, with its versions.
#[utoipa::path(post, path = "/api/v1/file-trash/restore", tag = "files", request_body = RestoreFile,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "It is there again", body = StoredFile),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`file_not_found`: nothing of this name was deleted, or not kept", body = Problem),
        (status = 409, description = "`file_exists`: the name is taken", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`; `outcome_unknown`", body = Problem)))]
pub(in crate::routes) async fn restore(
    requester: Requester<Native>,
    body: ValidJson<RestoreFile>,
    library: Data<Library>,
) -> Result<HttpResponse, HttpError<Native>> {
    let name = body.file_name.parse().map_err(|error| Failure::field("file_name", format!("{error}")))?;
    let file = library.restore(&requester.caller, &name).await?;
    let etag = conditions::quoted(&file.tag.text());
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, etag.clone()))
        .insert_header((FILE_VERSION, file.tag.version))
        .insert_header(NO_STORE)
        .json(StoredFile {
            file_name: name.to_string(),
            version: file.tag.version,
            size_bytes: file.size_bytes,
            etag,
            created_at: file.created_at,
        }))
}
