//! One file as an envelope: storing it and reading it, whole or in part, as a stream both ways.

mod conditions;
pub(super) mod copies;
pub(super) mod kept;
mod path;
mod range;

use actix_web::body::SizedStream;
use actix_web::http::header;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{FromRequest as _, HttpRequest, HttpResponse, HttpResponseBuilder};
use coffer_api::files::{ENVELOPE_MEDIA_TYPE, FILES, FileQuery, StoredFile};
use coffer_api::paths::headers::FILE_VERSION;
use coffer_api::{ErrorCode, Problem};
use coffer_server::{Failure, HttpError, Native, StreamedBody, Surface as _, ValidQuery};
use coffer_store::records::StoreError;
use futures_util::stream;

pub(super) use self::conditions::quoted;
use self::path::Named;
use self::range::Part;
use super::requester::Requester;
use crate::domain::library::{Library, LibraryError};
use crate::domain::native::{Answer, NativeFile, PutOrder};

/// Nothing on the way keeps a copy.
const NO_STORE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-store, private");

fn named(request: &HttpRequest) -> Result<Named, Failure> {
    let prefix = [FILES, "/"].concat();
    Named::of(request, &prefix)
}

/// Stores an envelope under a name: as a new file, or as the next version of the one that is there.
///
/// It may have any length up to `limits.file_bytes_max`, which need not be known before. Nothing of it is seen before it is
/// there whole.
#[utoipa::path(put, path = "/api/v1/files/{name}", tag = "files",
    params(
        ("name" = String, Path, description = "The name, percent-encoded; its `/` stand as they are"),
        ("coffer-file-version" = u64, Header, description = "The version, as the KMS gave it: greater than that of the file that is there"),
        ("coffer-owner" = Option<String>, Header, description = "Whose file, by e-mail address, if not the caller's own"),
        ("If-Match" = Option<String>, Header, description = "The file must be one of these"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: there must be no file of this name")),
    request_body(content = Vec<u8>, content_type = "application/vnd.coffer.envelope"),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "Stored as the next version", body = StoredFile),
        (status = 201, description = "Stored as a new file", body = StoredFile),
        (status = 400, description = "`bad_request`: the body did not arrive whole", body = Problem),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 408, description = "`request_timeout`: the body came too slowly", body = Problem),
        (status = 409, description = "`conflict`: a version that is not earlier is there; `file_exists`: a classic file is", body = Problem),
        (status = 412, description = "`file_changed`", body = Problem),
        (status = 413, description = "`body_too_large`: over `limits.file_bytes_max`", body = Problem),
        (status = 422, description = "`invalid_input`, also of a body that is no envelope", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`; `outcome_unknown`", body = Problem)))]
pub(super) async fn put(
    request: HttpRequest,
    payload: Payload,
    library: Data<Library>,
) -> Result<HttpResponse, HttpError<Native>> {
    // One after the other: a body is only worth its memory when its sender may upload.
    let mut payload = payload.into_inner();
    let requester = Requester::<Native>::from_request(&request, &mut payload).await?;
    let file = named(&request)?;
    check_encoding(&request)?;
    let (version, condition) = (path::version(&request)?, conditions::of(&request));
    let order = PutOrder { wanted: file.wanted(), version, condition };
    let body = StreamedBody::<Native>::from_request(&request, &mut payload).await?;
    let stored = library.put((&requester.caller, requester.reader), &order, body.pieces).await;
    let stored = stored.map_err(|error| match error {
        // The one who sends it is told what was wrong with that.
        LibraryError::Interrupted => body.interruption.take().unwrap_or_else(|| error.into()),
        error => error.into(),
    })?;
    let etag = conditions::quoted(&stored.tag.text());
    let mut response = if stored.is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response
        .insert_header((header::ETAG, etag.clone()))
        .insert_header((FILE_VERSION, stored.tag.version))
        .insert_header(NO_STORE)
        .json(StoredFile {
            file_name: file.name().to_string(),
            version: stored.tag.version,
            size_bytes: stored.size_bytes,
            etag,
            created_at: stored.created_at,
        }))
}

fn check_encoding(request: &HttpRequest) -> Result<(), Failure> {
    match request.headers().get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(Failure::of(ErrorCode::BodyCompressed))
        }
        _ => Ok(()),
    }
}

/// The bytes of an envelope, whole or a range of them: the caller's own, or one that was shared with the caller.
#[utoipa::path(get, path = "/api/v1/files/{name}", tag = "files",
    params(
        FileQuery,
        ("name" = String, Path, description = "The name, percent-encoded; its `/` stand as they are"),
        ("coffer-owner" = Option<String>, Header, description = "Whose file, by e-mail address, if the name alone could mean another"),
        ("Range" = Option<String>, Header, description = "One range of bytes; of several the whole is sent"),
        ("If-Range" = Option<String>, Header, description = "The range is of this version; of another the whole is sent"),
        ("If-Match" = Option<String>, Header, description = "The file must be one of these"),
        ("If-None-Match" = Option<String>, Header, description = "The file must be none of these")),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The envelope; `ETag` names its bytes, `coffer-file-version` its version",
            body = Vec<u8>, content_type = "application/vnd.coffer.envelope"),
        (status = 206, description = "The range of it", body = Vec<u8>, content_type = "application/vnd.coffer.envelope"),
        (status = 304, description = "`If-None-Match` names it"),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`file_not_found`, `version_not_found`", body = Problem),
        (status = 412, description = "`file_changed`", body = Problem),
        (status = 416, description = "`range_not_satisfiable`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn get(
    requester: Requester<Native>,
    request: HttpRequest,
    query: ValidQuery<FileQuery>,
    library: Data<Library>,
) -> Result<HttpResponse, HttpError<Native>> {
    let named = named(&request)?;
    let file = library.find_native(&requester.caller, named.wanted(), query.version).await?;
    let tag = file.tag.text();
    if let Some(answer) = unconditioned(&request, &file, &tag)? {
        return Ok(answer);
    }
    let asked = if conditions::is_range_of_another(&request, &tag) {
        Part::Whole
    } else {
        range::of(&request, file.size_bytes)
    };
    let (mut response, range) = match asked {
        Part::Whole => (HttpResponse::Ok(), 0..file.size_bytes),
        Part::Nothing => return Ok(no_such_range(file.size_bytes)),
        Part::Of(range) => {
            let told = format!("bytes {}-{}/{}", range.start, range.end - 1, file.size_bytes);
            let mut response = HttpResponse::PartialContent();
            response.insert_header((header::CONTENT_RANGE, told));
            (response, range)
        }
    };
    let length = range.end - range.start;
    let answer = library.read_native(requester.reader, &file, range).await?;
    describe(&mut response, &file, &tag);
    Ok(match answer {
        Answer::Whole(bytes) => response.body(bytes),
        Answer::Pieces(pieces) => response.body(SizedStream::new(length, pieces)),
    })
}

/// What a reader of the whole envelope is told before its bytes. Reads none of them.
#[utoipa::path(head, path = "/api/v1/files/{name}", tag = "files",
    params(
        FileQuery,
        ("name" = String, Path, description = "The name, percent-encoded; its `/` stand as they are"),
        ("coffer-owner" = Option<String>, Header, description = "Whose file, by e-mail address, if the name alone could mean another"),
        ("If-Match" = Option<String>, Header, description = "The file must be one of these"),
        ("If-None-Match" = Option<String>, Header, description = "The file must be none of these")),
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "`Content-Length`, `ETag`, `coffer-file-version`"),
        (status = 304, description = "`If-None-Match` names it"),
        (status = 401, description = "`invalid_session`"),
        (status = 403, description = "`access_denied`"),
        (status = 404, description = "`file_not_found`, `version_not_found`"),
        (status = 412, description = "`file_changed`"),
        (status = 422, description = "`invalid_input`"),
        (status = 503, description = "`unavailable`, with `Retry-After`")))]
pub(super) async fn head(
    requester: Requester<Native>,
    request: HttpRequest,
    query: ValidQuery<FileQuery>,
    library: Data<Library>,
) -> Result<HttpResponse, HttpError<Native>> {
    let named = named(&request)?;
    let file = library.find_native(&requester.caller, named.wanted(), query.version).await?;
    let tag = file.tag.text();
    if let Some(answer) = unconditioned(&request, &file, &tag)? {
        return Ok(answer);
    }
    let mut response = HttpResponse::Ok();
    describe(&mut response, &file, &tag);
    // Only its length counts: there is no body in an answer to HEAD.
    Ok(response.body(SizedStream::new(file.size_bytes, stream::empty::<Result<Bytes, StoreError>>())))
}

/// The answer where a condition does not hold (RFC 9110, section 13.2.2).
fn unconditioned(
    request: &HttpRequest,
    file: &NativeFile,
    tag: &str,
) -> Result<Option<HttpResponse>, Failure> {
    let condition = conditions::of(request);
    if !condition.is_expected(Some(tag)) {
        return Err(Failure::of(ErrorCode::FileChanged));
    }
    if condition.is_known(Some(tag)) {
        let mut response = HttpResponse::NotModified();
        describe(&mut response, file, tag);
        return Ok(Some(response.finish()));
    }
    Ok(None)
}

fn describe(response: &mut HttpResponseBuilder, file: &NativeFile, tag: &str) {
    response
        .content_type(ENVELOPE_MEDIA_TYPE)
        .insert_header((header::ETAG, conditions::quoted(tag)))
        .insert_header((FILE_VERSION, file.tag.version))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header(NO_STORE);
}

fn no_such_range(size_bytes: u64) -> HttpResponse {
    let mut response = Native::answer(&Failure::of(ErrorCode::RangeNotSatisfiable));
    if let Ok(told) = header::HeaderValue::from_str(&format!("bytes */{size_bytes}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, told);
    }
    response
}
