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

use super::requester::Requester;
use crate::domain::library::Library;
use crate::repo::Names;

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
    let prefix = query.prefix.as_deref().unwrap_or_default();
    if prefix.len() > FILE_NAME_BYTES_MAX {
        return Err(Failure::field("prefix", "is longer than any name").into());
    }
    let after = query.cursor.as_deref().map(read_cursor).transpose()?;
    let after = after.as_ref().map(FileName::as_str);
    let names = Names { prefix, after, limit: page_items(query.limit) };
    let page = library.page(&requester.caller, &names).await?;
    let next_cursor = page.items.last().filter(|_| page.more).map(|last| write_cursor(&last.file_name));
    let items = page.items.into_iter().map(|file| FileItem {
        file_name: file.file_name,
        size_bytes: file.size_bytes,
        created_at: file.created_at,
    });
    Ok(web::Json(FilesPage { items: items.collect(), next_cursor }))
}

/// A cursor is the last name of the page before it.
pub(super) fn write_cursor(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(name)
}

pub(super) fn read_cursor(cursor: &str) -> Result<FileName, Failure> {
    let name = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|name| String::from_utf8(name).ok());
    name.and_then(|name| name.parse().ok()).ok_or_else(|| Failure::field("cursor", "is none of this listing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is_one() {
        let name = "報告 2026.bin";
        assert_eq!(read_cursor(&write_cursor(name)).unwrap().as_str(), name);
        for wrong in ["", "?", "_w", &write_cursor("../x")] {
            assert_eq!(read_cursor(wrong).unwrap_err().fields[0].field, "cursor", "{wrong:?}");
        }
    }
}
