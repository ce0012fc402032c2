//! The file contract's three calls.

use actix_web::{FromRequest as _, HttpRequest, HttpResponse, web};
use coffer_api::ErrorCode;
use coffer_api::contract::Outcome;
use coffer_api::contract::data::{DownloadQuery, Upload};
use coffer_api::contract::validation::ValidationErrors;
use coffer_api::files::{DownloadAnswer, ListAnswer, UploadRequest};
use coffer_core::{EmailAddress, FileName};
use coffer_server::extract::ContractRejection;
use coffer_server::{ContractQuery, DataContract, Failure, HttpError, JsonBody};

use super::envelope;
use super::names;
use super::requester::Requester;
use crate::domain::files::Envelope;
use crate::domain::library::{Library, Wanted};

/// The largest wrapped key or initial vector: eight times what RSA-4096 makes.
const WRAPPED_BYTES_MAX: usize = 4096;

/// Stores an envelope in the caller's name space.
#[utoipa::path(post, path = "/upload", tag = "files", request_body = UploadRequest,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "`upload_success`", body = Outcome),
        (status = 400, description = "`missing_fields`: a field is empty", body = Outcome),
        (status = 401, description = "`invalid_session`", body = Outcome),
        (status = 403, description = "`access_denied`: the owner named is not the caller", body = Outcome),
        (status = 408, description = "`request_timeout`: the body came too slowly", body = Outcome),
        (status = 409, description = "`file_exists`", body = Outcome),
        (status = 413, description = "`body_too_large`: over `limits.upload_body_bytes_max`", body = Outcome),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Outcome)))]
pub(super) async fn upload(
    request: HttpRequest,
    payload: web::Payload,
    library: web::Data<Library>,
) -> Result<HttpResponse, ContractRejection> {
    // One after the other, not as two arguments, which are read at the same time: a body is only worth
    // its memory when its sender may upload.
    let mut payload = payload.into_inner();
    let requester = Requester::<DataContract>::from_request(&request, &mut payload).await;
    let caller = requester.map_err(ContractRejection::Unreadable)?.caller;
    let body = JsonBody::<Upload>::from_request(&request, &mut payload).await?;
    let (upload, _in_flight) = body.into_parts();
    let (name, owner, envelope) = accept(upload)?;
    let wanted = Wanted { name: &name, owner: owner.as_ref() };
    library.upload(&caller, wanted, &envelope).await.map_err(Failure::from)?;
    Ok(HttpResponse::Ok().json(Outcome::new(200, "upload_success")))
}

fn accept(upload: Upload) -> Result<(FileName, Option<EmailAddress>, Envelope), Failure> {
    let Upload { file_name, encrypted_data, encrypted_aes_key, encrypted_aes_initial_vector, owner } = upload;
    let (wrapped_key, wrapped_vector) = (encrypted_aes_key.0, encrypted_aes_initial_vector.0);
    let missing = || Failure::of(ErrorCode::MissingFields);
    let name = file_name.ok_or_else(missing)?;
    if encrypted_data.0.is_empty() || wrapped_key.is_empty() || wrapped_vector.is_empty() {
        return Err(missing());
    }
    let wrapped = [("encrypted_aes_key", &wrapped_key), ("encrypted_aes_initial_vector", &wrapped_vector)];
    if let Some((field, _)) = wrapped.into_iter().find(|(_, bytes)| bytes.len() > WRAPPED_BYTES_MAX) {
        return Err(Failure::field(field, format!("has at most {WRAPPED_BYTES_MAX} bytes")));
    }
    Ok((name, owner, Envelope { data: encrypted_data.0, wrapped_key, wrapped_vector }))
}

/// Fetches an envelope: the caller's own, or one that was shared with the caller.
#[utoipa::path(get, path = "/download", tag = "files", params(coffer_api::files::DownloadQuery),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The envelope", body = DownloadAnswer),
        (status = 401, description = "`invalid_session`", body = Outcome),
        (status = 403, description = "`access_denied`", body = Outcome),
        (status = 404, description = "`file_not_found`", body = Outcome),
        (status = 422, description = "A parameter is absent or not valid", body = ValidationErrors),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Outcome)))]
pub(super) async fn download(
    requester: Requester<DataContract>,
    query: ContractQuery<DownloadQuery>,
    library: web::Data<Library>,
) -> Result<HttpResponse, HttpError<DataContract>> {
    let wanted = Wanted { name: &query.file_name, owner: query.owner.as_ref() };
    let file = library.find_classic(&requester.caller, wanted).await?;
    Ok(envelope::answer(&file, &library, requester.reader).await?)
}

/// Lists the names of the caller's own files and of those shared with the caller.
#[utoipa::path(get, path = "/list_files", tag = "files", security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The names", body = ListAnswer),
        (status = 401, description = "`invalid_session`", body = Outcome),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Outcome)))]
pub(super) async fn list_files(
    requester: Requester<DataContract>,
    library: web::Data<Library>,
) -> Result<HttpResponse, HttpError<DataContract>> {
    Ok(names::answer(library.list(&requester.caller)?).await?)
}
