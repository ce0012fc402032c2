//! `/api/v1/file-copy` and `/api/v1/file-move`.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use coffer_api::Problem;
use coffer_api::file_copies::{CopyFile, MoveFile};
use coffer_api::files::StoredFile;
use coffer_api::paths::headers::FILE_VERSION;
use coffer_core::{EmailAddress, FileName};
use coffer_crypto::envelope::StanzaSection;
use coffer_server::{Failure, HttpError, Native, ValidJson};

use super::{NO_STORE, conditions, path};
use crate::domain::library::{Library, Wanted};
use crate::domain::native::copying::{CopyOrder, MoveOrder};
use crate::domain::native::{PutOrder, Stored};
use crate::routes::requester::Requester;

/// Gives the content of a file that the caller may read a second name. Nothing of it passes through the client.
#[utoipa::path(post, path = "/api/v1/file-copy", tag = "files", request_body = CopyFile,
    params(
        ("If-Match" = Option<String>, Header, description = "The file at the new name must be one of these"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: there must be no file at the new name")),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "Stored as the next version", body = StoredFile),
        (status = 201, description = "Stored as a new file", body = StoredFile),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`file_not_found`, `version_not_found`", body = Problem),
        (status = 409, description = "`conflict`: a version that is not earlier is there; `file_exists`: a classic \
            file is; `key_version_destroyed`", body = Problem),
        (status = 412, description = "`file_changed`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`; `outcome_unknown`", body = Problem)))]
pub(in crate::routes) async fn copy(
    requester: Requester<Native>,
    request: HttpRequest,
    body: ValidJson<CopyFile>,
    library: Data<Library>,
) -> Result<HttpResponse, HttpError<Native>> {
    let (from, to) = (name("from", &body.from)?, name("to", &body.to)?);
    let (from_owner, to_owner) =
        (owner("from_owner", body.from_owner.as_deref())?, owner("to_owner", body.to_owner.as_deref())?);
    let stanzas = stanzas(&body.stanzas)?;
    let order = CopyOrder {
        from: Wanted { name: &from, owner: from_owner.as_ref() },
        from_version: body.from_version,
        to: PutOrder {
            wanted: Wanted { name: &to, owner: to_owner.as_ref() },
            version: path::checked("version", body.version)?,
            condition: conditions::of(&request),
        },
        stanzas: &stanzas,
    };
    let stored = library.copy((&requester.caller, requester.reader), &order).await?;
    Ok(answer(&to, &stored))
}

/// Gives a file another name of the same owner, at once. Its history stays with the old name, which goes to the trash.
#[utoipa::path(post, path = "/api/v1/file-move", tag = "files", request_body = MoveFile,
    params(
        ("If-Match" = Option<String>, Header, description = "The file at the new name must be one of these"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: there must be no file at the new name")),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "Stored as the next version of the new name", body = StoredFile),
        (status = 201, description = "Stored as a new file", body = StoredFile),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`file_not_found`", body = Problem),
        (status = 409, description = "`conflict`: another version is present, or one that is not earlier is at the \
            new name; `file_exists`: a classic file is; `key_version_destroyed`", body = Problem),
        (status = 412, description = "`file_changed`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`; `outcome_unknown`", body = Problem)))]
pub(in crate::routes) async fn rename(
    requester: Requester<Native>,
    request: HttpRequest,
    body: ValidJson<MoveFile>,
    library: Data<Library>,
) -> Result<HttpResponse, HttpError<Native>> {
    let (from, to) = (name("from", &body.from)?, name("to", &body.to)?);
    if from == to {
        return Err(Failure::field("to", "is the name that the file has").into());
    }
    let owner = owner("owner", body.owner.as_deref())?;
    let stanzas = stanzas(&body.stanzas)?;
    let order = MoveOrder {
        from: &from,
        from_version: body.from_version,
        to: PutOrder {
            wanted: Wanted { name: &to, owner: owner.as_ref() },
            version: path::checked("version", body.version)?,
            condition: conditions::of(&request),
        },
        stanzas: &stanzas,
    };
    let stored = library.rename(&requester.caller, &order).await?;
    Ok(answer(&to, &stored))
}

fn name(field: &'static str, text: &str) -> Result<FileName, Failure> {
    text.parse().map_err(|error| Failure::field(field, format!("{error}")))
}

fn owner(field: &'static str, text: Option<&str>) -> Result<Option<EmailAddress>, Failure> {
    let parse = |text: &str| text.parse().map_err(|_| Failure::field(field, "is not an e-mail address"));
    text.map(parse).transpose()
}

fn stanzas(text: &str) -> Result<StanzaSection, Failure> {
    let bytes = STANDARD.decode(text).map_err(|_| Failure::field("stanzas", "is not valid base64"))?;
    StanzaSection::parse(&bytes).map_err(|refusal| Failure::field("stanzas", refusal.to_string()))
}

fn answer(name: &FileName, stored: &Stored) -> HttpResponse {
    let etag = conditions::quoted(&stored.tag.text());
    let mut response = if stored.is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, etag.clone()))
        .insert_header((FILE_VERSION, stored.tag.version))
        .insert_header(NO_STORE)
        .json(StoredFile {
            file_name: name.to_string(),
            version: stored.tag.version,
            size_bytes: stored.size_bytes,
            etag,
            created_at: stored.created_at,
        })
}
