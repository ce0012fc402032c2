//! What other services ask.

pub(super) mod heads;

use actix_web::web;
use coffer_api::internal::{FileExistsAnswer, FileExistsRequest};
use coffer_server::{HttpError, Native, ServiceCaller, ValidJson};

use crate::domain::library::{Library, LibraryError};

/// Whether a file was uploaded: the KMS asks before it hands out a key for a name again. What is in the trash counts: it
/// may come back, and needs the key that it was sealed for.
pub(super) async fn file_exists(
    _: ServiceCaller,
    asked: ValidJson<FileExistsRequest>,
    library: web::Data<Library>,
) -> Result<web::Json<FileExistsAnswer>, HttpError<Native>> {
    let files = library.files()?;
    let exists = files.is_kept(asked.space, &asked.file_name).await.map_err(LibraryError::from)?;
    Ok(web::Json(FileExistsAnswer { exists }))
}
