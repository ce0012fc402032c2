//! `/api/v1/file-versions`.

use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::file_versions::{
    NewVersion, OPEN_VERSIONS_MAX, OpenVersions, OpenedVersion, OpenedVersions, PublishVersions,
    PublishedVersions, RegisterVersions, RegisteredVersion, RegisteredVersions, SealedVersion,
    UploadedVersion, VERSIONS_MAX,
};
use coffer_api::{Problem, WireSecret};
use coffer_auth::permission::{ManageFileKeys, OpenFileKeys};
use coffer_server::{Granted, GrantedFor, HttpError, LatelyGranted, ValidJson};

use super::caller::caller;
use super::parse;
use crate::domain::filekeys::{FileKeys, NewContent, OfOwner, SealedContent, Uploaded};
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
