//! `/internal/v1/files/heads`: what the KMS wraps anew when a file key is rotated.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use actix_web::web::{Data, Json};
use coffer_api::ErrorCode;
use coffer_api::internal::Done;
use coffer_api::internal::heads::{
    FenceRequest, HeadBytes, HeadsPage, HeadsReplaced, HeadsRequest, KeptHead, NEW_HEADS_MAX, NewlyWrapped,
    ReplaceHeads,
};
use coffer_auth::service_token::ServiceName;
use coffer_server::{Failure, HttpError, Native, ServiceCaller, ValidJson};

use crate::domain::library::{Library, LibraryError};
use crate::domain::native::heads::{At, OldBytes, OldHead, OldKey};
use crate::domain::native::rewrap::{NewBytes, NewHead};
use crate::repo::Fence;

/// The heads that are wrapped for old versions of a file key.
pub(in crate::routes) async fn list(
    caller: ServiceCaller,
    asked: ValidJson<HeadsRequest>,
    library: Data<Library>,
) -> Result<Json<HeadsPage>, HttpError<Native>> {
    of_the_kms(&caller)?;
    let HeadsRequest { space, file_id: file, name, covers, below, cursor } = asked.into_inner();
    let at = cursor
        .map(|cursor| At::read(&cursor).ok_or_else(|| Failure::field("cursor", "is none of this listing")));
    let key = OldKey { space, file, name, covers, below };
    let page = library.files()?.old_heads(&key, at.transpose()?).await.map_err(LibraryError::from)?;
    let items = page.heads.into_iter().map(kept).collect();
    Ok(Json(HeadsPage { items, next_cursor: page.next.as_ref().map(At::text) }))
}

fn kept(OldHead { name: file_name, tag, bytes }: OldHead) -> KeptHead {
    let head = match bytes {
        OldBytes::Envelope { version, head } => HeadBytes::Envelope { version, head: STANDARD.encode(head) },
        OldBytes::Classic { wrapped_key, wrapped_vector } => HeadBytes::Classic {
            wrapped_key: STANDARD.encode(wrapped_key),
            wrapped_vector: STANDARD.encode(wrapped_vector),
        },
    };
    KeptHead { file_name, tag, head }
}

/// Puts heads in the place of others.
pub(in crate::routes) async fn replace(
    caller: ServiceCaller,
    asked: ValidJson<ReplaceHeads>,
    library: Data<Library>,
) -> Result<Json<HeadsReplaced>, HttpError<Native>> {
    of_the_kms(&caller)?;
    if asked.items.len() > NEW_HEADS_MAX {
        return Err(Failure::field("items", format!("has more than {NEW_HEADS_MAX} items")).into());
    }
    let (files, mut replaced) = (library.files()?, 0);
    for items in asked.items.chunk_by(|one, next| one.file_name == next.file_name) {
        let heads = items
            .iter()
            .map(|item| Ok(NewHead { tag: item.tag.clone(), bytes: newly_wrapped(&item.wrapped)? }));
        let heads = heads.collect::<Result<Vec<_>, Failure>>()?;
        replaced += files.replace_heads(asked.space, &items[0].file_name, &heads).await?;
    }
    Ok(Json(HeadsReplaced { replaced }))
}

fn newly_wrapped(wrapped: &NewlyWrapped) -> Result<NewBytes, Failure> {
    let decode =
        |text: &str| STANDARD.decode(text).map_err(|_| Failure::field("wrapped", "is not valid base64"));
    Ok(match wrapped {
        NewlyWrapped::Stanzas(stanzas) => NewBytes::Stanzas(decode(stanzas)?),
        NewlyWrapped::Classic { wrapped_key, wrapped_vector } => {
            NewBytes::Classic { wrapped_key: decode(wrapped_key)?, wrapped_vector: decode(wrapped_vector)? }
        }
    })
}

/// Says which versions of a file key are taken in from now on.
pub(in crate::routes) async fn fence(
    caller: ServiceCaller,
    asked: ValidJson<FenceRequest>,
    library: Data<Library>,
) -> Result<Json<Done>, HttpError<Native>> {
    of_the_kms(&caller)?;
    let fence = Fence { oldest: asked.oldest };
    let repo = &library.files()?.repo;
    repo.fence(asked.space, asked.file_id, fence).await.map_err(LibraryError::from)?;
    Ok(Json(Done {}))
}

/// No other service has any business with wrapped keys.
fn of_the_kms(ServiceCaller(caller): &ServiceCaller) -> Result<(), Failure> {
    match caller.service {
        ServiceName::Kms => Ok(()),
        ServiceName::Data | ServiceName::Gateway => Err(Failure::of(ErrorCode::PermissionDenied)),
    }
}
