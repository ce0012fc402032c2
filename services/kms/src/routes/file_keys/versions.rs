//! `/api/v1/file-versions`.

use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::file_copies::{RegisterCopy, RegisteredCopy};
use coffer_api::file_versions::{
    NewVersion, OPEN_VERSIONS_MAX, OpenVersions, OpenedVersion, OpenedVersions, PresentVersion,
    PresentVersions, PublishVersions, PublishedVersions, RegisterVersions, RegisteredVersion,
    RegisteredVersions, SealedVersion, ShowVersion, ShowVersions, UploadedVersion, VERSIONS_MAX,
};
use coffer_api::{PrefixHash, Problem, WireSecret};
use coffer_auth::permission::{ManageFileKeys, OpenFileKeys};
use coffer_crypto::envelope::Prefix;
use coffer_server::{Failure, Granted, GrantedFor, HttpError, LatelyGranted, ValidJson};

use super::caller::caller;
use super::parse;
use crate::domain::filekeys::{CopyOrder, FileKeys, NewContent, OfOwner, SealedContent, Uploaded};
use crate::routes::visitor::Visitor;

/// Registers what is about to be uploaded, for whoever may write.
#[utoipa::path(post, path = "/api/v1/file-versions", tag = "file versions", request_body = RegisterVersions,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The numbers of the versions", body = RegisteredVersions),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`file_key_not_found`", body = Problem),
        (status = 409, description = "`conflict`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn register(
    asked: GrantedFor<Granted<ManageFileKeys>, ValidJson<RegisterVersions>>,
    visitor: Visitor,
    keys: Data<FileKeys>,
) -> Result<Json<RegisteredVersions>, HttpError> {
    let GrantedFor { caller: session, body } = asked;
    let owner = parse::owner(body.owner.as_deref())?;
    let items = parse::items(&body.items, VERSIONS_MAX, |item: &NewVersion, field| {
        Ok(NewContent { name: parse::name_of(field("name"), &item.name)?, prefix_hash: item.prefix_hash })
    })?;
    let wanted = OfOwner { owner: owner.as_ref(), items: &items };
    let registered = keys.register(&caller(&session, visitor), wanted).await?;
    let items =
        registered.into_iter().map(|one| RegisteredVersion { file_id: one.file, version: one.version });
    Ok(Json(RegisteredVersions { items: items.collect() }))
}

/// Says that versions were uploaded, for whoever may write.
#[utoipa::path(post, path = "/api/v1/file-versions/publish", tag = "file versions",
    request_body = PublishVersions,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "They are known to be there", body = PublishedVersions),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 404, description = "`file_key_not_found`", body = Problem),
        (status = 409, description = "`version_unregistered`, `conflict`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn publish(
    asked: GrantedFor<Granted<ManageFileKeys>, ValidJson<PublishVersions>>,
    visitor: Visitor,
    keys: Data<FileKeys>,
) -> Result<Json<PublishedVersions>, HttpError> {
    let GrantedFor { caller: session, body } = asked;
    let owner = parse::owner(body.owner.as_deref())?;
    let items = parse::items(&body.items, VERSIONS_MAX, |item: &UploadedVersion, field| {
        Ok(Uploaded { name: parse::name_of(field("name"), &item.name)?, version: item.version })
    })?;
    let wanted = OfOwner { owner: owner.as_ref(), items: &items };
    keys.publish(&caller(&session, visitor), wanted).await?;
    Ok(Json(PublishedVersions {}))
}

/// Which versions are the present ones, for whoever may read.
#[utoipa::path(post, path = "/api/v1/file-versions/present", tag = "file versions", request_body = ShowVersions,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The latest published versions", body = PresentVersions),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn present(
    asked: GrantedFor<Granted<OpenFileKeys>, ValidJson<ShowVersions>>,
    visitor: Visitor,
    keys: Data<FileKeys>,
) -> Result<Json<PresentVersions>, HttpError> {
    let GrantedFor { caller: session, body } = asked;
    let owner = parse::owner(body.owner.as_deref())?;
    let items = parse::items(&body.items, VERSIONS_MAX, |item: &ShowVersion, field| {
        parse::name_of(field("name"), &item.name)
    })?;
    let wanted = OfOwner { owner: owner.as_ref(), items: &items };
    let present = keys.present_versions(&caller(&session, visitor), wanted).await?;
    let items = present.into_iter().map(|version| PresentVersion { version });
    Ok(Json(PresentVersions { items: items.collect() }))
}

