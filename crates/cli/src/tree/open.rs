//! Envelopes that arrived, and the content keys that the KMS gives for them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use coffer_api::PrefixHash;
use coffer_api::file_versions::{OpenVersions, PublishVersions, SealedVersion, UploadedVersion};
use coffer_client::ClientError;
use coffer_crypto::envelope::{ContentKey, Details, Head, Kind, LastPart, Opener, Refusal};
use futures_util::StreamExt as _;
use zeroize::Zeroizing;

use super::Stamp;
use super::place::{Part, PlaceError, Replace, Tree};
use super::plan::Place;
use crate::progress::Progress;
use crate::transfer::Pieces;

/// How much is opened at once of what arrives.
const PIECE_BYTES: usize = 512 * 1024;
/// A link's target, in bytes, at most: what systems take.
const TARGET_BYTES_MAX: u64 = 4096;

/// Why an envelope is not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("it was damaged or tampered with on the way or in storage")]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error("it tells of itself what cannot be")]
    Odd,
    #[error("part of the program failed")]
    Task(#[from] tokio::task::JoinError),
}

/// An envelope that has begun to arrive.
pub(super) struct Arrived {
    pub(super) name: String,
    pub(super) version: u64,
    pub(super) head: Head,
}

/// What may be opened, and whether the KMS must still hear that it was uploaded.
pub(super) struct Opened {
    pub(super) content: ContentKey,
    pub(super) is_published: bool,
}

/// The content keys of these envelopes, all or none.
pub(super) async fn content_keys(place: &Place<'_>, arrived: &[&Arrived]) -> Result<Vec<Opened>, OpenError> {
    let sealed = |one: &&Arrived| {
        let stanza = one.head.stanzas.stanzas().iter().max_by_key(|stanza| stanza.version);
        let stanza = stanza.ok_or(Refusal::StanzaCount(0))?;
        Ok(SealedVersion {
            name: one.name.clone(),
            version: one.version,
            present: true,
            prefix_hash: PrefixHash::from_bytes(one.head.prefix.hash()),
            key_version: stanza.version,
            wrapped: BASE64.encode(&stanza.wrapped),
        })
    };
    let items = arrived.iter().map(sealed).collect::<Result<_, Refusal>>()?;
    let body = OpenVersions { owner: Some(place.whose().to_owned()), items };
    let answer = place.session.kms.open_versions(&body).await?;
    if answer.items.len() != arrived.len() {
        return Err(OpenError::Odd);
    }
    let opened = answer.items.iter().zip(arrived).map(|(item, arrived)| {
        let key = BASE64.decode(item.content_key.expose()).map(Zeroizing::new).map_err(|_| OpenError::Odd)?;
        let is_published = item.published.is_some_and(|published| published >= arrived.version);
        Ok(Opened { content: ContentKey::from_bytes(&key)?, is_published })
    });
    opened.collect()
}

/// Says for a writer who could not any more that these were uploaded. Who may not write is refused, which changes nothing.
pub(super) async fn publish(place: &Place<'_>, names: Vec<(String, u64)>) {
    if names.is_empty() {
        return;
    }
    let items = names.into_iter().map(|(name, version)| UploadedVersion { name, version }).collect();
    let body = PublishVersions { owner: Some(place.whose().to_owned()), items };
    let _: Result<_, ClientError> = place.session.kms.publish_versions(&body).await;
}

/// What an envelope turned out to be.
pub(super) enum Found {
    File { stamp: Stamp, bytes: u64 },
    Folder(Details),
    Link { target: Vec<u8>, details: Details },
}

/// Where a file goes.
#[derive(Clone, Debug)]
pub(super) struct Goal {
    pub(super) below: String,
    pub(super) replace: Replace,
}

/// Opens an envelope that is here whole, and writes it if it is a file.
pub(super) fn open_whole(
    tree: &Tree,
    goal: &Goal,
    (head, body): (&Head, &[u8]),
    content: &ContentKey,
) -> Result<Found, OpenError> {
    let mut opener = Opener::new(head, content)?;
    let mut plaintext = Zeroizing::new(Vec::with_capacity(body.len()));
    opener.push(body, &mut plaintext)?;
    let last = opener.finish()?;
    if let Some(found) = other_kind(&last, || plaintext.to_vec())? {
        return Ok(found);
    }
    let mut part = tree.begin().map_err(PlaceError::from)?;
    part.write(&plaintext).map_err(PlaceError::from)?;
    place_file(tree, goal, &part, &last)
}

fn place_file(tree: &Tree, goal: &Goal, part: &Part, last: &LastPart) -> Result<Found, OpenError> {
    let stamp = tree.finish(part, (&goal.below, &last.details), &goal.replace)?;
    Ok(Found::File { stamp, bytes: last.plaintext_bytes })
}

/// What is no file.
fn other_kind(last: &LastPart, plaintext: impl FnOnce() -> Vec<u8>) -> Result<Option<Found>, OpenError> {
    let details = || last.details.clone();
    match last.details.kind.unwrap_or_default() {
        Kind::File => Ok(None),
        Kind::Directory if last.plaintext_bytes == 0 => Ok(Some(Found::Folder(details()))),
        Kind::SymbolicLink if (1..=TARGET_BYTES_MAX).contains(&last.plaintext_bytes) => {
            Ok(Some(Found::Link { target: plaintext(), details: details() }))
        }
        Kind::Directory | Kind::SymbolicLink => Err(OpenError::Odd),
    }
}

/// Opens an envelope as it arrives.
pub(super) async fn open_stream(
    tree: &std::sync::Arc<Tree>,
    goal: Goal,
    (head, rest, mut pieces): (Head, Bytes, Pieces),
    (content, progress): (ContentKey, &Progress),
) -> Result<Found, OpenError> {
    let mut opener = Opener::new(&head, &content)?;
    let mut part = tree.begin().map_err(PlaceError::from)?;
    let mut ahead = vec![rest];
    loop {
        let mut is_over = false;
        while !is_over && ahead.iter().map(Bytes::len).sum::<usize>() < PIECE_BYTES {
            match pieces.next().await.transpose()? {
                Some(piece) => ahead.push(piece),
                None => is_over = true,
            }
        }
        progress.add(ahead.iter().map(Bytes::len).sum::<usize>() as u64);
        let work = std::mem::take(&mut ahead);
        (opener, part) = tokio::task::spawn_blocking(move || open_pieces(opener, part, &work)).await??;
        if is_over {
            break;
        }
    }
    let tree = std::sync::Arc::clone(tree);
    let work = tokio::task::spawn_blocking(move || {
        let last = opener.finish()?;
        // What is no file is small.
        if last.details.kind.unwrap_or_default() != Kind::File {
            return Err(OpenError::Odd);
        }
        place_file(&tree, &goal, &part, &last)
    });
    work.await?
}

fn open_pieces(mut opener: Opener, mut part: Part, pieces: &[Bytes]) -> Result<(Opener, Part), OpenError> {
    let mut plaintext = Zeroizing::new(Vec::with_capacity(2 * PIECE_BYTES));
    for piece in pieces {
        opener.push(piece, &mut plaintext)?;
    }
    part.write(&plaintext).map_err(PlaceError::from)?;
    Ok((opener, part))
}
