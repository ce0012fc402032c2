//! The native surface.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use actix_web::web;
use coffer_api::Problem;
use coffer_api::files::{FileItem, FilesPage, FilesQuery};
use coffer_api::page::page_items;
use coffer_core::FileName;
use coffer_core::limits::FILE_NAME_BYTES_MAX;
use coffer_server::{Failure, HttpError, Native, ValidQuery};

use super::file::quoted;
use super::requester::Requester;
use crate::domain::browsing::{Browse, FileInfo};
use crate::domain::library::Library;

/// Lists the caller's own files, in the order of their names' bytes.
#[utoipa::path(get, path = "/api/v1/files", tag = "files", params(FilesQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "A page of files", body = FilesPage),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn files(
    requester: Requester<Native>,
    query: ValidQuery<FilesQuery>,
    library: web::Data<Library>,
) -> Result<web::Json<FilesPage>, HttpError<Native>> {
    let browse = browse(&query)?;
    let after = query.cursor.as_deref().map(read_place).transpose()?;
    let contains = query.contains.as_deref().map(str::to_lowercase);
    let browse = Browse { after: after.as_deref(), contains: contains.as_deref(), ..browse };
    let page = library.browse(&requester.caller, &browse).await?;
    Ok(web::Json(FilesPage {
        items: page.files.into_iter().map(item).collect(),
        common_prefixes: page.folders,
        next_cursor: page.next.as_deref().map(write_cursor),
    }))
}

fn browse(query: &FilesQuery) -> Result<Browse<'_>, Failure> {
    let prefix = query.prefix.as_deref().unwrap_or_default();
    if prefix.len() > FILE_NAME_BYTES_MAX {
        return Err(Failure::field("prefix", "is longer than any name"));
    }
    if query.contains.as_ref().is_some_and(|text| text.len() > FILE_NAME_BYTES_MAX) {
        return Err(Failure::field("contains", "is longer than any name"));
    }
    let folders = match query.delimiter.as_deref() {
        None => false,
        Some("/") => true,
        Some(_) => return Err(Failure::field("delimiter", "can only be `/`")),
    };
    Ok(Browse { prefix, folders, limit: page_items(query.limit), ..Browse::default() })
}

fn item(file: FileInfo) -> FileItem {
    FileItem {
        file_name: file.file_name,
        size_bytes: file.size_bytes,
        created_at: file.created_at,
        version: file.tag.map(|tag| tag.version),
        etag: file.tag.map(|tag| quoted(&tag.text())),
    }
}

/// A cursor is the last name of the page before it, or the last folder, with the `/` at its end.
pub(super) fn write_cursor(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(name)
}

/// The name that a cursor is.
pub(super) fn read_cursor(cursor: &str) -> Result<FileName, Failure> {
    decoded(cursor).and_then(|name| name.parse().ok()).ok_or_else(no_cursor)
}

/// The name or the folder that a cursor is.
fn read_place(cursor: &str) -> Result<String, Failure> {
    let place = decoded(cursor).ok_or_else(no_cursor)?;
    let name: Result<FileName, _> = place.strip_suffix('/').unwrap_or(&place).parse();
    name.map(|_| place).map_err(|_| no_cursor())
}

fn decoded(cursor: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

fn no_cursor() -> Failure {
    Failure::field("cursor", "is none of this listing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is_one() {
        let name = "報告 2026.bin";
        assert_eq!(read_cursor(&write_cursor(name)).unwrap().as_str(), name);
        assert_eq!(read_place(&write_cursor("a/b/")).unwrap(), "a/b/");
        for wrong in ["", "?", "_w", &write_cursor("../x")] {
            assert_eq!(read_cursor(wrong).unwrap_err().fields[0].field, "cursor", "{wrong:?}");
            assert_eq!(read_place(wrong).unwrap_err().fields[0].field, "cursor", "{wrong:?}");
        }
    }
}
