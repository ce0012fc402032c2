//! Reading an envelope, or a range of it.

use std::ops::Range;

use bytes::Bytes;
use coffer_api::grants::Permission;
use coffer_core::{Timestamp, UserId};
use coffer_store::records::StoreError;
use futures_util::stream::{self, BoxStream, StreamExt as _};

use crate::domain::access::Resolved;
use crate::domain::content;
use crate::domain::library::{Caller, Library, LibraryError, Wanted};
use crate::domain::turns::{Reader, Turn};
use crate::repo::{Content, NameState, StoredFile, Tag};

/// A piece of an answer: few enough bytes to be in the processor's cache between here and the socket.
const PIECE_BYTES: usize = 64 * 1024;

/// A file that is an envelope.
#[derive(Debug)]
pub(crate) struct NativeFile {
    file: StoredFile,
    pub(crate) tag: Tag,
    pub(crate) size_bytes: u64,
    pub(crate) created_at: Timestamp,
}

impl NativeFile {
    /// The file as an envelope; nothing if it is none.
    pub(super) fn of(file: StoredFile) -> Result<Option<Self>, StoreError> {
        let record = file.record()?;
        let Some(tag) = record.native.as_ref().map(|native| native.tag) else { return Ok(None) };
        let (size_bytes, created_at) = (record.size_bytes, record.created_at);
        Ok(Some(Self { file, tag, size_bytes, created_at }))
    }

    /// As it is stored.
    pub(super) fn stored(&self) -> &StoredFile {
        &self.file
    }
}

/// The bytes of an envelope, as they are read.
pub(crate) enum Answer {
    /// All at once.
    Whole(Bytes),
    /// Piece by piece. While it lasts it is one of the large downloads that may be at the same time.
    Pieces(BoxStream<'static, Result<Bytes, StoreError>>),
}

impl Library {
    /// Finds the envelope that a name means to the caller, or the version of it that has this number.
    pub(crate) async fn find_native(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
        version: Option<u64>,
    ) -> Result<NativeFile, LibraryError> {
        let Some(version) = version else {
            return NativeFile::of(self.find(caller, wanted).await?)?.ok_or(LibraryError::NotFound);
        };
        let (space, state) = self.locate(caller, wanted).await?;
        let trail = state.trail()?;
        if let Some(file) = state.file {
            let file = NativeFile::of(file)?.ok_or(LibraryError::NotFound)?;
            if file.tag.version == version {
                return Ok(file);
            }
        }
        let past = trail.iter().rev().find(|past| past.tag.version == version);
        let past = past.ok_or(LibraryError::VersionNotFound)?;
        let file = self.files()?.repo.past(space, wanted.name, past).await?;
        NativeFile::of(file.ok_or(LibraryError::VersionNotFound)?)?.ok_or(LibraryError::VersionNotFound)
    }

    /// The space in which a name means something to the caller, and what it means there. What the caller deleted counts
    /// only if the name means nothing else.
    pub(super) async fn locate(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
    ) -> Result<(UserId, NameState), LibraryError> {
        let repo = &self.files()?.repo;
        let mut own = None;
        if wanted.owner.is_none() || matches!(caller, Caller::Anybody) {
            let state = repo.state(caller.space(), wanted.name).await?;
            if state.file.is_some() {
                return Ok((caller.space(), state));
            }
            own = state.trashed.is_some().then_some((caller.space(), state));
        }
        let Caller::User(principal) = caller else { return own.ok_or(LibraryError::NotFound) };
        match self.resolve(principal, wanted, Permission::Read).await? {
            Resolved::In(space) if space != caller.space() || own.is_none() => {
                let state = repo.state(space, wanted.name).await?;
                let is_something = state.file.is_some() || state.trashed.is_some();
                is_something.then_some((space, state)).or(own).ok_or(LibraryError::NotFound)
            }
            Resolved::In(_) | Resolved::NotFound => own.ok_or(LibraryError::NotFound),
            Resolved::Denied => own.ok_or(LibraryError::Denied),
        }
    }

    /// Reads `range` of the bytes of an envelope.
    pub(crate) async fn read_native(
        &self,
        reader: Reader,
        file: &NativeFile,
        range: Range<u64>,
    ) -> Result<Answer, LibraryError> {
        let record = file.file.record()?;
        let native = record.native.as_ref().ok_or(LibraryError::NotFound)?;
        let head = [&native.prefix[..], &native.stanzas[..]].concat();
        let start = native.head_bytes();
        let rest = range.start.saturating_sub(start)..range.end.saturating_sub(start);
        let mut begin = within(&head, &range).to_vec();
        let blob = match &record.content {
            Content::Inline(bytes) => {
                begin.extend_from_slice(within(bytes, &rest));
                return Ok(Answer::Whole(begin.into()));
            }
            Content::Blob(_) if rest.is_empty() => return Ok(Answer::Whole(begin.into())),
            Content::Blob(blob) => content::of(blob)?,
        };
        let turn = self.turns.take(reader).await.ok_or(LibraryError::Busy)?;
        let pieces = blob.read_range(self.files()?.blobs.clone(), rest);
        let pieces = stream::iter((!begin.is_empty()).then(|| Ok(Bytes::from(begin)))).chain(pieces);
        Ok(Answer::Pieces(in_pieces(pieces.boxed(), turn)))
    }
}

fn within<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(bytes.len());
    &bytes[at(range.start)..at(range.end)]
}

fn in_pieces(
    parts: BoxStream<'static, Result<Bytes, StoreError>>,
    turn: Turn,
) -> BoxStream<'static, Result<Bytes, StoreError>> {
    let state = (parts, Bytes::new(), turn);
    let pieces = stream::try_unfold(state, |(mut parts, mut part, turn)| async move {
        while part.is_empty() {
            match parts.next().await.transpose()? {
                Some(next) => part = next,
                None => return Ok(None),
            }
        }
        let piece = part.split_to(part.len().min(PIECE_BYTES));
        Ok(Some((piece, (parts, part, turn))))
    });
    pieces.boxed()
}
