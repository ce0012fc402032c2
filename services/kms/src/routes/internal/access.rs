//! `/internal/v1/access`: where names lead, for the data service.

use actix_web::web::{Data, Json};
use coffer_api::Page;
use coffer_api::internal::{Access, AccessRequest, SharedName, SharedRequest};
use coffer_server::{HttpError, ServiceCaller, ValidJson};

use crate::domain::filekeys::{FileKeys, Place, Wanted};

/// Entries in one page of what is shared with a user.
const PAGE_ENTRIES: usize = 1000;

/// Where a name leads for a user. The data service asks after it has looked into the user's own name space.
pub(super) async fn resolve(
    _: ServiceCaller,
    asked: ValidJson<AccessRequest>,
    keys: Data<FileKeys>,
) -> Result<Json<Access>, HttpError> {
    let wanted = Wanted { name: &asked.file_name, owner: asked.owner_email.as_ref() };
    let place = keys.place(asked.user_id, wanted, asked.permission).await?;
    Ok(Json(match place {
        Place::Found { space, expires_at } => Access::Found { space, expires_at },
        Place::NotFound => Access::NotFound,
        Place::Denied => Access::Denied,
    }))
}

/// A page of what others share with a user.
pub(super) async fn shared(
    _: ServiceCaller,
    asked: ValidJson<SharedRequest>,
    keys: Data<FileKeys>,
) -> Result<Json<Page<SharedName>>, HttpError> {
    let page = keys.shared_with(asked.user_id, asked.cursor.as_deref(), PAGE_ENTRIES).await?;
    let items = page.items.into_iter().map(|file| SharedName {
        space: file.space,
        file_name: file.name,
        covers: file.covers,
    });
    Ok(Json(Page { items: items.collect(), next_cursor: page.next }))
}