/// Opens versions as the data service handed them out, for whoever may read.
#[utoipa::path(post, path = "/api/v1/file-versions/open", tag = "file versions", request_body = OpenVersions,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The content keys", body = OpenedVersions),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`, `second_factor_required`", body = Problem),
        (status = 404, description = "`file_key_not_found`", body = Problem),
        (status = 409, description = "`version_unregistered`: the data service handed out something else, \
            `version_outdated`: it handed out what has been replaced", body = Problem),
        (status = 422, description = "`invalid_input`, `unwrap_failed`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn open(
    asked: GrantedFor<LatelyGranted<OpenFileKeys>, ValidJson<OpenVersions>>,
    visitor: Visitor,
    keys: Data<FileKeys>,
) -> Result<Json<OpenedVersions>, HttpError> {
    let GrantedFor { caller: session, body } = asked;
    let owner = parse::owner(body.owner.as_deref())?;
    let items = parse::items(&body.items, OPEN_VERSIONS_MAX, |item: &SealedVersion, field| {
        Ok(SealedContent {
            name: parse::name_of(field("name"), &item.name)?,
            version: item.version,
            present: item.present,
            prefix_hash: item.prefix_hash,
            key_version: item.key_version,
            wrapped: parse::ciphertext(|| field("wrapped"), &item.wrapped)?,
        })
    })?;
    let wanted = OfOwner { owner: owner.as_ref(), items: &items };
    let opened = keys.open_versions(&caller(&session, visitor), wanted).await?;
    let items = opened.into_iter().map(|one| OpenedVersion {
        content_key: WireSecret::from(STANDARD.encode(one.content_key.expose())),
        published: one.published,
    });
    Ok(Json(OpenedVersions { items: items.collect() }))
}

/// Registers content that is there under one name as the next version of another, for whoever may read the one and write
/// the other.
#[utoipa::path(post, path = "/api/v1/file-versions/copy", tag = "file versions", request_body = RegisterCopy,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The number of the version, and its stanzas", body = RegisteredCopy),
        (status = 401, description = "`invalid_session`", body = Problem),
        (status = 403, description = "`access_denied`, `second_factor_required`", body = Problem),
        (status = 404, description = "`file_key_not_found`", body = Problem),
        (status = 409, description = "`version_unregistered`, `version_outdated`: of the content that is copied; \
            `key_version_destroyed`; `conflict`", body = Problem),
        (status = 422, description = "`invalid_input`, `unwrap_failed`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(super) async fn copy(
    asked: GrantedFor<Granted<OpenFileKeys>, ValidJson<RegisterCopy>>,
    visitor: Visitor,
    keys: Data<FileKeys>,
) -> Result<Json<RegisteredCopy>, HttpError> {
    let GrantedFor { caller: session, body } = asked;
    let (from_owner, to_owner) =
        (parse::owner(body.from_owner.as_deref())?, parse::owner(body.to_owner.as_deref())?);
    let to = parse::name_of("to".to_owned(), &body.to)?;
    let decoded = STANDARD.decode(&body.prefix).unwrap_or_default();
    let prefix = decoded.as_slice().try_into().ok().and_then(|prefix| Prefix::parse(prefix).ok());
    let prefix = prefix.ok_or_else(|| Failure::field("prefix", "is not the prefix of an envelope"))?;
    let content = SealedContent {
        name: parse::name_of("from".to_owned(), &body.from)?,
        version: body.version,
        present: body.present,
        prefix_hash: PrefixHash::from_bytes(prefix.hash()),
        key_version: body.key_version,
        wrapped: parse::ciphertext(|| "wrapped".to_owned(), &body.wrapped)?,
    };
    let from = OfOwner { owner: from_owner.as_ref(), items: &[content] };
    let order = CopyOrder { from, prefix: &prefix, to: &to, to_owner: to_owner.as_ref() };
    let copied = keys.register_copy(&caller(&session, visitor), &order).await?;
    Ok(Json(RegisteredCopy {
        file_id: copied.registered.file,
        version: copied.registered.version,
        stanzas: STANDARD.encode(copied.stanzas),
    }))
}
