//! `/api/v1/shared`.

use actix_web::web::{Data, Json};
use coffer_api::Problem;
use coffer_api::file_keys::PageQuery;
use coffer_api::grants::{SharedFile, SharedPage};
use coffer_api::page::page_items;
use coffer_auth::permission::ManageFileKeys;
use coffer_server::{Granted, HttpError, ValidQuery};

use crate::domain::filekeys::FileKeys;

/// Lists what others share with the caller, by name.
#[utoipa::path(get, path = "/api/v1/shared", tag = "grants", params(PageQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "A page of files", body = SharedPage),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem)))]
pub(super) async fn list(
    session: Granted<ManageFileKeys>,
    keys: Data<FileKeys>,
    query: ValidQuery<PageQuery>,
) -> Result<Json<SharedPage>, HttpError> {
    let limit = page_items(query.limit);
    let page = keys.shared(session.address_hash, query.cursor.as_deref(), limit).await?;
    let owners: Vec<_> = page.items.iter().map(|file| file.owner).collect();
    let emails = keys.emails(&owners).await?;
    let items = page.items.into_iter().map(|file| SharedFile {
        file_id: file.file,
        name: file.name.as_str().to_owned(),
        covers: file.covers,
        owner: emails.get(&file.owner).cloned().unwrap_or_default(),
        permission: file.permission,
        granted_at: file.granted_at,
        expires_at: file.expires_at,
    });
    Ok(Json(SharedPage { items: items.collect(), next_cursor: page.next }))
}
